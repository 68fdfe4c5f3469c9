/* request.c: a Converse request: its turns. */
#include "translation/bedrock_converse/converse.h"
#include "translation/put.h"
#include "translation/tree.h"

static void blocks(struct tree *t, struct node list, struct chat_message *m)
{
    size_t n = node_length(list);

    m->parts = tree_array_of(t, struct chat_part, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        converse_read_block(t, node_at(t, list, i), &m->parts[m->n_parts++]);
}

static void message(struct tree *t, struct node at, struct chat_message *m)
{
    struct str role = tree_needs_text(t, at, "role");

    *m = (struct chat_message){.path = at.path, .role = CHAT_USER};
    if (str_eq_c(role, "assistant"))
        m->role = CHAT_ASSISTANT;
    else if (!str_eq_c(role, "user"))
        tree_wrong(t, at.path, "has a role that is neither user nor assistant");
    blocks(t, tree_array(t, at, "content"), m);
}

int converse_read_request(struct arena *a, struct str body, struct chat_request *ret,
                          struct json_fault *fault)
{
    struct chat_request request = {.wire = "bedrock_converse",
                                   .output_limit = -1,
                                   .reasoning = {.budget = -1, .shown = -1},
                                   .format = {.strict = -1}};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), system = tree_array(&t, root, "system");
    struct node messages = tree_array(&t, root, "messages");
    size_t n = node_length(messages);

    request.messages = tree_array_of(&t, struct chat_message, n + 1);
    if (node_length(system) && !tree_failed(&t)) {
        struct chat_message *m = &request.messages[request.n_messages++];

        *m = (struct chat_message){.path = system.path, .role = CHAT_SYSTEM};
        blocks(&t, system, m);
    }
    for (size_t i = 0; i < n && !tree_failed(&t); i++)
        message(&t, node_at(&t, messages, i), &request.messages[request.n_messages++]);
    converse_read_options(&t, root, &request);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = request;
    return t.r;
}

/* --- writing --- */

struct writing {
    struct json_writer w;
    const struct chat_request *request;
    struct chat_losses *losses;
    bool own;
    size_t documents;
};

static bool is_system(const struct chat_message *m)
{
    return m->role == CHAT_SYSTEM || m->role == CHAT_DEVELOPER;
}

static bool can_say(const struct chat_part *p)
{
    if (p->kind == CHAT_THINKING)
        return chat_seal_own("", p->signature).p != NULL;
    return p->kind != CHAT_FOREIGN && p->kind != CHAT_AUDIO;
}

static void parts(struct writing *x, const struct chat_message *m)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        const struct chat_part *p = &m->parts[i];

        if (!x->own && p->kind == CHAT_TEXT && !p->text.n)
            continue; /* empty text is refused; nothing is lost with it */
        (void)converse_put_block(&x->w, p, x->own, ++x->documents, x->losses);
    }
    if (x->own)
        return;
    chat_lose_extras(x->losses, &m->extra);
    if (m->name.p)
        chat_note(x->losses, m->path);
}

static void system_blocks(struct writing *x)
{
    bool any = false;

    for (size_t i = 0; i < x->request->n_messages; i++) {
        const struct chat_message *m = &x->request->messages[i];

        if (!is_system(m) || !m->n_parts)
            continue;
        if (!any) {
            json_key(&x->w, "system");
            json_open_array(&x->w);
        }
        any = true;
        parts(x, m);
    }
    if (any)
        json_close_array(&x->w);
}

/* Turns alternate, so neighbours of one side are joined. */
static void turns(struct writing *x)
{
    const char *open = NULL;

    json_key(&x->w, "messages");
    json_open_array(&x->w);
    for (size_t i = 0; i < x->request->n_messages; i++) {
        const struct chat_message *m = &x->request->messages[i];
        const char *role = m->role == CHAT_ASSISTANT ? "assistant" : "user";

        if (is_system(m) || (!x->own && chat_says_nothing(m, can_say, x->losses)))
            continue;
        if (open && (x->own || strcmp(open, role) != 0)) {
            json_close_array(&x->w);
            json_close_object(&x->w);
            open = NULL;
        }
        if (!open) {
            json_open_object(&x->w);
            put_word(&x->w, "role", role);
            json_key(&x->w, "content");
            json_open_array(&x->w);
        }
        open = role;
        parts(x, m);
    }
    if (open) {
        json_close_array(&x->w);
        json_close_object(&x->w);
    }
    json_close_array(&x->w);
}

void converse_write_request(const struct chat_request *request, const struct chat_target *target,
                            struct buf *out, struct chat_losses *losses)
{
    struct writing x = {.request = request, .losses = losses,
                        .own = strcmp(request->wire, "bedrock_converse") == 0};

    json_begin(&x.w, out);
    json_open_object(&x.w);
    system_blocks(&x);
    turns(&x);
    converse_put_options(&x.w, request, target, x.own, losses);
    json_close_object(&x.w);
}
