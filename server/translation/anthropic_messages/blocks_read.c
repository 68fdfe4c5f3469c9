/* blocks_read.c: content blocks of Anthropic's format, in requests and answers. */
#include "translation/anthropic_messages/messages.h"
#include "translation/tree.h"

static void source(struct tree *t, struct node at, struct chat_part *part)
{
    struct node src = tree_object(t, at, "source");
    struct str type = tree_needs_text(t, src, "type");

    part->media.mime = tree_text(t, src, "media_type");
    part->media.name = tree_text(t, at, "title");
    if (str_eq_c(type, "base64")) {
        part->media.data = tree_needs_text(t, src, "data");
    } else if (str_eq_c(type, "url")) {
        part->media.source = CHAT_URL;
        part->media.data = tree_needs_text(t, src, "url");
    } else if (str_eq_c(type, "file")) {
        part->media.source = CHAT_FILE;
        part->media.data = tree_needs_text(t, src, "file_id");
    } else if (str_eq_c(type, "text")) {
        part->media.source = CHAT_PLAIN;
        part->media.data = tree_needs_text(t, src, "data");
    } else { /* a list of blocks: only this format knows it */
        part->kind = CHAT_FOREIGN;
        part->raw = node_raw(t, at);
    }
}

static struct str cache(struct tree *t, struct node at)
{
    struct node control = tree_object(t, at, "cache_control");
    struct str ttl;

    if (!node_given(control))
        return STR_NONE;
    ttl = tree_text(t, control, "ttl");
    return ttl.p ? ttl : STR("5m");
}

static void call(struct tree *t, struct node at, struct chat_part *part)
{
    part->kind = CHAT_TOOL_CALL;
    part->tool.id = tree_needs_text(t, at, "id");
    part->tool.name = tree_needs_text(t, at, "name");
    part->tool.arguments = node_raw(t, tree_object(t, at, "input"));
}

static void result(struct tree *t, struct node at, struct chat_part *part)
{
    struct node content = node_get(t, at, "content");
    size_t n = node_is(content, JSON_STRING) ? 1 : node_length(content);

    part->kind = CHAT_TOOL_RESULT;
    part->tool.id = tree_needs_text(t, at, "tool_use_id");
    part->is_error = tree_bool(t, at, "is_error") == 1;
    part->parts = tree_array_of(t, struct chat_part, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++) {
        struct chat_part *inner = &part->parts[part->n_parts++];

        if (node_is(content, JSON_STRING))
            *inner = (struct chat_part){.path = content.path, .text = node_text(t, content)};
        else
            anthropic_read_block(t, node_at(t, content, i), inner);
    }
}

static const char *const of_block[] = {"type", "text", "citations", "source", "title", "id", "name",
                                       "input", "tool_use_id", "content", "is_error", "thinking",
                                       "signature", "data", "cache_control", NULL};

void anthropic_read_block(struct tree *t, struct node at, struct chat_part *part)
{
    struct str type = tree_needs_text(t, at, "type");

    *part = (struct chat_part){.path = at.path};
    part->cache = cache(t, at);
    part->extra = tree_extras(t, at, of_block);
    if (str_eq_c(type, "text")) {
        part->text = tree_needs_text(t, at, "text");
        part->sources = tree_raw(t, at, "citations");
    } else if (str_eq_c(type, "image") || str_eq_c(type, "document")) {
        part->kind = str_eq_c(type, "image") ? CHAT_IMAGE : CHAT_DOCUMENT;
        part->sources = tree_raw(t, at, "citations");
        source(t, at, part);
    } else if (str_eq_c(type, "tool_use")) {
        call(t, at, part);
    } else if (str_eq_c(type, "tool_result")) {
        result(t, at, part);
    } else if (str_eq_c(type, "thinking")) {
        part->kind = CHAT_THINKING;
        part->text = tree_needs_text(t, at, "thinking");
        part->signature = tree_text(t, at, "signature");
    } else if (str_eq_c(type, "redacted_thinking")) {
        part->kind = CHAT_REDACTED;
        part->text = tree_needs_text(t, at, "data");
    } else {
        part->kind = CHAT_FOREIGN;
        part->raw = node_raw(t, at);
    }
    if (part->kind == CHAT_FOREIGN)
        part->extra = (struct chat_extras){0};
}
