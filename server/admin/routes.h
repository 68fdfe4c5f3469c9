/* routes.h: what the files of /api/v1/routes share. */
#pragma once

#include "admin/admin.h"
#include "catalog/models.h"

/* The route of the path's first {id}, for operators; ADMIN_SAID after 403 or 404. */
int admin_route_of_path(struct admin *a, struct model_id *ret) _must_use_;
/* The whole route, as it is now. */
int admin_answer_route(struct admin *a, int status, struct model_id id) _must_use_;
