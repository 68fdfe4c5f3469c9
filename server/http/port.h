/* port.h: the listening socket of a listener; private to this room. */
#pragma once

#include "http/listener.h"

/* A listening socket, non-blocking, shared by SO_REUSEPORT. LISTENER_E_TAKEN, _E_ADDRESS. */
int port_open(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port) _must_use_;
