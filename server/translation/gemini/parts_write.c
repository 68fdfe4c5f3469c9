/* parts_write.c: neutral parts as parts of Google's contents. */
#include "translation/gemini/gemini.h"
#include "translation/put.h"

static void media(struct json_writer *w, const struct chat_part *p)
{
    const struct chat_media *m = &p->media;
    static const char *const usual[CHAT_PART_KINDS] = {[CHAT_IMAGE] = "image/png",
                                                       [CHAT_AUDIO] = "audio/wav",
                                                       [CHAT_VIDEO] = "video/mp4",
                                                       [CHAT_DOCUMENT] = "application/pdf"};
    struct str mime = m->mime.p ? m->mime : str_c(usual[p->kind]);

    json_key(w, m->source == CHAT_BASE64 ? "inlineData" : "fileData");
    json_open_object(w);
    put_text(w, "mimeType", mime);
    put_text(w, m->source == CHAT_BASE64 ? "data" : "fileUri", m->data);
    json_close_object(w);
}

static bool call(struct json_writer *w, const struct chat_part *p)
{
    struct str arguments = str_trim(p->tool.arguments);

    if (p->tool.custom || (arguments.n && !chat_is_object(arguments)))
        return false;
    json_open_object(w);
    json_key(w, "functionCall");
    json_open_object(w);
    put_text(w, "id", p->tool.id);
    put_text(w, "name", p->tool.name);
    put_raw(w, "args", arguments.n ? arguments : STR("{}"));
    json_close_object(w);
    return true;
}

static bool is_media(const struct chat_part *p)
{
    return p->kind >= CHAT_IMAGE && p->kind <= CHAT_DOCUMENT;
}

/* {"output": text}; the texts of a result joined. */
static void response(struct json_writer *w, const struct chat_part *p, struct chat_losses *losses)
{
    json_open_object(w);
    json_key(w, p->is_error ? "error" : "output");
    json_raw(w, STR("\""));
    for (size_t i = 0; i < p->n_parts; i++) {
        if (p->parts[i].kind == CHAT_TEXT)
            json_escape(w->out, p->parts[i].text);
        else if (!is_media(&p->parts[i]))
            chat_lose(losses, p->parts[i].path);
    }
    buf_putc(w->out, '"');
    json_close_object(w);
}

/* Pictures that a tool gave ("Multimodal function responses"). */
static void result_media(struct json_writer *w, const struct chat_part *p, bool own,
                         struct chat_losses *losses)
{
    bool any = false;

    for (size_t i = 0; i < p->n_parts; i++) {
        if (!is_media(&p->parts[i]))
            continue;
        if (!any) {
            json_key(w, "parts");
            json_open_array(w);
        }
        any = true;
        (void)gemini_put_part(w, &p->parts[i], own, STR_NONE, losses);
    }
    if (any)
        json_close_array(w);
}

static void result(struct json_writer *w, const struct chat_part *p, bool own, struct str name,
                   struct chat_losses *losses)
{
    json_open_object(w);
    json_key(w, "functionResponse");
    json_open_object(w);
    put_text(w, "id", p->tool.id);
    put_text(w, "name", own ? p->tool.name : name);
    json_key(w, "response");
    if (own && p->raw.p)
        json_raw(w, p->raw);
    else
        response(w, p, losses);
    result_media(w, p, own, losses);
    json_close_object(w);
    json_close_object(w);
}

static bool open_part(struct json_writer *w, const struct chat_part *p, bool own)
{
    switch (p->kind) {
    case CHAT_TEXT:
    case CHAT_REFUSAL:
        json_open_object(w);
        put_text(w, "text", p->text);
        return true;
    case CHAT_THINKING:
        if (!own && !chat_seal_own(GEMINI_SIGNED, p->signature).p)
            return false;
        json_open_object(w);
        if (p->text.n || !own)
            put_text(w, "text", p->text);
        if (p->text.n || !own)
            put_flag(w, "thought", 1);
        return true;
    case CHAT_IMAGE:
    case CHAT_AUDIO:
    case CHAT_VIDEO:
    case CHAT_DOCUMENT:
        json_open_object(w);
        if (p->media.source == CHAT_PLAIN)
            put_text(w, "text", p->media.data);
        else
            media(w, p);
        return true;
    case CHAT_TOOL_CALL:
        return call(w, p);
    case CHAT_TOOL_RESULT:
    case CHAT_REDACTED:
    case CHAT_FOREIGN:
    case CHAT_PART_KINDS:
        break;
    }
    return false;
}

bool gemini_put_part(struct json_writer *w, const struct chat_part *p, bool own,
                     struct str name_of, struct chat_losses *losses)
{
    if (p->kind == CHAT_FOREIGN && own) {
        json_raw(w, p->raw);
        return true;
    }
    if (p->kind == CHAT_TOOL_RESULT) {
        result(w, p, own, name_of, losses);
        return true;
    }
    if (!open_part(w, p, own)) {
        if (p->kind == CHAT_THINKING || p->kind == CHAT_REDACTED)
            chat_note(losses, p->path);
        else
            chat_lose(losses, p->path);
        return false;
    }
    put_text(w, "thoughtSignature", chat_seal_own(GEMINI_SIGNED, p->signature));
    if (p->cache.p)
        chat_note(losses, p->path); /* prefixes are kept without being asked */
    if (own)
        put_extras(w, &p->extra);
    else
        chat_lose_extras(losses, &p->extra);
    json_close_object(w);
    return true;
}

void gemini_put_answer_part(struct json_writer *w, const struct chat_part *p,
                            struct chat_losses *losses)
{
    struct str arguments = str_trim(p->tool.arguments);

    if (p->kind == CHAT_THINKING) {
        json_open_object(w);
        put_text(w, "text", p->text);
        put_flag(w, "thought", 1);
        chat_seal_put(w, "thoughtSignature", GEMINI_SIGNED, p->signature);
        json_close_object(w);
        return;
    }
    if (p->kind == CHAT_TOOL_CALL && arguments.n && !chat_is_object(arguments)) {
        json_open_object(w);
        json_key(w, "functionCall");
        json_open_object(w);
        put_text(w, "id", p->tool.id);
        put_text(w, "name", p->tool.name);
        json_key(w, "args");
        json_open_object(w);
        put_text(w, "INVALID_JSON", arguments);
        json_close_object(w);
        json_close_object(w);
        json_close_object(w);
        return;
    }
    (void)gemini_put_part(w, p, false, STR_NONE, losses);
}
