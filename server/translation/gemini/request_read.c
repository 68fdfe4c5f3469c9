/* request_read.c: a generateContent request. */
#include "translation/gemini/gemini.h"
#include "translation/tree.h"

/* The calls so far, to find the one that a result answers. */
struct pairing {
    struct str *names, *ids;
    bool *answered;
    size_t n, room;
};

static void note_call(struct tree *t, struct pairing *p, struct chat_part *part)
{
    if (!part->tool.id.p)
        part->tool.id = arena_strf(t->a, "call_%zu", p->n);
    if (p->n == p->room)
        return;
    p->names[p->n] = part->tool.name;
    p->ids[p->n++] = part->tool.id;
}

static void note_result(struct pairing *p, struct chat_part *part)
{
    for (size_t i = 0; i < p->n; i++) {
        bool same = part->tool.id.p ? str_eq(p->ids[i], part->tool.id)
                                    : str_eq(p->names[i], part->tool.name);

        if (p->answered[i] || !same)
            continue;
        p->answered[i] = true;
        part->tool.id = p->ids[i];
        return;
    }
    if (!part->tool.id.p)
        part->tool.id = part->tool.name;
}

static void content(struct tree *t, struct node at, struct pairing *pairing,
                    struct chat_message *m)
{
    static const char *const of_content[] = {"role", "parts", NULL};
    struct node parts = node_get(t, at, "parts");
    struct str role = tree_text(t, at, "role");
    size_t n = node_is(parts, JSON_OBJECT) ? 1 : node_length(parts);

    m->path = at.path;
    m->extra = tree_extras(t, at, of_content);
    if (m->role == CHAT_USER && str_eq_c(role, "model"))
        m->role = CHAT_ASSISTANT;
    else if (m->role == CHAT_USER && role.p && !str_eq_c(role, "user") &&
             !str_eq_c(role, "function"))
        tree_wrong(t, at.path, "has a role that is neither user nor model");
    m->parts = tree_array_of(t, struct chat_part, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++) {
        struct chat_part *part = &m->parts[m->n_parts++];

        gemini_read_part(t, node_is(parts, JSON_OBJECT) ? parts : node_at(t, parts, i), part);
        if (part->kind == CHAT_TOOL_CALL && part->tool.name.p)
            note_call(t, pairing, part);
        else if (part->kind == CHAT_TOOL_RESULT)
            note_result(pairing, part);
    }
}

static struct pairing pairing_for(struct tree *t, struct node contents)
{
    struct pairing p = {.room = 0};

    for (size_t i = 0; i < node_length(contents); i++)
        p.room += node_length(node_get(t, node_at(t, contents, i), "parts")) + 1;
    p.names = tree_array_of(t, struct str, p.room);
    p.ids = tree_array_of(t, struct str, p.room);
    p.answered = tree_array_of(t, bool, p.room);
    return p;
}

int gemini_read_request(struct arena *a, struct str body, struct chat_request *ret,
                        struct json_fault *fault)
{
    struct chat_request request = {.wire = "gemini",
                                   .output_limit = -1,
                                   .reasoning = {.budget = -1, .shown = -1},
                                   .format = {.strict = -1}};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault);
    struct node system = gemini_get(&t, root, "systemInstruction", "system_instruction");
    struct node contents = node_get(&t, root, "contents");
    bool single = node_is(contents, JSON_OBJECT);
    size_t n = single ? 1 : node_length(contents);
    struct pairing pairing = pairing_for(&t, contents);

    if (!tree_failed(&t) && !n)
        tree_wrong(&t, STR("contents"), "is required");
    request.messages = tree_array_of(&t, struct chat_message, n + 1);
    if (node_given(system) && !tree_failed(&t)) {
        struct chat_message *m = &request.messages[request.n_messages++];

        *m = (struct chat_message){.role = CHAT_SYSTEM};
        content(&t, system, &pairing, m);
    }
    for (size_t i = 0; i < n && !tree_failed(&t); i++) {
        struct chat_message *m = &request.messages[request.n_messages++];

        *m = (struct chat_message){.role = CHAT_USER};
        content(&t, single ? contents : node_at(&t, contents, i), &pairing, m);
    }
    gemini_join_thoughts(&t, &request);
    gemini_read_tools(&t, root, &request);
    gemini_read_config(&t, root, &request);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = request;
    return t.r;
}
