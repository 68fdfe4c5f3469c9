/* form.c: see form.h. */
#include "web/form.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "web/zone.h"

static void drop_options(void *arg)
{
    struct form *f = arg;

    for (size_t i = 0; i < f->n; i++)
        json_unref(steal(&f->v[i].options));
}

int form_init(struct form *f, struct arena *a, const struct form_field *fields, size_t n)
{
    struct form *owner = arena_new0(a, struct form);

    assert(n <= FORM_FIELDS);
    *f = (struct form){.arena = a, .fields = fields, .n = n};
    if (!owner)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        f->v[i].text = STR("");
        if (fields[i].kind == FORM_CHOICE || fields[i].kind == FORM_MANY)
            f->v[i].options = json_new_array();
    }
    *owner = *f; /* f itself may be on a stack that is gone when the arena ends */
    return arena_defer(a, drop_options, owner);
}

/* --- reading --- */

static size_t characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

static bool has_control(struct str s, bool lines)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == 0x7f || (c < 0x20 && !(lines && (c == '\n' || c == '\r' || c == '\t'))))
            return true;
    }
    return false;
}

static const char *say(struct form *f, const char *fmt, int64_t n)
{
    struct str count = arena_strf(f->arena, "%" PRId64, n);
    struct buf text;
    struct str copy;
    const char *hole = strstr(fmt, "{}");

    buf_init(&text, 256);
    buf_put(&text, fmt, (size_t)(hole - fmt));
    buf_put_str(&text, count);
    buf_puts(&text, hole + 2);
    copy = arena_str(f->arena, buf_str(&text));
    buf_done(&text);
    return copy.p;
}

static const char *check_text(struct form *f, const struct form_field *field, struct form_value *v)
{
    size_t n = characters(v->text);

    if (has_control(v->text, field->kind == FORM_LINES))
        return "This has characters that cannot be shown.";
    if (field->max && n > (size_t)field->max)
        return say(f, "At most {} characters.", field->max);
    if (n < (size_t)field->min)
        return say(f, "At least {} characters.", field->min);
    if (field->kind == FORM_EMAIL && str_find(v->text, '@') <= 0)
        return "This is not an e-mail address.";
    return NULL;
}

static const char *check_integer(struct form *f, const struct form_field *field,
                                 struct form_value *v)
{
    if (str_i64(v->text, &v->number) != STR_OK)
        return "A whole number, such as 60.";
    if (v->number < field->min)
        return say(f, "At least {}.", field->min);
    if (field->max && v->number > field->max)
        return say(f, "At most {}.", field->max);
    return NULL;
}

/* "$1,000.50" is "1000.50". */
static struct str plain_amount(struct arena *a, struct str text)
{
    char *plain = arena_alloc(a, text.n + 1);
    size_t n = 0;

    if (!plain)
        return STR("");
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ',' && !(i == 0 && text.p[i] == '$'))
            plain[n++] = text.p[i];
    return str_n(plain, n);
}

static const char *check_money(struct form *f, const struct form_field *field,
                               struct form_value *v)
{
    int r = money_parse(plain_amount(f->arena, v->text), &v->money);

    if (r == MONEY_E_DIGITS)
        return "At most nine decimals.";
    if (r != MONEY_OK)
        return "An amount in dollars, such as 25 or 12.50.";
    if (v->money.nano < field->min && field->min % 1000000000)
        return field->min > 0 && v->money.nano <= 0 ? "The amount has to be above zero."
                                                    : "The amount is too small.";
    if (v->money.nano < field->min)
        return say(f, "At least ${}.", field->min / 1000000000);
    if (field->max && v->money.nano > field->max)
        return say(f, "At most ${}.", field->max / 1000000000);
    return NULL;
}

static bool is_option(const struct form_value *v, struct str value)
{
    for (size_t i = 0; i < json_length(v->options); i++)
        if (str_eq(json_text(json_get(json_at(v->options, i), "value")), value))
            return true;
    return false;
}

static const char *check_many(const struct form_field *field, const struct form_value *v)
{
    if (field->required && !v->n_many)
        return "Choose at least one.";
    for (size_t i = 0; i < v->n_many; i++)
        if (!is_option(v, v->many[i]))
            return "Choose from the list.";
    return NULL;
}

