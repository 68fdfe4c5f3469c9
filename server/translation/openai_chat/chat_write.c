/* chat_write.c: a chat request in OpenAI's form.
 *
 * Odd: results of tools are messages of their own here, so a turn that holds several becomes several
 * messages; and an assistant's calls stand beside its content, not in it. "For tool messages, only type
 * `text` is supported" (OpenAI API reference, "Create chat completion"): what else results hold stands in
 * a user's message behind the last of them. */
#include <errno.h>

#include "translation/openai_chat/neutral.h"

#include "translation/put.h"

struct writing {
    struct json_writer w;
    struct buf *out;
    const struct chat_request *request;
    const struct chat_target *target;
    struct chat_losses *losses;
    bool own; /* the request was read from this format */
    size_t held, end; /* messages whose results have media that are not written yet: from, up to */
};

static void extras(struct writing *x, const struct chat_extras *e)
{
    if (x->own)
        put_extras(&x->w, e);
    else
        chat_lose_extras(x->losses, e);
}

/* --- parts --- */

/* `"key": "data:MIME;base64,DATA"`, or the URL. */
static void put_url(struct writing *x, const char *key, const struct chat_media *m)
{
    json_key(&x->w, key);
    if (m->source != CHAT_BASE64) {
        json_str(&x->w, m->data);
        return;
    }
    json_raw(&x->w, STR("\"data:"));
    json_escape(x->out, m->mime.p ? m->mime : STR("application/octet-stream"));
    buf_puts(x->out, ";base64,");
    json_escape(x->out, m->data);
    buf_putc(x->out, '"');
}

static void image(struct writing *x, const struct chat_part *p)
{
    json_key(&x->w, "image_url");
    json_open_object(&x->w);
    put_url(x, "url", &p->media);
    put_text(&x->w, "detail", p->media.detail);
    json_close_object(&x->w);
}

static void audio(struct writing *x, const struct chat_part *p)
{
    struct str format = p->media.mime;

    if (str_starts(format, STR("audio/")))
        format = str_n(format.p + 6, format.n - 6);
    if (str_eq(format, STR("mpeg")))
        format = STR("mp3");
    json_key(&x->w, "input_audio");
    json_open_object(&x->w);
    put_text(&x->w, "data", p->media.data);
    put_text(&x->w, "format", format);
    json_close_object(&x->w);
}

static void document(struct writing *x, const struct chat_part *p)
{
    json_key(&x->w, "file");
    json_open_object(&x->w);
    put_text(&x->w, "filename", p->media.name);
    if (p->media.source == CHAT_FILE)
        put_text(&x->w, "file_id", p->media.data);
    else
        put_url(x, "file_data", &p->media);
    json_close_object(&x->w);
}

/* Can the content of a message hold it, in this format? */
static bool has_place(const struct chat_part *p)
{
    switch (p->kind) {
    case CHAT_TEXT:
    case CHAT_REFUSAL:
        return true;
    case CHAT_IMAGE:
        return p->media.source == CHAT_BASE64 || p->media.source == CHAT_URL;
    case CHAT_AUDIO:
        return p->media.source == CHAT_BASE64;
    case CHAT_DOCUMENT:
        return p->media.source != CHAT_URL;
    case CHAT_THINKING:
    case CHAT_REDACTED:
    case CHAT_VIDEO:
    case CHAT_TOOL_CALL:
    case CHAT_TOOL_RESULT:
    case CHAT_FOREIGN:
    case CHAT_PART_KINDS:
        break;
    }
    return false;
}

void openai_put_cache(struct json_writer *w, struct str ttl)
{
    if (!ttl.p)
        return;
    json_key(w, "cache_control");
    json_open_object(w);
    put_word(w, "type", "ephemeral");
    put_text(w, "ttl", ttl);
    json_close_object(w);
}

static void cache(struct writing *x, const struct chat_part *p)
{
    if (!p->cache.p)
        return;
    if (!x->own) {
        chat_note(x->losses, p->path); /* OpenAI's hosts keep prefixes by themselves */
        return;
    }
    openai_put_cache(&x->w, p->cache);
}

static void part(struct writing *x, const struct chat_part *p)
{
    static const char *const types[CHAT_PART_KINDS] = {
        [CHAT_TEXT] = "text",          [CHAT_REFUSAL] = "refusal", [CHAT_IMAGE] = "image_url",
        [CHAT_AUDIO] = "input_audio", [CHAT_DOCUMENT] = "file"};

    if (p->kind == CHAT_FOREIGN && x->own) {
        json_raw(&x->w, p->raw);
        return;
    }
    json_open_object(&x->w);
    if (p->kind == CHAT_DOCUMENT && p->media.source == CHAT_PLAIN) {
        put_text(&x->w, "type", STR("text"));
        put_text(&x->w, "text", p->media.data);
        json_close_object(&x->w);
        return;
    }
    put_word(&x->w, "type", types[p->kind]);
    if (p->kind == CHAT_TEXT || p->kind == CHAT_REFUSAL)
        put_text(&x->w, types[p->kind], p->text);
    else if (p->kind == CHAT_IMAGE)
        image(x, p);
    else if (p->kind == CHAT_AUDIO)
        audio(x, p);
    else
        document(x, p);
    cache(x, p);
    extras(x, &p->extra);
    json_close_object(&x->w);
}

