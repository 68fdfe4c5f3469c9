/* items_read.c: the items of the Responses format, as they stand in input and output. */
#include "translation/openai_responses/responses.h"
#include "translation/tree.h"

static void url(struct str text, struct chat_media *media)
{
    struct str rest = text, head;

    media->source = CHAT_URL;
    media->data = text;
    if (!str_starts(text, STR("data:")) || !str_split(&rest, ',', &head) || !rest.p ||
        !str_ends(head, STR(";base64")))
        return;
    media->source = CHAT_BASE64;
    media->data = rest;
    media->mime = head.n > 12 ? str_n(head.p + 5, head.n - 5 - 7) : STR_NONE;
}

static void image(struct tree *t, struct node at, struct chat_part *part)
{
    struct str id = tree_text(t, at, "file_id"), where = tree_text(t, at, "image_url");

    part->kind = CHAT_IMAGE;
    part->media.detail = tree_text(t, at, "detail");
    if (id.p) {
        part->media.source = CHAT_FILE;
        part->media.data = id;
    } else if (where.p) {
        url(where, &part->media);
    } else {
        tree_wrong(t, at.path, "needs image_url or file_id");
    }
}

static void file(struct tree *t, struct node at, struct chat_part *part)
{
    struct str id = tree_text(t, at, "file_id"), data = tree_text(t, at, "file_data");
    struct str where = tree_text(t, at, "file_url");

    part->kind = CHAT_DOCUMENT;
    part->media.name = tree_text(t, at, "filename");
    if (id.p) {
        part->media.source = CHAT_FILE;
        part->media.data = id;
    } else if (data.p || where.p) {
        url(data.p ? data : where, &part->media);
    } else {
        tree_wrong(t, at.path, "needs file_id, file_data or file_url");
    }
}

static void content_part(struct tree *t, struct node at, struct chat_part *part)
{
    static const char *const of_part[] = {"type",     "text",      "refusal",   "annotations",
                                          "logprobs", "image_url", "file_id",   "detail",
                                          "filename", "file_data", "file_url",  NULL};
    static const char *const quiet[] = {"logprobs", NULL};
    struct str type = tree_needs_text(t, at, "type");

    *part = (struct chat_part){.path = at.path};
    part->extra = tree_extras(t, at, of_part);
    part->quiet = tree_quiet(t, at, quiet);
    if (str_eq_c(type, "input_text") || str_eq_c(type, "output_text") || str_eq_c(type, "text")) {
        part->text = tree_needs_text(t, at, "text");
        part->sources = tree_raw(t, at, "annotations");
    } else if (str_eq_c(type, "refusal")) {
        part->kind = CHAT_REFUSAL;
        part->text = tree_needs_text(t, at, "refusal");
    } else if (str_eq_c(type, "input_image")) {
        image(t, at, part);
    } else if (str_eq_c(type, "input_file")) {
        file(t, at, part);
    } else {
        part->kind = CHAT_FOREIGN;
        part->raw = node_raw(t, at);
        part->extra = part->quiet = (struct chat_extras){0};
    }
}

/* A string, or a list of parts, into parts. */
static size_t contents(struct tree *t, struct node at, struct chat_part **ret, bool *ret_plain)
{
    bool plain = node_is(at, JSON_STRING);
    size_t n = plain ? 1 : node_length(at);

    *ret_plain = plain;
    *ret = tree_array_of(t, struct chat_part, n);
    if (!plain && !node_is(at, JSON_ARRAY))
        tree_wrong(t, at.path, "must be a string or an array of parts");
    for (size_t i = 0; i < n && !tree_failed(t); i++) {
        if (plain)
            (*ret)[i] = (struct chat_part){.path = at.path, .text = node_text(t, at)};
        else
            content_part(t, node_at(t, at, i), &(*ret)[i]);
    }
    return tree_failed(t) ? 0 : n;
}

static void message(struct tree *t, struct node at, struct chat_message *m)
{
    static const char *const of_message[] = {"type", "role", "content", "id", "status", "phase",
                                             NULL};
    static const char *const quiet[] = {"id", "status", "phase", NULL};
    static const char *const roles[] = {[CHAT_SYSTEM] = "system", [CHAT_DEVELOPER] = "developer",
                                        [CHAT_USER] = "user", [CHAT_ASSISTANT] = "assistant"};
    struct str role = tree_needs_text(t, at, "role");
    size_t i = 0;

    while (i < ARRAY_LEN(roles) && !str_eq_c(role, roles[i]))
        i++;
    if (i == ARRAY_LEN(roles))
        tree_wrong(t, at.path, "has a role that is none of system, developer, user, assistant");
    m->role = (enum chat_role)(i % ARRAY_LEN(roles));
    m->extra = tree_extras(t, at, of_message);
    m->quiet = tree_quiet(t, at, quiet);
    m->n_parts = contents(t, node_get(t, at, "content"), &m->parts, &m->plain);
}

