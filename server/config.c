/* config.c: reading the settings.
 *
 * config.def is expanded into one row per setting; every function below walks that table. Values
 * are kept as text until the end, so that one place reports what is wrong with any of them. */
#include "config_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/secret.h"

#define FIELD(field) offsetof(struct config, field)
const struct setting config_settings[] = {
#define GROUP(title) {KIND_GROUP, title, 0, NULL, 0, 0, NULL, NULL},
#define TEXT(field, name, def, sentence) {KIND_TEXT, name, FIELD(field), def, 0, 0, NULL, sentence},
#define URL(field, name, def, sentence) {KIND_URL, name, FIELD(field), def, 0, 0, NULL, sentence},
#define SECRET(field, name, def, sentence) \
    {KIND_SECRET, name, FIELD(field), def, 0, 0, NULL, sentence},
#define NUMBER(field, name, def, min, max, sentence) \
    {KIND_NUMBER, name, FIELD(field), #def, min, max, NULL, sentence},
#define CHOICE(field, name, def, words, sentence) \
    {KIND_CHOICE, name, FIELD(field), def, 0, 0, words, sentence},
#include "config.def"
};
const size_t config_settings_count = ARRAY_LEN(config_settings);
_Static_assert(ARRAY_LEN(config_settings) <= SETTINGS_MAX, "one origin for each");

static const char **text_of(struct config *c, size_t i)
{
    return (const char **)((char *)c + config_settings[i].offset);
}

static int *number_of(struct config *c, size_t i)
{
    return (int *)((char *)c + config_settings[i].offset);
}

static int find_setting(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(config_settings); i++) {
        if (config_settings[i].kind != KIND_GROUP && str_eq_c(name, config_settings[i].name))
            return (int)i;
    }
    return -1;
}

int config_refuse(struct config *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->inside->fault, CONFIG_FAULT_SIZE, fmt, ap);
    va_end(ap);
    return CONFIG_E_INVALID;
}

const char *config_keep(struct config *c, const char *fmt, ...)
{
    char text[2 * BOUND_CONFIG_VALUE_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    const char *kept = arena_cstr(c->inside->arena, str_c(text));

    assert(kept);
    return kept;
}

static int set_number(struct config *c, size_t i, struct str value)
{
    const struct setting *s = &config_settings[i];
    int64_t v = 0;

    if (str_i64(value, &v) != STR_OK || v < s->min || v > s->max)
        return config_refuse(c, "%s: \"%.*s\" is not a number from %d to %d (%s)", s->name,
                             STR_FMT(value), s->min, s->max, c->inside->origins[i]);
    *number_of(c, i) = (int)v;
    return 0;
}

static int set_choice(struct config *c, size_t i, struct str value)
{
    const struct setting *s = &config_settings[i];
    struct str rest = str_c(s->words), word;

    for (int n = 0; str_split(&rest, '|', &word); n++) {
        if (str_eq(word, value)) {
            *number_of(c, i) = n;
            return 0;
        }
    }
    return config_refuse(c, "%s: \"%.*s\" is not one of %s (%s)", s->name, STR_FMT(value), s->words,
                         c->inside->origins[i]);
}

static int set_value(struct config *c, size_t i, struct str value, const char *origin)
{
    if (value.n == 0)
        return 0; /* an empty value is the default */
    c->inside->origins[i] = origin;
    if (value.n > BOUND_CONFIG_VALUE_BYTES)
        return config_refuse(c, "%s: the value is too long (%s)", config_settings[i].name, origin);
    switch (config_settings[i].kind) {
    case KIND_TEXT:
    case KIND_URL:
    case KIND_SECRET:
        *text_of(c, i) = config_keep(c, "%.*s", STR_FMT(value));
        return 0;
    case KIND_NUMBER:
        return set_number(c, i, value);
    case KIND_CHOICE:
        return set_choice(c, i, value);
    case KIND_GROUP:
        break;
    }
    return 0;
}

static bool is_text(enum setting_kind kind)
{
    return kind == KIND_TEXT || kind == KIND_URL || kind == KIND_SECRET;
}

static int read_defaults(struct config *c)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_LEN(config_settings) && r == 0; i++) {
        if (is_text(config_settings[i].kind))
            *text_of(c, i) = config_settings[i].def;
        else if (config_settings[i].kind != KIND_GROUP)
            r = set_value(c, i, str_c(config_settings[i].def), "default");
        c->inside->origins[i] = "default";
    }
    return r;
}

