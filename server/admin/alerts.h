/* alerts.h: the handlers of alerts.c and installation_alerts.c; see admin.h. */
#pragma once

#include "admin/admin.h"

int admin_alerts_list(struct admin *a);
int admin_alert_settings_get(struct admin *a);
int admin_alert_settings_set(struct admin *a);
int admin_alert_webhook_set(struct admin *a);
int admin_alert_webhook_drop(struct admin *a);
int admin_alert_webhook_test(struct admin *a);

int admin_installation_alerts_list(struct admin *a);
int admin_installation_alert_settings_get(struct admin *a);
int admin_installation_alert_settings_set(struct admin *a);
int admin_installation_webhook_set(struct admin *a);
int admin_installation_webhook_drop(struct admin *a);
int admin_installation_webhook_test(struct admin *a);
int admin_installation_mail_test(struct admin *a);
int admin_installation_deliveries(struct admin *a);

/* Shared: whoever asks may; team 0 is the installation. */
int admin_set_webhook(struct admin *a, struct team_id team) _must_use_;
int admin_test_webhook(struct admin *a, struct team_id team) _must_use_;
int admin_test_mail(struct admin *a, struct str to) _must_use_;
/* The body's `recipients`: ids of people, which live in the call's arena. says: what it has to be. */
int admin_read_people(struct admin *a, const struct json_object *v, const char *says, int64_t **ret,
                      size_t *ret_n) _must_use_;
