/* site.h: what pages are made of besides their data: the templates, and the files that browsers
 * fetch (style sheets, scripts, fonts, icons), all read into memory at start.
 *
 * Files are reached as /assets/VERSION/NAME; the version is a hash over all of them, so that an
 * answer under the current version may be kept for ever. Immutable; any thread. */
#pragma once

#include "http/request.h"
#include "web/mustache.h"

struct site;
struct services;

struct site_file {
    struct str name, bytes, gzip; /* gzip p NULL: not worth it */
    const char *content_type;
    struct str etag;
};

struct site_dirs {
    const char *templates;    /* templates/ */
    const char *static_files; /* web/static/ */
    const char *assets;       /* web/assets/; need not be there */
};
/* SITE_E_FAULT: *fault says which file is wrong or missing. */
enum { SITE_OK = 0, SITE_E_FAULT = 1 };
int site_new(const struct site_dirs *dirs, enum mustache_mode mode, struct site **ret,
             struct mustache_fault *fault) _must_use_;
void site_free(struct site *s); /* NULL is fine */

const struct mustache *site_templates(const struct site *s);
struct str site_version(const struct site *s);
const struct site_file *site_file(const struct site *s, struct str name); /* NULL: none */

/* The handler of GET /assets/{version}/{name}; loop thread. */
void site_answer(const struct site *s, struct request *req);
