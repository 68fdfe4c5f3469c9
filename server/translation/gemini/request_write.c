/* request_write.c: a generateContent request. The model's name stands in the URL.
 *
 * Odd: turns have to alternate, so neighbours of one side are joined; system messages stand apart;
 * and a result names the function that it is of, which is that of the nearest call before it with
 * its id: a conversation may have an id twice. */
#include "translation/gemini/gemini.h"
#include "translation/put.h"

struct writing {
    struct json_writer w;
    const struct chat_request *request;
    struct chat_losses *losses;
    bool own;
    const struct chat_part *thought; /* an empty one whose signature waits for its call */
    bool wants_seal; /* the first call of each content has to be signed */
    bool called;     /* there was one in this content */
};

/* Google's stand-in "skip_thought_signature_validator", in base64 as all signatures are. */
#define STAND_IN STR(GEMINI_SIGNED "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=")

static bool is_system(const struct chat_message *m)
{
    return m->role == CHAT_SYSTEM || m->role == CHAT_DEVELOPER;
}

static struct str name_of(const struct chat_request *r, const struct chat_message *m,
                          const struct chat_part *result)
{
    const struct chat_part *call;

    if (result->kind != CHAT_TOOL_RESULT)
        return STR_NONE;
    call = chat_call_of(r, m, result);
    if (call)
        return call->tool.name;
    return result->tool.name.p ? result->tool.name : result->tool.id;
}

/* A thought without words that came from here carries the signature of the call behind it. */
static bool waits(const struct writing *x, const struct chat_part *p)
{
    return !x->own && p->kind == CHAT_THINKING && !p->text.n &&
           chat_seal_own(GEMINI_SIGNED, p->signature).p;
}

static bool needs_seal(const struct writing *x, const struct chat_part *p)
{
    return x->wants_seal && !x->called && p->kind == CHAT_TOOL_CALL &&
           !chat_seal_own(GEMINI_SIGNED, p->signature).p;
}

/* It is the call's, though a client may have put text between them; without a call it is the next
 * part's. */
static void take_seal(struct writing *x, const struct chat_message *m, size_t i,
                      struct chat_part *part)
{
    if (!x->thought)
        return;
    for (size_t k = i + 1; k < m->n_parts && part->kind != CHAT_TOOL_CALL; k++)
        if (m->parts[k].kind == CHAT_TOOL_CALL)
            return;
    if (!part->signature.p)
        part->signature = x->thought->signature;
    x->thought = NULL;
}

static void parts(struct writing *x, const struct chat_message *m)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        struct chat_part part = m->parts[i];

        if (waits(x, &part)) {
            x->thought = x->thought ? x->thought : &m->parts[i];
            continue;
        }
        if (!x->own && part.kind == CHAT_TEXT && !part.text.n)
            continue;
        take_seal(x, m, i, &part);
        if (needs_seal(x, &part))
            part.signature = STAND_IN;
        if (gemini_put_part(&x->w, &part, x->own, name_of(x->request, m, &part), x->losses))
            x->called = x->called || part.kind == CHAT_TOOL_CALL;
    }
    if (x->own)
        return;
    chat_lose_extras(x->losses, &m->extra);
    if (m->name.p)
        chat_note(x->losses, m->path);
}

static void system_parts(struct writing *x)
{
    bool any = false;

    for (size_t i = 0; i < x->request->n_messages; i++) {
        const struct chat_message *m = &x->request->messages[i];

        if (!is_system(m) || !m->n_parts)
            continue;
        if (!any) {
            json_key(&x->w, "systemInstruction");
            json_open_object(&x->w);
            json_key(&x->w, "parts");
            json_open_array(&x->w);
        }
        any = true;
        parts(x, m);
    }
    if (!any)
        return;
    json_close_array(&x->w);
    json_close_object(&x->w);
}

static bool can_say(const struct chat_part *p)
{
    if (p->kind == CHAT_THINKING)
        return chat_seal_own(GEMINI_SIGNED, p->signature).p != NULL;
    return p->kind != CHAT_FOREIGN && p->kind != CHAT_REDACTED;
}

static void open_content(struct writing *x, const char *role)
{
    x->called = false;
    x->thought = NULL;
    json_open_object(&x->w);
    put_word(&x->w, "role", role);
    json_key(&x->w, "parts");
    json_open_array(&x->w);
}

static void contents(struct writing *x)
{
    const char *open = NULL;

    json_key(&x->w, "contents");
    json_open_array(&x->w);
    for (size_t i = 0; i < x->request->n_messages; i++) {
        const struct chat_message *m = &x->request->messages[i];
        const char *role = m->role == CHAT_ASSISTANT ? "model" : "user";

        if (is_system(m) || (!x->own && chat_says_nothing(m, can_say, x->losses)))
            continue;
        if (open && (x->own || strcmp(open, role) != 0)) {
            json_close_array(&x->w);
            json_close_object(&x->w);
            open = NULL;
        }
        if (!open)
            open_content(x, role);
        open = role;
        parts(x, m);
    }
    if (open) {
        json_close_array(&x->w);
        json_close_object(&x->w);
    }
    json_close_array(&x->w);
}

void gemini_write_request(const struct chat_request *request, const struct chat_target *target,
                          struct buf *out, struct chat_losses *losses)
{
    struct writing x = {.request = request, .losses = losses,
                        .own = strcmp(request->wire, "gemini") == 0};

    x.wants_seal = !x.own && gemini_model_of(target->model).major >= 3;
    json_begin(&x.w, out);
    json_open_object(&x.w);
    contents(&x);
    system_parts(&x);
    gemini_put_tools(&x.w, request, x.own, losses);
    gemini_put_config(&x.w, request, target, x.own, losses);
    if (x.own)
        put_extras(&x.w, &request->extra);
    else
        chat_lose_extras(losses, &request->extra);
    json_close_object(&x.w);
}
