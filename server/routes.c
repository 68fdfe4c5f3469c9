/* routes.c: everything this server answers. No logic. */
#include "routes.h"

#include "admin/accounts.h"
#include "admin/admin.h"
#include "admin/alerts.h"
#include "admin/guardrails.h"
#include "admin/routes.h"
#include "admin/rules.h"
#include "base/bounds.h"
#include "gateway/count.h"
#include "gateway/endpoint.h"
#include "gateway/gateway.h"
#include "serve.h"
#include "web/pages.h"
#include "webhook.h"

#define ON_LOOP(m, path, auth, body, format, fn)                                                   \
    {                                                                                              \
        HTTP_##m, path, auth, body, RUNS_ON_LOOP, format, .on_loop = fn                            \
    }
/* Tokens of a prompt, without a call. */
#define COUNT(path, format, endpoint)                                                              \
    {                                                                                              \
        HTTP_POST, path, AUTH_KEY, BOUND_LLM_BODY_BYTES, RUNS_ON_LOOP, format,                     \
            .on_loop = gateway_count, .what = &(endpoint)                                          \
    }
/* A call: the row says by its endpoint which formats and models it serves. */
#define CALL(path, body, format, endpoint)                                                         \
    {                                                                                              \
        HTTP_POST, path, AUTH_KEY, body, RUNS_ON_LOOP, format, .on_loop = gateway_call,            \
            .what = &(endpoint)                                                                    \
    }
/* The model API, under the path SDKs are used to and under OpenRouter's. */
#define MODEL_API(m, path, fn)                                                                     \
    ON_LOOP(m, path, AUTH_KEY, BOUND_ADMIN_BODY_BYTES, PROBLEM_AS_OPENAI, fn),                     \
        ON_LOOP(m, "/api" path, AUTH_KEY, BOUND_ADMIN_BODY_BYTES, PROBLEM_AS_OPENAI, fn)
#define MODEL_CALL(path, endpoint)                                                                 \
    CALL(path, BOUND_LLM_BODY_BYTES, PROBLEM_AS_OPENAI, endpoint),                                 \
        CALL("/api" path, BOUND_LLM_BODY_BYTES, PROBLEM_AS_OPENAI, endpoint)
/* With a file in its body. */
#define FILE_CALL(path, endpoint)                                                                  \
    CALL(path, BOUND_FILE_BODY_BYTES, PROBLEM_AS_OPENAI, endpoint),                                      \
        CALL("/api" path, BOUND_FILE_BODY_BYTES, PROBLEM_AS_OPENAI, endpoint)
/* Under the base URL as it is, and where somebody took one that ends in /v1 or /api. */
#define ANTHROPIC_CALL(path, endpoint)                                                             \
    CALL(path, BOUND_LLM_BODY_BYTES, PROBLEM_AS_ANTHROPIC, endpoint),                              \
        CALL("/v1" path, BOUND_LLM_BODY_BYTES, PROBLEM_AS_ANTHROPIC, endpoint),                    \
        CALL("/api" path, BOUND_LLM_BODY_BYTES, PROBLEM_AS_ANTHROPIC, endpoint)
#define GEMINI_API(path, fn)                                                                       \
    ON_LOOP(GET, "/v1beta/models" path, AUTH_KEY, 0, PROBLEM_AS_GEMINI, fn)
#define GEMINI_CALL(verb, endpoint)                                                                \
    CALL("/v1beta/models/{model}:" verb, BOUND_LLM_BODY_BYTES, PROBLEM_AS_GEMINI, endpoint),       \
        CALL("/v1beta/models/{vendor}/{model}:" verb, BOUND_LLM_BODY_BYTES, PROBLEM_AS_GEMINI,     \
             endpoint)
#define MANAGE(m, path, auth, fn)                                                                  \
    {                                                                                              \
        HTTP_##m, path, auth, BOUND_ADMIN_BODY_BYTES, RUNS_ON_PAGES, PROBLEM_AS_OPENAI,            \
            .manage = fn                                                                           \
    }
/* Waits for somebody else's server. */
#define MANAGE_TRY(m, path, auth, fn)                                                              \
    {                                                                                              \
        HTTP_##m, path, auth, BOUND_ADMIN_BODY_BYTES, RUNS_ON_WAITING, PROBLEM_AS_OPENAI,          \
            .manage = fn                                                                           \
    }
/* Draws a PDF. */
#define MANAGE_LONG(m, path, auth, fn)                                                             \
    {                                                                                              \
        HTTP_##m, path, auth, BOUND_ADMIN_BODY_BYTES, RUNS_ON_LONG, PROBLEM_AS_OPENAI,             \
            .manage = fn                                                                           \
    }
#define SHOW(path, auth, fn)                                                                       \
    {                                                                                              \
        HTTP_GET, path, auth, 0, RUNS_ON_PAGES, PROBLEM_AS_PAGE, .page = fn                        \
    }
#define SEND(path, auth, fn)                                                                       \
    {                                                                                              \
        HTTP_POST, path, auth, BOUND_FORM_BODY_BYTES, RUNS_ON_PAGES, PROBLEM_AS_PAGE, .page = fn   \
    }
