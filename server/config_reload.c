/* config_reload.c: which settings a running server can take over. Numbers and words only: texts are held
 * on to by whoever was given them at the start. */
#include "config_table.h"

static const char *const live[] = {
    "MAX_CONNECTIONS",
    "MAX_CONNECTIONS_PER_ADDRESS",
    "MEMORY_LIMIT_MIB",
    "SHED_AFTER_MS",
    "CHUNKED_BODIES",
    "SIGNUP",
    "HEAD_TIMEOUT_MS",
    "BODY_TIMEOUT_MS",
    "IDLE_TIMEOUT_MS",
    "WRITE_TIMEOUT_MS",
    "UPSTREAM_CONNECT_TIMEOUT_MS",
    "UPSTREAM_FIRST_BYTE_TIMEOUT_MS",
    "UPSTREAM_IDLE_TIMEOUT_MS",
    "UPSTREAM_TOTAL_TIMEOUT_MS",
    "DRAIN_SECONDS",
    "LOG_LEVEL",
};

static bool is_live(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(live); i++)
        if (strcmp(live[i], name) == 0)
            return true;
    return false;
}

static bool is_text(const struct setting *s)
{
    return s->kind == KIND_TEXT || s->kind == KIND_URL || s->kind == KIND_SECRET;
}

void config_take(struct config *config, const struct config *fresh,
                 void (*differs)(const char *name, bool taken))
{
    for (size_t i = 0; i < config_settings_count; i++) {
        const struct setting *s = &config_settings[i];
        void *to = (char *)config + s->offset;
        const void *from = (const char *)fresh + s->offset;

        if (s->kind == KIND_GROUP)
            continue;
        if (is_text(s)) {
            if (strcmp(*(const char *const *)to, *(const char *const *)from) != 0)
                differs(s->name, false);
        } else if (*(int *)to != *(const int *)from) {
            differs(s->name, is_live(s->name));
            if (is_live(s->name))
                *(int *)to = *(const int *)from;
        }
    }
}
