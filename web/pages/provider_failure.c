/* provider_failure.c: see provider_failure.h. */
#include "web/pages/provider_failure.h"

#include "base/log.h"
#include "identity/federated.h"
#include "web/links.h"
#include "web/pages/identity_provider.h"

struct failure {
    int status;
    const char *name; /* in the log */
    const char *sentence;
};

static const struct failure failures[] = {
    [OIDC_E_AWAY] = {502, "away", "The identity provider does not answer. Try again in a while."},
    [OIDC_E_SETUP] = {502, "setup",
                      "The identity provider and this installation do not know each other as they should. An "
                      "operator finds in the log what is wrong."},
    [OIDC_E_STATE] = {400, "state",
                      "This sign-in took longer than ten minutes, has been used already, or was begun in another "
                      "browser or at another address of this site. Begin again."},
    [OIDC_E_DENIED] = {403, "denied", "At the identity provider the sign-in was canceled, or is not allowed."},
    [OIDC_E_REFUSED] = {502, "refused", "The identity provider did not go on with this sign-in. Begin again."},
    [OIDC_E_TOKEN] = {502, "token",
                      "What came from the identity provider could not be verified, so nobody was signed in. If it "
                      "happens again, tell an operator."},
    [OIDC_E_CLOCK] = {502, "clock",
                      "By the clock here, what came from the identity provider is not valid at this time. The "
                      "clocks of the two differ; an operator has to set them right."},
    [OIDC_E_NO_EMAIL] = {403, "no_email",
                         "The identity provider does not tell your e-mail, and without it nobody comes in here."},
    [OIDC_E_UNVERIFIED] = {403, "unverified",
                           "The identity provider does not say that your e-mail is verified. Verify it there, or "
                           "ask an operator, and try again."},
    [OIDC_E_DOMAIN] = {403, "domain",
                       "Your e-mail is of a domain that may not come in here. Choose another account at the "
                       "identity provider."},
};

static const struct failure refusals[] = {
    [FEDERATED_E_TAKEN] = {403, "taken",
                           "There is an account with your e-mail already. Sign in with its password, and link the "
                           "identity provider under Account; after that it signs you in."},
    [FEDERATED_E_UNINVITED] = {403, "uninvited",
                               "Nobody has an account here for you, and new ones are by invitation. Follow the "
                               "link of an invitation and choose the identity provider there."},
    [FEDERATED_E_CLOSED] = {403, "closed",
                            "Nobody has an account here for you, and no new ones are made. Ask an operator."},
    [FEDERATED_E_DISABLED] = {403, "disabled", "Your account here is disabled. Ask an operator."},
    [FEDERATED_E_OTHER] = {409, "linked_otherwise",
                           "This account at the identity provider is linked to somebody else here, or you are "
                           "linked to another one. Unlink that first."},
    [FEDERATED_E_INVITE] = {403, "invite", NULL},
};

static int show(struct web *w, const struct oidc_flow *flow, const struct failure *f, const char *detail,
                const char *sentence)
{
    const struct session_from from = web_from(w);
    struct json_object *view = json_new_object();

    log_warn("provider_sign_in_failed", "reason=%s detail=%s address=%s", f->name,
             log_str(str_c(detail && detail[0] ? detail : "none")), log_str(from.address));
    provider_button(w, view, flow->next, flow->invite, f->status == 403);
    json_set_cstr(view, "sentence", sentence ? sentence : f->sentence);
    json_set_bool(view, "linking", flow->link_user != 0);
    return web_render_as(w, f->status, "provider_failed", "Not signed in", view);
}

int provider_failed(struct web *w, const struct oidc_flow *flow, enum oidc_outcome outcome,
                    const struct oidc_detail *detail)
{
    assert(outcome > OIDC_OK && (size_t)outcome < ARRAY_LEN(failures));
    return show(w, flow, &failures[outcome], detail ? detail->text : NULL, NULL);
}

int provider_refused(struct web *w, const struct oidc_flow *flow, int outcome, const struct oidc_person *person,
                     const char *sentence)
{
    if (outcome == FEDERATED_E_NO_EMAIL) /* or it is none by the rules here */
        return provider_failed(w, flow, person->email_outcome ? person->email_outcome : OIDC_E_NO_EMAIL, NULL);
    assert(outcome > 0 && (size_t)outcome < ARRAY_LEN(refusals) && refusals[outcome].status);
    return show(w, flow, &refusals[outcome], NULL, sentence);
}
