/* config_print.c: the settings for people: what there is, and what holds. */
#include "base/buf.h"
#include "config_table.h"

#define HELP_WIDTH 96
#define HELP_INDENT 8

/* The sentence in lines of HELP_WIDTH. */
static void print_wrapped(FILE *out, struct str text)
{
    while (text.n > HELP_WIDTH - HELP_INDENT) {
        size_t n = HELP_WIDTH - HELP_INDENT;
        while (n > 0 && text.p[n] != ' ')
            n--;
        fprintf(out, "%*s%.*s\n", HELP_INDENT, "", (int)n, text.p);
        text.p += n + 1;
        text.n -= n + 1;
    }
    fprintf(out, "%*s%.*s\n", HELP_INDENT, "", STR_FMT(text));
}

static void print_row(FILE *out, const struct setting *s)
{
    fprintf(out, "    %s", s->name);
    if (s->kind == KIND_CHOICE)
        fprintf(out, "=%s", s->words);
    if (s->def[0])
        fprintf(out, " (default %s)", s->def);
    fputc('\n', out);
    print_wrapped(out, str_c(s->sentence));
}

void config_print_help(FILE *out)
{
    for (size_t i = 0; i < config_settings_count; i++) {
        if (config_settings[i].kind == KIND_GROUP)
            fprintf(out, "\n  %s\n", config_settings[i].name);
        else
            print_row(out, &config_settings[i]);
    }
}

/* A database URL without its password: "//user:***@host", "password=***". */
static void print_masked(FILE *out, struct str url)
{
    const char *host = url.n > 0 ? memrchr(url.p, '@', url.n) : NULL;
    const char *user = host ? memmem(url.p, url.n, "//", 2) : NULL;
    const char *colon = user && user < host ? memchr(user, ':', (size_t)(host - user)) : NULL;
    const char *word = url.n > 0 ? memmem(url.p, url.n, "password=", 9) : NULL;

    if (colon) {
        fprintf(out, "%.*s***", (int)(colon + 1 - url.p), url.p);
        url = str_n(host, (size_t)(url.p + url.n - host));
        word = memmem(url.p, url.n, "password=", 9);
    }
    if (word) {
        /* whatever stands behind it may be part of a quoted password */
        fprintf(out, "%.*s***", (int)(word + 9 - url.p), url.p);
        return;
    }
    fprintf(out, "%.*s", STR_FMT(url));
}

static void print_word(FILE *out, const struct setting *s, int n)
{
    struct str rest = str_c(s->words), word = STR_NONE;

    for (int i = 0; i <= n && str_split(&rest, '|', &word); i++)
        continue;
    fprintf(out, "%.*s", STR_FMT(word));
}

static void print_value(const struct config *config, const struct setting *s, FILE *out)
{
    const void *at = (const char *)config + s->offset;

    switch (s->kind) {
    case KIND_TEXT:
        fputs(*(const char *const *)at, out);
        break;
    case KIND_URL:
        print_masked(out, str_c(*(const char *const *)at));
        break;
    case KIND_SECRET:
        fputs(**(const char *const *)at ? "(set)" : "(not set)", out);
        break;
    case KIND_NUMBER:
        fprintf(out, "%d", *(const int *)at);
        break;
    case KIND_CHOICE:
        print_word(out, s, *(const int *)at);
        break;
    case KIND_GROUP:
        break;
    }
}

void config_print(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < config_settings_count; i++) {
        const struct setting *s = &config_settings[i];
        if (s->kind == KIND_GROUP) {
            fprintf(out, "# %s\n", s->name);
            continue;
        }
        fprintf(out, "%s=", s->name);
        print_value(config, s, out);
        fprintf(out, "   # %s\n", config->inside->origins[i]);
    }
}
