/* guardrail.c: what a rule may be; no database here. */
#include "guard/guardrail.h"

#include <errno.h>

#include "base/err.h"
#include "guard/pattern.h"

static const char *const actions[GUARD_ACTIONS] = {
    [GUARD_LOG] = "log", [GUARD_REDACT] = "redact", [GUARD_BLOCK] = "block"};

const char *guard_action_name(enum guard_action action)
{
    assert(action < GUARD_ACTIONS);
    return actions[action];
}

bool guard_action_parse(struct str name, enum guard_action *ret)
{
    for (unsigned i = 0; i < GUARD_ACTIONS; i++)
        if (str_eq_c(name, actions[i])) {
            *ret = (enum guard_action)i;
            return true;
        }
    return false;
}

/* They stand in lists of "name=2, other=1", and in the log's filter `any` is every one. */
static bool is_name(struct str name)
{
    if (name.n == 0 || name.n > GUARDRAIL_NAME_MAX || str_eq(name, STR("any")))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!detect_is_word(name.p[i]) && !(name.p[i] && strchr(" ._-", name.p[i])))
            return false;
    return true;
}

static bool is_line(struct str s)
{
    if (s.n == 0 || s.n > PATTERN_BYTES_MAX || !str_utf8(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20)
            return false;
    return true;
}

static int check_words(struct arena *a, struct guardrail_settings *s, struct identity_fault *fault)
{
    struct str *words = arena_array(a, struct str, s->n_words + 1);

    if (!words)
        return err_origin(-ENOMEM);
    if (s->n_words > GUARDRAIL_WORDS_MAX)
        return identity_fault_set(fault, "words", "A guardrail has at most 100 words.");
    for (size_t i = 0; i < s->n_words; i++) {
        words[i] = str_trim(s->words[i]);
        if (!is_line(words[i]))
            return identity_fault_set(fault, "words", "A word has 1 to 500 bytes, in one line.");
    }
    s->words = words;
    return 0;
}

static int check_pattern(struct arena *a, struct str source, struct identity_fault *fault)
{
    char why[PATTERN_WHY_BYTES];
    struct pattern *p = NULL;
    struct str sentence;
    bool quick;
    int r = pattern_new(source, &p, why);

    if (r < 0)
        return r;
    if (r == PATTERN_E_BAD) {
        sentence = arena_strf(a, "`%.*s`: %s", STR_FMT(source), why);
        return sentence.p ? identity_fault_set(fault, "patterns", sentence.p) : err_origin(-ENOMEM);
    }
    quick = pattern_is_quick(p);
    pattern_free(p);
    if (quick)
        return 0;
    sentence = arena_strf(a,
                          "`%.*s`: there are texts that it takes too long to search: a repeat within a "
                          "repeat, such as (a+)+, or several of anything.",
                          STR_FMT(source));
    return sentence.p ? identity_fault_set(fault, "patterns", sentence.p) : err_origin(-ENOMEM);
}

static int check_patterns(struct arena *a, struct guardrail_settings *s, struct identity_fault *fault)
{
    struct str *patterns = arena_array(a, struct str, s->n_patterns + 1);
    int r = patterns ? 0 : err_origin(-ENOMEM);

    if (!r && s->n_patterns > GUARDRAIL_PATTERNS_MAX)
        return identity_fault_set(fault, "patterns", "A guardrail has at most 10 patterns.");
    for (size_t i = 0; !r && i < s->n_patterns; i++) {
        patterns[i] = str_trim(s->patterns[i]);
        if (!is_line(patterns[i]))
            return identity_fault_set(fault, "patterns", "A pattern has 1 to 500 bytes, in one line.");
        r = check_pattern(a, patterns[i], fault);
    }
    s->patterns = patterns;
    return r;
}

int guardrail_check(struct arena *a, struct guardrail_settings *s, struct identity_fault *fault)
{
    int r;

    s->name = str_trim(s->name);
    if (!is_name(s->name))
        return identity_fault_set(fault, "name",
                                  "A name has 1 to 40 letters, digits, spaces, dots, dashes and underscores, "
                                  "and is not `any`.");
    if (s->where == 0)
        return identity_fault_set(fault, "where", "Say where it looks: in requests, in answers, or in both.");
    if (s->project.v && s->key.v)
        return identity_fault_set(fault, "key_id", "A guardrail is for one project or for one key.");
    r = check_words(a, s, fault);
    if (r == 0)
        r = check_patterns(a, s, fault);
    if (r == 0 && s->finds == 0 && s->n_words + s->n_patterns == 0)
        return identity_fault_set(fault, "finds", "Say what it looks for: kinds, words or patterns.");
    return r;
}
