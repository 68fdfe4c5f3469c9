/* parts_read.c: the parts of Google's contents, in requests and answers. */
#include "translation/gemini/gemini.h"
#include "translation/tree.h"

static enum chat_part_kind kind_of(struct str mime)
{
    if (str_starts(mime, STR("image/")))
        return CHAT_IMAGE;
    if (str_starts(mime, STR("audio/")))
        return CHAT_AUDIO;
    return str_starts(mime, STR("video/")) ? CHAT_VIDEO : CHAT_DOCUMENT;
}

static struct str text_of(struct tree *t, struct node o, const char *camel, const char *snake)
{
    return node_text(t, gemini_get(t, o, camel, snake));
}

static void inline_data(struct tree *t, struct node at, struct chat_part *part)
{
    part->media.mime = text_of(t, at, "mimeType", "mime_type");
    part->media.data = tree_needs_text(t, at, "data");
    part->media.name = text_of(t, at, "displayName", "display_name");
    part->kind = kind_of(part->media.mime);
}

/* Files that were given to Google are ids to everybody else; other addresses are URLs. */
static void file_data(struct tree *t, struct node at, struct chat_part *part)
{
    part->media.mime = text_of(t, at, "mimeType", "mime_type");
    part->media.data = text_of(t, at, "fileUri", "file_uri");
    part->kind = kind_of(part->media.mime);
    if (!part->media.data.p)
        tree_wrong(t, at.path, "needs fileUri");
    part->media.source =
        str_starts(part->media.data, STR("https://generativelanguage.googleapis.com/")) ||
                str_starts(part->media.data, STR("gs://"))
            ? CHAT_FILE
            : CHAT_URL;
}

static void call(struct tree *t, struct node at, struct chat_part *part)
{
    part->kind = CHAT_TOOL_CALL;
    part->tool.id = tree_text(t, at, "id");
    part->tool.name = tree_needs_text(t, at, "name");
    part->tool.arguments = node_raw(t, tree_object(t, at, "args"));
}

/* An object of one string is that string to the other formats; anything else is its JSON. */
static struct str words_of(struct tree *t, struct node response, bool *ret_error)
{
    static const char *const names[] = {"output", "result", "return_value", "error"};

    *ret_error = json_length(response.v) == 1 && node_given(node_get(t, response, "error"));
    for (size_t i = 0; json_length(response.v) == 1 && i < ARRAY_LEN(names); i++) {
        struct node only = node_get(t, response, names[i]);

        if (node_is(only, JSON_STRING))
            return node_text(t, only);
    }
    return node_raw(t, response);
}

static void result(struct tree *t, struct node at, struct chat_part *part)
{
    struct node response = tree_object(t, at, "response"), media = tree_array(t, at, "parts");
    size_t n = node_length(media);

    part->kind = CHAT_TOOL_RESULT;
    part->tool.id = tree_text(t, at, "id");
    part->tool.name = tree_needs_text(t, at, "name");
    part->parts = tree_array_of(t, struct chat_part, n + 1);
    part->raw = node_raw(t, response);
    if (node_given(response) && !tree_failed(t))
        part->parts[part->n_parts++] =
            (struct chat_part){.path = at.path, .text = words_of(t, response, &part->is_error)};
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        gemini_read_part(t, node_at(t, media, i), &part->parts[part->n_parts++]);
}

static const char *const of_part[] = {"text", "thought", "thoughtSignature", "thought_signature",
                                      "inlineData", "inline_data", "fileData", "file_data",
                                      "functionCall", "function_call", "functionResponse",
                                      "function_response", NULL};

void gemini_read_part(struct tree *t, struct node at, struct chat_part *part)
{
    struct node data = gemini_get(t, at, "inlineData", "inline_data");
    struct node file = gemini_get(t, at, "fileData", "file_data");
    struct node fn = gemini_get(t, at, "functionCall", "function_call");
    struct node response = gemini_get(t, at, "functionResponse", "function_response");
    struct node text = node_get(t, at, "text");

    *part = (struct chat_part){.path = at.path};
    part->signature = chat_seal_read(t->a, GEMINI_SIGNED,
                                     text_of(t, at, "thoughtSignature", "thought_signature"));
    part->extra = tree_extras(t, at, of_part);
    if (node_given(text)) {
        part->kind = tree_bool(t, at, "thought") == 1 ? CHAT_THINKING : CHAT_TEXT;
        part->text = node_text(t, text);
    } else if (node_given(data)) {
        inline_data(t, data, part);
    } else if (node_given(file)) {
        file_data(t, file, part);
    } else if (node_given(fn)) {
        call(t, fn, part);
    } else if (node_given(response)) {
        result(t, response, part);
    } else if (part->signature.p && !part->extra.n) {
        part->kind = CHAT_THINKING; /* a signature that came after its text */
        part->text = STR("");
    } else {
        part->kind = CHAT_FOREIGN;
        part->raw = node_raw(t, at);
        part->extra = (struct chat_extras){0};
    }
}
