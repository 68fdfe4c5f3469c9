/* blocks.c: the content blocks of the Converse format. Each is an object of one member that names
 * its kind. */
#include "translation/bedrock_converse/converse.h"
#include "translation/put.h"
#include "translation/tree.h"

/* Formats are endings of files here, media types elsewhere. */
static const struct {
    const char *format, *mime;
    enum chat_part_kind kind;
} formats[] = {
    {"png", "image/png", CHAT_IMAGE},
    {"jpeg", "image/jpeg", CHAT_IMAGE},
    {"gif", "image/gif", CHAT_IMAGE},
    {"webp", "image/webp", CHAT_IMAGE},
    {"pdf", "application/pdf", CHAT_DOCUMENT},
    {"csv", "text/csv", CHAT_DOCUMENT},
    {"html", "text/html", CHAT_DOCUMENT},
    {"txt", "text/plain", CHAT_DOCUMENT},
    {"md", "text/markdown", CHAT_DOCUMENT},
    {"doc", "application/msword", CHAT_DOCUMENT},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     CHAT_DOCUMENT},
    {"xls", "application/vnd.ms-excel", CHAT_DOCUMENT},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", CHAT_DOCUMENT},
    {"mp4", "video/mp4", CHAT_VIDEO},
    {"mov", "video/quicktime", CHAT_VIDEO},
    {"mkv", "video/x-matroska", CHAT_VIDEO},
    {"webm", "video/webm", CHAT_VIDEO},
    {"mpeg", "video/mpeg", CHAT_VIDEO},
};

static struct str mime_of(struct str format)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (str_eq_c(format, formats[i].format))
            return str_c(formats[i].mime);
    return STR_NONE;
}

/* NULL: none. */
static const char *format_of(const struct chat_part *p)
{
    if (p->media.source == CHAT_PLAIN)
        return "txt";
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i].kind == p->kind &&
            (!p->media.mime.p || str_eq_c(p->media.mime, formats[i].mime)))
            return formats[i].format;
    return NULL;
}

/* --- reading --- */

static void media(struct tree *t, struct node at, enum chat_part_kind kind, struct node whole,
                  struct chat_part *part)
{
    struct node source = tree_object(t, at, "source"), where = tree_object(t, source, "s3Location");

    part->kind = kind;
    part->media.mime = mime_of(tree_needs_text(t, at, "format"));
    part->media.name = tree_text(t, at, "name");
    if (node_given(where)) {
        part->media.source = CHAT_FILE;
        part->media.data = tree_needs_text(t, where, "uri");
    } else if (node_given(node_get(t, source, "bytes"))) {
        part->media.data = tree_text(t, source, "bytes");
    } else {
        part->kind = CHAT_FOREIGN;
        part->raw = node_raw(t, whole);
    }
}

static void thought(struct tree *t, struct node at, struct chat_part *part)
{
    struct node text = tree_object(t, at, "reasoningText");

    part->kind = node_given(text) ? CHAT_THINKING : CHAT_REDACTED;
    part->text = node_given(text) ? tree_needs_text(t, text, "text")
                                  : tree_needs_text(t, at, "redactedContent");
    part->signature = tree_text(t, text, "signature");
}

static void result_part(struct tree *t, struct node at, struct chat_part *part)
{
    struct node json = node_get(t, at, "json");

    if (!node_given(json)) {
        converse_read_block(t, at, part);
        return;
    }
    *part = (struct chat_part){.path = at.path, .text = node_raw(t, json)};
    part->raw = part->text;
}

