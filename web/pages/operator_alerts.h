/* operator_alerts.h: what operators are told of without looking here: which kinds, to whom, what was raised and
 * what was sent lately. */
#pragma once

#include "web/web.h"

int page_operator_alerts(struct web *w) _must_use_;       /* GET /operator/alerts */
int page_operator_alerts_save(struct web *w) _must_use_;  /* POST /operator/alerts */
int page_operator_alerts_mail(struct web *w) _must_use_;  /* POST .../mail/test */
int page_operator_webhook_set(struct web *w) _must_use_;  /* POST .../webhook */
int page_operator_webhook_drop(struct web *w) _must_use_; /* POST .../webhook/drop */
int page_operator_webhook_test(struct web *w) _must_use_; /* POST .../webhook/test */
