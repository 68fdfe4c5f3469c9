/* port.h: the listening socket and the TLS files of a listener; private to this room. */
#pragma once

#include "http/listener.h"

/* A listening socket, non-blocking, shared by SO_REUSEPORT. LISTENER_E_TAKEN, _E_ADDRESS. */
int port_open(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port) _must_use_;

#define PORT_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
struct port_tls {
    char *cert, *key; /* the files' text; NULL: plain */
};
/* LISTENER_E_TLS when a file cannot be read. */
int port_read_tls(const struct listener_config *config, struct port_tls *ret) _must_use_;
void port_free_tls(struct port_tls *tls); /* wipes the key */
