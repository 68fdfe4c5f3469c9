/* forgot.h: asks by e-mail for a link to a new password. Where nothing is mailed there is no such page. */
#pragma once

#include "web/web.h"

int page_forgot(struct web *w) _must_use_;
int page_forgot_send(struct web *w) _must_use_;
