/* vector.h: the numbers of an embedding, as JSON's or as base64 of little-endian floats of 32 bits
 * (OpenAI's API reference, "Create embeddings", encoding_format).
 *
 * A number becomes the float that is nearest to it; numbers that are passed on as numbers keep the
 * provider's own text. Any thread. */
#pragma once

#include "base/arena.h"
#include "json/scan.h"
#include "model/embed.h"

/* raw: a JSON value that the scanner has accepted: an array of numbers, or a string of base64.
 * VECTOR_E_NONE: it is no vector (empty, not only numbers, or beyond what a float holds). */
enum { VECTOR_OK = 0, VECTOR_E_NONE = 1 };
int vector_read(struct arena *a, struct str raw, struct embed_vector *ret) _must_use_;
/* As a JSON array of numbers, and as a JSON string. */
void vector_put_numbers(const struct embed_vector *v, struct buf *out);
void vector_put_base64(const struct embed_vector *v, struct buf *out);
/* As floats: out has room for v->n. */
void vector_copy(const struct embed_vector *v, float *out);
/* Bytes that either will have at most. */
size_t vector_bytes(const struct embed_vector *v);