/* What a message's content cannot hold is lost, but for what stands elsewhere in it. */
static bool belongs(struct writing *x, const struct chat_part *p)
{
    if (has_place(p) || (p->kind == CHAT_FOREIGN && x->own))
        return true;
    if (p->kind == CHAT_THINKING || p->kind == CHAT_REDACTED) {
        if (!x->own)
            chat_note(x->losses, p->path);
    } else if (p->kind != CHAT_TOOL_CALL && p->kind != CHAT_TOOL_RESULT) {
        chat_lose(x->losses, p->path);
    }
    return false;
}

static bool is_plain(const struct chat_part *parts, size_t n, bool was_plain)
{
    return n == 1 && parts[0].kind == CHAT_TEXT && was_plain && !parts[0].cache.p;
}

/* --- media of results --- */

/* Can a tool's message hold it? */
static bool is_words(const struct chat_part *p)
{
    return p->kind == CHAT_TEXT || (p->kind == CHAT_DOCUMENT && p->media.source == CHAT_PLAIN);
}

static size_t count_media(const struct chat_part *result)
{
    size_t n = 0;

    for (size_t i = 0; result->kind == CHAT_TOOL_RESULT && i < result->n_parts; i++)
        n += !is_words(&result->parts[i]) && has_place(&result->parts[i]);
    return n;
}

static bool holds_media(struct writing *x)
{
    for (size_t i = x->held; i < x->end; i++)
        for (size_t k = 0; k < x->request->messages[i].n_parts; k++)
            if (count_media(&x->request->messages[i].parts[k]))
                return true;
    x->held = x->end;
    return false;
}

/* A text that names the call, for the model that looks for its files. */
static void about_call(struct writing *x, const char *before, struct str id, const char *after)
{
    json_raw(&x->w, STR("\""));
    buf_puts(x->out, before);
    json_escape(x->out, id);
    buf_puts(x->out, after);
    buf_putc(x->out, '"');
}

static void result_media(struct writing *x, const struct chat_part *result)
{
    if (!count_media(result))
        return;
    json_open_object(&x->w);
    put_word(&x->w, "type", "text");
    json_key(&x->w, "text");
    about_call(x, "Files of the result of ", result->tool.id, ":");
    json_close_object(&x->w);
    for (size_t i = 0; i < result->n_parts; i++)
        if (!is_words(&result->parts[i]) && has_place(&result->parts[i]))
            part(x, &result->parts[i]);
}

/* As elements of a user's content. */
static void held_media(struct writing *x)
{
    for (size_t i = x->held; i < x->end; i++)
        for (size_t k = 0; k < x->request->messages[i].n_parts; k++)
            result_media(x, &x->request->messages[i].parts[k]);
    x->held = x->end;
}

/* --- content --- */

/* Parts of one message as its content: a string where they were one, else a list, behind what results
 * have left for it; null when there are none. */
static void content(struct writing *x, const struct chat_part *parts, size_t n, bool plain)
{
    size_t kept = 0;

    json_key(&x->w, "content");
    if (holds_media(x)) {
        kept++;
        json_open_array(&x->w);
        held_media(x);
        plain = false;
    }
    for (size_t i = 0; i < n; i++)
        if (parts[i].kind == CHAT_TEXT && is_plain(&parts[i], 1, plain)) {
            json_str(&x->w, parts[i].text);
            return;
        }
    for (size_t i = 0; i < n; i++) {
        if (!belongs(x, &parts[i]))
            continue;
        if (!kept++)
            json_open_array(&x->w);
        part(x, &parts[i]);
    }
    if (kept)
        json_close_array(&x->w);
    else
        json_null(&x->w);
}

/* --- messages --- */

static void open_message(struct writing *x, const char *role)
{
    json_open_object(&x->w);
    put_word(&x->w, "role", role);
}

/* The words of a result that another format had; its media are left for later. */
static void words(struct writing *x, const struct chat_part *p)
{
    size_t n = 0, first = 0;

    for (size_t i = 0; i < p->n_parts; i++)
        if (!is_words(&p->parts[i]))
            (void)belongs(x, &p->parts[i]);
        else if (!n++)
            first = i;
    json_key(&x->w, "content");
    if (n == 1 && is_plain(&p->parts[first], 1, true)) {
        json_str(&x->w, p->parts[first].text);
    } else if (n) {
        json_open_array(&x->w);
        for (size_t i = first; i < p->n_parts; i++)
            if (is_words(&p->parts[i]))
                part(x, &p->parts[i]);
        json_close_array(&x->w);
    } else if (count_media(p)) {
        about_call(x, "See the files of the result of ", p->tool.id, " below.");
    } else {
        json_str(&x->w, STR(""));
    }
}

