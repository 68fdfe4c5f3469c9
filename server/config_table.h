/* config_table.h: config.def as rows, for config.c and config_print.c only. */
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
