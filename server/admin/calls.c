/* calls.c: /api/v1/calls and /api/v1/usage: the log and its sums. */
#include "admin/admin.h"

#include "base/clock.h"
#include "base/err.h"
#include "logs/search.h"
#include "logs/usage.h"
#include "videos/job.h"

#include <errno.h>

#define SET_UUID admin_set_call_id
#define SET_ID admin_set_id
#define SET_TIME admin_set_time
#define SET_I64 json_set_i64
#define SET_I32 json_set_i64
#define SET_BOOL json_set_bool
#define SET_MONEY json_set_money
#define SET_TEXT admin_set_text
#define SET_JSON set_json

/* The field's name without its unit suffix: amounts are decimal dollars in this API. */
static const char *api_name(const char *name, char out[64])
{
    struct str s = str_c(name);

    if (str_ends(s, STR("_nano")))
        s.n -= 5;
    assert(s.n < 64);
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return out;
}

static void set_json(struct json_object *o, const char *key, struct str text)
{
    struct json_object *v;
    struct json_fault fault;

    if (text.n && json_parse(text, &v, &fault) == JSON_OK)
        json_set(o, key, v);
    else
        json_set_null(o, key);
}

#define CALL_MEMBER(name, kind, bound, label)                                                      \
    if (for_operator || !RECORD_IS_OPERATORS(name))                                                \
        SET_##kind(o, api_name(#name, key), row->call.name);
#define ATTEMPT_MEMBER(name, kind, bound, label)                                                   \
    if (for_operator || !RECORD_IS_OPERATORS(name))                                                \
        SET_##kind(o, api_name(#name, key), t->name);

static struct json_object *attempt_json(const struct attempt_record *t, bool for_operator)
{
    struct json_object *o = json_new_object();
    char key[64];

    RECORD_ATTEMPT(ATTEMPT_MEMBER)
    return o;
}

static struct json_object *call_json(const struct log_row *row, bool for_operator)
{
    struct json_object *o = json_new_object();
    char key[64];

    json_set_cstr(o, "object", "call");
    RECORD_CALL(CALL_MEMBER)
    admin_set_time(o, "posted_at", row->posted_at_us);
    admin_set_id(o, "transfer_id", row->transfer_id);
    json_set_i64(o, "prompt_tokens", call_record_tokens(&row->call, USAGE_COVERS_PROMPT));
    json_set_i64(o, "completion_tokens", call_record_tokens(&row->call, USAGE_COVERS_OUTPUT));
    admin_set_text(o, "key_name", row->key_name);
    admin_set_text(o, "project_name", row->project_name);
    return o;
}

static int read_tri(struct admin *a, const char *name, enum log_tri *ret)
{
    struct str text = request_query(a->req, name);

    if (!text.p)
        return 0;
    if (!str_eq_c(text, "true") && !str_eq_c(text, "false"))
        return admin_problem(a, PROBLEM_BAD_FIELD, name, "true or false is wanted.");
    *ret = str_eq_c(text, "true") ? LOG_YES : LOG_NO;
    return 0;
}

/* "4xx" is a family, "404" exactly that. */
static int read_status(struct admin *a, int *ret)
{
    struct str text = request_query(a->req, "status");
    uint32_t v = 0;

    if (!text.p)
        return 0;
    if (text.n == 3 && str_ends(text, STR("xx")) && text.p[0] >= '1' && text.p[0] <= '5') {
        *ret = text.p[0] - '0';
        return 0;
    }
    if (str_u32(text, &v) || v < 100 || v > 599)
        return admin_problem(a, PROBLEM_BAD_FIELD, "status", "A status such as 404 or 4xx is wanted.");
    *ret = (int)v;
    return 0;
}