/* Hashes a password. */
#define SECRET(path, auth, fn)                                                                     \
    {                                                                                              \
        HTTP_POST, path, auth, BOUND_FORM_BODY_BYTES, RUNS_ON_PASSWORDS, PROBLEM_AS_PAGE,          \
            .page = fn                                                                             \
    }
/* Waits for somebody else's server. */
#define TRY(path, auth, fn)                                                                        \
    {                                                                                              \
        HTTP_POST, path, auth, BOUND_FORM_BODY_BYTES, RUNS_ON_WAITING, PROBLEM_AS_PAGE, .page = fn \
    }
/* The same of a page that is visited. */
#define VISIT(path, auth, fn)                                                                      \
    {                                                                                              \
        HTTP_GET, path, auth, 0, RUNS_ON_WAITING, PROBLEM_AS_PAGE, .page = fn                      \
    }
/* Draws a PDF of what was sent. */
#define DRAW(path, auth, fn)                                                                       \
    {                                                                                              \
        HTTP_POST, path, auth, BOUND_FORM_BODY_BYTES, RUNS_ON_LONG, PROBLEM_AS_PAGE, .page = fn    \
    }
/* Streams an export, draws a PDF. */
#define LONG(path, auth, fn)                                                                       \
    {                                                                                              \
        HTTP_GET, path, auth, 0, RUNS_ON_LONG, PROBLEM_AS_PAGE, .page = fn                         \
    }

