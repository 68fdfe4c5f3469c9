/* child.h: one process that the supervisor keeps running.
 *
 * It is this program with other arguments, in a process group of its own (a terminal's Ctrl-C is
 * for the supervisor alone, which ends things in order), and dies with the supervisor. */
#pragma once

#include "base/base.h"

struct child {
    const char *name;
    const char *exe;
    const char *const *argv;        /* ends with NULL */
    const char *const *environment; /* NAME=VALUE; NAME alone takes it away; ends with NULL */
    int pass_fd;                    /* becomes descriptor 3 of the child; -1: none */
    pid_t pid;                      /* 0: not running */
    int64_t started_ms, again_ms;   /* again_ms: when to start it again; 0: not due */
    unsigned failures;              /* in a row */
};

int child_start(struct child *c) _must_use_;
/* True when it has ended since the last look; says why in the log, plans the next start.
 * *ret_status is as waitpid() gives it. */
bool child_ended(struct child *c, int *ret_status);
/* Starts it when that is due. */
void child_tend(struct child *c);
/* Sends the signal, waits, then kills. True from *hurry on: kills at once. */
void child_stop(struct child *c, int wait_ms, bool (*hurry)(void *ctx), void *ctx);
