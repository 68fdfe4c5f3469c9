/* plan.c: see plan.h. What is common to all kinds of request; chat is planned in plan_chat.c. */
#include "demo/plan.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "json/scan.h"
#include "json/write.h"

static int fault_set(struct plan_fault *fault, int status, const char *code, struct str message,
                     struct str param)
{
    *fault = (struct plan_fault){status, code, message, param};
    return PLAN_E_FAULT;
}

static void unref(void *tree)
{
    json_unref(tree);
}

int plan_parse(struct request *r, struct json_object **ret, struct plan_fault *fault)
{
    struct json_object *tree;
    struct json_fault json;
    int outcome = json_check(r->body, &json);

    if (outcome == JSON_OK)
        outcome = json_parse(r->body, &tree, &json);
    if (outcome != JSON_OK)
        return fault_set(fault, 400, "invalid_json",
                         arena_strf(r->arena, "The body is not valid JSON: %s at %s.", json.reason,
                                    json.path[0] ? json.path : "the top"),
                         STR_NONE);
    outcome = arena_defer(r->arena, unref, tree);
    if (outcome < 0) {
        json_unref(tree);
        return err_trace(outcome);
    }
    if (json_kind(tree) != JSON_OBJECT)
        return fault_set(fault, 400, "invalid_json", STR("The body must be an object."), STR_NONE);
    *ret = tree;
    return PLAN_OK;
}

static bool is_model(struct str name, bool embedding)
{
    if (embedding)
        return str_eq_c(name, "demo-embedding");
    return str_eq_c(name, "demo-small") || str_eq_c(name, "demo-large");
}

/* Switches of the header and of metadata; those of the model's name were read before. */
static bool read_switches(struct request *r, const struct json_object *body, struct switches *s)
{
    const struct json_object *metadata = json_get(body, "metadata");
    const struct json_object *words = NULL;
    struct str header = request_header(r, "x-demo");

    if (json_kind(metadata) == JSON_OBJECT)
        words = json_get(metadata, "demo");
    if (header.p && !switches_add_all(s, header, ','))
        return false;
    return !words || switches_add_all(s, json_text(words), ',');
}

int plan_model(struct request *r, const struct json_object *body, bool embedding,
               struct str *ret_model, struct switches *ret_switches, struct plan_fault *fault)
{
    struct switches switches = {0};
    struct str rest, name = STR_NONE;

    if (json_kind(json_get(body, "model")) != JSON_STRING)
        return fault_set(fault, 400, "missing_required_parameter",
                         STR("You must provide a model parameter."), STR("model"));
    rest = json_text(json_get(body, "model"));
    (void)str_split(&rest, '+', &name);
    if (!is_model(name, embedding) || (rest.p && !switches_add_all(&switches, rest, '+')))
        return fault_set(fault, 404, "model_not_found",
                         STR("The demo upstream has no such model here, or no such switch."),
                         STR("model"));
    if (!read_switches(r, body, &switches))
        return fault_set(fault, 400, "invalid_value", STR("There is no such switch."),
                         STR("x-demo"));
    *ret_model = name;
    *ret_switches = switches;
    return PLAN_OK;
}

struct plan_fault demo_ordered_fault(int status)
{
    struct plan_fault fault = {status, "server_error", STR("The demo failed, as ordered."),
                               STR_NONE};

    if (status == 401) {
        fault.code = "invalid_api_key";
        fault.message = STR("Incorrect API key provided, as ordered.");
    } else if (status == 404) {
        fault.code = "model_not_found";
        fault.message = STR("The model does not exist, as ordered.");
    } else if (status == 429) {
        fault.code = "rate_limit_exceeded";
        fault.message = STR("Rate limit reached, as ordered. Try again in 1 s.");
    } else if (status < 500) {
        fault.code = "invalid_request_error";
    }
    return fault;
}

static const char *type_of(int status)
{
    if (status == 429)
        return "rate_limit_error";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

void demo_fail(struct request *r, const struct plan_fault *fault)
{
    struct response answer = {.status = fault->status, .content_type = "application/json"};
    struct json_writer w;
    struct buf out;

    buf_init(&out, BOUND_ADMIN_BODY_BYTES);
    json_begin(&w, &out);
    json_open_object(&w);
    json_key(&w, "error");
    json_open_object(&w);
    json_key(&w, "message");
    json_str(&w, fault->message);
    json_key(&w, "type");
    json_cstr(&w, type_of(fault->status));
    json_key(&w, "param");
    if (fault->param.p)
        json_str(&w, fault->param);
    else
        json_null(&w);
    json_key(&w, "code");
    json_cstr(&w, fault->code);
    json_close_object(&w);
    json_close_object(&w);
    answer.body = arena_str(r->arena, buf_str(&out));
    buf_done(&out);
    if (fault->status == 429 || fault->status == 503)
        response_header(&answer, "retry-after", STR("1"));
    request_reply(r, &answer);
}
