/* config_table.h: config.def as rows, for the files config*.c only. */
#pragma once

#include "base/arena.h"
#include "config.h"

enum setting_kind { KIND_GROUP, KIND_TEXT, KIND_URL, KIND_SECRET, KIND_NUMBER, KIND_CHOICE };

struct setting {
    enum setting_kind kind;
    const char *name;
    size_t offset;
    const char *def;
    int min, max;
    const char *words, *sentence; /* a group's title stands in name */
};

extern const struct setting config_settings[];
extern const size_t config_settings_count;

#define SETTINGS_MAX 128

struct config_inside {
    struct arena *arena;
    const char *origins[SETTINGS_MAX]; /* "default", "environment", "FILE:12", "--port" */
    char *fault;
};

/* Says what is wrong; CONFIG_E_INVALID. */
int config_refuse(struct config *c, const char *fmt, ...) _printf_(2, 3) _must_use_;
/* Text in the arena. It has room for every setting several times over, so it cannot fail but by the machine
 * running out of memory, at start. */
const char *config_keep(struct config *c, const char *fmt, ...) _printf_(2, 3);
/* CONFIG_E_INVALID: a value cannot be meant, by itself or beside others. URLs lose the slashes at their end. */
int config_check(struct config *c) _must_use_;
