/* check.c: see check.h: texts are put together of their pieces, looked through, and what was found is led
 * back to the bytes that it was written with. */
#include "guard/check.h"

#include <time.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "guard/texts.h"
#include "json/scan.h"
#include "translation/multipart.h"

/* Decoded text is never longer than the bytes: those of the largest answer. */
#define TEXT_BYTES BOUND_UPSTREAM_REPLY_BYTES
#define SLOW_NS 10000000

struct guard_piece {
    uint64_t text; /* which one it is a part of */
    size_t at, n;
    bool raw; /* no string of JSON: no escapes */
};

struct guard_found {
    size_t from, to; /* of the text */
    struct str mark;
};

void guard_check_init(struct guard_check *c, const struct guard_set *set, unsigned where)
{
    memset(c, 0, sizeof(*c));
    c->set = set;
    c->where = where;
    buf_init(&c->text_, TEXT_BYTES);
}

void guard_check_done(struct guard_check *c)
{
    buf_done(&c->text_);
    pattern_search_free(c->search_);
    free(c->changes_);
    free(c->pieces_);
    free(c->found_);
}

/* Room for one more; false: out of memory, which the check remembers. */
static bool grow(struct guard_check *c, void **v, size_t n, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : 16;
    void *larger;

    if (n < *room)
        return true;
    larger = reallocarray(*v, more, size);
    if (!larger) {
        c->failed = true;
        return false;
    }
    *v = larger;
    *room = more;
    return true;
}

/* --- looking --- */

static void stop(struct guard_check *c, const struct guard_rule *rule, bool undecided)
{
    if (c->stop)
        return;
    c->stop = rule;
    c->undecided = undecided;
}

static void leave_undecided(struct guard_check *c, size_t i)
{
    const struct guard_rule *rule = &c->set->rule[i];

    c->hits[i] += c->hits[i] == 0;
    if (rule->action != GUARD_LOG)
        stop(c, rule, true);
}

static void note(struct guard_check *c, size_t i, const struct detect_span *span, struct str mark)
{
    const struct guard_rule *rule = &c->set->rule[i];

    c->hits[i]++;
    if (++c->total_ > GUARD_FINDINGS_MAX) {
        leave_undecided(c, i);
        return;
    }
    if (rule->action == GUARD_BLOCK)
        stop(c, rule, false);
    if (rule->action == GUARD_REDACT &&
        grow(c, (void **)&c->found_, c->n_found_, &c->room_found_, sizeof(*c->found_)))
        c->found_[c->n_found_++] = (struct guard_found){span->from, span->to, mark};
}

static bool is_over(const struct guard_check *c)
{
    return c->total_ > GUARD_FINDINGS_MAX || c->failed;
}

static void look_for_kinds(struct guard_check *c, size_t i, struct str text)
{
    for (unsigned kind = 0; kind < DETECT_KINDS; kind++) {
        struct detect_span span = {0, 0};

        if (!(c->set->rule[i].finds & 1u << kind))
            continue;
        while (!is_over(c) && detect_find((enum detect_kind)kind, text, span.to, &span))
            note(c, i, &span, detect_kinds[kind].mark);
    }
}

/* Of this thread, so that a busy machine decides nothing. */
static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What a search took. Up to SLOW_NS in all the time that went by is good enough, and cheap to tell; from
 * there on it is the processor's, which a busy machine does not lengthen. */
static void spend(struct guard_check *c, int64_t began_mono_ns, int64_t began_cpu_ns)
{
    c->spent_ns_ += began_cpu_ns ? cpu_ns() - began_cpu_ns
                                 : MIN(clock_mono_ns() - began_mono_ns, (int64_t)SLOW_NS);
}

static bool look_for_pattern(struct guard_check *c, size_t i, const struct pattern *p, struct str text)
{
    struct detect_span span = {0, 0};
    int r = PATTERN_FOUND;

    while (!is_over(c) && r == PATTERN_FOUND && span.to < text.n) {
        bool slow = c->spent_ns_ > SLOW_NS;
        int64_t mono = slow ? 0 : clock_mono_ns(), cpu = slow ? cpu_ns() : 0;

        if (c->spent_ns_ > (int64_t)GUARD_CPU_MS * 1000000)
            return false;
        r = pattern_find(p, c->search_, text, span.to, &span);
        spend(c, mono, cpu);
        if (r == PATTERN_FOUND)
            note(c, i, &span, GUARD_MARK);
    }
    return r != PATTERN_UNDECIDED;
}

static void look_for_patterns(struct guard_check *c, size_t i, struct str text)
{
    const struct guard_rule *rule = &c->set->rule[i];

    if (rule->n_patterns && !c->search_)
        c->search_ = pattern_search_new();
    if (rule->n_patterns && !c->search_)
        c->failed = true;
    for (size_t k = 0; k < rule->n_patterns && !is_over(c); k++)
        if (!look_for_pattern(c, i, rule->patterns[k], text))
            leave_undecided(c, i);
}

