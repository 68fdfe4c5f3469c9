/* items_write.c: neutral messages as the items of the Responses format. */
#include "translation/openai_responses/responses.h"
#include "translation/put.h"

struct writing {
    struct json_writer *w;
    struct chat_losses *losses;
    bool own;
};

static void extras(struct writing *x, const struct chat_extras *extra,
                   const struct chat_extras *quiet)
{
    if (x->own) {
        put_extras(x->w, extra);
        put_extras(x->w, quiet);
    } else {
        chat_lose_extras(x->losses, extra);
    }
}

static void put_url(struct json_writer *w, const char *key, const struct chat_media *m)
{
    json_key(w, key);
    if (m->source != CHAT_BASE64) {
        json_str(w, m->data);
        return;
    }
    json_raw(w, STR("\"data:"));
    json_escape(w->out, m->mime.p ? m->mime : STR("application/octet-stream"));
    buf_puts(w->out, ";base64,");
    json_escape(w->out, m->data);
    buf_putc(w->out, '"');
}

static void media(struct json_writer *w, const struct chat_part *p)
{
    bool image = p->kind == CHAT_IMAGE;
    const struct chat_media *m = &p->media;

    put_word(w, "type", image ? "input_image" : "input_file");
    put_text(w, "filename", m->name);
    put_text(w, "detail", m->detail);
    if (m->source == CHAT_FILE)
        put_text(w, "file_id", m->data);
    else if (image)
        put_url(w, "image_url", m);
    else
        put_url(w, m->source == CHAT_URL ? "file_url" : "file_data", m);
}

static bool belongs(struct writing *x, const struct chat_part *p)
{
    switch (p->kind) {
    case CHAT_TEXT:
    case CHAT_REFUSAL:
    case CHAT_IMAGE:
        return true;
    case CHAT_DOCUMENT:
        return true;
    case CHAT_FOREIGN:
        if (x->own)
            return true;
        break;
    case CHAT_THINKING:
    case CHAT_REDACTED:
    case CHAT_TOOL_CALL:
    case CHAT_TOOL_RESULT:
        return false; /* items of their own */
    case CHAT_AUDIO:
    case CHAT_VIDEO:
    case CHAT_PART_KINDS:
        break;
    }
    chat_lose(x->losses, p->path);
    return false;
}

static void content_part(struct writing *x, const struct chat_part *p, bool output)
{
    if (p->kind == CHAT_FOREIGN) {
        json_raw(x->w, p->raw);
        return;
    }
    json_open_object(x->w);
    if (p->kind == CHAT_TEXT || (p->kind == CHAT_DOCUMENT && p->media.source == CHAT_PLAIN)) {
        put_word(x->w, "type", output ? "output_text" : "input_text");
        put_text(x->w, "text", p->kind == CHAT_TEXT ? p->text : p->media.data);
        if (x->own)
            put_raw(x->w, "annotations", p->sources);
        else if (output)
            put_raw(x->w, "annotations", STR("[]"));
    } else if (p->kind == CHAT_REFUSAL) {
        put_word(x->w, "type", "refusal");
        put_text(x->w, "refusal", p->text);
    } else {
        media(x->w, p);
    }
    if (p->cache.p && !x->own)
        chat_note(x->losses, p->path);
    extras(x, &p->extra, &p->quiet);
    json_close_object(x->w);
}

static void content(struct writing *x, const char *key, const struct chat_part *parts, size_t n,
                    bool plain, bool output)
{
    json_key(x->w, key);
    if (plain && n == 1 && parts[0].kind == CHAT_TEXT) {
        json_str(x->w, parts[0].text);
        return;
    }
    json_open_array(x->w);
    for (size_t i = 0; i < n; i++)
        if (belongs(x, &parts[i]))
            content_part(x, &parts[i], output);
    json_close_array(x->w);
}

/* --- items --- */

static void call(struct writing *x, const struct chat_part *p)
{
    json_open_object(x->w);
    put_word(x->w, "type", p->tool.custom ? "custom_tool_call" : "function_call");
    put_text(x->w, "call_id", p->tool.id);
    put_text(x->w, "name", p->tool.name);
    put_text(x->w, p->tool.custom ? "input" : "arguments",
             p->tool.arguments.p ? p->tool.arguments : STR("{}"));
    extras(x, &p->extra, &p->quiet);
    json_close_object(x->w);
}

