/* request_write.c: a request in Anthropic's Messages format.
 *
 * Odd: system messages stand apart from the turns, so all of them go to the front, wherever they
 * stood; and a turn is one message, so neighbours of one side are joined (results of tools with the
 * user's words behind them). */
#include "translation/anthropic_messages/messages.h"

#include "translation/put.h"

struct writing {
    struct json_writer w;
    const struct chat_request *request;
    struct chat_losses *losses;
    bool own;
};

static bool is_system(const struct chat_message *m)
{
    return m->role == CHAT_SYSTEM || m->role == CHAT_DEVELOPER;
}

/* A system message that this format's own client put between the turns stays there. */
static bool stands_apart(const struct writing *x, const struct chat_message *m)
{
    return is_system(m) && !(x->own && str_starts(m->path, STR("messages[")));
}

static void parts(struct writing *x, const struct chat_message *m)
{
    for (size_t i = 0; i < m->n_parts; i++)
        (void)anthropic_put_block(&x->w, &m->parts[i], x->own, x->losses);
    if (x->own)
        return;
    chat_lose_extras(x->losses, &m->extra);
    if (m->name.p)
        chat_note(x->losses, m->path);
}

static void system_blocks(struct writing *x)
{
    bool any = false;

    for (size_t i = 0; i < x->request->n_messages; i++) {
        const struct chat_message *m = &x->request->messages[i];

        if (!stands_apart(x, m) || !m->n_parts)
            continue;
        if (!any) {
            json_key(&x->w, "system");
            if (x->own && m->plain) {
                json_str(&x->w, m->parts[0].text);
                return;
            }
            json_open_array(&x->w);
        }
        any = true;
        parts(x, m);
    }
    if (any)
        json_close_array(&x->w);
}

static const char *role_of(const struct chat_message *m)
{
    return is_system(m) ? "system" : m->role == CHAT_ASSISTANT ? "assistant" : "user";
}

static void own_message(struct writing *x, const struct chat_message *m)
{
    json_open_object(&x->w);
    put_word(&x->w, "role", role_of(m));
    json_key(&x->w, "content");
    if (m->plain) {
        json_str(&x->w, m->parts[0].text);
    } else {
        json_open_array(&x->w);
        parts(x, m);
        json_close_array(&x->w);
    }
    put_extras(&x->w, &m->extra);
    json_close_object(&x->w);
}

static bool can_say(const struct chat_part *p)
{
    if (p->kind == CHAT_THINKING)
        return chat_seal_own("", p->signature).p != NULL;
    return p->kind != CHAT_FOREIGN && p->kind != CHAT_AUDIO && p->kind != CHAT_VIDEO;
}

static void turns(struct writing *x)
{
    const char *open = NULL;

    for (size_t i = 0; i < x->request->n_messages; i++) {
        const struct chat_message *m = &x->request->messages[i];

        if (stands_apart(x, m) || (!x->own && chat_says_nothing(m, can_say, x->losses)))
            continue;
        if (x->own) {
            own_message(x, m);
            continue;
        }
        if (!open || strcmp(open, role_of(m)) != 0) {
            if (open) {
                json_close_array(&x->w);
                json_close_object(&x->w);
            }
            open = role_of(m);
            json_open_object(&x->w);
            put_word(&x->w, "role", open);
            json_key(&x->w, "content");
            json_open_array(&x->w);
        }
        parts(x, m);
    }
    if (open) {
        json_close_array(&x->w);
        json_close_object(&x->w);
    }
}

void anthropic_write_request(const struct chat_request *request, const struct chat_target *target,
                             struct buf *out, struct chat_losses *losses)
{
    struct writing x = {.request = request, .losses = losses,
                        .own = strcmp(request->wire, "anthropic_messages") == 0};

    json_begin(&x.w, out);
    json_open_object(&x.w);
    put_text(&x.w, "model", target->model);
    system_blocks(&x);
    json_key(&x.w, "messages");
    json_open_array(&x.w);
    turns(&x);
    json_close_array(&x.w);
    anthropic_put_options(&x.w, request, target, losses);
    json_close_object(&x.w);
}
