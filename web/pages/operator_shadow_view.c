/* operator_shadow_view.c: see operator_shadow_view.h. */
#include "web/pages/operator_shadow_view.h"

#include "web/links.h"
#include "web/view.h"

static struct json_object *add_row(struct json_object *rows, const char *label)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "label", label);
    json_push(rows, o);
    return o;
}

/* The two columns of a row. */
static const char *const columns[SHADOW_SIDES] = {[SHADOW_ORIGINAL] = "original", [SHADOW_SHADOW] = "shadow"};

static void add_times(struct json_object *rows, const char *label, const int64_t us[SHADOW_SIDES])
{
    struct json_object *o = add_row(rows, label);

    for (size_t i = 0; i < SHADOW_SIDES; i++)
        view_duration(o, columns[i], us[i]);
}

static void add_text(struct json_object *rows, const char *label, struct str original, struct str shadow)
{
    struct json_object *o = add_row(rows, label);

    json_set_str(o, columns[SHADOW_ORIGINAL], original.n ? original : STR("–"));
    json_set_str(o, columns[SHADOW_SHADOW], shadow.n ? shadow : STR("–"));
}

static struct str each(struct web *w, int64_t sum, int64_t calls)
{
    return calls ? view_count_text(w->arena, (sum + calls / 2) / calls) : STR_NONE;
}

static struct str money_each(struct web *w, struct money sum, int64_t calls)
{
    return calls ? view_money_text(w->arena, (struct money){sum.nano / calls}, VIEW_CALL) : STR_NONE;
}

void shadow_comparison_view(struct web *w, const struct shadow_comparison *c, struct json_object *view)
{
    const struct shadow_side *a = &c->side[SHADOW_ORIGINAL], *b = &c->side[SHADOW_SHADOW];
    struct json_object *rows = json_new_array(), *o;

    json_set(view, "figures", rows);
    add_text(rows, "Calls", view_count_text(w->arena, a->calls), view_count_text(w->arena, b->calls));
    o = add_row(rows, "Ended well");
    view_percent(o, "original", a->ok, a->calls);
    view_percent(o, "shadow", b->ok, b->calls);
    add_times(rows, "First byte, p50", (int64_t[]){a->ttfb_us[0], b->ttfb_us[0]});
    add_times(rows, "First byte, p95", (int64_t[]){a->ttfb_us[1], b->ttfb_us[1]});
    add_times(rows, "Whole answer, p50", (int64_t[]){a->latency_us[0], b->latency_us[0]});
    add_times(rows, "Whole answer, p95", (int64_t[]){a->latency_us[1], b->latency_us[1]});
    add_text(rows, "Input tokens a call", each(w, a->prompt_tokens, a->calls), each(w, b->prompt_tokens, b->calls));
    add_text(rows, "Output tokens a call", each(w, a->output_tokens, a->calls), each(w, b->output_tokens, b->calls));
    add_text(rows, "Cost a call", money_each(w, a->cost, a->calls), money_each(w, b->cost, b->calls));
    add_text(rows, "Cost in all", view_money_text(w->arena, a->cost, VIEW_CALL),
             view_money_text(w->arena, b->cost, VIEW_CALL));
    view_percent(view, "same", c->same, c->told);
    json_set_str(view, "told", view_plural(w->arena, c->told, "pair", NULL));
    json_set_bool(view, "any_told", c->told > 0);
}

void shadow_words_view(struct web *w, const struct shadow_word *words, size_t n, struct json_object *view)
{
    struct json_object *ends = json_new_array(), *errors = json_new_array();
    bool any_error = false;

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "label", words[i].word.n ? words[i].word : STR("not told"));
        view_count(o, "original", words[i].n[SHADOW_ORIGINAL]);
        view_count(o, "shadow", words[i].n[SHADOW_SHADOW]);
        json_push(words[i].is_error ? errors : ends, o);
        any_error |= words[i].is_error;
    }
    json_set(view, "ends", ends);
    json_set(view, "errors", errors);
    json_set_bool(view, "any_error", any_error);
}