/* One line of the file: NAME=value, a comment, or nothing. Quotes around a value go. */
static int read_line(struct config *c, const char *file, unsigned line, struct str text)
{
    struct str value = str_trim(text), name;

    if (value.n == 0 || value.p[0] == '#')
        return 0;
    if (str_find(value, '=') < 0)
        return config_refuse(c, "%s:%u: a line is NAME=value or starts with #", file, line);
    str_split(&value, '=', &name);
    name = str_trim(name);
    value = str_trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = str_n(value.p + 1, value.n - 2);
    int i = find_setting(name);

    if (i < 0)
        return config_refuse(c, "%s:%u: there is no setting %.*s (see tollgate --help)", file, line,
                             (int)MIN(name.n, (size_t)80), name.p);
    return set_value(c, (size_t)i, value, config_keep(c, "%s:%u", file, line));
}

static int read_file(struct config *c, const char *file)
{
    char *text = arena_alloc(c->inside->arena, BOUND_CONFIG_BYTES);
    FILE *f = fopen(file, "re");

    if (!f || !text) {
        int r = config_refuse(c, "cannot read the configuration file %s: %s", file, strerror(errno));
        if (f)
            fclose(f);
        return r;
    }
    struct str rest = str_n(text, fread(text, 1, BOUND_CONFIG_BYTES, f)), line;
    int r = 0;

    if (rest.n == BOUND_CONFIG_BYTES)
        r = config_refuse(c, "%s is larger than %zu bytes", file, BOUND_CONFIG_BYTES);

    fclose(f);
    for (unsigned n = 1; r == 0 && str_split(&rest, '\n', &line); n++)
        r = read_line(c, file, n, line);
    return r;
}

static int read_environment(struct config *c)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_LEN(config_settings) && r == 0; i++) {
        const struct setting *s = &config_settings[i];
        const char *value = s->kind == KIND_GROUP ? NULL : getenv(s->name);
        if (value)
            r = set_value(c, i, str_c(value), "environment");
    }
    return r;
}

static int read_overrides(struct config *c, const struct config_override *o, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        int at = find_setting(str_c(o[i].name));
        assert(at >= 0);
        r = set_value(c, (size_t)at, str_c(o[i].value), o[i].origin);
    }
    return r;
}

/* A setting that was left open, worked out; origin says so. */
static void derive(struct config *c, const char **field, const char *value)
{
    if ((*field)[0])
        return;
    *field = value;
    for (size_t i = 0; i < ARRAY_LEN(config_settings); i++) {
        if (config_settings[i].kind != KIND_GROUP && text_of(c, i) == field)
            c->inside->origins[i] = "worked out";
    }
}

static const char *default_data_dir(struct config *c)
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (geteuid() == 0)
        return "/var/lib/tollgate";
    if (xdg && xdg[0] == '/')
        return config_keep(c, "%s/tollgate", xdg);
    return home && home[0] == '/' ? config_keep(c, "%s/.local/share/tollgate", home) : "";
}

/* PREFIX/bin/tollgate has PREFIX/share/tollgate; build/tollgate has the source tree around it. */
static void derive_own_files(struct config *c, const char *self_exe)
{
    struct str dir = str_c(self_exe);

    while (dir.n > 0 && dir.p[dir.n - 1] != '/')
        dir.n--;
    const char *share = config_keep(c, "%.*s../share/tollgate", STR_FMT(dir));
    const char *tree = config_keep(c, "%.*s..", STR_FMT(dir));
    bool installed = access(share, F_OK) == 0;
    const char *base = installed ? share : tree;

    derive(c, &c->templates_dir, config_keep(c, "%s/templates", base));
    derive(c, &c->migrations_dir, config_keep(c, "%s/migrations", base));
    derive(c, &c->static_dir, config_keep(c, "%s/web", base));
    derive(c, &c->catalog_file,
           config_keep(c, installed ? "%s/catalog/models.json" : "%s/server/catalog/data/models.json",
                       base));
}

