/* Guardrails over any bytes, as a document, as text and as events: all is within them, what holds nothing
 * stays as it is, and a document that was redacted is a document again, which can be looked at again. */
#include "fuzz.h"

#include "guard/check.h"
#include "json/scan.h"

static struct guard_set *set(void)
{
    static const struct str words[] = {STR("falcon"), STR("Größe")}, pattern = STR("b+\\d|é");
    static const struct guardrail rule = {.is = {.name = STR("all"),
                                                 .finds = (1u << DETECT_KINDS) - 1,
                                                 .where = GUARD_REQUEST,
                                                 .action = GUARD_REDACT}},
                                  texts = {.is = {.name = STR("texts"),
                                                  .words = words,
                                                  .n_words = 2,
                                                  .patterns = &pattern,
                                                  .n_patterns = 1,
                                                  .where = GUARD_REQUEST,
                                                  .action = GUARD_REDACT}};
    static struct guard_set *made;
    const struct guardrail rules[] = {rule, texts};

    if (!made)
        HOLDS(guard_set_new(rules, 2, &made) == 0);
    return made;
}

static void look(void (*how)(struct guard_check *, struct str), struct str in, struct buf *out, uint32_t *hits)
{
    struct guard_check c;
    size_t at = in.n / 2;

    guard_check_init(&c, set(), GUARD_REQUEST);
    how(&c, in);
    HOLDS(!c.failed);
    buf_init(out, 1 << 20);
    guard_check_put(&c, out, &at);
    HOLDS(buf_finish(out) == 0 && at <= out->n);
    HOLDS(guard_check_changes(&c) || (out->n == in.n && memcmp(out->n ? out->p : "", in.p, in.n) == 0));
    *hits = c.hits[0];
    guard_check_done(&c);
}

static void once(void (*how)(struct guard_check *, struct str), struct str in)
{
    struct json_scan_result result;
    struct json_fault fault;
    struct buf out, again;
    uint32_t hits;

    look(how, in, &out, &hits);
    if (how == guard_check_json && json_scan(in, NULL, 0, &result, &fault) == JSON_OK)
        HOLDS(json_scan(buf_str(&out), NULL, 0, &result, &fault) == JSON_OK);
    look(how, buf_str(&out), &again, &hits);
    buf_done(&again);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_n((const char *)data, size);
    char *copy = fuzz_copy(in);

    in.p = copy;
    once(guard_check_json, in);
    once(guard_check_text, in);
    once(guard_check_events, in);
    free(copy);
    return 0;
}
