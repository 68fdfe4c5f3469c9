/* alerts.h: the handlers of alerts.c; see admin.h. */
#pragma once

#include "admin/admin.h"

int admin_alerts_list(struct admin *a);
int admin_alert_settings_get(struct admin *a);
int admin_alert_settings_set(struct admin *a);
int admin_alert_webhook_set(struct admin *a);
int admin_alert_webhook_drop(struct admin *a);