static bool is_loopback(const char *address)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static const char *host_name(struct config *c)
{
    char name[256];

    if (gethostname(name, sizeof(name)) < 0)
        return "node";
    name[sizeof(name) - 1] = '\0';
    return config_keep(c, "%s", name);
}

/* The URL a browser on this machine would use. */
static const char *own_url(struct config *c)
{
    const char *scheme = c->tls_cert_file[0] ? "https" : "http";
    const char *host = c->listen;

    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    if (strcmp(host, "::") == 0)
        host = "::1";
    return config_keep(c, strchr(host, ':') ? "%s://[%s]:%d" : "%s://%s:%d", scheme, host, c->port);
}

static int absolute(struct config *c, const char **path, const char *name)
{
    char cwd[PATH_MAX];

    if ((*path)[0] == '\0' || (*path)[0] == '/')
        return 0;
    if (!getcwd(cwd, sizeof(cwd)))
        return config_refuse(c, "%s: the working directory has no path; use an absolute one", name);
    *path = config_keep(c, "%s/%s", cwd, *path);
    return 0;
}

static int derive_all(struct config *c, const char *file, const char *self_exe)
{
    bool private_database = c->embedded == CONFIG_ON || !c->database_url[0];

    c->loopback = is_loopback(c->listen);
    derive(c, &c->data_dir, default_data_dir(c));
    if (!c->data_dir[0])
        return config_refuse(c, "DATA_DIR: set it, since neither HOME nor XDG_DATA_HOME says where");
    c->file = file ? config_keep(c, "%s", file) : "";
    int r = absolute(c, &c->data_dir, "DATA_DIR");

    if (r == 0)
        r = absolute(c, &c->file, "--config");
    if (private_database)
        derive(c, &c->secret_file, config_keep(c, "%s/secret", c->data_dir));
    derive(c, &c->journal_dir, config_keep(c, "%s/journal", c->data_dir));
    derive(c, &c->node_name, host_name(c));
    derive(c, &c->public_url, own_url(c));
    derive_own_files(c, self_exe);
    if (c->signup == CONFIG_SIGNUP_AUTO)
        c->signup = c->loopback ? CONFIG_SIGNUP_OPEN : CONFIG_SIGNUP_INVITE;
    if (c->demo == CONFIG_AUTO)
        c->demo = private_database && c->loopback ? CONFIG_ON : CONFIG_OFF;
    if (c->sandbox_payments == CONFIG_AUTO)
        c->sandbox_payments = private_database && c->loopback ? CONFIG_ON : CONFIG_OFF;
    if (c->loops == 0)
        c->loops = (int)MIN(MAX(sysconf(_SC_NPROCESSORS_ONLN), 1), 256);
    return r;
}

int config_load(const char *file, const struct config_override *overrides, size_t n_overrides,
                const char *self_exe, struct config *ret, char fault[CONFIG_FAULT_SIZE])
{
    struct config c = {.inside = calloc(1, sizeof(struct config_inside))};
    struct arena *a = arena_new(BOUND_CONFIG_ARENA_BYTES);
    const char *named = getenv("TOLLGATE_CONFIG");

    if (!c.inside || !a) {
        free(c.inside);
        arena_free(a);
        return err_origin(-ENOMEM);
    }
    c.inside->arena = a;
    c.inside->fault = fault;
    if (!file && named && named[0])
        file = named;
    int r = read_defaults(&c);

    if (r == 0 && file)
        r = read_file(&c, file);
    if (r == 0)
        r = read_environment(&c);
    if (r == 0)
        r = read_overrides(&c, overrides, n_overrides);
    if (r == 0)
        r = derive_all(&c, file, self_exe);
    if (r == 0)
        r = config_check(&c);
    if (r != 0) {
        config_done(&c);
        return r;
    }
    *ret = c;
    return 0;
}

void config_done(struct config *config)
{
    if (!config->inside)
        return;
    for (size_t i = 0; i < ARRAY_LEN(config_settings); i++) {
        const char *text = config_settings[i].kind == KIND_SECRET ? *text_of(config, i) : "";

        if (*text) /* in the arena, since a secret has no default */
            secret_wipe((void *)(uintptr_t)text, strlen(text));
    }
    arena_free(config->inside->arena);
    free(config->inside);
    config->inside = NULL;
}
