/* reference.h: the API for people: how clients reach models here, and the management API. */
#pragma once

#include "web/web.h"

int page_reference(struct web *w) _must_use_; /* GET /reference */