/* What went wrong in a tool is told in words: the format has no mark for it. */
static void result(struct writing *x, const struct chat_part *p)
{
    bool plain = p->n_parts == 1 && p->parts[0].kind == CHAT_TEXT;

    open_message(x, "tool");
    put_text(&x->w, "tool_call_id", p->tool.id);
    if (x->own && p->n_parts)
        content(x, p->parts, p->n_parts, plain);
    else
        words(x, p);
    json_close_object(&x->w);
}

/* Before a message that is no user's, and at the end. */
static void user_of_media(struct writing *x)
{
    if (!holds_media(x))
        return;
    open_message(x, "user");
    content(x, NULL, 0, false);
    json_close_object(&x->w);
}

static void thoughts(struct writing *x, const struct chat_message *m)
{
    if (x->own)
        put_extras(&x->w, &m->quiet);
    for (size_t i = 0; x->own && !m->quiet.n && i < m->n_parts; i++)
        if (m->parts[i].kind == CHAT_THINKING)
            put_text(&x->w, "reasoning_content", m->parts[i].text);
}

static bool can_say(const struct chat_part *p)
{
    return has_place(p) || p->kind == CHAT_TOOL_CALL || p->kind == CHAT_TOOL_RESULT;
}

/* The results of a turn, each as a message. True: there was nothing else in it that can be said. */
static bool results(struct writing *x, const struct chat_message *m)
{
    size_t n = 0, others = 0;

    for (size_t i = 0; i < m->n_parts; i++) {
        const struct chat_part *p = &m->parts[i];

        if (p->kind == CHAT_TOOL_RESULT) {
            result(x, p);
            n++;
        } else {
            others += x->own || can_say(p);
        }
    }
    if (!n || others)
        return false;
    for (size_t i = 0; i < m->n_parts; i++)
        (void)belongs(x, &m->parts[i]);
    return true;
}

/* Servers of others do not know the role of a developer, and OpenAI takes the system's from every model:
 * its o-series reads such a message as a developer's (community.openai.com, "How is developer message
 * better than system prompt"). */
static const char *role_of(const struct writing *x, const struct chat_message *m)
{
    static const char *const roles[] = {[CHAT_SYSTEM] = "system", [CHAT_DEVELOPER] = "developer",
                                        [CHAT_USER] = "user", [CHAT_ASSISTANT] = "assistant",
                                        [CHAT_TOOL] = "user"};

    return roles[!x->own && m->role == CHAT_DEVELOPER ? CHAT_SYSTEM : m->role];
}

static void message(struct writing *x, const struct chat_message *m)
{
    if (results(x, m))
        return;
    if (m->role != CHAT_USER && m->role != CHAT_TOOL)
        user_of_media(x);
    open_message(x, role_of(x, m));
    put_text(&x->w, "name", m->name);
    thoughts(x, m);
    content(x, m->parts, m->n_parts, m->plain || m->n_parts == 1);
    openai_put_calls(&x->w, m->parts, m->n_parts);
    extras(x, &m->extra);
    json_close_object(&x->w);
}

/* A turn of the assistant is one message here, though other formats have a row of items for it: so
 * many of those behind it are joined with it. Only parts are looked at afterwards. */
static size_t join(const struct writing *x, size_t at, struct chat_message *m)
{
    const struct chat_message *all = x->request->messages;
    size_t n = 0, parts = m->n_parts;

    if (x->own || m->role != CHAT_ASSISTANT)
        return 0;
    while (at + n + 1 < x->request->n_messages && all[at + n + 1].role == CHAT_ASSISTANT)
        parts += all[at + ++n].n_parts;
    if (!n)
        return 0;
    m->parts = calloc(parts ? parts : 1, sizeof(*m->parts));
    if (!m->parts) {
        x->out->err = -ENOMEM;
        m->n_parts = 0;
        return n;
    }
    m->n_parts = 0;
    m->plain = false;
    for (size_t i = at; i <= at + n; i++) {
        if (all[i].n_parts)
            memcpy(m->parts + m->n_parts, all[i].parts, all[i].n_parts * sizeof(*m->parts));
        m->n_parts += all[i].n_parts;
        if (i > at)
            chat_lose_extras(x->losses, &all[i].extra);
    }
    return n;
}

void openai_chat_write(const struct chat_request *request, const struct chat_target *target,
                       struct buf *out, struct chat_losses *losses)
{
    struct writing x = {.out = out, .request = request, .target = target, .losses = losses,
                        .own = strcmp(request->wire, "openai_chat") == 0};

    json_begin(&x.w, out);
    json_open_object(&x.w);
    put_text(&x.w, "model", target->model);
    json_key(&x.w, "messages");
    json_open_array(&x.w);
    for (size_t i = 0; i < request->n_messages; i++) {
        struct chat_message joined = request->messages[i];

        i += join(&x, i, &joined);
        if (!x.own)
            x.end = i + 1;
        if (x.own || !chat_says_nothing(&joined, can_say, losses))
            message(&x, &joined);
        if (joined.parts != request->messages[i].parts)
            free(joined.parts);
    }
    user_of_media(&x);
    json_close_array(&x.w);
    openai_chat_put_options(&x.w, request, target, losses);
    extras(&x, &request->extra);
    json_close_object(&x.w);
}
