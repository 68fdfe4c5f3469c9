/* call_flow.h: the steps of a call, by file, for each other. All on the call's loop. Whatever says
 * that it may end the call is the last thing its caller does with it. */
#pragma once

#include "gateway/call.h"

/* call.c */
struct call *call_new(struct gateway *g, struct request *r, const struct endpoint *endpoint);
/* The key is known: the record says whose call it is. */
void call_known(struct call *c);
void call_wait(struct call *c, int ms);
/* Refuses with an answer; the refusal is on the record. Ends the call. */
void call_refuse(struct call *c, const struct problem *p, enum call_outcome outcome);
/* A revoked key or the end of this node stops it. Ends the call, unless it waits for the database.
 */
void call_cut(struct call *c, const struct problem *p);
/* Frees a call that has been answered (or has no client): at the end of the turn. */
void call_end(struct call *c);

/* call_leave.c */
/* The client hung up. */
void call_gone(struct request *r);
/* A call whose client is gone and whose upstream is there: closes it, or reads on for its figures.
 * May end the call. */
void call_go_on_alone(struct call *c);
/* Settles a call whose client is gone with what was used, and ends it. */
void call_leave(struct call *c);
/* In CALL_DRAIN; each may end the call. */
void call_drain_bytes(struct call *c, struct str bytes);
void call_drain_end(struct call *c, enum fetch_fault fault);
/* After an event was noted. True: the call has ended. */
bool call_drain_event(struct call *c, const struct wire_report *report);

/* call_grow.c */
/* What was used is noted in the journal now and then, and the hold kept larger than it. Bytes that
 * were sent are in it. False: the upstream is paused until that is known, or the call has ended. */
bool call_stay_covered(struct call *c);
/* The database was asked to let the hold grow. */
void call_grown(struct call *c, int outcome, const struct problem *p);

/* call_previous.c */
/* What the request says of answers before it; the body may be another afterwards. False: it waits for
 * one, or the call has ended. */
bool call_previous(struct call *c);
void call_previous_leave(struct call *c); /* waits no more; safe when it does not wait */
void call_previous_late(struct call *c);  /* the worker takes too long. Ends the call. */

/* call_keep.c */
/* The whole answer as the client gets it, or a stream's last events, which stand in out behind from.
 * True: they wait until the answer is kept, and call_kept() ends the call; false: the caller goes on.
 * What only the gateway knows has been put into the events. */
bool call_keep_whole(struct call *c, const struct response *whole);
bool call_keep_stream(struct call *c, struct buf *out, size_t from);
/* The answer with what only the gateway knows of it; the same for an event of a stream, behind from. */
struct str call_keep_mark(struct call *c, struct str answer);
void call_keep_event(struct call *c, struct buf *out, size_t from);
/* The answer passes through unread. */
void call_keep_too_large(struct call *c);
/* In CALL_KEEP: the answer is kept, or is not waited for any more. May end the call. */
void call_kept(struct call *c);
void call_keep_leave(struct call *c); /* safe when it does not wait */

/* call_video.c */
/* The provider's answer to a call that makes a job (in `got`, read): the call is settled with the job, and
 * answered once that is kept. May end the call. */
void call_video_keep(struct call *c, const struct wire_report *report);
/* False: the call would make a job, and the database has been silent for too long to keep it. */
bool call_video_may_begin(const struct call *c);
struct problem call_video_not_kept(void);

/* call_admit.c; each may end the call */
/* A call that the gateway makes for another one, with its key, tags and limits but those of requests and calls
 * at the same time; what the key may use was said by whoever asks. r: request_new_inner(). May end before it
 * returns. */
void call_begin_inner(struct call *of, struct request *r, const struct endpoint *endpoint);
void call_admit(struct call *c);
void call_key_late(struct call *c); /* the look-up of its key takes long */
void call_admit_body(struct call *c);
void call_held(struct call *c, int outcome, const struct problem *p);

/* call_rule.c */
/* The model that serves in the place of the one that was asked for, which has rules; their name is on the
 * record then. The model itself where none holds, and where the call cannot be of it at all: disabled,
 * switched off, of another kind, not for this key. */
const struct catalog_model *call_rule(struct call *c, const struct catalog_model *m);

/* call_upstream.c */
/* Tries the next candidate; when there is none, ends the call with what the last one said. */
void call_route(struct call *c);
/* The database was asked to let the hold grow for a dearer candidate. */
void call_covered(struct call *c, const struct catalog_target *target, bool ok);
/* Notes the running try on its record and tells the account's health; closes the upstream. reason
 * NULL: the outcome's name. TRY_OK with a reason tells nothing about the account. */
void call_try_end(struct call *c, enum try_outcome outcome, const char *reason,
                  struct str error_text);
/* The same, and then the next candidate, or the end of the call. */
void call_try_failed(struct call *c, enum try_outcome outcome, const char *reason,
                     struct str error_text);
enum try_outcome call_outcome_of_fault(enum fetch_fault fault);

/* call_error.c */
/* The upstream's error is in `got`: what it means for the route, what the client may be told of it
 * (in `failure`), and in *ret_text its sentence for the record. */
enum try_outcome call_error_read(struct call *c, struct str *ret_text);
/* Does an answer say that it is an error, and carry nothing that was made? */
bool call_is_error(const struct wire_report *report);
/* What the client is told of the last try that failed. */
struct problem call_last_problem(struct call *c);
/* The problem with the headers of a known call. */
void call_answer_problem(struct call *c, const struct problem *p);
/* Nobody served it: the record names whoever was tried last, for those who search the log. */
void call_blame(struct call *c);
/* No candidate is left. Ends the call. */
void call_give_up(struct call *c);

/* call_answer.c: callbacks of fetch, and what plain and streamed answers share */
void call_head_came(struct fetch *f, const struct fetch_head *head, void *ctx);
bool call_bytes_came(struct fetch *f, struct str bytes, void *ctx);
void call_fetch_done(struct fetch *f, enum fetch_fault fault, void *ctx);
void call_serve(struct call *c);
/* Is the answer that comes no document, but bytes that go through as they are? */
bool call_passes(const struct call *c);
/* Is it the text that the client asked for in place of JSON? */
bool call_is_text(const struct call *c);
void call_put_head(struct call *c, struct response *out);
/* A part of an answer too large to be kept: its end stays in `got`, where the usage stands. */
void call_pass_note(struct call *c, struct str bytes);
void call_pass_usage(struct call *c);
/* `"tollgate":{...}` for a client that asked for the trace; p NULL for the others. */
struct str call_trace_member(struct call *c);
/* {"request_id":...,"attempts":[...]} in the arena. */
struct str call_trace(struct call *c);

/* call_stream.c */
/* False: the client is slower, pause. May end the call. */
bool call_stream_bytes(struct call *c, struct str bytes);
void call_stream_end(struct call *c, enum fetch_fault fault);
void call_stream_drained(struct request *r);
/* The client has all of it: the upstream may close by itself. May end the call. */
void call_stream_close(struct call *c);
/* What a stream says that it is. */
const char *call_stream_type(const struct call *c);
/* Ends a stream that the client sees with an error event, and the call. */
void call_stream_break(struct call *c, const struct problem *p, enum call_outcome outcome);

/* call_settle.c */
void call_note(struct call *c, const struct llm_report *llm);
enum usage_basis call_usage(const struct call *c, struct usage *ret);
/* Prices what was used, puts the record into the journal, gives the hold back. Once per call. */
void call_settle(struct call *c, int status, enum call_outcome outcome);
