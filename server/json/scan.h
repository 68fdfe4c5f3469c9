/* scan.h: the strict single-pass reader of client and provider JSON: no tree, spans into the bytes.
 *
 * RFC 8259 with UTF-8 checked, one document, nothing behind it; duplicate keys at the top level and
 * in watched objects, NUL in keys, NaN, control characters and every ceiling of bounds.h are
 * faults (reliability 2.2). Watched paths deliver the span of their raw value. */
#pragma once

#include "base/buf.h"
#include "json/value.h" /* struct json_fault, enum json_kind */

struct json_span {
    uint32_t at, n; /* bytes of the raw value in the document; n == 0: absent */
    uint8_t kind;   /* enum json_kind */
};

/* A path such as "model", "stream_options.include_usage", "usage.prompt_tokens_details.x" or
 * "choices[].finish_reason" (each element, the last one wins). At most 32 per scan, of at most 8
 * steps each ("choices", "[]", "finish_reason" are three). */
struct json_watch {
    const char *path;
    struct json_span span;  /* out: the value; the last one where [] stands in the path */
    uint32_t count;         /* out: how often the path occurred */
    uint64_t bytes;         /* out: sum of raw value bytes over all occurrences */
};

struct json_scan_result {
    uint8_t root_kind;
    uint32_t root_open, root_close; /* offsets of the root's { and } */
    bool root_empty;
    uint32_t values, containers, depth;
};

/* JSON_OK or JSON_E_FAULT. watches are reset first. Any thread; nothing is allocated, but once for a set of
 * paths that are constants, which is done without where there is no memory. A surrogate without
 * its other half is refused in keys and let through in values: its bytes are passed on as they are.
 * Objects are looked through for duplicate keys (compared decoded) when they are the root, the
 * value of a watch, or on the way to one. */
int json_scan(struct str doc, struct json_watch *watches, size_t n_watches,
              struct json_scan_result *ret, struct json_fault *fault) _must_use_;
/* The same for documents that are mostly rows of numbers and are never made a tree of: up to
 * BOUND_JSON_ROW_VALUES. */
int json_scan_rows(struct str doc, struct json_watch *watches, size_t n_watches,
                   struct json_scan_result *ret, struct json_fault *fault) _must_use_;
/* The same as json_scan without watches and with duplicate keys looked for in every object. */
int json_check(struct str doc, struct json_fault *fault) _must_use_;

static inline struct str json_span_str(struct str doc, struct json_span s)
{
    return (struct str){doc.p + s.at, s.n};
}
/* Appends the decoded text of a string span to out; halves of surrogates become U+FFFD.
 * JSON_E_FAULT when the span is no string; < 0 when out is full. */
int json_span_text(struct str doc, struct json_span s, struct buf *out) _must_use_;
/* The inside of a string of a document that nobody has scanned: its text appended to out, what is no escape
 * sequence as it is; a failure is out's. And how many of its bytes stand for the first `bytes` of that text,
 * an escape in the midst of which they end taken whole. */
void json_inside_text(struct str inside, struct buf *out);
size_t json_inside_length(struct str inside, size_t bytes);
/* True when the span is a string equal to z after decoding. */
bool json_span_is(struct str doc, struct json_span s, const char *z);
/* Non-negative integer without fraction or exponent, within uint64; false otherwise. */
bool json_span_u64(struct str doc, struct json_span s, uint64_t *ret);

/* One change to a document: replace [at, at+n) by text. Sorted by at, not overlapping. */
struct json_splice {
    uint32_t at, n;
    struct str text;
};
/* The document with the splices applied, appended to out, which is lent the document's parts (buf_lend).
 * Asserts their order. */
void json_splice_apply(struct str doc, const struct json_splice *splices, size_t n,
                       struct buf *out);