static void look(struct guard_check *c, struct str text)
{
    c->n_found_ = 0;
    for (size_t i = 0; i < c->set->n && !is_over(c) && !c->undecided; i++) {
        if (!(c->set->rule[i].where & c->where))
            continue;
        look_for_kinds(c, i, text);
        look_for_patterns(c, i, text);
    }
}

/* --- back to the bytes --- */

static int by_place(const void *a, const void *b)
{
    const struct guard_found *x = a, *y = b;

    return x->from < y->from ? -1 : x->from > y->from ? 1 : (x->to < y->to) - (x->to > y->to);
}

/* Findings that lie on each other become one, with the first one's mark. */
static size_t join(struct guard_found *v, size_t n)
{
    size_t kept = 0;

    if (n > 1)
        qsort(v, n, sizeof(*v), by_place);
    for (size_t i = 0; i < n; i++) {
        if (kept && v[i].from < v[kept - 1].to)
            v[kept - 1].to = MAX(v[kept - 1].to, v[i].to);
        else
            v[kept++] = v[i];
    }
    return kept;
}

/* The pieces of one text, and how far the way through them has come. */
struct way {
    const struct guard_piece *piece, *end;
    size_t at; /* bytes of the piece behind us */
    size_t done; /* of the text */
};

static size_t length_in_bytes(const struct guard_check *c, const struct guard_piece *p, size_t at, size_t text)
{
    struct str rest = str_n(c->bytes_.p + p->at + at, p->n - at);

    return p->raw ? MIN(text, rest.n) : json_inside_length(rest, text);
}

static size_t length_of_text(const struct guard_check *c, const struct guard_piece *p, size_t at, size_t bytes)
{
    struct str part = str_n(c->bytes_.p + p->at + at, bytes);
    struct buf text;
    size_t n;

    if (p->raw || str_find(part, '\\') < 0)
        return bytes;
    buf_init(&text, TEXT_BYTES);
    json_inside_text(part, &text);
    n = text.n;
    buf_done(&text);
    return n;
}

/* Goes on to a place in the text; what it goes over is replaced by mark, where that is given: by all of it
 * in the first piece, and by nothing in those that follow. */
static void go(struct guard_check *c, struct way *w, size_t to, const struct str *mark)
{
    struct str text = mark ? *mark : STR_NONE;

    while (w->piece < w->end && w->done < to) {
        size_t bytes = length_in_bytes(c, w->piece, w->at, to - w->done);
        size_t passed = length_of_text(c, w->piece, w->at, bytes);

        if (mark && bytes &&
            grow(c, (void **)&c->changes_, c->n_changes_, &c->room_changes_, sizeof(*c->changes_))) {
            c->changes_[c->n_changes_++] = (struct guard_change){w->piece->at + w->at, bytes, text};
            text = STR("");
        }
        w->at += bytes;
        w->done += passed;
        if (w->at == w->piece->n) {
            w->piece++;
            w->at = 0;
        }
    }
}

static void lead_back(struct guard_check *c, const struct guard_piece *pieces, size_t n)
{
    struct way w = {.piece = pieces, .end = pieces + n};
    size_t found = join(c->found_, c->n_found_);

    for (size_t i = 0; i < found && !c->failed; i++) {
        go(c, &w, c->found_[i].from, NULL);
        go(c, &w, c->found_[i].to, &c->found_[i].mark);
    }
}

/* --- texts --- */

static struct str piece_str(const struct guard_check *c, const struct guard_piece *p)
{
    return str_n(c->bytes_.p + p->at, p->n);
}

/* A text in one piece without escapes is looked at where it stands. */
static void check_text(struct guard_check *c, const struct guard_piece *pieces, size_t n)
{
    struct str text = piece_str(c, pieces);

    if (c->failed || c->undecided)
        return;
    if (n > 1 || (!pieces->raw && str_find(text, '\\') >= 0)) {
        buf_reset(&c->text_);
        for (size_t i = 0; i < n; i++) {
            if (pieces[i].raw)
                buf_put_str(&c->text_, piece_str(c, &pieces[i]));
            else
                json_inside_text(piece_str(c, &pieces[i]), &c->text_);
        }
        c->failed = buf_finish(&c->text_) < 0;
        text = buf_str(&c->text_);
    }
    look(c, text);
    if (c->n_found_)
        lead_back(c, pieces, n);
}

static void add_piece(struct guard_check *c, const struct guard_piece *p)
{
    if (grow(c, (void **)&c->pieces_, c->n_pieces_, &c->room_pieces_, sizeof(*c->pieces_)))
        c->pieces_[c->n_pieces_++] = *p;
}