static int read_filter(struct admin *a, struct log_filter *f)
{
    static const char *const known[] = {"from", "to", "key_id", "project_id", "model", "provider",
                                        "outcome", "account", "status", "fallback", "served", "cost_above",
                                        "tag", "cache", "guardrail", "rule", "limit", "cursor"};
    int r = admin_query_known(a, known, ARRAY_LEN(known));

    *f = (struct log_filter){.team = a->team, .cost_above = {-1}};
    f->model = request_query(a->req, "model");
    f->provider = request_query(a->req, "provider");
    f->outcome = request_query(a->req, "outcome");
    f->account = request_query(a->req, "account");
    f->tag = request_query(a->req, "tag");
    f->cache = request_query(a->req, "cache");
    f->guardrail = request_query(a->req, "guardrail");
    f->rule = request_query(a->req, "rule");
    if (!r)
        r = admin_query_time(a, "from", &f->from_us);
    if (!r)
        r = admin_query_time(a, "to", &f->to_us);
    if (!r)
        r = admin_query_i64(a, "key_id", &f->key.v);
    if (!r)
        r = admin_query_i64(a, "project_id", &f->project.v);
    if (!r)
        r = read_status(a, &f->status);
    if (!r)
        r = read_tri(a, "fallback", &f->fallback);
    if (!r)
        r = read_tri(a, "served", &f->served);
    if (!r)
        r = admin_query_money(a, "cost_above", &f->cost_above);
    return r;
}

static void set_pager(struct json_object *list, const struct log_page *page)
{
    char text[LOG_CURSOR_TEXT];

    json_set_bool(list, "has_more", page->older);
    admin_set_time(list, "searched_back_to", page->searched_us);
    json_set_null(list, "next_cursor");
    if (page->older) {
        log_cursor_text(page->before, text);
        json_set_cstr(list, "next_cursor", text);
    }
}

int admin_calls_list(struct admin *a)
{
    struct log_filter filter;
    struct log_page page;
    struct log_cursor cursor = {0};
    struct str cursor_text = request_query(a->req, "cursor");
    struct json_object *array, *list;
    int64_t limit = LOG_PAGE_ROWS;
    int r = a->is_operator ? 0 : admin_need(a, ROLE_VIEWER);

    if (!r)
        r = read_filter(a, &filter);
    if (!r)
        r = admin_query_i64(a, "limit", &limit);
    if (!r && (limit < 1 || limit > 200))
        r = admin_problem(a, PROBLEM_BAD_FIELD, "limit", "1 to 200 is wanted.");
    if (!r && cursor_text.p && !log_cursor_parse(cursor_text, &cursor))
        r = admin_problem(a, PROBLEM_BAD_FIELD, "cursor", "A next_cursor of an earlier page is wanted.");
    filter.budget_us = LOG_BUDGET_US - LOG_REST_US;
    if (!r)
        r = log_search(a->db, a->arena, &filter, cursor, false, (size_t)limit, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, call_json(&page.rows[i], a->is_operator));
    list = admin_list(array);
    set_pager(list, &page);
    return admin_reply(a, 200, list);
}

/* The job that the call made; null: it made none. */
static int set_video(struct admin *a, const struct log_row *row, struct json_object *o)
{
    struct video_job j;
    struct json_object *v;
    char name[VIDEO_NAME_TEXT];
    int r = video_job_of_call(a->db, a->arena, (struct team_id){row->call.team_id}, row->call.call_id, &j);

    json_set_null(o, "video");
    if (r != VIDEO_JOB_OK)
        return r == VIDEO_JOB_E_NONE ? 0 : r;
    v = json_new_object();
    video_name(j.call, name);
    json_set_cstr(v, "id", name);
    json_set_cstr(v, "status", video_state_name(j.state));
    json_set_i64(v, "seconds", j.seconds);
    admin_set_text(v, "size", j.size);
    admin_set_time(v, "ended_at", j.ended_us);
    admin_set_time(v, "expires_at", j.expires_us);
    admin_set_text(v, "error_code", j.error_code);
    admin_set_text(v, "error_message", j.error_message);
    json_set_money(v, "returned", j.returned);
    admin_set_time(v, "returned_at", j.returned_us);
    admin_set_id(v, "returned_transfer_id", j.returned_transfer);
    json_set(o, "video", v);
    return 0;
}

