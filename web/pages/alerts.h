/* alerts.h: what a team is told of before requests are refused: thresholds, who is mailed, what was raised and
 * what was sent lately. */
#pragma once

#include "web/web.h"

int page_alerts(struct web *w) _must_use_;
int page_alerts_save(struct web *w) _must_use_;
int page_webhook_set(struct web *w) _must_use_;
int page_webhook_drop(struct web *w) _must_use_;
int page_webhook_test(struct web *w) _must_use_;
