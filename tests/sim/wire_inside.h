/* wire_inside.h: a message between a process and the database, for wire.c, port.c and wire_trace.c. */
#pragma once

#include "lease/cell.h"
#include "wire.h"

enum wire_kind {
    WIRE_GRANT,
    WIRE_BACK,
    WIRE_OPEN,
    WIRE_HEARTBEAT,
    WIRE_CLOSE,
    WIRE_LOOK,
    WIRE_REAP,
    WIRE_SETTLE,
    WIRE_KINDS
};

struct wire_entry {
    struct settle_entry entry;
    struct settle_draw draws[BOUND_HOLD_PURSES];
    struct call_record call;
};

struct wire_message {
    struct wire_message *next; /* of the spare ones of its kind */
    struct wire_message *all;
    enum wire_kind kind;
    struct process *from;
    uint32_t life; /* of the sender */
    void *call;  /* in the sender's memory; NULL: nobody waits */
    bool silent; /* its sender is told nothing, whenever it arrives */
    int outcome;
    int64_t sent_us;
    struct cell cell[BACK_LINES];
    struct wire_entry *entries;
    size_t cap_entries;
    union {
        struct grant_call grant;
        struct back_call back;
        struct session_call session;
        struct look_call look;
        struct reap_call reap;
        struct settle_call settle;
    };
};

/* A message for the sender's call, which stays in its memory; NULL: nobody waits for an answer. */
struct wire_message *wire_message(struct process *p, enum wire_kind kind, void *call);
/* The rest is filled in: off it goes. From within the process. */
void wire_send(struct process *p, struct wire_message *m);

/* With --trace: what the database did, and what the sender was told. */
void wire_trace_done(const struct world *w, const struct wire_message *m);
void wire_trace_told(const struct world *w, const struct wire_message *m);
