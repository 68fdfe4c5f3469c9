/* The writer of JSON: what is written, in whatever order, the strict scanner takes. */
#include "fuzz.h"

#include "base/bounds.h"
#include "json/scan.h"
#include "json/write.h"

enum { DEPTH = 40 };

static void put_value(struct json_writer *w, unsigned what, struct str *in)
{
    switch (what % 6) {
    case 0:
        json_int(w, (int64_t)what * -7919 * (int64_t)in->n);
        break;
    case 1:
        json_bool(w, what & 8);
        break;
    case 2:
        json_null(w);
        break;
    case 3:
        json_money(w, (struct money){(int64_t)(what * 1000003 * in->n)});
        break;
    case 4:
        json_money_number(w, (struct money){-(int64_t)(what * 1000003 * in->n)});
        break;
    default:
        json_str(w, fuzz_take(in, what));
    }
}

/* An array or, at odd depths, an object whose keys are texts of the input's with a number before them. */
static void put_container(struct json_writer *w, struct str *in, unsigned depth)
{
    bool object = depth & 1;
    char key[32];

    object ? json_open_object(w) : json_open_array(w);
    for (unsigned i = 0; in->n; i++) {
        unsigned what = fuzz_byte(in);

        if (what < 20)
            break;
        if (object) {
            (void)snprintf(key, sizeof(key), "%u\"\\\n%c", i, (char)(what | 1));
            json_key(w, key);
        }
        if (what > 230 && depth < DEPTH)
            put_container(w, in, depth + 1);
        else
            put_value(w, what, in);
    }
    object ? json_close_object(w) : json_close_array(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    struct json_scan_result result;
    struct json_fault fault;
    struct json_writer w;
    struct buf out;

    buf_init(&out, MIB(4));
    json_begin(&w, &out);
    json_open_array(&w);
    while (in.n)
        put_container(&w, &in, fuzz_byte(&in) & 1);
    json_close_array(&w);
    HOLDS(buf_finish(&out) == 0);
    HOLDS(json_scan(buf_str(&out), NULL, 0, &result, &fault) == JSON_OK);
    buf_done(&out);
    return 0;
}