static void result(struct tree *t, struct node at, struct chat_part *part)
{
    struct node content = tree_array(t, at, "content");
    size_t n = node_length(content);
    struct str status = tree_text(t, at, "status");

    part->kind = CHAT_TOOL_RESULT;
    part->tool.id = tree_needs_text(t, at, "toolUseId");
    part->is_error = str_eq_c(status, "error");
    part->raw = status;
    part->parts = tree_array_of(t, struct chat_part, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        result_part(t, node_at(t, content, i), &part->parts[part->n_parts++]);
}

static void call(struct tree *t, struct node at, struct chat_part *part)
{
    part->kind = CHAT_TOOL_CALL;
    part->tool.id = tree_needs_text(t, at, "toolUseId");
    part->tool.name = tree_needs_text(t, at, "name");
    part->tool.arguments = node_raw(t, node_get(t, at, "input"));
}

void converse_read_block(struct tree *t, struct node at, struct chat_part *part)
{
    struct node text = node_get(t, at, "text"), use = tree_object(t, at, "toolUse");
    struct node image = tree_object(t, at, "image"), document = tree_object(t, at, "document");
    struct node video = tree_object(t, at, "video"), back = tree_object(t, at, "toolResult");
    struct node why = tree_object(t, at, "reasoningContent");

    *part = (struct chat_part){.path = at.path};
    if (node_given(text)) {
        part->text = node_text(t, text);
    } else if (node_given(image)) {
        media(t, image, CHAT_IMAGE, at, part);
    } else if (node_given(document)) {
        media(t, document, CHAT_DOCUMENT, at, part);
    } else if (node_given(video)) {
        media(t, video, CHAT_VIDEO, at, part);
    } else if (node_given(use)) {
        call(t, use, part);
    } else if (node_given(back)) {
        result(t, back, part);
    } else if (node_given(why)) {
        thought(t, why, part);
    } else {
        part->kind = CHAT_FOREIGN;
        part->raw = node_raw(t, at);
    }
}

/* --- writing --- */

/* A name has to be there, of letters, digits, spaces and a few signs. */
static void name(struct json_writer *w, const struct chat_part *p, bool own, size_t number)
{
    json_key(w, "name");
    if (own) {
        json_str(w, p->media.name);
        return;
    }
    json_raw(w, STR("\"document "));
    buf_printf(w->out, "%zu\"", number);
}

static bool put_media(struct json_writer *w, const struct chat_part *p, bool own, size_t number)
{
    const char *format = format_of(p);
    bool stored = p->media.source == CHAT_FILE && str_starts(p->media.data, STR("s3://"));

    if (!format || (p->media.source == CHAT_FILE && !stored) || p->media.source == CHAT_URL)
        return false;
    json_open_object(w);
    json_key(w, p->kind == CHAT_IMAGE ? "image" : p->kind == CHAT_VIDEO ? "video" : "document");
    json_open_object(w);
    put_word(w, "format", format);
    if (p->kind == CHAT_DOCUMENT)
        name(w, p, own, number);
    json_key(w, "source");
    json_open_object(w);
    if (stored) {
        json_key(w, "s3Location");
        json_open_object(w);
        put_text(w, "uri", p->media.data);
        json_close_object(w);
    } else {
        put_text(w, p->media.source == CHAT_PLAIN ? "text" : "bytes", p->media.data);
    }
    json_close_object(w);
    json_close_object(w);
    json_close_object(w);
    return true;
}

static bool put_call(struct json_writer *w, const struct chat_part *p)
{
    struct str arguments = str_trim(p->tool.arguments);

    if (p->tool.custom || (arguments.n && !chat_is_object(arguments)))
        return false;
    json_open_object(w);
    json_key(w, "toolUse");
    json_open_object(w);
    put_text(w, "toolUseId", p->tool.id);
    put_text(w, "name", p->tool.name);
    put_raw(w, "input", arguments.n ? arguments : STR("{}"));
    json_close_object(w);
    json_close_object(w);
    return true;
}

static void put_result(struct json_writer *w, const struct chat_part *p, bool own,
                       struct chat_losses *losses)
{
    json_open_object(w);
    json_key(w, "toolResult");
    json_open_object(w);
    put_text(w, "toolUseId", p->tool.id);
    json_key(w, "content");
    json_open_array(w);
    for (size_t i = 0; i < p->n_parts; i++) {
        if (own && p->parts[i].kind == CHAT_TEXT && p->parts[i].raw.p) {
            json_open_object(w);
            put_raw(w, "json", p->parts[i].raw);
            json_close_object(w);
        } else {
            (void)converse_put_block(w, &p->parts[i], own, i + 1, losses);
        }
    }
    json_close_array(w);
    if (own ? p->raw.p != NULL : p->is_error)
        put_word(w, "status", p->is_error ? "error" : "success");
    json_close_object(w);
    json_close_object(w);
}

static bool put_thought(struct json_writer *w, const struct chat_part *p, bool own)
{
    struct str signature = chat_seal_own("", p->signature);

    if (p->kind == CHAT_THINKING && !signature.p && !own)
        return false;
    json_open_object(w);
    json_key(w, "reasoningContent");
    json_open_object(w);
    if (p->kind == CHAT_THINKING) {
        json_key(w, "reasoningText");
        json_open_object(w);
        put_text(w, "text", p->text);
        put_text(w, "signature", signature);
        json_close_object(w);
    } else {
        put_text(w, "redactedContent", p->text);
    }
    json_close_object(w);
    json_close_object(w);
    return true;
}

static bool put(struct json_writer *w, const struct chat_part *p, bool own, size_t number,
                struct chat_losses *losses)
{
    switch (p->kind) {
    case CHAT_TEXT:
    case CHAT_REFUSAL:
        json_open_object(w);
        put_text(w, "text", p->text);
        json_close_object(w);
        return true;
    case CHAT_IMAGE:
    case CHAT_DOCUMENT:
    case CHAT_VIDEO:
        return put_media(w, p, own, number);
    case CHAT_TOOL_CALL:
        return put_call(w, p);
    case CHAT_TOOL_RESULT:
        put_result(w, p, own, losses);
        return true;
    case CHAT_THINKING:
    case CHAT_REDACTED:
        return put_thought(w, p, own);
    case CHAT_FOREIGN:
        if (own)
            json_raw(w, p->raw);
        return own;
    case CHAT_AUDIO:
    case CHAT_PART_KINDS:
        break;
    }
    return false;
}

bool converse_put_block(struct json_writer *w, const struct chat_part *p, bool own, size_t number,
                        struct chat_losses *losses)
{
    if (!put(w, p, own, number, losses)) {
        if (p->kind == CHAT_THINKING || p->kind == CHAT_REDACTED)
            chat_note(losses, p->path);
        else
            chat_lose(losses, p->path);
        return false;
    }
    if (!own)
        chat_lose_extras(losses, &p->extra);
    if (p->cache.p && !own)
        json_raw(w, STR("{\"cachePoint\":{\"type\":\"default\"}}"));
    return true;
}
