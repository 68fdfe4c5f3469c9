/* site.c: see site.h. Sole home of zlib. */
#include "web/site.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "base/bounds.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/log.h"

#define VERSION_DIGITS 12

struct site {
    struct arena *arena;
    struct mustache *templates;
    struct site_file files[BOUND_ASSET_FILES];
    size_t n_files;
    struct str version;
    struct mustache_fault *fault; /* while loading */
};

static const struct {
    const char *ending, *type;
    bool shrinks;
} types[] = {
    {".css", "text/css; charset=utf-8", true},
    {".js", "text/javascript; charset=utf-8", true},
    {".svg", "image/svg+xml", true},
    {".woff2", "font/woff2", false},
    {".png", "image/png", false},
    {".txt", "text/plain; charset=utf-8", true},
};

static int fault(struct site *s, const char *path, const char *what)
{
    (void)snprintf(s->fault->text, sizeof(s->fault->text), "%s: %s", path, what);
    return SITE_E_FAULT;
}

static int read_whole(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    char block[8192];
    size_t n;
    int r;

    if (!f)
        return err_origin(-errno);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_put(out, block, n);
    r = ferror(f) ? err_origin(-EIO) : buf_finish(out);
    fclose(f);
    return r;
}

/* --- templates: "keys" is templates/keys.html --- */

static int add_template(struct site *s, const char *path, struct str name, struct str bytes)
{
    _cleanup_(freep) char *stem = NULL;

    if (!str_ends(name, STR(".html")))
        return fault(s, path, "not a template");
    stem = strndup(name.p, name.n - strlen(".html"));
    if (!stem)
        return err_origin(-ENOMEM);
    /* Partials stand within lines: their last line end is the file's, not theirs. */
    if (str_starts(name, STR("partials/")) && str_ends(bytes, STR("\n")))
        bytes.n--;
    return mustache_add(s->templates, stem, bytes, s->fault);
}

/* --- files for browsers --- */

static int squeeze(struct arena *a, struct str bytes, struct str *ret)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes.p, .avail_in = (uInt)bytes.n};
    size_t room;
    char *out;

    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_origin(-ENOMEM);
    room = deflateBound(&z, bytes.n);
    out = arena_alloc(a, room);
    if (!out) {
        (void)deflateEnd(&z);
        return err_origin(-ENOMEM);
    }
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
    *ret = str_n(out, z.total_out);
    (void)deflateEnd(&z);
    return 0;
}

static int add_file(struct site *s, const char *path, struct str name, struct str bytes)
{
    struct site_file *file = &s->files[s->n_files];
    struct digest digest = digest_plain(bytes);
    char hex[65];

    if (s->n_files == BOUND_ASSET_FILES)
        return fault(s, path, "one file too many");
    if (site_file(s, name))
        return fault(s, path, "a second file of this name");
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (!str_ends(name, str_c(types[i].ending)))
            continue;
        digest_hex(&digest, hex);
        file->content_type = types[i].type;
        file->name = arena_str(s->arena, name);
        file->bytes = arena_str(s->arena, bytes);
        file->etag = arena_strf(s->arena, "\"%.16s\"", hex);
        if (!file->name.p || !file->bytes.p || !file->etag.p)
            return err_origin(-ENOMEM);
        s->n_files++;
        return types[i].shrinks ? squeeze(s->arena, bytes, &file->gzip) : 0;
    }
    return fault(s, path, "of no type that is served");
}

/* --- directories --- */

typedef int add_fn(struct site *s, const char *path, struct str name, struct str bytes);

static int add_each(struct site *s, const char *directory, add_fn *add)
{
    char *roots[] = {(char *)(uintptr_t)directory, NULL};
    size_t length = strlen(directory);
    struct buf bytes;
    FTSENT *entry;
    FTS *walk;
    int r = 0;

    while (length > 1 && directory[length - 1] == '/')
        length--;
    walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return err_origin(-errno);
    buf_init(&bytes, BOUND_ASSET_BYTES);
    while (r == 0 && (entry = fts_read(walk)) != NULL) {
        struct str name = str_c(entry->fts_path + MIN(length, entry->fts_pathlen));

        while (name.n && name.p[0] == '/')
            name = str_c(name.p + 1);
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR)
            r = fault(s, entry->fts_path, strerror(entry->fts_errno));
        if (entry->fts_info != FTS_F || entry->fts_name[0] == '.')
            continue;
        buf_reset(&bytes);
        r = read_whole(entry->fts_path, &bytes);
        if (r == 0)
            r = add(s, entry->fts_path, name, buf_str(&bytes));
    }
    buf_done(&bytes);
    fts_close(walk);
    return r;
}