static const char *check(struct form *f, const struct form_field *field, struct form_value *v)
{
    struct civil day;

    if (field->kind == FORM_MANY)
        return check_many(field, v);
    if (field->kind == FORM_SWITCH)
        return NULL;
    if (!v->text.n && field->kind != FORM_CHOICE)
        return field->required ? "This is needed." : NULL;
    switch (field->kind) {
    case FORM_INTEGER:
        return check_integer(f, field, v);
    case FORM_MONEY:
        return check_money(f, field, v);
    case FORM_DAY:
        return civil_parse_day(v->text, &day) ? NULL : "A day, such as 2026-11-21.";
    case FORM_CHOICE:
        return is_option(v, v->text) ? NULL : "Choose from the list.";
    case FORM_TEXT:
    case FORM_EMAIL:
    case FORM_PASSWORD:
    case FORM_LINES:
    case FORM_MANY:
    case FORM_SWITCH:
        break;
    }
    return check_text(f, field, v);
}

/* Browsers send CR LF between the lines of a text area, whatever stood there (HTML 4.01, 17.13.4): what is only
 * sent back stays as it is stored. */
static struct str with_line_feeds(struct arena *a, struct str text)
{
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0;

    for (size_t i = 0; out && i < text.n; i++)
        if (text.p[i] != '\r' || i + 1 == text.n || text.p[i + 1] != '\n')
            out[n++] = text.p[i];
    return out ? str_n(out, n) : STR_NONE;
}

int form_read(struct form *f, const struct pairs *submitted)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct form_field *field = &f->fields[i];
        struct form_value *v = &f->v[i];
        struct str text = pairs_get(submitted, field->name);
        int r = 0;

        v->on = text.p != NULL;
        v->text = !text.p ? STR("") : field->kind == FORM_PASSWORD ? text : str_trim(text);
        if (field->kind == FORM_LINES)
            v->text = with_line_feeds(f->arena, v->text);
        if (!v->text.p)
            r = err_origin(-ENOMEM);
        else if (field->kind == FORM_MANY)
            r = pairs_all(f->arena, submitted, field->name, &v->many, &v->n_many);
        if (r < 0)
            return err_trace(r);
        v->fault = check(f, field, v);
        f->wrong |= v->fault != NULL;
    }
    return 0;
}

/* --- filling --- */

void form_set(struct form *f, size_t field, struct str text)
{
    assert(field < f->n);
    f->v[field].text = text.p ? text : STR("");
}

void form_set_i64(struct form *f, size_t field, int64_t v)
{
    form_set(f, field, v ? arena_strf(f->arena, "%" PRId64, v) : STR(""));
}

void form_set_money(struct form *f, size_t field, struct money m)
{
    struct buf text;

    buf_init(&text, 40);
    money_put(&text, m, 2);
    form_set(f, field, arena_str(f->arena, buf_str(&text)));
    buf_done(&text);
}

void form_set_on(struct form *f, size_t field, bool on)
{
    assert(field < f->n);
    f->v[field].on = on;
}

int form_set_many(struct form *f, size_t field, const struct str *v, size_t n)
{
    struct str *copy = arena_array(f->arena, struct str, n + 1);

    assert(field < f->n);
    if (!copy)
        return err_origin(-ENOMEM);
    if (n)
        memcpy(copy, v, n * sizeof(*v));
    f->v[field].many = copy;
    f->v[field].n_many = n;
    return 0;
}

void form_set_lines(struct form *f, size_t field, const struct str *v, size_t n)
{
    struct buf out;

    buf_init(&out, KIB(64));
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s%.*s", i ? "\n" : "", STR_FMT(v[i]));
    form_set(f, field, arena_str(f->arena, buf_str(&out)));
    buf_done(&out);
}

int form_lines(const struct form *f, size_t field, const struct str **ret, size_t *ret_n)
{
    struct str text = f->v[field].text, line, *v;
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    v = arena_array(f->arena, struct str, n);
    if (!v)
        return err_origin(-ENOMEM);
    n = 0;
    while (text.n && str_split(&text, '\n', &line)) {
        line = str_trim(line);
        if (line.n)
            v[n++] = line;
    }
    *ret = v;
    *ret_n = n;
    return 0;
}

void form_option(struct form *f, size_t field, struct str value, struct str label)
{
    struct json_object *option = json_new_object();

    assert(field < f->n);
    json_set_str(option, "value", value);
    json_set_str(option, "label", label);
    json_push(f->v[field].options, option);
}

