/* alert_webhook.h: the webhook on the pages of alerts, a team's and the installation's, and what was sent
 * lately: what partials/alert_webhook and partials/sent show, and the answers to their buttons. */
#pragma once

#include "web/links.h"
#include "web/web.h"

struct form;
struct trial;

/* What an answer to a POST tells beside the settings. */
struct alerts_told {
    const struct form *webhook; /* refused; NULL: its form is empty */
    struct str secret;          /* of the one that was just set; empty: none was */
    const struct trial *mail, *post; /* tests; NULL: none was sent */
};

struct webhook_area {
    struct team_id team; /* 0: the installation */
    enum link page, set, test, drop;
    bool sees_sent; /* this session sees what was sent, and to whom */
    /* The page with the settings as they are. */
    int (*show)(struct web *w, int status, const struct alerts_told *told);
};

int webhook_area_view(struct web *w, const struct webhook_area *area, const struct alerts_told *told,
                      struct json_object *view) _must_use_;
int webhook_area_set(struct web *w, const struct webhook_area *area) _must_use_;
int webhook_area_drop(struct web *w, const struct webhook_area *area) _must_use_;
/* The receiver is waited for: waiting lane, with no transaction open meanwhile. */
int webhook_area_test(struct web *w, const struct webhook_area *area) _must_use_;
