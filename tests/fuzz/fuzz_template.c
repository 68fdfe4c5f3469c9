/* Templates: any text is refused with a fault or rendered, and what a view says stays escaped. */
#include "fuzz.h"

#include "base/bounds.h"
#include "mustache.h"

static struct json_object *view(void)
{
    struct json_object *v = json_new_object(), *list = json_new_array();

    json_set_cstr(v, "a", "<\"&'>");
    json_set_bool(v, "t", true);
    json_set_null(v, "n");
    json_set_i64(v, "i", -3);
    for (int i = 0; i < 3; i++) {
        struct json_object *item = json_new_object();

        json_set_i64(item, "b", i);
        json_push(list, item);
    }
    json_set(v, "l", list);
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct mustache_fault fault = {""};
    struct mustache *m = NULL;
    struct json_object *v = view();
    struct buf out;

    buf_init(&out, MIB(1));
    HOLDS(mustache_new(MUSTACHE_LENIENT, &m) == 0);
    if (mustache_add(m, "t", str_n(copy, size), &fault) || mustache_seal(m, &fault)) {
        HOLDS(fault.text[0]);
    } else if (mustache_render(m, "t", v, &out, &fault) == MUSTACHE_OK && !buf_finish(&out)) {
        if (!memchr(copy, '\'', size))
            HOLDS(out.n == 0 || !memchr(out.p, '\'', out.n));
    }
    mustache_free(m);
    json_unref(v);
    buf_done(&out);
    free(copy);
    return 0;
}
