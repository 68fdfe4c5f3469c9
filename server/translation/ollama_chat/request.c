/* request.c: a request to Ollama, and its messages as they are read. */
#include "translation/ollama_chat/ollama.h"
#include "translation/put.h"
#include "translation/tree.h"

/* The type of a picture, by how its base64 begins. */
static struct str mime_of(struct str data)
{
    static const struct {
        const char *begin, *mime;
    } kinds[] = {{"/9j/", "image/jpeg"}, {"R0lG", "image/gif"}, {"UklGR", "image/webp"}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(data, str_c(kinds[i].begin)))
            return str_c(kinds[i].mime);
    return STR("image/png");
}

static struct chat_part *add(struct chat_message *m, enum chat_part_kind kind, struct str path)
{
    struct chat_part *p = &m->parts[m->n_parts++];

    *p = (struct chat_part){.kind = kind, .path = path};
    return p;
}

static void read_images(struct tree *t, struct node images, struct chat_message *m)
{
    for (size_t i = 0; i < node_length(images) && !tree_failed(t); i++) {
        struct node at = node_at(t, images, i);
        struct chat_part *p = add(m, CHAT_IMAGE, at.path);

        p->media.source = CHAT_BASE64;
        p->media.data = node_text(t, at);
        p->media.mime = mime_of(p->media.data);
    }
}

static void read_calls(struct tree *t, struct node calls, struct chat_message *m)
{
    for (size_t i = 0; i < node_length(calls) && !tree_failed(t); i++) {
        struct node at = node_at(t, calls, i), fn = tree_object(t, at, "function");
        struct chat_part *p = add(m, CHAT_TOOL_CALL, at.path);

        p->tool.id = tree_text(t, at, "id");
        p->tool.name = tree_needs_text(t, fn, "name");
        p->tool.arguments = node_raw(t, tree_object(t, fn, "arguments"));
    }
}

/* A tool's message is one result; its content stands inside. */
static void wrap_result(struct tree *t, struct node at, struct chat_message *m)
{
    struct chat_part *result = tree_array_of(t, struct chat_part, 1);

    if (!result)
        return;
    *result = (struct chat_part){
        .kind = CHAT_TOOL_RESULT, .path = at.path, .parts = m->parts, .n_parts = m->n_parts};
    result->tool.id = tree_text(t, at, "tool_call_id");
    result->tool.name = tree_text(t, at, "tool_name");
    m->parts = result;
    m->n_parts = 1;
}

static enum chat_role read_role(struct tree *t, struct node at)
{
    static const char *const names[] = {[CHAT_SYSTEM] = "system", [CHAT_DEVELOPER] = NULL,
                                        [CHAT_USER] = "user", [CHAT_ASSISTANT] = "assistant",
                                        [CHAT_TOOL] = "tool"};
    struct str role = tree_needs_text(t, at, "role");

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] && str_eq_c(role, names[i]))
            return (enum chat_role)i;
    tree_wrong(t, at.path, "has a role that is none of system, user, assistant, tool");
    return CHAT_USER;
}

void ollama_read_message(struct tree *t, struct node at, struct chat_message *m)
{
    static const char *const known[] = {"role", "content", "thinking", "images", "tool_calls",
                                        "tool_name", "tool_call_id", NULL};
    struct node images = tree_array(t, at, "images"), calls = tree_array(t, at, "tool_calls");
    struct str thinking = tree_text(t, at, "thinking"), content = tree_text(t, at, "content");

    *m = (struct chat_message){.path = at.path, .plain = !node_length(images)};
    m->role = read_role(t, at);
    m->extra = tree_extras(t, at, known);
    m->parts =
        tree_array_of(t, struct chat_part, node_length(images) + node_length(calls) + 2);
    if (!m->parts)
        return;
    if (thinking.n)
        add(m, CHAT_THINKING, at.path)->text = thinking;
    if (content.n)
        add(m, CHAT_TEXT, at.path)->text = content;
    read_images(t, images, m);
    read_calls(t, calls, m);
    if (m->role == CHAT_TOOL)
        wrap_result(t, at, m);
}

int ollama_read_request(struct arena *a, struct str body, struct chat_request *ret,
                        struct json_fault *fault)
{
    struct chat_request request = {.wire = "ollama_chat",
                                   .output_limit = -1,
                                   .reasoning = {.budget = -1, .shown = -1},
                                   .format = {.strict = -1}};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), messages = tree_array(&t, root, "messages");
    size_t n = node_length(messages);

    if (!node_given(messages))
        tree_wrong(&t, STR("messages"), "is required");
    request.messages = tree_array_of(&t, struct chat_message, n);
    for (size_t i = 0; i < n && !tree_failed(&t); i++)
        ollama_read_message(&t, node_at(&t, messages, i), &request.messages[request.n_messages++]);
    ollama_read_options(&t, root, &request);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = request;
    return t.r;
}

void ollama_write_request(const struct chat_request *request, const struct chat_target *target,
                          struct buf *out, struct chat_losses *losses)
{
    bool own = strcmp(request->wire, "ollama_chat") == 0;
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "model", target->model);
    ollama_put_messages(&w, request, own, losses);
    ollama_put_options(&w, request, target, own, losses);
    json_close_object(&w);
}
