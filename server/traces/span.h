/* span.h: a call as spans of OTLP in its JSON form.
 *
 * One span for the call (kind SERVER) with what was decided and charged here, and beneath it one for
 * each try at a provider (kind CLIENT) with OpenTelemetry's attributes of generative AI; tokens stand
 * in the one that served, so that who sums spans counts them once. No text of a prompt or an answer,
 * no credential. Ids of spans follow from the call's: a call that is told twice is one call.
 * Sources: OpenTelemetry, OTLP 1.x "JSON Protobuf Encoding" (hex ids, 64-bit numbers as text, enums
 * as numbers), trace.proto, and the semantic conventions for generative AI (1.37: gen_ai.provider.name).
 * Pure. */
#pragma once

#include "base/buf.h"
#include "model/record.h"
#include "traces/context.h"

/* What one call may come to: its record's texts, and those of as many tries as a call may have. */
#define SPAN_CALL_BYTES KIB(64)

/* The spans, separated by commas. */
void span_write(struct buf *out, const struct trace_context *t, const struct call_record *r);
/* What stands around a batch of them; service and the others are texts of the resource. */
void span_write_head(struct buf *out, struct str service, struct str version, struct str node);
void span_write_tail(struct buf *out);