const struct route routes[] = {
    /* Models */
    MODEL_CALL("/v1/chat/completions", endpoint_chat),
    MODEL_CALL("/v1/responses", endpoint_responses),
    MODEL_CALL("/v1/embeddings", endpoint_embeddings),
    MODEL_API(GET, "/v1/responses/{id}", gateway_response),
    MODEL_API(DELETE, "/v1/responses/{id}", gateway_response_delete),
    MODEL_API(GET, "/v1/responses/{id}/input_items", gateway_response_items),
    MODEL_API(POST, "/v1/responses/{id}/cancel", gateway_response_cancel),
    MODEL_CALL("/v1/completions", endpoint_completions),
    MODEL_CALL("/v1/images/generations", endpoint_images),
    FILE_CALL("/v1/images/edits", endpoint_image_edits),
    MODEL_CALL("/v1/audio/speech", endpoint_speech),
    FILE_CALL("/v1/audio/transcriptions", endpoint_transcriptions),
    FILE_CALL("/v1/audio/translations", endpoint_translations),
    MODEL_CALL("/v1/moderations", endpoint_moderations),
    MODEL_CALL("/v1/rerank", endpoint_rerank),
    MODEL_CALL("/v2/rerank", endpoint_rerank_v2),
    MODEL_CALL("/v2/chat", endpoint_cohere_chat),
    MODEL_CALL("/v2/embed", endpoint_cohere_embed),
    FILE_CALL("/v1/ocr", endpoint_ocr),
    FILE_CALL("/v1/videos", endpoint_videos),
    MODEL_API(GET, "/v1/videos", gateway_videos),
    MODEL_API(GET, "/v1/videos/{id}", gateway_video),
    MODEL_API(DELETE, "/v1/videos/{id}", gateway_video_delete),
    MODEL_API(GET, "/v1/videos/{id}/content", gateway_video_content),
    MODEL_API(GET, "/v1/models", gateway_models),
    MODEL_API(GET, "/v1/models/{id}", gateway_model),
    MODEL_API(GET, "/v1/models/{vendor}/{id}", gateway_model),

    /* Models, for clients of Anthropic's API */
    ANTHROPIC_CALL("/v1/messages", endpoint_messages),
    COUNT("/v1/messages/count_tokens", PROBLEM_AS_ANTHROPIC, count_anthropic),
    COUNT("/v1/v1/messages/count_tokens", PROBLEM_AS_ANTHROPIC, count_anthropic),
    COUNT("/api/v1/messages/count_tokens", PROBLEM_AS_ANTHROPIC, count_anthropic),

    /* Models, for clients of Google's API; of rows that match, the first is meant */
    GEMINI_CALL("generateContent", endpoint_gemini),
    GEMINI_CALL("streamGenerateContent", endpoint_gemini_stream),
    COUNT("/v1beta/models/{model}:countTokens", PROBLEM_AS_GEMINI, count_gemini),
    COUNT("/v1beta/models/{vendor}/{model}:countTokens", PROBLEM_AS_GEMINI, count_gemini),
    GEMINI_CALL("embedContent", endpoint_gemini_embed),
    GEMINI_CALL("batchEmbedContents", endpoint_gemini_embed_batch),
    GEMINI_API("", gateway_gemini_models),
    GEMINI_API("/{model}", gateway_gemini_model),
    GEMINI_API("/{vendor}/{model}", gateway_gemini_model),

    /* Machines that look after this one */
    ON_LOOP(POST, "/webhooks/stripe", AUTH_NONE, WEBHOOK_BODY_BYTES, PROBLEM_AS_OPENAI, webhook_stripe),
    ON_LOOP(GET, "/livez", AUTH_NONE, 0, PROBLEM_AS_OPENAI, gateway_livez),
    ON_LOOP(GET, "/readyz", AUTH_NONE, 0, PROBLEM_AS_OPENAI, gateway_readyz),
    ON_LOOP(GET, "/metrics", AUTH_NONE, 0, PROBLEM_AS_OPENAI, gateway_metrics),

    /* The management API */
    MANAGE(GET, "/api/v1/openapi.json", AUTH_NONE, admin_openapi),
    MANAGE(GET, "/api/v1/pricing", AUTH_NONE, admin_pricing),
    MANAGE(GET, "/api/v1/key", AUTH_ANY_KEY, admin_own_key),
    MANAGE(GET, "/api/v1/credits", AUTH_ANY_KEY, admin_own_credits),
    MANAGE(GET, "/api/v1/generation", AUTH_ANY_KEY, admin_own_generation),
    MANAGE(GET, "/api/v1/keys", AUTH_MANAGE, admin_keys_list),
    MANAGE(POST, "/api/v1/keys", AUTH_MANAGE, admin_keys_mint),
    MANAGE(GET, "/api/v1/keys/{id}", AUTH_MANAGE, admin_keys_get),
    MANAGE(PATCH, "/api/v1/keys/{id}", AUTH_MANAGE, admin_keys_change),
    MANAGE(DELETE, "/api/v1/keys/{id}", AUTH_MANAGE, admin_keys_delete),
    MANAGE(POST, "/api/v1/keys/{id}/rotate", AUTH_MANAGE, admin_keys_rotate),
    MANAGE(GET, "/api/v1/teams", AUTH_MANAGE, admin_teams_list),
    MANAGE(POST, "/api/v1/teams", AUTH_MANAGE, admin_teams_create),
    MANAGE(GET, "/api/v1/teams/{id}", AUTH_MANAGE, admin_teams_get),
    MANAGE(PATCH, "/api/v1/teams/{id}", AUTH_MANAGE, admin_teams_change),
    MANAGE(DELETE, "/api/v1/teams/{id}/cache", AUTH_MANAGE, admin_teams_clear_cache),
    MANAGE(GET, "/api/v1/budgets", AUTH_MANAGE, admin_budgets_list),
    MANAGE(POST, "/api/v1/budgets", AUTH_MANAGE, admin_budgets_set),
    MANAGE(DELETE, "/api/v1/budgets/{id}", AUTH_MANAGE, admin_budgets_drop),
    MANAGE(GET, "/api/v1/guardrails", AUTH_MANAGE, admin_guardrails_list),
    MANAGE(POST, "/api/v1/guardrails", AUTH_MANAGE, admin_guardrails_add),
    MANAGE(PATCH, "/api/v1/guardrails/{id}", AUTH_MANAGE, admin_guardrails_change),
    MANAGE(DELETE, "/api/v1/guardrails/{id}", AUTH_MANAGE, admin_guardrails_drop),
    MANAGE(GET, "/api/v1/alerts", AUTH_MANAGE, admin_alerts_list),
    MANAGE(GET, "/api/v1/alerts/settings", AUTH_MANAGE, admin_alert_settings_get),
    MANAGE(PATCH, "/api/v1/alerts/settings", AUTH_MANAGE, admin_alert_settings_set),
    MANAGE(POST, "/api/v1/alerts/webhook", AUTH_MANAGE, admin_alert_webhook_set),
    MANAGE(DELETE, "/api/v1/alerts/webhook", AUTH_MANAGE, admin_alert_webhook_drop),
    MANAGE_TRY(POST, "/api/v1/alerts/webhook/test", AUTH_MANAGE, admin_alert_webhook_test),
    MANAGE(GET, "/api/v1/installation/alerts", AUTH_MANAGE, admin_installation_alerts_list),
    MANAGE(GET, "/api/v1/installation/alerts/settings", AUTH_MANAGE, admin_installation_alert_settings_get),
    MANAGE(PATCH, "/api/v1/installation/alerts/settings", AUTH_MANAGE, admin_installation_alert_settings_set),
    MANAGE(POST, "/api/v1/installation/alerts/webhook", AUTH_MANAGE, admin_installation_webhook_set),
    MANAGE(DELETE, "/api/v1/installation/alerts/webhook", AUTH_MANAGE, admin_installation_webhook_drop),
    MANAGE_TRY(POST, "/api/v1/installation/alerts/webhook/test", AUTH_MANAGE, admin_installation_webhook_test),
    MANAGE_TRY(POST, "/api/v1/installation/alerts/mail/test", AUTH_MANAGE, admin_installation_mail_test),
    MANAGE(GET, "/api/v1/installation/alerts/deliveries", AUTH_MANAGE, admin_installation_deliveries),
    MANAGE(GET, "/api/v1/accounts", AUTH_MANAGE, admin_accounts_list),
    MANAGE(POST, "/api/v1/accounts", AUTH_MANAGE, admin_accounts_add),
    MANAGE(GET, "/api/v1/accounts/{id}", AUTH_MANAGE, admin_accounts_get),
    MANAGE(PATCH, "/api/v1/accounts/{id}", AUTH_MANAGE, admin_accounts_change),
    MANAGE(DELETE, "/api/v1/accounts/{id}", AUTH_MANAGE, admin_accounts_delete),
    MANAGE(POST, "/api/v1/accounts/{id}/credential", AUTH_MANAGE, admin_accounts_set_credential),
    MANAGE(DELETE, "/api/v1/accounts/{id}/credential", AUTH_MANAGE, admin_accounts_drop_credential),
    MANAGE(POST, "/api/v1/accounts/{id}/adopt", AUTH_MANAGE, admin_accounts_adopt),
    MANAGE_TRY(POST, "/api/v1/accounts/{id}/test", AUTH_MANAGE, admin_accounts_test),
    MANAGE(GET, "/api/v1/own_accounts", AUTH_MANAGE, admin_own_accounts_list),
    MANAGE(POST, "/api/v1/own_accounts", AUTH_MANAGE, admin_own_accounts_add),
    MANAGE(GET, "/api/v1/own_accounts/{id}", AUTH_MANAGE, admin_own_accounts_get),
    MANAGE(PATCH, "/api/v1/own_accounts/{id}", AUTH_MANAGE, admin_own_accounts_change),
    MANAGE(DELETE, "/api/v1/own_accounts/{id}", AUTH_MANAGE, admin_own_accounts_delete),
    MANAGE(POST, "/api/v1/own_accounts/{id}/credential", AUTH_MANAGE, admin_own_accounts_set_credential),
    MANAGE_TRY(POST, "/api/v1/own_accounts/{id}/test", AUTH_MANAGE, admin_own_accounts_test),
    MANAGE(GET, "/api/v1/installation", AUTH_MANAGE, admin_installation_get),
    MANAGE(PATCH, "/api/v1/installation", AUTH_MANAGE, admin_installation_change),
    MANAGE(GET, "/api/v1/routes", AUTH_MANAGE, admin_routes_list),
    MANAGE(POST, "/api/v1/routes", AUTH_MANAGE, admin_routes_add),
    MANAGE(GET, "/api/v1/routes/{id}", AUTH_MANAGE, admin_routes_get),
    MANAGE(PATCH, "/api/v1/routes/{id}", AUTH_MANAGE, admin_routes_change),
    MANAGE(POST, "/api/v1/routes/{id}/targets", AUTH_MANAGE, admin_targets_add),
    MANAGE(PATCH, "/api/v1/targets/{id}", AUTH_MANAGE, admin_targets_change),
    MANAGE(DELETE, "/api/v1/targets/{id}", AUTH_MANAGE, admin_targets_delete),
    MANAGE(POST, "/api/v1/routes/{id}/rules", AUTH_MANAGE, admin_rules_add),
    MANAGE(POST, "/api/v1/routes/{id}/rules/try", AUTH_MANAGE, admin_rules_try),
    MANAGE(PATCH, "/api/v1/rules/{id}", AUTH_MANAGE, admin_rules_change),
    MANAGE(DELETE, "/api/v1/rules/{id}", AUTH_MANAGE, admin_rules_delete),
    MANAGE(GET, "/api/v1/routes/{id}/shadow", AUTH_MANAGE, admin_shadow_get),
    MANAGE(PUT, "/api/v1/routes/{id}/shadow", AUTH_MANAGE, admin_shadow_set),
    MANAGE(DELETE, "/api/v1/routes/{id}/shadow", AUTH_MANAGE, admin_shadow_end),
    MANAGE(GET, "/api/v1/routes/{id}/shadow/pairs", AUTH_MANAGE, admin_shadow_pairs),
    MANAGE(GET, "/api/v1/routes/{id}/prices", AUTH_MANAGE, admin_prices_list),
    MANAGE(POST, "/api/v1/routes/{id}/prices", AUTH_MANAGE, admin_prices_publish),
    MANAGE(GET, "/api/v1/calls", AUTH_MANAGE, admin_calls_list),
    MANAGE(GET, "/api/v1/calls/{id}", AUTH_MANAGE, admin_calls_get),
    MANAGE(GET, "/api/v1/usage", AUTH_MANAGE, admin_usage),
    MANAGE(GET, "/api/v1/balance", AUTH_MANAGE, admin_balance),
    MANAGE(POST, "/api/v1/balance/adjustments", AUTH_MANAGE, admin_balance_adjust),
    MANAGE(GET, "/api/v1/grants", AUTH_MANAGE, admin_grants_list),
    MANAGE(POST, "/api/v1/grants", AUTH_MANAGE, admin_grants_give),
    MANAGE(DELETE, "/api/v1/grants/{id}", AUTH_MANAGE, admin_grants_end),
    MANAGE(GET, "/api/v1/codes", AUTH_MANAGE, admin_codes_list),
    MANAGE(POST, "/api/v1/codes", AUTH_MANAGE, admin_codes_make),
    MANAGE(DELETE, "/api/v1/codes/{id}", AUTH_MANAGE, admin_codes_revoke),
    MANAGE(POST, "/api/v1/redeem", AUTH_MANAGE, admin_redeem),
    MANAGE(GET, "/api/v1/orders", AUTH_MANAGE, admin_orders_list),
    MANAGE(GET, "/api/v1/orders/{id}", AUTH_MANAGE, admin_orders_get),
    MANAGE(GET, "/api/v1/payments/review", AUTH_MANAGE, admin_payments_review),
    MANAGE(POST, "/api/v1/payments/{id}/resolve", AUTH_MANAGE, admin_payments_resolve),
    MANAGE(POST, "/api/v1/payments/{id}/refunds", AUTH_MANAGE, admin_payments_refund),
    MANAGE(POST, "/api/v1/payments/{id}/chargebacks", AUTH_MANAGE, admin_payments_charge_back),
    MANAGE(POST, "/api/v1/chargebacks/{id}/reversal", AUTH_MANAGE, admin_chargebacks_reverse),
    MANAGE(GET, "/api/v1/credit_notes", AUTH_MANAGE, admin_credit_notes_list),
    MANAGE(GET, "/api/v1/credit_notes/{id}", AUTH_MANAGE, admin_credit_notes_get),
    MANAGE(GET, "/api/v1/credit_notes/{id}/pdf", AUTH_MANAGE, admin_credit_notes_pdf),
    MANAGE(GET, "/api/v1/credit_notes/{id}/csv", AUTH_MANAGE, admin_credit_notes_csv),
    MANAGE_LONG(POST, "/api/v1/invoices/{id}/credit_notes", AUTH_MANAGE, admin_credit_notes_issue),
    MANAGE(GET, "/api/v1/invoices", AUTH_MANAGE, admin_invoices_list),
    MANAGE(GET, "/api/v1/invoices/{id}", AUTH_MANAGE, admin_invoices_get),
    MANAGE(GET, "/api/v1/invoices/{id}/pdf", AUTH_MANAGE, admin_invoices_pdf),
    MANAGE(GET, "/api/v1/invoices/{id}/csv", AUTH_MANAGE, admin_invoices_csv),

    /* What pages load */
    ON_LOOP(GET, "/assets/{version}/{name}", AUTH_NONE, 0, PROBLEM_AS_PAGE, serve_asset),

    /* Anybody */
    SHOW("/", AUTH_NONE, page_home),
    SHOW("/pricing", AUTH_NONE, page_pricing),
    SHOW("/quickstart", AUTH_NONE, page_quickstart),
    SHOW("/reference", AUTH_NONE, page_reference),

    /* People */
    SHOW("/sign-in", AUTH_NONE, page_sign_in),
    SECRET("/sign-in", AUTH_NONE, page_sign_in_send),
    SEND("/sign-in/code", AUTH_NONE, page_sign_in_code),
    VISIT("/sign-in/provider", AUTH_NONE, page_provider_sign_in),
    VISIT("/sign-in/provider/callback", AUTH_NONE, page_provider_callback),
    SHOW("/sign-up", AUTH_NONE, page_sign_up),
    SECRET("/sign-up", AUTH_NONE, page_sign_up_send),
    TRY("/sign-out", AUTH_USER, page_sign_out),
    SEND("/team", AUTH_USER, page_show_team),
    SHOW("/forgot", AUTH_NONE, page_forgot),
    SEND("/forgot", AUTH_NONE, page_forgot_send),
    SHOW("/reset/{token}", AUTH_NONE, page_reset),
    SECRET("/reset/{token}", AUTH_NONE, page_reset_send),
    SHOW("/invite/{token}", AUTH_NONE, page_invite),
    SEND("/invite/{token}", AUTH_USER, page_invite_join),
    SHOW("/account", AUTH_USER, page_account),
    SEND("/account", AUTH_USER, page_account_rename),
    SECRET("/account/password", AUTH_USER, page_account_password),
    SEND("/account/sessions", AUTH_USER, page_account_end_sessions),
    SEND("/account/sessions/{id}/end", AUTH_USER, page_account_end_session),
    SECRET("/account/provider", AUTH_USER, page_provider_link),
    VISIT("/account/provider/go", AUTH_USER, page_provider_go),
    SEND("/account/provider/unlink", AUTH_USER, page_provider_unlink),
    SECRET("/account/second-factor", AUTH_USER, page_factor_begin),
    SEND("/account/second-factor/confirm", AUTH_USER, page_factor_confirm),
    SEND("/account/second-factor/codes", AUTH_USER, page_factor_renew),
    SEND("/account/second-factor/end", AUTH_USER, page_factor_end),

    /* A team's pages */
    SHOW("/overview", AUTH_VIEWER, page_overview),
    SHOW("/log", AUTH_VIEWER, page_log),
    LONG("/log/export", AUTH_VIEWER, page_log_export),
    SHOW("/log/{id}", AUTH_VIEWER, page_call),
    SHOW("/usage", AUTH_VIEWER, page_usage),
    LONG("/usage/export", AUTH_VIEWER, page_usage_export),
    SHOW("/billing", AUTH_VIEWER, page_billing),
    TRY("/billing/top-up", AUTH_BILLING, page_top_up),
    SEND("/billing/redeem", AUTH_BILLING, page_redeem),
    SHOW("/billing/orders/{id}", AUTH_BILLING, page_order),
    SEND("/billing/orders/{id}/cancel", AUTH_BILLING, page_order_cancel),
    TRY("/billing/orders/{id}/pay", AUTH_BILLING, page_order_pay),
    SHOW("/checkout/{id}", AUTH_BILLING, page_checkout),
    SEND("/checkout/{id}", AUTH_BILLING, page_checkout_press),
    SHOW("/billing/ledger", AUTH_VIEWER, page_ledger),
    LONG("/billing/ledger/export", AUTH_VIEWER, page_ledger_export),
    SHOW("/billing/ledger/{id}", AUTH_VIEWER, page_transfer),
    SHOW("/billing/invoices/{id}", AUTH_BILLING, page_invoice),
    LONG("/billing/invoices/{id}/pdf", AUTH_BILLING, page_invoice_pdf),
    LONG("/billing/invoices/{id}/csv", AUTH_BILLING, page_invoice_csv),
    SHOW("/billing/credit-notes/{id}", AUTH_BILLING, page_credit_note),
    LONG("/billing/credit-notes/{id}/pdf", AUTH_BILLING, page_credit_note_pdf),
    LONG("/billing/credit-notes/{id}/csv", AUTH_BILLING, page_credit_note_csv),
    LONG("/billing/invoices/{id}/requests", AUTH_BILLING, page_invoice_requests),
    SHOW("/billing/preview", AUTH_BILLING, page_preview),
    SHOW("/budgets", AUTH_VIEWER, page_budgets),
    SEND("/budgets", AUTH_ADMIN, page_budget_set),
    SEND("/budgets/{id}/drop", AUTH_ADMIN, page_budget_drop),
    SHOW("/guardrails", AUTH_VIEWER, page_guardrails),
    SEND("/guardrails", AUTH_ADMIN, page_guardrail_add),
    SHOW("/guardrails/{id}", AUTH_ADMIN, page_guardrail),
    SEND("/guardrails/{id}", AUTH_ADMIN, page_guardrail_save),
    SEND("/guardrails/{id}/drop", AUTH_ADMIN, page_guardrail_drop),
    SHOW("/alerts", AUTH_VIEWER, page_alerts),
    SEND("/alerts", AUTH_ADMIN, page_alerts_save),
    SEND("/alerts/webhook", AUTH_ADMIN, page_webhook_set),
    SEND("/alerts/webhook/drop", AUTH_ADMIN, page_webhook_drop),
    TRY("/alerts/webhook/test", AUTH_ADMIN, page_webhook_test),
    SHOW("/provider-keys", AUTH_VIEWER, page_own_keys),
    SEND("/provider-keys", AUTH_ADMIN, page_own_keys_add),
    SHOW("/provider-keys/new", AUTH_ADMIN, page_own_keys_new),
    SHOW("/provider-keys/{id}", AUTH_VIEWER, page_own_key),
    SEND("/provider-keys/{id}", AUTH_ADMIN, page_own_key_update),
    SEND("/provider-keys/{id}/key", AUTH_ADMIN, page_own_key_replace),
    SEND("/provider-keys/{id}/enable", AUTH_ADMIN, page_own_key_enable),
    SEND("/provider-keys/{id}/disable", AUTH_ADMIN, page_own_key_disable),
    SEND("/provider-keys/{id}/delete", AUTH_ADMIN, page_own_key_delete),
    TRY("/provider-keys/{id}/test", AUTH_ADMIN, page_own_key_test),
    SHOW("/members", AUTH_VIEWER, page_members),
    SEND("/members/{id}/role", AUTH_ADMIN, page_member_role),
    SEND("/members/{id}/remove", AUTH_VIEWER, page_member_remove),
    SEND("/members/invites", AUTH_ADMIN, page_invite_make),
    SEND("/members/invites/{id}/revoke", AUTH_ADMIN, page_invite_revoke),
    SHOW("/settings", AUTH_VIEWER, page_settings),
    SEND("/settings", AUTH_ADMIN, page_settings_save),
    SEND("/settings/buyer", AUTH_BILLING, page_settings_buyer),
    SEND("/settings/responses", AUTH_ADMIN, page_settings_responses),
    SEND("/settings/shadows", AUTH_ADMIN, page_settings_shadows),
    SEND("/settings/cache/clear", AUTH_ADMIN, page_settings_clear_cache),
    SEND("/settings/projects", AUTH_DEVELOPER, page_project_add),
    SEND("/settings/projects/{id}/rename", AUTH_DEVELOPER, page_project_rename),
    SEND("/settings/projects/{id}/archive", AUTH_DEVELOPER, page_project_archive),
    SEND("/settings/management-keys", AUTH_ADMIN, page_manage_key_mint),
    SEND("/settings/management-keys/{id}/revoke", AUTH_ADMIN, page_manage_key_revoke),
    SHOW("/keys", AUTH_VIEWER, page_keys),
    SHOW("/keys/new", AUTH_DEVELOPER, page_keys_new),
    SEND("/keys", AUTH_DEVELOPER, page_keys_mint),
    SHOW("/keys/{id}", AUTH_VIEWER, page_key),
    SEND("/keys/{id}", AUTH_DEVELOPER, page_key_update),
    SEND("/keys/{id}/rotate", AUTH_DEVELOPER, page_key_rotate),
    SEND("/keys/{id}/disable", AUTH_DEVELOPER, page_key_disable),
    SEND("/keys/{id}/enable", AUTH_DEVELOPER, page_key_enable),
    SEND("/keys/{id}/delete", AUTH_DEVELOPER, page_key_delete),

    /* The operator's */
    SHOW("/operator", AUTH_OPERATOR, page_operator_system),
    SHOW("/operator/findings", AUTH_OPERATOR, page_operator_findings),
    SEND("/operator/findings/check", AUTH_OPERATOR, page_operator_findings_check),
    SEND("/operator/findings/{id}/close", AUTH_OPERATOR, page_operator_finding_close),
    SHOW("/operator/alerts", AUTH_OPERATOR, page_operator_alerts),
    SEND("/operator/alerts", AUTH_OPERATOR, page_operator_alerts_save),
    TRY("/operator/alerts/mail/test", AUTH_OPERATOR, page_operator_alerts_mail),
    SEND("/operator/alerts/webhook", AUTH_OPERATOR, page_operator_webhook_set),
    SEND("/operator/alerts/webhook/drop", AUTH_OPERATOR, page_operator_webhook_drop),
    TRY("/operator/alerts/webhook/test", AUTH_OPERATOR, page_operator_webhook_test),
    SHOW("/operator/incidents", AUTH_OPERATOR, page_operator_incidents),
    SEND("/operator/incidents/off", AUTH_OPERATOR, page_operator_incidents_off),
    SEND("/operator/incidents/pin", AUTH_OPERATOR, page_operator_incidents_pin),
    SEND("/operator/incidents/freeze", AUTH_OPERATOR, page_operator_incidents_freeze),
    SHOW("/operator/accounts", AUTH_OPERATOR, page_operator_accounts),
    SEND("/operator/accounts", AUTH_OPERATOR, page_operator_accounts_add),
    SHOW("/operator/accounts/new", AUTH_OPERATOR, page_operator_accounts_new),
    SHOW("/operator/accounts/{id}", AUTH_OPERATOR, page_operator_account),
    SEND("/operator/accounts/{id}", AUTH_OPERATOR, page_operator_account_update),
    SEND("/operator/accounts/{id}/key", AUTH_OPERATOR, page_operator_account_key),
    TRY("/operator/accounts/{id}/test", AUTH_OPERATOR, page_operator_account_test),
    SEND("/operator/accounts/{id}/adopt", AUTH_OPERATOR, page_operator_account_adopt),
    SEND("/operator/accounts/{id}/enable", AUTH_OPERATOR, page_operator_account_enable),
    SEND("/operator/accounts/{id}/disable", AUTH_OPERATOR, page_operator_account_disable),
    SEND("/operator/accounts/{id}/delete", AUTH_OPERATOR, page_operator_account_delete),
    SHOW("/operator/models", AUTH_OPERATOR, page_operator_models),
    SEND("/operator/models", AUTH_OPERATOR, page_operator_models_add),
    SHOW("/operator/models/new", AUTH_OPERATOR, page_operator_models_new),
    SHOW("/operator/models/{id}", AUTH_OPERATOR, page_operator_model),
    SEND("/operator/models/{id}", AUTH_OPERATOR, page_operator_model_update),
    SEND("/operator/models/{id}/pin", AUTH_OPERATOR, page_operator_model_pin),
    SEND("/operator/models/{id}/off", AUTH_OPERATOR, page_operator_model_off),
    SEND("/operator/models/{id}/on", AUTH_OPERATOR, page_operator_model_on),
    SEND("/operator/models/{id}/aliases", AUTH_OPERATOR, page_operator_model_add_alias),
    SEND("/operator/models/{id}/aliases/delete", AUTH_OPERATOR, page_operator_model_drop_alias),
    SEND("/operator/models/{id}/targets", AUTH_OPERATOR, page_operator_target_add),
    SEND("/operator/targets/{id}", AUTH_OPERATOR, page_operator_target_update),
    SEND("/operator/targets/{id}/delete", AUTH_OPERATOR, page_operator_target_delete),
    SHOW("/operator/models/{id}/rules", AUTH_OPERATOR, page_operator_rules),
    SEND("/operator/models/{id}/rules", AUTH_OPERATOR, page_operator_rules_add),
    SEND("/operator/models/{id}/rules/try", AUTH_OPERATOR, page_operator_rules_try),
    SHOW("/operator/rules/{id}", AUTH_OPERATOR, page_operator_rule),
    SEND("/operator/rules/{id}", AUTH_OPERATOR, page_operator_rule_save),
    SEND("/operator/rules/{id}/up", AUTH_OPERATOR, page_operator_rule_up),
    SEND("/operator/rules/{id}/switch", AUTH_OPERATOR, page_operator_rule_switch),
    SEND("/operator/rules/{id}/delete", AUTH_OPERATOR, page_operator_rule_delete),
    SHOW("/operator/models/{id}/shadow", AUTH_OPERATOR, page_operator_shadow),
    SEND("/operator/models/{id}/shadow", AUTH_OPERATOR, page_operator_shadow_save),
    SEND("/operator/models/{id}/shadow/end", AUTH_OPERATOR, page_operator_shadow_end),
    SHOW("/operator/models/{id}/shadow/{pair}", AUTH_OPERATOR, page_operator_shadow_pair),
    SHOW("/operator/models/{id}/prices", AUTH_OPERATOR, page_operator_prices),
    SEND("/operator/models/{id}/prices", AUTH_OPERATOR, page_operator_prices_add),
    SHOW("/operator/models/{id}/prices/new", AUTH_OPERATOR, page_operator_prices_new),
    SHOW("/operator/teams", AUTH_OPERATOR, page_operator_teams),
    SHOW("/operator/teams/{id}", AUTH_OPERATOR, page_operator_team),
    LONG("/operator/teams/{id}/ledger", AUTH_OPERATOR, page_operator_team_ledger),
    SEND("/operator/teams/{id}/adjust", AUTH_OPERATOR, page_operator_team_adjust),
    SEND("/operator/teams/{id}/grant", AUTH_OPERATOR, page_operator_team_grant),
    SEND("/operator/teams/{id}/grants/{grant}/end", AUTH_OPERATOR, page_operator_team_end_grant),
    SHOW("/operator/teams/{id}/invoices/{invoice}", AUTH_OPERATOR, page_operator_invoice),
    DRAW("/operator/teams/{id}/invoices/{invoice}", AUTH_OPERATOR, page_operator_invoice_credit),
    SEND("/operator/teams/{id}/freeze", AUTH_OPERATOR, page_operator_team_freeze),
    SEND("/operator/teams/{id}/unfreeze", AUTH_OPERATOR, page_operator_team_unfreeze),
    SHOW("/operator/users", AUTH_OPERATOR, page_operator_users),
    SEND("/operator/users/{id}/disable", AUTH_OPERATOR, page_operator_user_disable),
    SEND("/operator/users/{id}/enable", AUTH_OPERATOR, page_operator_user_enable),
    SEND("/operator/users/{id}/operator", AUTH_OPERATOR, page_operator_user_promote),
    SEND("/operator/users/{id}/not-operator", AUTH_OPERATOR, page_operator_user_demote),
    SEND("/operator/users/{id}/reset", AUTH_OPERATOR, page_operator_user_reset),
    SEND("/operator/users/{id}/second-factor", AUTH_OPERATOR, page_operator_user_drop_factor),
    SHOW("/operator/management-keys", AUTH_OPERATOR, page_operator_keys),
    SEND("/operator/management-keys", AUTH_OPERATOR, page_operator_key_mint),
    SEND("/operator/management-keys/{id}/revoke", AUTH_OPERATOR, page_operator_key_revoke),
    SHOW("/operator/calls", AUTH_OPERATOR, page_operator_calls),
    SHOW("/operator/calls/{id}", AUTH_OPERATOR, page_operator_call),
    SHOW("/operator/orders", AUTH_OPERATOR, page_operator_orders),
    SHOW("/operator/orders/{id}", AUTH_OPERATOR, page_operator_order),
    SEND("/operator/orders/{id}/confirm", AUTH_OPERATOR, page_operator_order_confirm),
    SEND("/operator/payments/{id}/accept", AUTH_OPERATOR, page_operator_payment_accept),
    SEND("/operator/payments/{id}/dismiss", AUTH_OPERATOR, page_operator_payment_dismiss),
    SEND("/operator/payments/{id}/refund", AUTH_OPERATOR, page_operator_payment_refund),
    SEND("/operator/payments/{id}/chargeback", AUTH_OPERATOR, page_operator_payment_chargeback),
    SEND("/operator/chargebacks/{id}/reverse", AUTH_OPERATOR, page_operator_chargeback_reverse),
    SHOW("/operator/codes", AUTH_OPERATOR, page_operator_codes),
    SEND("/operator/codes", AUTH_OPERATOR, page_operator_codes_make),
    SHOW("/operator/codes/{id}", AUTH_OPERATOR, page_operator_code),
    SEND("/operator/codes/{id}/revoke", AUTH_OPERATOR, page_operator_code_revoke),
    SHOW("/operator/guardrails", AUTH_OPERATOR, page_operator_guardrails),
    SEND("/operator/guardrails", AUTH_OPERATOR, page_operator_guardrail_add),
    SHOW("/operator/guardrails/{id}", AUTH_OPERATOR, page_operator_guardrail),
    SEND("/operator/guardrails/{id}", AUTH_OPERATOR, page_operator_guardrail_save),
    SEND("/operator/guardrails/{id}/drop", AUTH_OPERATOR, page_operator_guardrail_drop),
    SHOW("/operator/audit", AUTH_OPERATOR, page_operator_audit),
    SHOW("/operator/installation", AUTH_OPERATOR, page_operator_installation),
    SEND("/operator/installation", AUTH_OPERATOR, page_operator_installation_update),
};

const size_t routes_count = ARRAY_LEN(routes);
