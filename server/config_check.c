/* config_check.c: what of the settings cannot be meant, told before anything is started. */
#include "config_table.h"

#include <arpa/inet.h>

#include "http/request.h"
#include "notices/letter.h"
#include "oidc/oidc.h"
#include "traces/traces.h"

static int check_proxies(struct config *c)
{
    struct str rest = str_c(c->trusted_proxies), part;
    struct net_block block;

    while (rest.n > 0 && str_split(&rest, ',', &part)) {
        if (!net_block_parse(str_trim(part), &block))
            return config_refuse(c, "TRUSTED_PROXIES: \"%.*s\" is not a network such as 10.0.0.0/8",
                                 (int)MIN(part.n, (size_t)80), part.p);
    }
    return 0;
}

static bool is_zone(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/", s.p[i]))
            return false;
    }
    return s.n > 0 && s.n < 64;
}

static int check_mail(struct config *c)
{
    struct str url = str_c(c->smtp_url);
    struct mailbox from;

    if (!c->smtp_url[0] != !c->mail_from[0])
        return config_refuse(c, "SMTP_URL and MAIL_FROM: set both or neither");
    if (url.n && !str_starts(url, STR("smtp://")) && !str_starts(url, STR("smtps://")))
        return config_refuse(c, "SMTP_URL: must begin with smtp:// or smtps://");
    if (c->mail_from[0] && !mailbox_parse(str_c(c->mail_from), &from))
        return config_refuse(c, "MAIL_FROM: use ops@example.org or Tollgate <ops@example.org>");
    if (!c->smtp_user[0] != !c->smtp_password_file[0])
        return config_refuse(c, "SMTP_USER and SMTP_PASSWORD_FILE: set both or neither");
    return 0;
}

static bool is_web_url(struct str url)
{
    return str_starts(url, STR("http://")) || str_starts(url, STR("https://"));
}

/* A URL that paths are added to. */
static const char *without_slashes(struct config *c, const char *text)
{
    struct str url = str_c(text);

    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    return config_keep(c, "%.*s", STR_FMT(url));
}

/* What is wrong is told without the secret. */
static int check_stripe(struct config *c)
{
    struct str key = str_c(c->stripe_secret_key), rest = str_c(c->stripe_webhook_secret), part;

    if (key.n > 0 && !str_starts(key, STR("sk_")) && !str_starts(key, STR("rk_")))
        return config_refuse(c, "STRIPE_SECRET_KEY: it begins with sk_ or rk_");
    while (rest.n > 0 && str_split(&rest, ',', &part)) {
        if (!str_starts(str_trim(part), STR("whsec_")))
            return config_refuse(c, "STRIPE_WEBHOOK_SECRET: each begins with whsec_");
    }
    if (!is_web_url(str_c(c->stripe_api_url)) || !is_web_url(str_c(c->stripe_checkout_url)))
        return config_refuse(c, "STRIPE_API_URL and STRIPE_CHECKOUT_URL: must begin with http:// or https://");
    c->stripe_api_url = without_slashes(c, c->stripe_api_url);
    c->stripe_checkout_url = without_slashes(c, c->stripe_checkout_url);
    return 0;
}

static int check_traces(struct config *c)
{
    const struct traces_config traces = {.endpoint = str_c(c->traces_endpoint),
                                         .headers = str_c(c->traces_headers),
                                         .kept = str_c(c->traces_kept)};
    const char *wrong = traces.endpoint.n ? traces_wrong(&traces) : NULL;

    return wrong ? config_refuse(c, "%s", wrong) : 0;
}

static int check_oidc(struct config *c)
{
    const struct oidc_settings oidc = {.issuer = str_c(c->oidc_issuer),
                                       .client_id = str_c(c->oidc_client_id),
                                       .secret_file = c->oidc_client_secret_file,
                                       .name = str_c(c->oidc_name),
                                       .scopes = str_c(c->oidc_scopes),
                                       .groups_claim = str_c(c->oidc_groups_claim),
                                       .operator_group = str_c(c->oidc_operator_group)};
    const char *wrong = oidc_wrong(&oidc);

    if (wrong)
        return config_refuse(c, "%s", wrong);
    return c->password_sign_in == CONFIG_OFF && !c->oidc_issuer[0]
               ? config_refuse(c, "PASSWORD_SIGN_IN: off leaves people no way in without OIDC_ISSUER")
               : 0;
}

int config_check(struct config *c)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, c->listen, address) != 1 && inet_pton(AF_INET6, c->listen, address) != 1)
        return config_refuse(c, "LISTEN: \"%.80s\" is not an IP address; use 127.0.0.1, 0.0.0.0 or ::",
                             c->listen);
    if (!is_web_url(str_c(c->public_url)))
        return config_refuse(c, "PUBLIC_URL: must begin with http:// or https://");
    c->public_url = without_slashes(c, c->public_url);
    if (!c->tls_cert_file[0] != !c->tls_key_file[0])
        return config_refuse(c, "TLS_CERT_FILE and TLS_KEY_FILE: set both or neither");
    if (!is_zone(str_c(c->default_time_zone)))
        return config_refuse(c, "DEFAULT_TIME_ZONE: use a name such as Europe/Warsaw");
    int r = check_mail(c);

    if (r == 0)
        r = check_stripe(c);
    if (r == 0)
        r = check_traces(c);
    if (r == 0)
        r = check_oidc(c);
    return r ? r : check_proxies(c);
}
