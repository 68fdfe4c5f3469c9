/* key_check.h: the checks that a key alone decides, for calls and for lists of models. */
#pragma once

#include "http/request.h"
#include "identity/key.h"

/* PROBLEM_NONE and the keyed digest of the token in Authorization: Bearer, x-api-key, x-goog-api-key,
 * api-key or ?key=; PROBLEM_NO_KEY; PROBLEM_TWO_KEYS when there are two that differ; PROBLEM_BAD_KEY
 * when it cannot be a key of this kind (its check sum is wrong). */
enum problem_code key_check_token(struct request *r, const uint8_t pepper[32],
                                  struct digest *ret) _must_use_;
/* May the key be used at all, now, from this address? */
enum problem_code key_check_policy(const struct key_policy *k, const struct request *r) _must_use_;
/* The problem for an outcome of key_cache_find that is not KEYS_OK. */
struct problem key_check_outcome(int outcome);
