/* question.h: the last text of a request: the one part of it that may be compared by likeness, where all the
 * rest of the request is the same byte for byte (asked.h).
 *
 * What embeddings are bad at must be the same word for word: they put "turn it on" next to "turn it off" and
 * an invoice of March next to one of April, and no threshold tells those from two ways to say one thing. So a
 * question has facts, which go into the digest of what has to be the same:
 *   numbers      each word that has a digit: "12", "v2.1", "2026-03-01", "$5"
 *   quotes       what stands between double quotes (straight, curly, angled) or backticks
 *   polarity     English words that turn a sentence round: not, never, without, off, less, after,
 *                disable, remove ... (question.c lists them), and what ends in n't
 *   the order    of the words, where two questions are of the same words: "from A to B", "from B to A"
 * Numbers that are written out ("three"), names, and polarity in other languages are left to the threshold.
 * Pure; any thread. */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "json/scan.h"

/* Text that is longer is not compared: it is a document, and a few words of it change little. */
#define QUESTION_BYTES KIB(8)

/* endpoint: its name, as in asked.h; body: a scanned document. The span of the last message's only text, with its
 * quotes. False: the last message is not the user's, or is more than one text (an image, a sound, a tool's
 * result), or it is empty or too long, or the endpoint has no messages. */
bool question_find(struct str endpoint, struct str body, struct json_span *ret) _must_use_;

/* What two questions are compared by, beside their vectors. */
struct question {
    struct digest facts; /* have to be the same */
    struct digest words; /* all of them in order, in small letters */
    struct digest bag;   /* the same in no order */
};
/* text: decoded. False: there is no memory, or there are too many words. */
bool question_read(struct str text, struct question *ret) _must_use_;
