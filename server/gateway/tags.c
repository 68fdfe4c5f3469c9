/* tags.c: see tags.h. */
#include "gateway/tags.h"

#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"
#include "identity/keyring.h"
#include "json/value.h"
#include "model/record.h"

#define TAGS_BYTES 1000 /* record.def: what a call's record has room for */

static int wrong(struct json_fault *fault, const char *reason)
{
    *fault = (struct json_fault){.at = 0};
    (void)snprintf(fault->path, sizeof(fault->path), "x-tollgate-tags");
    (void)snprintf(fault->reason, sizeof(fault->reason), "%s", reason);
    return TAGS_E_SAID;
}

static int add(struct arena *a, struct json_object *tags, struct str pair, struct json_fault *fault)
{
    struct str rest = pair, name;
    const char *key;

    if (!str_split(&rest, '=', &name) || !rest.p)
        return wrong(fault, "must be pairs of name=value, with commas between them");
    name = str_trim(name);
    rest = str_trim(rest);
    if (!key_tag_name_formed(name))
        return wrong(fault, "the name of a tag has 1 to 40 letters, digits, dots or dashes");
    if (!rest.n || rest.n > TAGS_VALUE_MAX || !str_utf8(rest))
        return wrong(fault, "the value of a tag has 1 to 100 bytes of UTF-8");
    key = arena_cstr(a, name);
    if (!key)
        return err_origin(-ENOMEM);
    if (!json_get(tags, key))
        json_set_str(tags, key, rest);
    return TAGS_OK;
}

static int add_all(struct arena *a, struct json_object *tags, struct str said,
                   struct json_fault *fault)
{
    struct str pair;
    size_t n = 0;

    while (str_split(&said, ',', &pair)) {
        int r;

        if (!str_trim(pair).n)
            continue;
        if (n++ == TAGS_SAID_MAX)
            return wrong(fault, "has more than 16 tags");
        r = add(a, tags, pair, fault);
        if (r != TAGS_OK)
            return r;
    }
    return TAGS_OK;
}

static int print(struct arena *a, const struct json_object *tags, struct str *ret,
                 struct json_fault *fault)
{
    struct buf text;
    int r;

    buf_init(&text, KIB(64));
    r = json_print(tags, &text);
    if (r == 0 && text.n > TAGS_BYTES)
        r = wrong(fault, "has more than a call's record has room for, with the tags of the key");
    if (r == 0) {
        *ret = arena_str(a, buf_str(&text));
        r = ret->p ? TAGS_OK : err_origin(-ENOMEM);
    }
    buf_done(&text);
    return r;
}

int tags_join(struct arena *a, struct str said, struct str of_key, struct str *ret,
              struct json_fault *fault)
{
    _cleanup_json_ struct json_object *tags = NULL;
    int r = json_parse(of_key.n ? of_key : STR("{}"), &tags, fault);

    if (r != JSON_OK)
        return r < 0 ? err_trace(r) : err_origin(-EPROTO);
    r = add_all(a, tags, said, fault);
    return r == TAGS_OK ? print(a, tags, ret, fault) : r;
}
