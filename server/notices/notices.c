/* notices.c: see notices.h. */
#include "notices/notices.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

#define PASSWORD_BYTES_MAX 1024

/* "llm.example.org" of "https://user@llm.example.org:8080/x". */
static struct str host_of(struct str url)
{
    const char *scheme = url.p ? memmem(url.p, url.n, "://", 3) : NULL, *at;
    struct str host = url, rest;

    if (scheme)
        host = str_n(scheme + 3, url.n - (size_t)(scheme + 3 - url.p));
    if (str_split(&host, '/', &rest))
        host = rest;
    at = host.p ? memrchr(host.p, '@', host.n) : NULL;
    if (at)
        host = str_n(at + 1, host.n - (size_t)(at + 1 - host.p));
    if (host.n && host.p[0] == '[') {
        ssize_t end = str_find(host, ']');
        return end < 0 ? host : str_n(host.p, (size_t)end + 1);
    }
    return str_split(&host, ':', &rest) ? rest : host;
}

/* "127.example.org" is a name like any other. */
static bool is_here(struct str host)
{
    bool number = str_starts(host, STR("127."));

    for (size_t i = 0; i < host.n; i++)
        number = number && (host.p[i] == '.' || (host.p[i] >= '0' && host.p[i] <= '9'));
    return number || str_ieq(host, STR("localhost")) || str_eq_c(host, "[::1]");
}

/* One line. */
static int read_password(struct arena *a, const char *path, const char **ret)
{
    char text[PASSWORD_BYTES_MAX];
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
    struct str line = str_n(text, str_line_end(str_n(text, n), 0));

    if (f)
        (void)fclose(f);
    if (!line.n || line.n == sizeof(text) || memchr(line.p, '\0', line.n))
        return NOTICES_E_PASSWORD;
    *ret = arena_cstr(a, line);
    return *ret ? 0 : err_origin(-ENOMEM);
}

int notices_init(struct arena *a, const struct notices_settings *settings,
                 const uint8_t seal_key[32], struct notices *ret)
{
    struct notices n = {.public_url = settings->public_url, .host = host_of(settings->public_url),
                        .private_webhooks = settings->private_webhooks,
                        .resets_of_operators = settings->resets_of_operators};

    memcpy(n.seal_key, seal_key, sizeof(n.seal_key));
    n.mails = settings->smtp_url[0] && mailbox_parse(str_c(settings->mail_from), &n.from);
    if (n.mails) {
        n.from_address = arena_cstr(a, n.from.address);
        n.server = (struct smtp_server){
            .url = settings->smtp_url,
            .user = settings->smtp_user[0] ? settings->smtp_user : NULL,
            .may_be_plain = settings->allow_plain || is_here(host_of(str_c(settings->smtp_url))),
        };
        if (!n.from_address)
            return err_origin(-ENOMEM);
    }
    if (n.server.user) {
        int r = read_password(a, settings->smtp_password_file, &n.server.password);

        if (r)
            return r < 0 ? err_trace(r) : r;
    }
    *ret = n;
    return 0;
}
