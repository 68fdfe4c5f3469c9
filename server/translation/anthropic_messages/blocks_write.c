/* blocks_write.c: parts as content blocks of Anthropic's format. */
#include "translation/anthropic_messages/messages.h"
#include "translation/put.h"

static void cache(struct json_writer *w, struct str ttl)
{
    if (!ttl.p)
        return;
    json_key(w, "cache_control");
    json_open_object(w);
    put_word(w, "type", "ephemeral");
    put_text(w, "ttl", ttl);
    json_close_object(w);
}

static void media(struct json_writer *w, const struct chat_part *p)
{
    static const char *const types[] = {[CHAT_BASE64] = "base64", [CHAT_URL] = "url",
                                        [CHAT_FILE] = "file", [CHAT_PLAIN] = "text"};
    static const char *const keys[] = {[CHAT_BASE64] = "data", [CHAT_URL] = "url",
                                       [CHAT_FILE] = "file_id", [CHAT_PLAIN] = "data"};
    const struct chat_media *m = &p->media;
    struct str mime = m->mime;

    if (!mime.p && m->source == CHAT_PLAIN)
        mime = STR("text/plain");
    else if (!mime.p && m->source == CHAT_BASE64)
        mime = p->kind == CHAT_IMAGE ? STR("image/png") : STR("application/pdf");
    put_word(w, "type", p->kind == CHAT_IMAGE ? "image" : "document");
    json_key(w, "source");
    json_open_object(w);
    put_word(w, "type", types[m->source]);
    if (m->source == CHAT_BASE64 || m->source == CHAT_PLAIN)
        put_text(w, "media_type", mime);
    put_text(w, keys[m->source], m->data);
    json_close_object(w);
    if (p->kind == CHAT_DOCUMENT)
        put_text(w, "title", m->name);
}

static bool call(struct json_writer *w, const struct chat_part *p)
{
    struct str arguments = str_trim(p->tool.arguments);

    if (p->tool.custom || (arguments.n && !chat_is_object(arguments)))
        return false;
    json_open_object(w);
    put_word(w, "type", "tool_use");
    put_text(w, "id", p->tool.id);
    put_text(w, "name", p->tool.name);
    put_raw(w, "input", arguments.n ? arguments : STR("{}"));
    return true;
}

static void result(struct json_writer *w, const struct chat_part *p, bool own,
                   struct chat_losses *losses)
{
    json_open_object(w);
    put_word(w, "type", "tool_result");
    put_text(w, "tool_use_id", p->tool.id);
    json_key(w, "content");
    json_open_array(w);
    for (size_t i = 0; i < p->n_parts; i++)
        (void)anthropic_put_block(w, &p->parts[i], own, losses);
    json_close_array(w);
    put_flag(w, "is_error", p->is_error ? 1 : -1);
}

static void text(struct json_writer *w, const struct chat_part *p, bool own)
{
    json_open_object(w);
    put_word(w, "type", "text");
    put_text(w, "text", p->text);
    if (own)
        put_raw(w, "citations", p->sources);
}

/* Only thoughts that it signed itself are accepted back; its signatures are base64, those of others
 * are marked with their name and a colon. */
static bool thought(struct json_writer *w, const struct chat_part *p)
{
    if (p->kind == CHAT_THINKING && !chat_seal_own("", p->signature).p)
        return false;
    json_open_object(w);
    put_word(w, "type", p->kind == CHAT_THINKING ? "thinking" : "redacted_thinking");
    put_text(w, p->kind == CHAT_THINKING ? "thinking" : "data", p->text);
    put_text(w, "signature", p->signature);
    return true;
}

/* Opens the object and writes all but what every block may have. */
static bool open_block(struct json_writer *w, const struct chat_part *p, bool own,
                       struct chat_losses *losses)
{
    switch (p->kind) {
    case CHAT_TEXT:
    case CHAT_REFUSAL:
        text(w, p, own);
        return true;
    case CHAT_IMAGE:
    case CHAT_DOCUMENT:
        if (p->kind == CHAT_IMAGE && p->media.source == CHAT_PLAIN)
            return false;
        json_open_object(w);
        media(w, p);
        if (own)
            put_raw(w, "citations", p->sources);
        return true;
    case CHAT_TOOL_CALL:
        return call(w, p);
    case CHAT_TOOL_RESULT:
        result(w, p, own, losses);
        return true;
    case CHAT_THINKING:
    case CHAT_REDACTED:
        return thought(w, p);
    case CHAT_AUDIO:
    case CHAT_VIDEO:
    case CHAT_FOREIGN:
    case CHAT_PART_KINDS:
        break;
    }
    return false;
}

bool anthropic_put_block(struct json_writer *w, const struct chat_part *p, bool own,
                         struct chat_losses *losses)
{
    if (p->kind == CHAT_FOREIGN && own) {
        json_raw(w, p->raw);
        return true;
    }
    if ((p->kind == CHAT_TEXT || p->kind == CHAT_REFUSAL) && !p->text.n && !own)
        return false; /* empty text is refused; nothing is lost with it */
    if (!open_block(w, p, own, losses)) {
        if (p->kind == CHAT_THINKING || p->kind == CHAT_REDACTED)
            chat_note(losses, p->path);
        else
            chat_lose(losses, p->path);
        return false;
    }
    cache(w, p->cache);
    if (own)
        put_extras(w, &p->extra);
    else
        chat_lose_extras(losses, &p->extra);
    json_close_object(w);
    return true;
}

/* Arguments that are no object, wrapped as Anthropic's documentation of fine-grained tool streaming
 * asks for it. */
static void odd_call(struct json_writer *w, const struct chat_part *p)
{
    json_open_object(w);
    put_word(w, "type", "tool_use");
    put_text(w, "id", p->tool.id);
    put_text(w, "name", p->tool.name);
    json_key(w, "input");
    json_open_object(w);
    put_text(w, "INVALID_JSON", p->tool.arguments);
    json_close_object(w);
    json_close_object(w);
}

void anthropic_put_answer_block(struct json_writer *w, const struct chat_part *p,
                                struct chat_losses *losses)
{
    if (p->kind == CHAT_THINKING) {
        json_open_object(w);
        put_word(w, "type", "thinking");
        put_text(w, "thinking", p->text);
        put_text(w, "signature", p->signature.p ? p->signature : STR(""));
        json_close_object(w);
        return;
    }
    if (p->kind == CHAT_TOOL_CALL && p->tool.arguments.n && !chat_is_object(p->tool.arguments)) {
        odd_call(w, p);
        return;
    }
    (void)anthropic_put_block(w, p, false, losses);
}
