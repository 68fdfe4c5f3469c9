/* scanner.h: what a scan knows on its way, and how it refuses a document. Only this room includes it. */
#pragma once

#include "json/keys.h"
#include "json/scan.h"
#include "json/watch.h"

/* One open container. */
struct frame {
    char close;     /* '}' or ']' */
    bool checked;   /* for duplicate keys */
    uint32_t at;    /* offset of its bracket */
    uint32_t n;     /* members or elements begun */
    struct str key; /* raw, of the member under way; p == NULL: none */
    const struct watch_node *node;
    struct key_set keys;
};

struct scanner {
    const char *start, *end;
    struct frame *frames;
    struct frame *top; /* the innermost open container, where there is one */
    unsigned depth; /* frames open */
    unsigned far_depth, far_keys; /* beyond so many frames, with so many keys, scan_far() goes on */
    bool check_all;
    uint32_t most_values;
    struct json_scan_result result;
    struct json_fault *fault;
    struct json_watch *watches;
    const struct watch_tree *tree;
    struct key_store keys;
};

/* Writes the fault, with the path of what is open, and gives NULL. */
__attribute__((cold)) const char *scan_refuse(struct scanner *s, const char *at,
                                                        const char *reason);
/* "expected a comma", or that the document ends. */
__attribute__((cold)) const char *scan_refuse_expected(struct scanner *s, const char *p,
                                                                 const char *expected);
