/* tags.h: what a request says of itself for the log: `x-tollgate-tags: customer=acme, workflow=support`,
 * beside the tags of its key. */
#pragma once

#include "base/arena.h"
#include "json/scan.h"

/* Names in one request; a key has as many. */
#define TAGS_SAID_MAX 16
#define TAGS_VALUE_MAX 100

/* said: the header's value. of_key: a JSON object's text, or empty; where both have a name, the key's
 * stays. *ret: an object's text in the arena. TAGS_E_SAID: *fault names the header and says why. */
enum { TAGS_OK = 0, TAGS_E_SAID = 1 };
int tags_join(struct arena *a, struct str said, struct str of_key, struct str *ret,
              struct json_fault *fault) _must_use_;
