/* settings.h: the team itself, its projects, and its keys of the management API. */
#pragma once

#include "web/web.h"

int page_settings(struct web *w) _must_use_;          /* GET /settings */
int page_settings_save(struct web *w) _must_use_;     /* POST /settings */
int page_settings_buyer(struct web *w) _must_use_;    /* POST /settings/buyer: on invoices */
int page_settings_responses(struct web *w) _must_use_; /* POST /settings/responses: how long kept */
int page_settings_shadows(struct web *w) _must_use_;  /* POST /settings/shadows: asked of a second model? */
int page_settings_clear_cache(struct web *w) _must_use_; /* POST /settings/cache/clear */
int page_project_add(struct web *w) _must_use_;       /* POST /settings/projects */
int page_project_rename(struct web *w) _must_use_;    /* POST /settings/projects/{id}/rename */
int page_project_archive(struct web *w) _must_use_;   /* POST /settings/projects/{id}/archive */
int page_manage_key_mint(struct web *w) _must_use_;   /* POST /settings/management-keys */
int page_manage_key_revoke(struct web *w) _must_use_; /* POST /settings/management-keys/{id}/revoke */
