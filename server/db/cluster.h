/* cluster.h: the files around the embedded PostgreSQL: programs, data, socket, pid file.
 *
 * For embedded.c only. Paths are made once, by cluster_paths(). */
#pragma once

#include <limits.h>
#include <sys/un.h>

#include "db/embedded.h"

struct cluster {
    char home[PATH_MAX];       /* the data directory, resolved */
    char dir[PATH_MAX];        /* home/postgres */
    char log[PATH_MAX];        /* home/postgres.log */
    char programs[PATH_MAX];   /* where initdb and postgres are */
    char socket_dir[PATH_MAX]; /* mode 0700 */
};

int cluster_paths(const char *data_dir, struct cluster *ret) _must_use_;
/* EMBEDDED_E_NO_POSTGRES or _VERSION. */
int cluster_find_programs(struct cluster *c) _must_use_;
/* initdb unless there is a cluster. EMBEDDED_E_START. */
int cluster_make(const struct cluster *c, unsigned flags) _must_use_;
int cluster_socket_dir(struct cluster *c) _must_use_;
/* The postmaster that runs on this cluster; 0: none, and a pid file of another process's number
 * is gone. On success c->socket_dir is where that one listens. EMBEDDED_E_BUSY. */
int cluster_running(struct cluster *c, pid_t *ret_pid) _must_use_;
/* A postmaster works in its data directory; that tells it from a process that got its number. */
bool cluster_is_postmaster(const struct cluster *c, pid_t pid);
/* Starts postgres in a session of its own, writing to c->log. */
int cluster_spawn(const struct cluster *c, unsigned flags, pid_t *ret_pid) _must_use_;
/* The last lines of c->log, as log lines. */
void cluster_log_tail(const struct cluster *c);
