/* thoughts_read.c: thoughts of an answer that was streamed, as a client sends them back: piece by
 * piece, and behind them an empty one with the signature of them all, in one content or in a row of
 * them. The provider that made them wants them whole.
 *
 * Google's own are left: such a signature is that of the call behind it, see gemini.h. */
#include "translation/gemini/gemini.h"
#include "translation/tree.h"

/* The mark of a part that has become part of another. */
#define JOINED CHAT_PART_KINDS

static bool is_piece(const struct chat_part *p)
{
    return p->kind == CHAT_THINKING && !p->signature.p && !p->extra.n;
}

static bool is_seal(const struct chat_part *p)
{
    return p->kind == CHAT_THINKING && !p->text.n && p->signature.n && !p->extra.n &&
           !chat_seal_own(GEMINI_SIGNED, p->signature).p;
}

static void join(struct tree *t, struct chat_part **pieces, size_t n, struct chat_part *seal)
{
    size_t bytes = 0, at = 0;
    char *text;

    for (size_t i = 0; i < n; i++)
        bytes += pieces[i]->text.n;
    text = tree_array_of(t, char, bytes);
    for (size_t i = 0; i < n && text; i++) {
        memcpy(text + at, pieces[i]->text.p, pieces[i]->text.n);
        at += pieces[i]->text.n;
        pieces[i]->kind = JOINED;
    }
    if (!text)
        return;
    pieces[0]->kind = CHAT_THINKING;
    pieces[0]->text = str_n(text, bytes);
    pieces[0]->signature = seal->signature;
    seal->kind = JOINED;
}

static void take_out(struct chat_message *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_parts; i++)
        if (m->parts[i].kind != JOINED)
            m->parts[n++] = m->parts[i];
    m->n_parts = n;
}

void gemini_join_thoughts(struct tree *t, struct chat_request *r)
{
    size_t n = 0, first = 0;
    struct chat_part **all;

    for (size_t i = 0; i < r->n_messages; i++)
        n += r->messages[i].n_parts;
    all = tree_array_of(t, struct chat_part *, n);
    if (!all || tree_failed(t))
        return;
    n = 0;
    for (size_t i = 0; i < r->n_messages; i++)
        for (size_t k = 0; k < r->messages[i].n_parts; k++)
            all[n++] = &r->messages[i].parts[k];
    for (size_t i = 0; i < n; i++) {
        if (is_piece(all[i]))
            continue;
        if (is_seal(all[i]) && i > first)
            join(t, all + first, i - first, all[i]);
        first = i + 1;
    }
    for (size_t i = 0; i < r->n_messages; i++)
        take_out(&r->messages[i]);
}