/* *ctx: where the document begins in the bytes. */
struct in_bytes {
    struct guard_check *c;
    size_t from;
};

static void string_found(void *ctx, const struct text_at *text)
{
    struct in_bytes *in = ctx;

    add_piece(in->c, &(struct guard_piece){.text = text->place, .at = in->from + text->at, .n = text->n});
}

static void add_raw(struct guard_check *c, size_t from, size_t n)
{
    if (n)
        add_piece(c, &(struct guard_piece){.text = (uint64_t)from, .at = from, .n = n, .raw = true});
}

/* The texts of a document, or its bytes where it is none; told apart from those of other kinds. */
static void add_document(struct guard_check *c, size_t from, size_t n)
{
    struct in_bytes in = {c, from};
    size_t first = c->n_pieces_;
    uint64_t kind = 0;

    if (!texts_each(str_n(c->bytes_.p + from, n), string_found, &in, &kind)) {
        c->n_pieces_ = first;
        add_raw(c, from, n);
        return;
    }
    for (size_t i = first; i < c->n_pieces_; i++)
        c->pieces_[i].text ^= kind;
}

void guard_check_json(struct guard_check *c, struct str bytes)
{
    c->bytes_ = bytes;
    add_document(c, 0, bytes.n);
    for (size_t i = 0; i < c->n_pieces_; i++)
        check_text(c, &c->pieces_[i], 1);
}

void guard_check_text(struct guard_check *c, struct str bytes)
{
    c->bytes_ = bytes;
    add_raw(c, 0, bytes.n);
    for (size_t i = 0; i < c->n_pieces_; i++)
        check_text(c, &c->pieces_[i], 1);
}

void guard_check_form(struct guard_check *c, struct str content_type, struct str bytes)
{
    struct multipart *form = calloc(1, sizeof(*form));
    const char *reason;

    c->bytes_ = bytes;
    c->failed = !form;
    if (!form || multipart_read(content_type, bytes, form, &reason) != MULTIPART_OK) {
        free(form); /* what reads it next refuses it */
        return;
    }
    for (size_t i = 0; i < form->n; i++)
        if (!form->part[i].filename.p && !str_eq(form->part[i].name, STR("model")))
            add_raw(c, (size_t)(form->part[i].value.p - bytes.p), form->part[i].value.n);
    free(form);
    for (size_t i = 0; i < c->n_pieces_; i++)
        check_text(c, &c->pieces_[i], 1);
}

/* --- streams --- */

static int by_text(const void *a, const void *b)
{
    const struct guard_piece *x = a, *y = b;

    if (x->text != y->text)
        return x->text < y->text ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int by_at(const void *a, const void *b)
{
    const struct guard_change *x = a, *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

void guard_check_events(struct guard_check *c, struct str bytes)
{
    static const struct str data = STR("data:");

    c->bytes_ = bytes;
    for (size_t at = 0; at < bytes.n && !c->failed;) {
        size_t end = str_line_end(bytes, at), from = at + data.n;

        if (end >= from && memcmp(bytes.p + at, data.p, data.n) == 0) {
            from += from < end && bytes.p[from] == ' ';
            add_document(c, from, end - from);
        }
        at = end + 1;
    }
    if (c->n_pieces_)
        qsort(c->pieces_, c->n_pieces_, sizeof(*c->pieces_), by_text);
    for (size_t i = 0, n; i < c->n_pieces_; i += n) {
        for (n = 1; i + n < c->n_pieces_ && c->pieces_[i + n].text == c->pieces_[i].text;)
            n++;
        check_text(c, &c->pieces_[i], n);
    }
    if (c->n_changes_)
        qsort(c->changes_, c->n_changes_, sizeof(*c->changes_), by_at);
}

/* --- what came of it --- */

void guard_check_put(const struct guard_check *c, struct buf *out, size_t *at)
{
    size_t done = 0, place = at ? *at : 0, moved = place;

    for (size_t i = 0; i < c->n_changes_; i++) {
        const struct guard_change *change = &c->changes_[i];

        buf_put(out, c->bytes_.p + done, change->at - done);
        buf_put_str(out, change->text);
        done = change->at + change->n;
        if (change->at < place) /* one that the place is within moves it behind what stands there now */
            moved = moved - (MIN(done, place) - change->at) + change->text.n;
    }
    buf_put(out, c->bytes_.p + done, c->bytes_.n - done);
    if (at)
        *at = moved;
}

void guard_check_names(const struct guard_check *c, struct buf *out)
{
    for (size_t i = 0; i < c->set->n; i++)
        if (c->hits[i])
            buf_printf(out, "%s%.*s=%u", out->n ? ", " : "", STR_FMT(c->set->rule[i].name), c->hits[i]);
}
