/* switches.h: failure on order, so that fallback can be tried. The words are listed in upstream.h.
 * Pure. */
#pragma once

#include "base/str.h"

struct switches {
    int status;   /* > 0: answer with this error */
    int delay_ms; /* before anything */
    bool timeout; /* never answer */
    bool die;     /* end in the middle */
    bool slow;    /* 200 ms between chunks */
    bool no_usage, bad_json;
};

/* One word such as "429", "delay=500", "delay500", "die". False when there is no such word. */
bool switches_add(struct switches *s, struct str word);
/* Words separated by sep, spaces around them ignored. False on the first unknown one. */
bool switches_add_all(struct switches *s, struct str words, char sep);
