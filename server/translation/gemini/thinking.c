/* thinking.c: how long a model shall think, in a generateContent request.
 *
 * Sources: Google's pages "Thinking", "OpenAI compatibility" (which budget and which level stands for
 * an effort, and that Gemini 2.5 Pro and Gemini 3 always think) and Vertex AI's "Thinking" (the
 * levels that a model takes). Gemini 2.5 takes budgets and refuses levels; later ones take levels. */
#include "translation/gemini/gemini.h"
#include "translation/put.h"

/* The least that Gemini 2.5 Pro takes. */
#define LEAST_BUDGET_OF_PRO 128

static const struct {
    const char *level;
    int64_t budget; /* tokens */
} efforts[] = {
    [CHAT_EFFORT_DEFAULT] = {NULL, -1},        [CHAT_EFFORT_NONE] = {"minimal", 0},
    [CHAT_EFFORT_MINIMAL] = {"minimal", 1024}, [CHAT_EFFORT_LOW] = {"low", 1024},
    [CHAT_EFFORT_MEDIUM] = {"medium", 8192},   [CHAT_EFFORT_HIGH] = {"high", 24576},
    [CHAT_EFFORT_XHIGH] = {"high", 24576},     [CHAT_EFFORT_MAX] = {"high", 24576},
};

/* Gemini 3 has "minimal" for Flash-Lite, and for Flash up to 3.6. */
static bool lacks_minimal(const struct gemini_model *m)
{
    return m->major >= 3 && !m->lite && (!m->flash || m->major > 3 || m->minor > 6);
}

static void put_level(struct json_writer *w, const struct gemini_model *m, enum chat_effort effort)
{
    bool least = effort == CHAT_EFFORT_NONE || effort == CHAT_EFFORT_MINIMAL;

    put_word(w, "thinkingLevel", least && lacks_minimal(m) ? "low" : efforts[effort].level);
}

/* No thoughts, or as few as the model can. */
static void put_off(struct json_writer *w, const struct gemini_model *m,
                    const struct chat_reasoning *why, struct chat_losses *losses)
{
    bool pro = m->major == 2 && m->minor == 5 && m->pro;

    if (m->major >= 3 || pro)
        chat_note(losses, why->path);
    if (m->major >= 3)
        put_level(w, m, CHAT_EFFORT_NONE);
    else
        put_int(w, "thinkingBudget", pro ? LEAST_BUDGET_OF_PRO : 0);
}

/* A budget stays one; -1 lets the model decide. */
static void put_length(struct json_writer *w, const struct gemini_model *m,
                       const struct chat_reasoning *why, bool own, struct chat_losses *losses)
{
    bool off = why->effort == CHAT_EFFORT_NONE || why->budget == 0;

    if (off && !own)
        put_off(w, m, why, losses);
    else if (off || why->budget >= 0)
        put_int(w, "thinkingBudget", off ? 0 : why->budget);
    else if (why->effort != CHAT_EFFORT_DEFAULT && m->major && m->major < 3 && !own)
        put_int(w, "thinkingBudget", efforts[why->effort].budget);
    else if (why->effort != CHAT_EFFORT_DEFAULT)
        put_level(w, m, why->effort);
    else if (why->adaptive)
        put_int(w, "thinkingBudget", -1);
    if (own)
        put_text(w, "thinkingLevel", why->word);
}

static bool says_something(const struct chat_reasoning *why, bool own)
{
    if (own && (why->word.p || why->extra.n))
        return true;
    return why->effort != CHAT_EFFORT_DEFAULT || why->budget >= 0 || why->adaptive ||
           why->shown >= 0;
}

/* A client of another format sees thoughts where it asked for them. */
static int shown(const struct chat_reasoning *why, bool own)
{
    if (own || why->shown >= 0)
        return why->shown;
    return why->effort == CHAT_EFFORT_NONE || why->budget == 0 ? -1 : 1;
}

void gemini_put_thinking(struct json_writer *w, const struct chat_reasoning *why, struct str model,
                         bool own, struct chat_losses *losses)
{
    const struct gemini_model m = gemini_model_of(model);

    if (!own)
        chat_lose_extras(losses, &why->extra);
    if (!own && why->word.p)
        chat_lose(losses, why->path);
    if (!says_something(why, own))
        return;
    json_key(w, "thinkingConfig");
    json_open_object(w);
    put_length(w, &m, why, own, losses);
    put_flag(w, "includeThoughts", shown(why, own));
    if (own)
        put_extras(w, &why->extra);
    json_close_object(w);
}
