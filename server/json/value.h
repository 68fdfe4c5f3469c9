/* value.h: a JSON tree (json-c), for the management API, templates and translation; never for the
 * hot path. NULL is JSON's null. Setters take nothing over unless said. Trees are small (scan's
 * ceilings) and half a tree must not be printed, so memory that cannot be had here ends the
 * process. Not thread-safe; counted by json_ref/json_unref. */
#pragma once

#include "base/arena.h"
#include "base/money.h"

struct json_object; /* json-c's; opaque outside this room */

struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
struct json_object *json_new_str(struct str s);
struct json_object *json_new_i64(int64_t v);
struct json_object *json_new_bool(bool v);
struct json_object *json_new_number(const char *text); /* printed as it is; must be a JSON number */
struct json_object *json_ref(struct json_object *v);
void json_unref(struct json_object *v);
void json_unrefp(struct json_object **v);
#define _cleanup_json_ _cleanup_(json_unrefp)

/* Object members; key is a C string. */
void json_set_str(struct json_object *o, const char *key, struct str s);
void json_set_cstr(struct json_object *o, const char *key, const char *z); /* NULL: null */
void json_set_i64(struct json_object *o, const char *key, int64_t v);
void json_set_bool(struct json_object *o, const char *key, bool v);
void json_set_null(struct json_object *o, const char *key);
/* Money as a decimal string (our own API). */
void json_set_money(struct json_object *o, const char *key, struct money m);
/* The number printed exactly from the integer (usage.cost). */
void json_set_money_number(struct json_object *o, const char *key, struct money m);
/* Takes v over. */
void json_set(struct json_object *o, const char *key, struct json_object *v);
void json_push(struct json_object *array, struct json_object *v); /* takes v over */
void json_push_str(struct json_object *array, struct str s);
void json_push_i64(struct json_object *array, int64_t v);

/* JSON_INT: written without fraction and exponent and within int64; other numbers: JSON_NUMBER. */
enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};
enum json_kind json_kind(const struct json_object *v);
struct json_object *json_get(const struct json_object *o, const char *key); /* borrowed or NULL */
bool json_has(const struct json_object *o, const char *key); /* tells null from absent */
struct json_object *json_at(const struct json_object *array, size_t i);     /* borrowed or NULL */
size_t json_length(const struct json_object *array_or_object);
/* A string's bytes or a number's source text, as long as v lives; empty for other kinds. */
struct str json_text(const struct json_object *v);
int64_t json_i64(const struct json_object *v); /* 0 unless JSON_INT */
bool json_true(const struct json_object *v);   /* of a bool; false for other kinds */
/* Visits members in order; stops when fn returns false. */
void json_each(const struct json_object *o,
               bool (*fn)(void *ctx, const char *key, struct json_object *v), void *ctx);

/* Where and why a document is refused. */
struct json_fault {
    char path[160]; /* "messages[2].content" */
    char reason[96];
    size_t at; /* byte offset */
};
enum { JSON_OK = 0, JSON_E_FAULT = 1 };
/* The tree of text, which json/scan has checked first with duplicate keys refused in every object.
 * Numbers keep their text. Surrogates without their other half become U+FFFD. */
int json_parse(struct str text, struct json_object **ret, struct json_fault *fault) _must_use_;
/* The same of what others send, where only an object is of use: the arena lets it go. *ret is NULL where it is none,
 * which is an outcome of 0, too. */
int json_parse_object(struct arena *a, struct str text, struct json_object **ret) _must_use_;
/* Compact; slashes are not escaped, numbers are printed as they were read. 0 or -EMSGSIZE, -ENOMEM
 * of the buf. */
int json_print(const struct json_object *v, struct buf *out) _must_use_;