int admin_calls_get(struct admin *a)
{
    struct log_row row;
    struct call_id id;
    struct json_object *o, *attempts;
    int r = a->is_operator ? 0 : admin_need(a, ROLE_VIEWER);

    if (r)
        return r;
    if (!call_id_parse(a->req->params[0], &id))
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    r = log_get(a->db, a->arena, a->team, id, &row);
    if (r == LOG_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    if (r)
        return r;
    o = call_json(&row, a->is_operator);
    attempts = json_new_array();
    for (int32_t i = 0; i < row.call.attempts; i++)
        json_push(attempts, attempt_json(&row.call.attempt[i], a->is_operator));
    json_set(o, "attempts", attempts);
    r = set_video(a, &row, o);
    if (r) {
        json_unref(o);
        return r;
    }
    return admin_reply(a, 200, o);
}

/* The disjoint classes by their columns, and the two sums that a provider tells. */
static void set_usage(struct json_object *o, const struct usage *u)
{
    for (enum usage_unit i = 0; i < USAGE_UNITS; i++)
        json_set_i64(o, usage_unit_info(i)->column, u->n[i]);
    json_set_i64(o, "prompt_tokens", usage_sum(u, USAGE_COVERS_PROMPT));
    json_set_i64(o, "completion_tokens", usage_sum(u, USAGE_COVERS_OUTPUT));
}

static struct json_object *usage_json(const struct usage_row *u, const char *label)
{
    struct json_object *o = json_new_object();

    json_set_str(o, label, u->label);
    admin_set_id(o, "id", u->id);
    json_set_i64(o, "calls", u->calls);
    json_set_i64(o, "blocked", u->blocked);
    json_set_i64(o, "errors", u->errors);
    json_set_i64(o, "fallbacks", u->fallbacks);
    set_usage(o, &u->used);
    json_set_money(o, "charge", u->charge);
    json_set_i64(o, "cache_hits", u->cache_hits);
    json_set_money(o, "saved", u->saved);
    return o;
}

static int read_day(struct admin *a, const char *name, struct str *ret)
{
    struct str text = request_query(a->req, name);
    int64_t us;

    if (!text.p)
        return 0;
    if (text.n != 10 || !clock_parse_rfc3339(text, &us))
        return admin_problem(a, PROBLEM_BAD_FIELD, name, "A day such as 2026-11-21 is wanted.");
    *ret = text;
    return 0;
}

static int usage_answer(struct admin *a, struct usage_table *table, const char *label)
{
    struct json_object *array = json_new_array(), *list;

    for (size_t i = 0; i < table->n; i++)
        json_push(array, usage_json(&table->rows[i], label));
    list = admin_list(array);
    json_set_bool(list, "has_more", table->n_others > 0);
    json_set_null(list, "others");
    table->others.label = STR("others");
    if (table->n_others > 0)
        json_set(list, "others", usage_json(&table->others, label));
    table->total.label = STR("total");
    json_set(list, "total", usage_json(&table->total, label));
    return admin_reply(a, 200, list);
}

int admin_usage(struct admin *a)
{
    static const char *const known[] = {"by", "from", "to", "key_id", "project_id", "model", "tag"};
    static const char *const words[] = {"day", "model", "key", "project", "provider", "tag"};
    struct usage_query query = {.team = a->team};
    struct usage_table table;
    struct str by = request_query(a->req, "by");
    unsigned which = 0;
    int r = admin_need(a, ROLE_VIEWER);

    while (by.p && which < ARRAY_LEN(words) && !str_eq_c(by, words[which]))
        which++;
    if (!r)
        r = admin_query_known(a, known, ARRAY_LEN(known));
    if (!r && which == ARRAY_LEN(words))
        r = admin_problem(a, PROBLEM_BAD_FIELD, "by",
                          "One of day, model, key, project, provider, tag is wanted.");
    if (!r)
        r = read_day(a, "from", &query.from_day);
    if (!r)
        r = read_day(a, "to", &query.to_day);
    if (!r)
        r = admin_query_i64(a, "key_id", &query.key.v);
    if (!r)
        r = admin_query_i64(a, "project_id", &query.project.v);
    query.model = request_query(a->req, "model");
    query.tag = request_query(a->req, "tag");
    if (!r)
        r = usage_table(a->db, a->arena, (enum usage_by)which, &query, &table);
    if (r == USAGE_TABLE_E_MANY)
        return admin_problem(a, PROBLEM_BAD_FIELD, "from",
                             "These days have more calls than are summed by tag: fewer are wanted.");
    return r ? r : usage_answer(a, &table, words[which]);
}
