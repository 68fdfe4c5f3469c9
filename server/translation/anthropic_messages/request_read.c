/* request_read.c: a request in Anthropic's Messages format. */
#include "translation/anthropic_messages/messages.h"
#include "translation/tree.h"

static void content(struct tree *t, struct node at, struct chat_message *m)
{
    size_t n = node_length(at);

    m->plain = node_is(at, JSON_STRING);
    m->parts = tree_array_of(t, struct chat_part, m->plain ? 1 : n);
    if (!m->plain && !node_is(at, JSON_ARRAY))
        tree_wrong(t, at.path.n ? at.path : m->path, "must be a string or an array of blocks");
    if (m->plain && !tree_failed(t))
        m->parts[m->n_parts++] = (struct chat_part){.path = at.path, .text = node_text(t, at)};
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        anthropic_read_block(t, node_at(t, at, i), &m->parts[m->n_parts++]);
}

static void message(struct tree *t, struct node at, struct chat_message *m)
{
    static const char *const of_message[] = {"role", "content", NULL};
    struct str role = tree_needs_text(t, at, "role");

    *m = (struct chat_message){.path = at.path, .role = CHAT_USER};
    if (str_eq_c(role, "assistant"))
        m->role = CHAT_ASSISTANT;
    else if (str_eq_c(role, "system"))
        m->role = CHAT_SYSTEM;
    else if (!str_eq_c(role, "user"))
        tree_wrong(t, node_get(t, at, "role").path, "must be user, assistant or system");
    m->extra = tree_extras(t, at, of_message);
    content(t, node_get(t, at, "content"), m);
}

int anthropic_read_request(struct arena *a, struct str body, struct chat_request *ret,
                           struct json_fault *fault)
{
    struct chat_request request = {.wire = "anthropic_messages",
                                   .output_limit = -1,
                                   .reasoning = {.budget = -1, .shown = -1},
                                   .format = {.strict = -1}};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), system = node_get(&t, root, "system");
    struct node messages = tree_array(&t, root, "messages");
    size_t n = node_length(messages);

    if (!tree_failed(&t) && !node_given(messages))
        tree_wrong(&t, STR("messages"), "is required");
    request.messages = tree_array_of(&t, struct chat_message, n + 1);
    if (node_given(system) && !tree_failed(&t)) {
        struct chat_message *m = &request.messages[request.n_messages++];

        *m = (struct chat_message){.role = CHAT_SYSTEM, .path = system.path};
        content(&t, system, m);
    }
    for (size_t i = 0; i < n && !tree_failed(&t); i++)
        message(&t, node_at(&t, messages, i), &request.messages[request.n_messages++]);
    anthropic_read_options(&t, root, &request);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = request;
    return t.r;
}