static void result(struct writing *x, const struct chat_part *p)
{
    bool plain = p->n_parts == 1 && p->parts[0].kind == CHAT_TEXT;

    json_open_object(x->w);
    put_word(x->w, "type", p->tool.custom ? "custom_tool_call_output" : "function_call_output");
    put_text(x->w, "call_id", p->tool.id);
    if (p->n_parts)
        content(x, "output", p->parts, p->n_parts, plain, false);
    else
        put_text(x->w, "output", STR(""));
    extras(x, &p->extra, &p->quiet);
    json_close_object(x->w);
}

/* Only what OpenAI sealed is understood there. */
static void thought(struct writing *x, const struct chat_part *p)
{
    struct str sealed = chat_seal_own(OPENAI_SEALED, p->signature);

    if (!x->own && !sealed.p) {
        chat_note(x->losses, p->path);
        return;
    }
    json_open_object(x->w);
    put_word(x->w, "type", "reasoning");
    put_text(x->w, "encrypted_content", sealed);
    if (x->own) {
        put_extras(x->w, &p->quiet);
    } else {
        json_key(x->w, "summary");
        json_open_array(x->w);
        if (p->text.n) {
            json_open_object(x->w);
            put_word(x->w, "type", "summary_text");
            put_text(x->w, "text", p->text);
            json_close_object(x->w);
        }
        json_close_array(x->w);
    }
    json_close_object(x->w);
}

/* The parts that are items of their own, in front of the message (thoughts, results) or behind it
 * (calls). */
static void items(struct writing *x, const struct chat_message *m, bool front)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        const struct chat_part *p = &m->parts[i];

        if (front && (p->kind == CHAT_THINKING || p->kind == CHAT_REDACTED))
            thought(x, p);
        else if (front && p->kind == CHAT_TOOL_RESULT)
            result(x, p);
        else if (!front && p->kind == CHAT_TOOL_CALL)
            call(x, p);
    }
}

static bool has_content(const struct chat_message *m)
{
    for (size_t i = 0; i < m->n_parts; i++)
        if (m->parts[i].kind <= CHAT_REFUSAL ||
            (m->parts[i].kind >= CHAT_IMAGE && m->parts[i].kind <= CHAT_DOCUMENT))
            return true;
    return false;
}

static void message(struct writing *x, const struct chat_message *m)
{
    static const char *const roles[] = {[CHAT_SYSTEM] = "system", [CHAT_DEVELOPER] = "developer",
                                        [CHAT_USER] = "user", [CHAT_ASSISTANT] = "assistant",
                                        [CHAT_TOOL] = "user"};

    if (m->n_parts == 1 && m->parts[0].kind == CHAT_FOREIGN && x->own) {
        json_raw(x->w, m->parts[0].raw);
        return;
    }
    items(x, m, true);
    if (has_content(m) || (x->own && !m->n_parts)) {
        json_open_object(x->w);
        put_word(x->w, "type", "message");
        put_word(x->w, "role", roles[m->role]);
        content(x, "content", m->parts, m->n_parts, m->plain, m->role == CHAT_ASSISTANT);
        extras(x, &m->extra, &m->quiet);
        if (m->name.p && !x->own)
            chat_note(x->losses, m->path);
        json_close_object(x->w);
    } else if (m->n_parts == 1 && m->parts[0].kind == CHAT_FOREIGN) {
        chat_lose(x->losses, m->parts[0].path);
    }
    items(x, m, false);
}

void responses_put_messages(struct json_writer *w, const struct chat_request *r, bool own,
                            struct chat_losses *losses)
{
    struct writing x = {.w = w, .losses = losses, .own = own};
    size_t first = 0;
    const struct chat_message *m = r->messages;

    if (r->n_messages && m->role == CHAT_SYSTEM && m->n_parts == 1 &&
        m->parts[0].kind == CHAT_TEXT && (!own || str_eq(m->path, STR("instructions")))) {
        put_text(w, "instructions", m->parts[0].text);
        first = 1;
    }
    json_key(w, "input");
    json_open_array(w);
    for (size_t i = first; i < r->n_messages; i++)
        message(&x, &r->messages[i]);
    json_close_array(w);
}
