/* Price files, our own and LiteLLM's: an entry is good with a price that can be published, or it says why
 * it is not; a mark-up keeps it so or refuses it. */
#include "fuzz.h"

#include "base/bounds.h"
#include "catalog/import_entry.h"
#include "json/value.h"

static void entry_holds(const struct import_entry *e)
{
    HOLDS(!e->refused || e->reason.p);
    HOLDS(e->n_figures <= PRICE_FIGURES);
    for (size_t i = 0; i < e->n_figures; i++) {
        const struct price_figure *f = &e->figures[i];

        HOLDS(f->unit < USAGE_UNITS && f->service < SERVICE_TIERS);
        HOLDS(f->charge >= 0 && f->cost >= 0 && f->above_input_tokens >= 0);
        HOLDS(memchr(f->visual_kind, '\0', sizeof(f->visual_kind)));
    }
    if (e->reason.p)
        return;
    HOLDS(e->provider && e->name.n && str_utf8(e->name));
    HOLDS(e->context_tokens >= 0 && e->max_output_tokens >= 0);
}

static void judge(struct import_entry *e, int32_t markup_bp)
{
    struct price price;

    entry_holds(e);
    if (e->reason.p)
        return;
    import_mark_up(e, markup_bp);
    import_check_price(e);
    entry_holds(e);
    if (e->reason.p)
        return;
    price_init(&price, (struct price_id){1});
    for (size_t i = 0; i < e->n_figures; i++) {
        HOLDS(e->figures[i].charge >= e->figures[i].cost);
        HOLDS(price_set(&price, &e->figures[i]) == PRICE_SET_OK);
    }
    price_complete(&price);
    HOLDS(price_usable(&price));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    int32_t markup_bp = (int32_t)(fuzz_byte(&in) << 8 | fuzz_byte(&in));
    struct arena *a = arena_new(MIB(64));
    struct import_entries entries = {.a = a};
    struct str fault_text = STR_NONE;
    struct json_object *root = NULL;
    struct json_fault fault;
    int r = IMPORT_OK;

    HOLDS(a);
    if (json_check(in, &fault) == JSON_OK && json_parse(in, &root, &fault) == JSON_OK) {
        if (import_is_own(root))
            r = import_read_own(root, &entries, &fault_text);
        else
            r = import_read_litellm(root, &entries);
        HOLDS(r == IMPORT_OK || (r == IMPORT_E_FORMAT && fault_text.n));
        for (size_t i = 0; r == IMPORT_OK && i < entries.n; i++)
            judge(&entries.v[i], markup_bp);
    }
    json_unref(root);
    arena_free(a);
    return 0;
}
