/* app.h: the composition root's entry points, one per command; the only room that knows every room.
 *
 * Each prints what a person has to know and returns the process's exit status. */
#pragma once

struct config;
struct config_source;

/* Reads its settings again on SIGHUP. */
int app_serve(const struct config *config, const struct config_source *source);
int app_migrate(const struct config *config);
int app_create_operator(const struct config *config, const char *email);
int app_create_management_key(const struct config *config, const char *name);
int app_reset_password(const struct config *config, const char *email);
int app_remove_second_factor(const struct config *config, const char *email);
int app_catalog_import(const struct config *config, const char *path);
