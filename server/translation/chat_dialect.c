/* chat_dialect.c: see chat_dialect.h. */
#include "translation/chat_dialect.h"

#include "json/scan.h"

static void add(struct chat_losses *losses, struct str path, bool noted)
{
    losses->refusable += !noted;
    if (losses->n == CHAT_LOSSES_MAX)
        return;
    losses->path[losses->n] = path;
    losses->noted[losses->n++] = noted;
}

void chat_lose(struct chat_losses *losses, struct str path)
{
    add(losses, path, false);
}

void chat_note(struct chat_losses *losses, struct str path)
{
    add(losses, path, true);
}

void chat_lose_extras(struct chat_losses *losses, const struct chat_extras *extras)
{
    for (size_t i = 0; i < extras->n; i++)
        chat_lose(losses, extras->v[i].path);
}

/* Values that say nothing, each up to the NULL. */
static const char *const usual[CHAT_SETTINGS][4] = {
    [CHAT_SET_TEMPERATURE] = {"1", "1.0"},
    [CHAT_SET_TOP_P] = {"1", "1.0"},
    [CHAT_SET_MIN_P] = {"0", "0.0"},
    [CHAT_SET_FREQUENCY_PENALTY] = {"0", "0.0"},
    [CHAT_SET_PRESENCE_PENALTY] = {"0", "0.0"},
    [CHAT_SET_REPETITION_PENALTY] = {"1", "1.0"},
    [CHAT_SET_CHOICES] = {"1"},
    [CHAT_SET_LOGPROBS] = {"false"},
    [CHAT_SET_TOP_LOGPROBS] = {"0"},
    [CHAT_SET_LOGIT_BIAS] = {"{}"},
    [CHAT_SET_PARALLEL_TOOLS] = {"true"},
    [CHAT_SET_METADATA] = {"{}"},
    [CHAT_SET_VERBOSITY] = {"\"medium\""},
    [CHAT_SET_STORE] = {"false"},
    [CHAT_SET_MODALITIES] = {"[\"text\"]", "[\"TEXT\"]"},
};

bool chat_tier(struct str raw, enum service_tier *ret)
{
    return raw.n > 2 && service_tier_read(str_n(raw.p + 1, raw.n - 2), ret) == SERVICE_OK;
}

/* The tier that every provider serves at anyway, in any format's word. */
static bool is_standard(struct str raw)
{
    enum service_tier tier;

    return chat_tier(raw, &tier) && tier == SERVICE_STANDARD;
}

void chat_lose_setting(struct chat_losses *losses, const struct chat_request *request,
                       enum chat_setting which)
{
    const struct chat_value *value = &request->setting[which];

    if (!value->raw.p)
        return;
    for (size_t i = 0; i < ARRAY_LEN(usual[which]) && usual[which][i]; i++)
        if (str_eq_c(value->raw, usual[which][i]))
            return;
    if (which == CHAT_SET_SERVICE_TIER && is_standard(value->raw))
        return;
    chat_lose(losses, value->path);
}

bool chat_says_nothing(const struct chat_message *m, chat_can_say *can, struct chat_losses *losses)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        const struct chat_part *p = &m->parts[i];

        if (p->kind == CHAT_TEXT ? p->text.n > 0 : can(p))
            return false;
    }
    for (size_t i = 0; i < m->n_parts; i++) {
        if (m->parts[i].kind == CHAT_THINKING || m->parts[i].kind == CHAT_REDACTED)
            chat_note(losses, m->parts[i].path);
        else if (m->parts[i].kind != CHAT_TEXT)
            chat_lose(losses, m->parts[i].path);
    }
    return true;
}

const struct chat_part *chat_call_of(const struct chat_request *r, const struct chat_message *m,
                                     const struct chat_part *result)
{
    for (size_t i = (size_t)(m - r->messages); i-- > 0;)
        for (size_t k = r->messages[i].n_parts; k-- > 0;) {
            const struct chat_part *p = &r->messages[i].parts[k];

            if (p->kind == CHAT_TOOL_CALL && str_eq(p->tool.id, result->tool.id))
                return p;
        }
    return NULL;
}

size_t chat_plain_tools(const struct chat_request *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_tools; i++)
        n += !r->tools[i].raw.p;
    return n;
}

void chat_lose_own_tools(struct chat_losses *losses, const struct chat_request *r)
{
    for (size_t i = 0; i < r->n_tools; i++)
        if (r->tools[i].raw.p)
            chat_lose(losses, r->tools[i].path);
}

bool chat_is_object(struct str arguments)
{
    struct json_scan_result result;
    struct json_fault fault;

    return json_scan(arguments, NULL, 0, &result, &fault) == JSON_OK &&
           result.root_kind == JSON_OBJECT;
}

void chat_answer_told(struct chat_answer *answer, const struct llm_report *told)
{
    answer->has_usage = told->has_usage;
    answer->usage = told->usage;
    answer->lacks_prompt = told->lacks_prompt;
    answer->lacks_output = told->lacks_output;
    answer->has_service = told->has_service;
    answer->service = told->service;
}

/* --- seals --- */

static const char anthropic[] = "anthropic:";

struct str chat_seal_read(struct arena *a, const char *mark, struct str sealed)
{
    if (!sealed.p)
        return sealed;
    if (str_starts(sealed, str_c(anthropic)))
        return str_n(sealed.p + strlen(anthropic), sealed.n - strlen(anthropic));
    if (str_find(sealed, ':') >= 0)
        return sealed;
    return arena_strf(a, "%s%.*s", mark, STR_FMT(sealed));
}

void chat_seal_put(struct json_writer *w, const char *key, const char *mark, struct str seal)
{
    if (!seal.p)
        return;
    if (str_starts(seal, str_c(mark)))
        seal = str_n(seal.p + strlen(mark), seal.n - strlen(mark));
    else if (seal.n && str_find(seal, ':') < 0)
        mark = NULL;
    json_key(w, key);
    json_raw(w, STR("\""));
    buf_puts(w->out, mark ? "" : anthropic);
    json_escape(w->out, seal);
    buf_putc(w->out, '"');
}

struct str chat_seal_own(const char *mark, struct str seal)
{
    struct str m = str_c(mark);

    if (!seal.n)
        return STR_NONE;
    if (!m.n)
        return str_find(seal, ':') < 0 ? seal : STR_NONE;
    return str_starts(seal, m) ? str_n(seal.p + m.n, seal.n - m.n) : STR_NONE;
}

const char *chat_finish_name(enum chat_finish finish)
{
    static const char *const names[] = {
        [CHAT_FINISH_NONE] = "none",          [CHAT_FINISH_STOP] = "stop",
        [CHAT_FINISH_SEQUENCE] = "stop_sequence", [CHAT_FINISH_LENGTH] = "length",
        [CHAT_FINISH_TOOLS] = "tool_calls",   [CHAT_FINISH_FILTER] = "content_filter",
        [CHAT_FINISH_REFUSAL] = "refusal",    [CHAT_FINISH_CONTEXT] = "context_window",
        [CHAT_FINISH_PAUSE] = "pause",        [CHAT_FINISH_OTHER] = "other",
    };

    assert((size_t)finish < ARRAY_LEN(names));
    return names[finish];
}
