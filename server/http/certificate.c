/* certificate.c: see certificate.h. */
#include "http/certificate.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

enum { CHAIN_MAX = 16, KEY_ID_BYTES = 64 };

struct certificate {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned n;
    gnutls_privkey_t key;
    struct certificate *older;
};

/* libmicrohttpd's callback has no argument of ours; a listener is run by one thread. */
static _Thread_local const struct certificate *shown_here;

/* The text of a file, NUL-terminated; NULL: it cannot be read. */
static char *read_file(const char *path)
{
    _cleanup_(buf_done) struct buf text;
    FILE *f = path ? fopen(path, "re") : NULL;
    char *part;
    size_t n = 1;

    buf_init(&text, BOUND_PEM_BYTES);
    while (f && n > 0 && (part = buf_reserve(&text, 4096))) {
        n = fread(part, 1, 4096, f);
        text.n += n;
    }
    buf_putc(&text, '\0');
    if (f)
        (void)fclose(f);
    return f && n == 0 && !buf_finish(&text) ? steal(&text.p) : NULL;
}

static bool is_pair(const struct certificate *c)
{
    unsigned char of_key[KEY_ID_BYTES], of_chain[KEY_ID_BYTES];
    size_t n_key = sizeof(of_key), n_chain = sizeof(of_chain);
    gnutls_pubkey_t public;
    bool same;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    same = gnutls_pubkey_import_privkey(public, c->key, 0, 0) == 0 &&
           gnutls_pubkey_get_key_id(public, 0, of_key, &n_key) == 0 &&
           gnutls_pubkey_get_key_id(c->chain[0].pubkey, 0, of_chain, &n_chain) == 0 &&
           n_key == n_chain && memcmp(of_key, of_chain, n_key) == 0;
    gnutls_pubkey_deinit(public);
    return same;
}

static bool import(struct certificate *c, const char *chain, const char *key)
{
    const gnutls_datum_t chain_text = {(unsigned char *)(uintptr_t)chain, (unsigned)strlen(chain)};
    const gnutls_datum_t key_text = {(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};
    unsigned n = CHAIN_MAX;

    if (gnutls_pcert_list_import_x509_raw(c->chain, &n, &chain_text, GNUTLS_X509_FMT_PEM, 0) < 0)
        return false;
    c->n = n;
    return n > 0 && gnutls_privkey_init(&c->key) == 0 &&
           gnutls_privkey_import_x509_raw(c->key, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0) == 0 &&
           is_pair(c);
}

int certificate_read(const struct listener_config *config, struct certificate **ret)
{
    struct certificate *c;
    char *chain, *key;
    bool ok;

    *ret = NULL;
    if (!config->tls_cert_file && !config->tls_key_file)
        return LISTENER_OK;
    c = calloc(1, sizeof(*c));
    if (!c)
        return err_origin(-ENOMEM);
    chain = read_file(config->tls_cert_file);
    key = read_file(config->tls_key_file);
    ok = chain && key && import(c, chain, key);
    if (key)
        secret_wipe(key, strlen(key));
    free(key);
    free(chain);
    if (!ok) {
        certificate_free(c);
        return LISTENER_E_TLS;
    }
    *ret = c;
    return LISTENER_OK;
}

void certificate_free(struct certificate *c)
{
    while (c) {
        struct certificate *older = c->older;

        for (unsigned i = 0; i < c->n; i++)
            gnutls_pcert_deinit(&c->chain[i]);
        if (c->key)
            gnutls_privkey_deinit(c->key);
        free(c);
        c = older;
    }
}

static bool is_same(const struct certificate *a, const struct certificate *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++)
        if (a->chain[i].cert.size != b->chain[i].cert.size ||
            memcmp(a->chain[i].cert.data, b->chain[i].cert.data, a->chain[i].cert.size) != 0)
            return false;
    return true;
}

void certificate_replace(struct certificate **shown, struct certificate *fresh)
{
    if (!fresh)
        return;
    if (*shown && is_same(*shown, fresh)) {
        certificate_free(fresh);
        return;
    }
    fresh->older = *shown;
    *shown = fresh;
}

void certificate_show(const struct certificate *c)
{
    shown_here = c;
}

static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                    const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                    gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
    struct certificate *c = (struct certificate *)(uintptr_t)shown_here;

    (void)session, (void)authorities, (void)n_authorities, (void)algorithms, (void)n_algorithms;
    if (!c)
        return -1;
    *ret_chain = c->chain;
    *ret_n = c->n;
    *ret_key = c->key;
    return 0;
}

void *certificate_callback(void)
{
    gnutls_certificate_retrieve_function2 *callback = retrieve;

    return (void *)(uintptr_t)callback;
}