static struct chat_part *only_part(struct tree *t, struct node at, struct chat_message *m,
                                   enum chat_role role, enum chat_part_kind kind)
{
    m->role = role;
    m->parts = tree_array_of(t, struct chat_part, 1);
    if (!m->parts)
        return NULL;
    m->n_parts = 1;
    m->parts[0] = (struct chat_part){.kind = kind, .path = at.path};
    return &m->parts[0];
}

static void call(struct tree *t, struct node at, bool custom, struct chat_message *m)
{
    static const char *const of_call[] = {"type", "id", "status", "call_id", "name", "arguments",
                                          "input", NULL};
    static const char *const quiet[] = {"id", "status", NULL};
    struct chat_part *part = only_part(t, at, m, CHAT_ASSISTANT, CHAT_TOOL_CALL);

    if (!part)
        return;
    part->tool.custom = custom;
    part->tool.id = tree_needs_text(t, at, "call_id");
    part->tool.name = tree_needs_text(t, at, "name");
    part->tool.arguments = tree_needs_text(t, at, custom ? "input" : "arguments");
    part->extra = tree_extras(t, at, of_call);
    part->quiet = tree_quiet(t, at, quiet);
}

static void result(struct tree *t, struct node at, bool custom, struct chat_message *m)
{
    static const char *const of_result[] = {"type", "id", "status", "call_id", "output", NULL};
    static const char *const quiet[] = {"id", "status", NULL};
    struct chat_part *part = only_part(t, at, m, CHAT_TOOL, CHAT_TOOL_RESULT);

    if (!part)
        return;
    part->tool.custom = custom;
    part->tool.id = tree_needs_text(t, at, "call_id");
    part->n_parts = contents(t, node_get(t, at, "output"), &part->parts, &m->plain);
    part->extra = tree_extras(t, at, of_result);
    part->quiet = tree_quiet(t, at, quiet);
}

/* The texts of a summary joined by blank lines. */
static struct str summary(struct tree *t, struct node at)
{
    struct node list = node_get(t, at, "summary");
    struct str joined = STR("");

    for (size_t i = 0; i < node_length(list) && !tree_failed(t); i++) {
        struct str text = tree_text(t, node_at(t, list, i), "text");

        joined = i ? arena_strf(t->a, "%.*s\n\n%.*s", STR_FMT(joined), STR_FMT(text)) : text;
    }
    return joined.p ? joined : STR("");
}

static void thought(struct tree *t, struct node at, struct chat_message *m)
{
    static const char *const quiet[] = {"id", "status", "summary", "content", NULL};
    struct str sealed = tree_text(t, at, "encrypted_content");
    struct chat_part *part = only_part(t, at, m, CHAT_ASSISTANT, CHAT_THINKING);

    if (!part)
        return;
    if (str_starts(sealed, STR(OPENAI_REDACTED))) {
        part->kind = CHAT_REDACTED;
        part->text = str_n(sealed.p + strlen(OPENAI_REDACTED), sealed.n - strlen(OPENAI_REDACTED));
        return;
    }
    part->text = summary(t, at);
    part->signature = chat_seal_read(t->a, OPENAI_SEALED, sealed);
    part->quiet = tree_quiet(t, at, quiet);
}

void responses_read_item(struct tree *t, struct node at, struct chat_message *m)
{
    struct str type = tree_text(t, at, "type");
    struct chat_part *part;

    *m = (struct chat_message){.path = at.path, .role = CHAT_USER};
    if (!type.p || str_eq_c(type, "message")) {
        message(t, at, m);
    } else if (str_eq_c(type, "function_call") || str_eq_c(type, "custom_tool_call")) {
        call(t, at, str_eq_c(type, "custom_tool_call"), m);
    } else if (str_eq_c(type, "function_call_output") ||
               str_eq_c(type, "custom_tool_call_output")) {
        result(t, at, str_eq_c(type, "custom_tool_call_output"), m);
    } else if (str_eq_c(type, "reasoning")) {
        thought(t, at, m);
    } else {
        part = only_part(t, at, m, CHAT_ASSISTANT, CHAT_FOREIGN);
        if (part)
            part->raw = node_raw(t, at);
    }
}
