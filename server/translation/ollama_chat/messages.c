/* messages.c: the messages of a request, written for Ollama. */
#include "translation/ollama_chat/ollama.h"
#include "translation/put.h"

struct writing {
    struct json_writer *w;
    const struct chat_request *request;
    struct chat_losses *losses;
    bool own;
};

/* Messages that become one: a turn of the assistant is one here, though other formats have a row of
 * items for it. */
struct run {
    const struct chat_message *m;
    size_t n;
};

static bool is_text(const struct chat_part *p)
{
    return p->kind == CHAT_TEXT || p->kind == CHAT_REFUSAL ||
           (p->kind == CHAT_DOCUMENT && p->media.source == CHAT_PLAIN);
}

static bool is_picture(const struct chat_part *p)
{
    return p->kind == CHAT_IMAGE && p->media.source == CHAT_BASE64;
}

/* What nobody has signed: a signed thought is another provider's own. */
static bool is_thought(const struct chat_part *p)
{
    return p->kind == CHAT_THINKING && !p->signature.n && p->text.n;
}

static bool is_call(const struct chat_part *p)
{
    struct str arguments = str_trim(p->tool.arguments);

    return p->kind == CHAT_TOOL_CALL && !p->tool.custom &&
           (!arguments.n || chat_is_object(arguments));
}

static bool can_say(const struct chat_part *p)
{
    return is_text(p) || is_picture(p) || is_thought(p) || is_call(p) ||
           p->kind == CHAT_TOOL_RESULT;
}

typedef bool is_kind(const struct chat_part *p);

static bool has_any(struct run run, is_kind *is)
{
    for (size_t i = 0; i < run.n; i++)
        for (size_t k = 0; k < run.m[i].n_parts; k++)
            if (is(&run.m[i].parts[k]))
                return true;
    return false;
}

/* Texts as one string. What the assistant said in pieces is joined as it is; the parts of others
 * stand on lines of their own. */
static void put_joined(struct writing *x, const char *key, struct run run, is_kind *is)
{
    bool any = false;

    json_key(x->w, key);
    json_raw(x->w, STR("\""));
    for (size_t i = 0; i < run.n; i++)
        for (size_t k = 0; k < run.m[i].n_parts; k++) {
            const struct chat_part *p = &run.m[i].parts[k];

            if (!is(p))
                continue;
            if (any && run.m->role != CHAT_ASSISTANT)
                buf_puts(x->w->out, "\\n");
            json_escape(x->w->out, p->kind == CHAT_DOCUMENT ? p->media.data : p->text);
            any = true;
        }
    buf_putc(x->w->out, '"');
}

static void put_picture(struct writing *x, const struct chat_part *p)
{
    json_str(x->w, p->media.data);
}

static void put_call(struct writing *x, const struct chat_part *p)
{
    struct str arguments = str_trim(p->tool.arguments);

    json_open_object(x->w);
    put_text(x->w, "id", p->tool.id);
    json_key(x->w, "function");
    json_open_object(x->w);
    put_text(x->w, "name", p->tool.name);
    put_raw(x->w, "arguments", arguments.n ? arguments : STR("{}"));
    json_close_object(x->w);
    json_close_object(x->w);
}

static void put_list(struct writing *x, const char *key, struct run run, is_kind *is,
                     void (*put)(struct writing *x, const struct chat_part *p))
{
    if (!has_any(run, is))
        return;
    json_key(x->w, key);
    json_open_array(x->w);
    for (size_t i = 0; i < run.n; i++)
        for (size_t k = 0; k < run.m[i].n_parts; k++)
            if (is(&run.m[i].parts[k]))
                put(x, &run.m[i].parts[k]);
    json_close_array(x->w);
}

static void lose_part(struct writing *x, const struct chat_part *p)
{
    if (!can_say(p)) {
        if (p->kind == CHAT_THINKING || p->kind == CHAT_REDACTED)
            chat_note(x->losses, p->path);
        else
            chat_lose(x->losses, p->path);
        return;
    }
    if (p->cache.p)
        chat_note(x->losses, p->path); /* prefixes are kept without being asked */
    chat_lose_extras(x->losses, &p->extra);
}

static void lose(struct writing *x, struct run run)
{
    for (size_t i = 0; i < run.n && !x->own; i++) {
        const struct chat_message *m = &run.m[i];

        for (size_t k = 0; k < m->n_parts; k++)
            lose_part(x, &m->parts[k]);
        chat_lose_extras(x->losses, &m->extra);
        if (m->name.p)
            chat_note(x->losses, m->path);
    }
}

static struct str name_of(const struct writing *x, const struct chat_message *m,
                          const struct chat_part *result)
{
    const struct chat_part *call = result->tool.name.p ? NULL : chat_call_of(x->request, m, result);

    return call ? call->tool.name : result->tool.name;
}

/* What went wrong in a tool is told in words: the format has no mark for it. */
static void put_result(struct writing *x, const struct chat_message *m, const struct chat_part *p)
{
    const struct chat_message inside = {
        .role = CHAT_TOOL, .parts = p->parts, .n_parts = p->n_parts};
    struct run run = {&inside, 1};

    json_open_object(x->w);
    put_word(x->w, "role", "tool");
    put_text(x->w, "tool_call_id", p->tool.id);
    put_text(x->w, "tool_name", name_of(x, m, p));
    put_joined(x, "content", run, is_text);
    put_list(x, "images", run, is_picture, put_picture);
    json_close_object(x->w);
    lose(x, run);
}

static bool is_said(const struct chat_part *p)
{
    return p->kind == CHAT_TEXT ? p->text.n > 0 : p->kind != CHAT_TOOL_RESULT && can_say(p);
}

static void put_run(struct writing *x, struct run run)
{
    static const char *const roles[] = {[CHAT_SYSTEM] = "system", [CHAT_DEVELOPER] = "system",
                                        [CHAT_USER] = "user", [CHAT_ASSISTANT] = "assistant",
                                        [CHAT_TOOL] = "user"};

    for (size_t i = 0; i < run.n; i++)
        for (size_t k = 0; k < run.m[i].n_parts; k++)
            if (run.m[i].parts[k].kind == CHAT_TOOL_RESULT)
                put_result(x, &run.m[i], &run.m[i].parts[k]);
    lose(x, run);
    if (!has_any(run, is_said) && !(x->own && run.m->role != CHAT_TOOL))
        return;
    json_open_object(x->w);
    put_word(x->w, "role", roles[run.m->role]);
    if (has_any(run, is_thought))
        put_joined(x, "thinking", run, is_thought);
    put_joined(x, "content", run, is_text);
    put_list(x, "images", run, is_picture, put_picture);
    put_list(x, "tool_calls", run, is_call, put_call);
    if (x->own)
        put_extras(x->w, &run.m->extra);
    json_close_object(x->w);
}

void ollama_put_messages(struct json_writer *w, const struct chat_request *r, bool own,
                         struct chat_losses *losses)
{
    struct writing x = {.w = w, .request = r, .losses = losses, .own = own};

    json_key(w, "messages");
    json_open_array(w);
    for (size_t i = 0; i < r->n_messages;) {
        struct run run = {&r->messages[i], 1};

        while (!own && run.m->role == CHAT_ASSISTANT && i + run.n < r->n_messages &&
               r->messages[i + run.n].role == CHAT_ASSISTANT)
            run.n++;
        put_run(&x, run);
        i += run.n;
    }
    json_close_array(w);
}
