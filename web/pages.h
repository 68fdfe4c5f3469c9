/* pages.h: every page_* function, for routes.c. */
#pragma once

#include "web/pages/account.h"
#include "web/pages/invite.h"
#include "web/pages/key.h"
#include "web/pages/keys.h"
#include "web/pages/reset.h"
#include "web/pages/sign_in.h"
#include "web/pages/sign_up.h"
