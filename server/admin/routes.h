/* routes.h: what the files of /api/v1/routes share. */
#pragma once

#include "admin/admin.h"
#include "catalog/models.h"

/* The route of the path's first {id}, for operators; ADMIN_SAID after 403 or 404. */
int admin_route_of_path(struct admin *a, struct model_id *ret) _must_use_;
/* A list of abilities, as bits; ADMIN_SAID after a 400 that names the field. */
int admin_abilities(struct admin *a, const char *field, const struct json_strs *words,
                    uint32_t *ret) _must_use_;
/* The whole route, as it is now. */
int admin_answer_route(struct admin *a, int status, struct model_id id) _must_use_;

/* shadows.c */
int admin_shadow_get(struct admin *a);
int admin_shadow_set(struct admin *a);
int admin_shadow_end(struct admin *a);
int admin_shadow_pairs(struct admin *a);
