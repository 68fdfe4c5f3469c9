/* config.h: the settings, as config.def lists them, each a typed field.
 *
 * What was said last holds: option, then environment, then configuration file, then the default.
 * Read once at start, by one thread; read-only afterwards. */
#pragma once

#include <stdio.h>

#include "base/base.h"

enum config_signup { CONFIG_SIGNUP_AUTO, CONFIG_SIGNUP_OPEN, CONFIG_SIGNUP_INVITE,
                     CONFIG_SIGNUP_CLOSED };
enum config_oidc_emails { CONFIG_OIDC_VERIFIED, CONFIG_OIDC_TRUSTED };
enum config_oidc_link { CONFIG_OIDC_BY_PASSWORD, CONFIG_OIDC_BY_EMAIL };
enum config_switch { CONFIG_OFF, CONFIG_ON, CONFIG_AUTO };

struct config {
#define GROUP(title)
#define TEXT(field, name, def, sentence) const char *field; /* never NULL; "" is none */
#define URL(field, name, def, sentence) const char *field;
#define SECRET(field, name, def, sentence) const char *field; /* wiped by config_done */
#define NUMBER(field, name, def, min, max, sentence) int field;
#define CHOICE(field, name, def, words, sentence) int field;
#include "config.def"
#undef GROUP
#undef TEXT
#undef URL
#undef SECRET
#undef NUMBER
#undef CHOICE
    const char *file; /* the configuration file, absolute; "" is none */
    bool loopback;    /* LISTEN is reachable from this machine only */
    struct config_inside *inside;
};

struct config_override {
    const char *name, *value;
    const char *origin; /* "--port" */
};

enum { CONFIG_OK = 0, CONFIG_E_INVALID = 1 };
#define CONFIG_FAULT_SIZE 400

/* file: NULL is TOLLGATE_CONFIG's, or none. self_exe: the running binary, next to which its files
 * are found. After loading nothing is left to work out: signup, demo and sandbox_payments are not
 * AUTO any more, loops is not 0, directories are absolute. CONFIG_E_INVALID: fault is a sentence
 * that names the setting, or the file and line. */
int config_load(const char *file, const struct config_override *overrides, size_t n_overrides,
                const char *self_exe, struct config *ret, char fault[CONFIG_FAULT_SIZE])
    _must_use_;
void config_done(struct config *config);

/* Where a configuration came from, so that it can be read again. */
struct config_source {
    const char *file;
    const struct config_override *overrides;
    size_t n_overrides;
    const char *self_exe;
};
/* Takes over from fresh what may change while the server runs; tells of each setting that differs, and
 * whether it was taken over: the others need another start. */
void config_take(struct config *config, const struct config *fresh,
                 void (*differs)(const char *name, bool taken));

/* Every setting with its default and sentence. */
void config_print_help(FILE *out);
/* Every effective value and where it came from; passwords masked. */
void config_print(const struct config *config, FILE *out);
