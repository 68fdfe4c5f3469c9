/* certificate.h: the certificate and key that a listener shows; private to this room.
 *
 * Read from files by anyone, shown by the loop of a listener, and replaced there while it runs:
 * connections from then on see the new one. Those that were replaced stay until the last is freed,
 * since sessions hold on to what they were shown. */
#pragma once

#include "http/listener.h"

#define CERTIFICATE_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct certificate;

/* LISTENER_OK with the files' (NULL: none are named); LISTENER_E_TLS: they cannot be read, or are no
 * chain with its key. */
int certificate_read(const struct listener_config *config, struct certificate **ret) _must_use_;
void certificate_free(struct certificate *c); /* with all that it replaced; NULL is fine */
/* Takes fresh over, which is freed at once when it is the one that is shown already. */
void certificate_replace(struct certificate **shown, struct certificate *fresh);

/* What libmicrohttpd, run by this thread, shows from now on. */
void certificate_show(const struct certificate *c);
/* A pointer to a gnutls_certificate_retrieve_function2, for MHD_OPTION_HTTPS_CERT_CALLBACK. */
void *certificate_callback(void);
