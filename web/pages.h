/* pages.h: every page_* function, for routes.c. */
#pragma once

#include "web/pages/key.h"
#include "web/pages/keys.h"
