/* smtp.c: see smtp.h. libcurl says that something was refused, but not what: so its talk with the server
 * is listened to, and a refusal belongs to the command that was sent last. */
#include "fetch/smtp.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "fetch/transfer.h"

#define CONNECT_MS 10000L
#define TOTAL_MS 30000L

struct smtp {
    struct smtp_server server;
    CURL *easy;
    /* Of the mail that is being sent. */
    struct str left;
    bool (*stop)(void *ctx);
    void *ctx;
    bool of_mail; /* the last command was about the recipient or the text */
    bool refused; /* by the reply to it */
    char reply[SMTP_SAID_BYTES];
    char error[CURL_ERROR_SIZE];
};

bool smtp_is_address(struct str s)
{
    ssize_t at = str_find(s, '@');

    if (at <= 0 || (size_t)at + 1 == s.n || s.n > 254 || s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c == 0x7f || strchr("<>(),;:\\\"[]", c) || (c == '@' && i != (size_t)at))
            return false;
    }
    return true;
}

/* Printable ASCII of one line; anything else becomes a question mark. */
static void keep_line(char out[SMTP_SAID_BYTES], struct str line)
{
    size_t n = 0;

    line = str_trim(line);
    for (; n < line.n && n < SMTP_SAID_BYTES - 1; n++)
        out[n] = line.p[n] >= ' ' && line.p[n] <= '~' ? line.p[n] : '?';
    out[n] = '\0';
}

static int on_talk(CURL *easy, curl_infotype type, char *data, size_t n, void *smtp)
{
    struct smtp *s = smtp;
    struct str line = str_n(data, n);

    (void)easy;
    if (s->refused)
        return 0; /* libcurl says good-bye */
    if (type == CURLINFO_HEADER_OUT)
        s->of_mail = str_starts(line, STR("RCPT ")) || str_starts(line, STR("DATA"));
    if (type == CURLINFO_HEADER_IN) {
        keep_line(s->reply, line);
        s->refused = s->of_mail && (s->reply[0] == '4' || s->reply[0] == '5');
    }
    return 0;
}

static size_t on_read(char *to, size_t size, size_t n, void *smtp)
{
    struct smtp *s = smtp;
    size_t take = MIN(s->left.n, size * n);

    if (take)
        memcpy(to, s->left.p, take);
    s->left.p += take;
    s->left.n -= take;
    return take;
}

static size_t on_write(char *p, size_t size, size_t n, void *smtp)
{
    (void)p, (void)smtp;
    return size * n;
}

static int on_progress(void *smtp, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct smtp *s = smtp;

    (void)a, (void)b, (void)c, (void)d;
    return s->stop && s->stop(s->ctx);
}

#define SET(option, value) ok = ok && curl_easy_setopt(s->easy, (option), (value)) == CURLE_OK

static bool set_server(struct smtp *s)
{
    const struct smtp_server *server = &s->server;
    bool ok = true;

    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_URL, server->url);
    SET(CURLOPT_USE_SSL, (long)(server->may_be_plain ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (trust_file()) /* the directory of the system's stays in use */
        SET(CURLOPT_CAINFO, trust_file());
    if (server->user)
        SET(CURLOPT_USERNAME, server->user);
    if (server->password)
        SET(CURLOPT_PASSWORD, server->password);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, TOTAL_MS / 1000);
    SET(CURLOPT_TIMEOUT_MS, TOTAL_MS);
    return ok;
}

static bool set_callbacks(struct smtp *s)
{
    bool ok = true;

    SET(CURLOPT_VERBOSE, 1L);
    SET(CURLOPT_DEBUGFUNCTION, on_talk);
    SET(CURLOPT_DEBUGDATA, s);
    SET(CURLOPT_ERRORBUFFER, s->error);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, s);
    SET(CURLOPT_WRITEFUNCTION, on_write);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, s);
    return ok;
}

static bool set_mail(struct smtp *s, const char *from, const struct curl_slist *to, size_t bytes)
{
    bool ok = true;

    SET(CURLOPT_MAIL_FROM, from);
    SET(CURLOPT_MAIL_RCPT, to);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);
    return ok;
}

int smtp_new(const struct smtp_server *server, struct smtp **ret)
{
    struct smtp *s = calloc(1, sizeof(*s));

    if (!s)
        return err_origin(-ENOMEM);
    s->server = *server;
    s->easy = curl_easy_init();
    if (!s->easy || !set_server(s) || !set_callbacks(s)) {
        smtp_free(s);
        return err_origin(-ENOMEM);
    }
    *ret = s;
    return 0;
}

void smtp_free(struct smtp *s)
{
    if (!s)
        return;
    curl_easy_cleanup(s->easy);
    free(s);
}

static int outcome(struct smtp *s, CURLcode code, char ret_said[SMTP_SAID_BYTES])
{
    if (code == CURLE_OK || s->refused)
        keep_line(ret_said, str_c(s->reply));
    else
        keep_line(ret_said, str_c(s->error[0] ? s->error : curl_easy_strerror(code)));
    if (code == CURLE_OK)
        return SMTP_OK;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return SMTP_E_STOPPED;
    if (!s->refused)
        return SMTP_E_SERVER;
    return s->reply[0] == '5' ? SMTP_E_REFUSED : SMTP_E_LATER;
}

int smtp_send(struct smtp *s, const char *from, const char *to, struct str message,
              bool (*stop)(void *ctx), void *ctx, char ret_said[SMTP_SAID_BYTES])
{
    struct curl_slist *list = curl_slist_append(NULL, to);
    int r;

    assert(smtp_is_address(str_c(from)) && smtp_is_address(str_c(to)));
    s->left = message;
    s->stop = stop;
    s->ctx = ctx;
    s->of_mail = s->refused = false;
    s->reply[0] = s->error[0] = '\0';
    if (!list || !set_mail(s, from, list, message.n)) {
        curl_slist_free_all(list);
        return err_origin(-ENOMEM);
    }
    r = outcome(s, curl_easy_perform(s->easy), ret_said);
    curl_slist_free_all(list);
    return r;
}