/* Without them (no npm has run) pages work, plainer: no icons, no charts, another font. */
static int add_assets(struct site *s, const char *directory)
{
    if (access(directory, F_OK) == 0)
        return add_each(s, directory, add_file);
    log_warn("assets_missing", "path=%s remedy=\"run web/build-assets\"", directory);
    return 0;
}

/* Over all files, in order of name, so that every replica finds the same. */
static int set_version(struct site *s)
{
    struct buf all;
    struct digest digest;
    char hex[65];
    int r;

    for (size_t i = 1; i < s->n_files; i++)
        for (size_t k = i; k && str_cmp(s->files[k - 1].name, s->files[k].name) > 0; k--) {
            struct site_file swap = s->files[k];

            s->files[k] = s->files[k - 1];
            s->files[k - 1] = swap;
        }
    buf_init(&all, BOUND_ASSETS_BYTES);
    for (size_t i = 0; i < s->n_files; i++)
        buf_printf(&all, "%.*s %.*s\n", STR_FMT(s->files[i].name), STR_FMT(s->files[i].etag));
    digest = digest_plain(buf_str(&all));
    r = buf_finish(&all);
    buf_done(&all);
    digest_hex(&digest, hex);
    s->version = arena_str(s->arena, str_n(hex, VERSION_DIGITS));
    return r ? r : s->version.p ? 0 : err_origin(-ENOMEM);
}

static int load(struct site *s, const struct site_dirs *dirs)
{
    int r = add_each(s, dirs->templates, add_template);

    if (r == 0)
        r = mustache_seal(s->templates, s->fault);
    if (r == 0)
        r = add_each(s, dirs->static_files, add_file);
    if (r == 0)
        r = add_assets(s, dirs->assets);
    if (r == 0)
        r = set_version(s);
    return r;
}

int site_new(const struct site_dirs *dirs, enum mustache_mode mode, struct site **ret,
             struct mustache_fault *fault_ret)
{
    struct site *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_origin(-ENOMEM);
    s->fault = fault_ret;
    s->arena = arena_new(BOUND_ASSETS_BYTES);
    r = s->arena ? mustache_new(mode, &s->templates) : err_origin(-ENOMEM);
    if (r == 0)
        r = load(s, dirs);
    s->fault = NULL;
    if (r != 0) {
        site_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void site_free(struct site *s)
{
    if (!s)
        return;
    mustache_free(s->templates);
    arena_free(s->arena);
    free(s);
}

const struct mustache *site_templates(const struct site *s)
{
    return s->templates;
}

struct str site_version(const struct site *s)
{
    return s->version;
}

const struct site_file *site_file(const struct site *s, struct str name)
{
    for (size_t i = 0; i < s->n_files; i++)
        if (str_eq(s->files[i].name, name))
            return &s->files[i];
    return NULL;
}

static bool contains(struct str text, const char *word)
{
    return text.n && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

void site_answer(const struct site *s, struct request *req)
{
    const struct site_file *file = site_file(s, req->params[1]);
    struct problem none = problem_of(PROBLEM_NOT_FOUND);
    struct response out = {.status = 200};

    if (!file) {
        request_fail(req, &none);
        return;
    }
    out.content_type = file->content_type;
    out.body = file->bytes;
    /* Under an old version's name it may be another file than the page meant: ask again. */
    response_header(&out, "cache-control",
                    str_eq(req->params[0], s->version) ? STR("public, max-age=31536000, immutable")
                                                       : STR("no-cache"));
    response_header(&out, "etag", file->etag);
    response_header(&out, "x-content-type-options", STR("nosniff"));
    if (file->gzip.p)
        response_header(&out, "vary", STR("accept-encoding"));
    if (file->gzip.p && contains(request_header(req, "accept-encoding"), "gzip")) {
        response_header(&out, "content-encoding", STR("gzip"));
        out.body = file->gzip;
    }
    if (str_eq(request_header(req, "if-none-match"), file->etag)) {
        out.status = 304;
        out.body = STR("");
    }
    request_reply(req, &out);
}
