/* import.h: catalogues from files: our own format and LiteLLM's public price table.
 *
 * Idempotent: what is there already is left alone, a different price becomes a new version, other
 * facts are brought up to date. An imported model stays disabled until an account serves it. Prices
 * are read as exact decimal text; absurd ones are refused, the rest of the file is not.
 *
 * Our own format: data/models.json, which explains itself in its first member. */
#pragma once

#include "catalog/change.h"

enum import_verdict {
    IMPORT_ADDED,   /* the model, or this provider's price of it, is new */
    IMPORT_CHANGED, /* a new price version, or other facts */
    IMPORT_UNCHANGED,
    IMPORT_REFUSED, /* the reason is an error in the file */
    IMPORT_SKIPPED, /* of a sort that is not served here, or only new ones were asked for */
    IMPORT_VERDICTS
};
const char *import_verdict_name(enum import_verdict v); /* "added" */

struct import_line {
    enum import_verdict verdict;
    struct str model;  /* our name */
    struct str entry;  /* the file's name for it */
    /* "output 10.00 -> 8.00 USD per million", or the reason; and which prices of the file are not
     * sold here */
    struct str detail;
};

struct import_options {
    bool dry_run;  /* only tell */
    bool only_new; /* never touch a model that is there */
    /* The customer pays the file's price plus this many hundredths of a percent, rounded up. */
    int32_t markup_bp;
    void (*line)(void *ctx, const struct import_line *line); /* may be NULL */
    void *ctx;
};

struct import_result {
    size_t count[IMPORT_VERDICTS];
};

enum {
    IMPORT_OK = 0,
    IMPORT_E_FORMAT = 1, /* neither of the two formats; *fault_text tells */
    IMPORT_E_READ = 2,   /* the file cannot be read */
    IMPORT_E_AWAY = 4,
};
/* Opens a transaction of its own. Worker or command line. fault_text lives in the arena. */
int catalog_import(struct db *db, struct arena *a, const struct actor *actor, struct str text,
                   const struct import_options *options, struct import_result *ret,
                   struct str *ret_fault_text) _must_use_;
int catalog_import_file(struct db *db, struct arena *a, const struct actor *actor, const char *path,
                        const struct import_options *options, struct import_result *ret,
                        struct str *ret_fault_text) _must_use_;