void form_fault_at(struct form *f, size_t field, const char *sentence)
{
    assert(field < f->n);
    f->v[field].fault = sentence;
    f->wrong = true;
}

void form_fault(struct form *f, const struct identity_fault *fault)
{
    f->wrong = true;
    for (size_t i = 0; i < f->n; i++)
        if (fault->field && strcmp(f->fields[i].name, fault->field) == 0) {
            f->v[i].fault = fault->sentence;
            return;
        }
    f->fault = fault->sentence;
}

/* --- showing --- */

static bool chosen(const struct form_field *field, const struct form_value *v, struct str value)
{
    if (field->kind == FORM_CHOICE)
        return str_eq(v->text, value);
    for (size_t i = 0; i < v->n_many; i++)
        if (str_eq(v->many[i], value))
            return true;
    return false;
}

static struct json_object *options_view(const struct form_field *field, const struct form_value *v)
{
    struct json_object *options = json_new_array();

    for (size_t i = 0; i < json_length(v->options); i++) {
        const struct json_object *from = json_at(v->options, i);
        struct str value = json_text(json_get(from, "value"));
        struct json_object *to = json_new_object();

        json_set_str(to, "value", value);
        json_set_str(to, "label", json_text(json_get(from, "label")));
        json_set_bool(to, "chosen", chosen(field, v, value));
        json_set_cstr(to, "name", field->name);
        json_push(options, to);
    }
    return options;
}

static const char *input_type(enum form_kind kind)
{
    static const char *const types[] = {
        [FORM_TEXT] = "text",    [FORM_EMAIL] = "email", [FORM_PASSWORD] = "password",
        [FORM_INTEGER] = "text", [FORM_MONEY] = "text",  [FORM_DAY] = "date",
        [FORM_LINES] = NULL,
    };

    return (size_t)kind < ARRAY_LEN(types) ? types[kind] : NULL;
}

static const char *input_mode(enum form_kind kind)
{
    return kind == FORM_INTEGER ? "numeric" : kind == FORM_MONEY ? "decimal" : NULL;
}

/* Where several forms stand on a page, the forms' names tell their fields apart. */
static struct str field_id(const struct form *f, const char *key, const char *name)
{
    return strcmp(key, "form") == 0 ? str_c(name) : arena_strf(f->arena, "%s-%s", key, name);
}

static struct json_object *field_view(const struct form_field *field, const struct form_value *v,
                                      struct str id)
{
    struct json_object *o = json_new_object();
    const char *type = input_type(field->kind);
    bool limited = type && field->max && (field->kind == FORM_TEXT || field->kind == FORM_EMAIL);

    json_set_str(o, "id", id);
    json_set_cstr(o, "name", field->name);
    json_set_cstr(o, "label", field->label);
    json_set_cstr(o, "type", type);
    json_set_cstr(o, "mode", input_mode(field->kind));
    json_set_bool(o, "is_select", field->kind == FORM_CHOICE);
    json_set_bool(o, "is_many", field->kind == FORM_MANY);
    json_set_bool(o, "is_switch", field->kind == FORM_SWITCH);
    json_set_bool(o, "is_lines", field->kind == FORM_LINES);
    json_set_bool(o, "is_money", field->kind == FORM_MONEY);
    json_set_bool(o, "required", field->required);
    json_set_cstr(o, "help", field->help);
    json_set_cstr(o, "placeholder", field->placeholder);
    json_set_cstr(o, "list", field->list);
    json_set_cstr(o, "autocomplete", field->autocomplete);
    json_set_str(o, "value", field->kind == FORM_PASSWORD ? STR("") : v->text);
    if (limited)
        json_set_i64(o, "max_length", field->max);
    else
        json_set_null(o, "max_length");
    json_set_bool(o, "on", v->on);
    json_set_cstr(o, "fault", v->fault);
    json_set_bool(o, "any_options", json_length(v->options) > 0);
    json_set(o, "options", options_view(field, v));
    return o;
}

void form_view(const struct form *f, struct json_object *view, const char *key)
{
    struct json_object *o = json_new_object();

    for (size_t i = 0; i < f->n; i++)
        json_set(o, f->fields[i].name,
                 field_view(&f->fields[i], &f->v[i], field_id(f, key, f->fields[i].name)));
    json_set_cstr(o, "fault", f->fault);
    json_set_bool(o, "wrong", f->wrong);
    json_set(view, key, o);
}