static void half_view(const struct shadow_half *h, const char *key, struct json_object *pair)
{
    struct json_object *o = json_new_object();

    json_set(pair, key, o);
    view_outcome(o, "state", h->outcome, h->status);
    view_duration(o, "first_byte", h->ttfb_us);
    view_duration(o, "whole", h->latency_us);
    view_count(o, "output", h->output_tokens);
}

void shadow_pairs_view(struct web *w, struct model_id model, const struct shadow_pair *pairs, size_t n,
                       struct json_object *view)
{
    struct json_object *rows = json_new_array();

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_new_object();
        char id[CALL_ID_TEXT];

        call_id_text(pairs[i].half[SHADOW_SHADOW].id, id);
        json_set_str(o, "link",
                     link_model(w->arena, model, arena_cstr(w->arena, arena_strf(w->arena, "shadow/%s", id))));
        json_set_str(o, "team_name", pairs[i].team_name);
        view_time(o, "posted", pairs[i].posted_us, w->zone, w->now_us);
        for (size_t side = 0; side < SHADOW_SIDES; side++)
            half_view(&pairs[i].half[side], columns[side], o);
        json_push(rows, o);
    }
    json_set(view, "pairs", rows);
}

void shadow_pair_view(struct web *w, const struct shadow_pair *pair, struct json_object *view)
{
    const struct shadow_half *a = &pair->half[SHADOW_ORIGINAL], *b = &pair->half[SHADOW_SHADOW];
    struct json_object *rows = json_new_array();
    char ids[SHADOW_SIDES][CALL_ID_TEXT];

    call_id_text(a->id, ids[SHADOW_ORIGINAL]);
    call_id_text(b->id, ids[SHADOW_SHADOW]);
    json_set(view, "figures", rows);
    view_outcome(view, "original_state", a->outcome, a->status);
    view_outcome(view, "shadow_state", b->outcome, b->status);
    add_text(rows, "Model", a->model, b->model);
    add_text(rows, "Provider", a->provider, b->provider);
    add_text(rows, "Provider account", a->account, b->account);
    add_text(rows, "Tries", view_count_text(w->arena, a->attempts), view_count_text(w->arena, b->attempts));
    add_text(rows, "Error", a->error_code, b->error_code);
    add_text(rows, "What the provider said", a->error_text, b->error_text);
    add_text(rows, "Ended because of", a->finish_reason, b->finish_reason);
    add_times(rows, "First byte", (int64_t[]){a->ttfb_us, b->ttfb_us});
    add_times(rows, "Whole answer", (int64_t[]){a->latency_us, b->latency_us});
    add_text(rows, "Input tokens", view_count_text(w->arena, a->prompt_tokens),
             view_count_text(w->arena, b->prompt_tokens));
    add_text(rows, "Output tokens", view_count_text(w->arena, a->output_tokens),
             view_count_text(w->arena, b->output_tokens));
    add_text(rows, "of them reasoning", view_count_text(w->arena, a->reasoning_tokens),
             view_count_text(w->arena, b->reasoning_tokens));
    add_text(rows, "Cost, yours", view_money_text(w->arena, a->cost, VIEW_CALL),
             view_money_text(w->arena, b->cost, VIEW_CALL));
    add_text(rows, "Charged to the team", view_money_text(w->arena, pair->charge, VIEW_CALL), STR("never"));
    add_text(rows, "Request id", arena_str(w->arena, str_c(ids[SHADOW_ORIGINAL])),
             arena_str(w->arena, str_c(ids[SHADOW_SHADOW])));
    json_set_str(view, "call_link", link_operator_call(w->arena, a->id));
    json_set_str(view, "team_name", pair->team_name);
    json_set_str(view, "team_link", link_operator_team(w->arena, pair->team, NULL));
    json_set_str(view, "endpoint", pair->endpoint);
    json_set_bool(view, "stream", pair->stream);
    view_time(view, "posted", pair->posted_us, w->zone, w->now_us);
}
