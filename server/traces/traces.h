/* traces.h: calls told to an OpenTelemetry collector, as spans (span.h) over OTLP/HTTP in JSON.
 *
 * Off unless a collector is set; a call costs a few microseconds of its loop then. Spans wait in memory,
 * at most TRACES_WAITING_BYTES, and a thread of this room's own sends them every few seconds, or
 * sooner when there are many. A collector that does not answer, or asks for patience (429, 502, 503,
 * 504), gets the same batch again; what does not fit in meanwhile, what is refused for good, and what
 * a collector did not take by the node's end is dropped and counted: a trace is no book, the log is. */
#pragma once

#include "model/record.h"

#define TRACES_WAITING_BYTES MIB(16)

struct traces;

struct traces_config {
    struct str endpoint; /* "http://collector:4318", beneath which v1/traces is */
    struct str headers;  /* "name=value,name=value", values percent-encoded; may be empty */
    struct str service, version, node;
    struct str kept; /* decimal, 0 to 1: of the traces that begin here */
};

/* Names the setting that is wrong, and how it should be; NULL: none is. */
const char *traces_wrong(const struct traces_config *config);
/* 0, or a negative errno (-EINVAL: a setting is wrong). All of them are copied. */
int traces_new(const struct traces_config *config, struct traces **ret) _must_use_;
/* Sends what waits, once; returns within seven seconds. NULL is fine. */
void traces_free(struct traces *t);

/* A call has ended. traceparent: the client's header, p NULL where there is none. Any thread. */
void traces_note(struct traces *t, struct str traceparent, const struct call_record *r);

struct traces_view {
    uint64_t sent, dropped; /* calls */
    uint64_t waiting;       /* bytes */
};
void traces_read(struct traces *t, struct traces_view *ret); /* any thread */
