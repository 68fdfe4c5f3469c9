/* keyring.h: the virtual keys of a team as its people see and change them. Team scope.
 *
 * A secret is shown once, when it is made. Rotation gives the same key a new secret: limits, budget
 * and log go on. Every change tells the nodes (`key:ID`). Model names are checked for their form
 * only; whether they exist is for the caller, who has the catalogue. */
#pragma once

#include "identity/audit.h"
#include "identity/key.h"

#define KEY_PREFIX "tg-"

struct key_tag {
    struct str name, value;
};

/* 1 to 40 letters, digits, dots or dashes. */
bool key_tag_name_formed(struct str name);

/* What can be chosen. */
struct key_settings {
    struct str name;
    struct project_id project; /* 0: none */
    const struct str *models, *addresses;
    size_t n_models, n_addresses;
    int64_t expires_at_us;         /* 0: never */
    int64_t rpm, tpm, concurrency; /* 0: no limit */
    enum key_window budget_window;
    struct money budget;
    const struct key_tag *tags;
    size_t n_tags;
    int64_t cache_seconds; /* how old a kept answer may be; 0: answers are not kept */
    bool cache_own;        /* only answers to its own calls, else those to the team's keys */
    int32_t cache_similarity_bp; /* of another question's answer, 1/10000 of the cosine; 0: only of the same */
};
#define KEY_CACHE_SECONDS_MAX 604800
#define KEY_SIMILARITY_MIN_BP 5000 /* below, questions have nothing to do with each other */
#define KEY_SIMILARITY_MAX_BP 10000

struct key_view {
    struct key_id id;
    struct key_settings settings;
    struct user_id owner;
    struct str owner_name, project_name; /* p NULL: none */
    struct str prefix, last4;
    bool disabled, deleted, expired;
    int64_t overlap_until_us; /* the secret before this one works until then; 0: none */
    int64_t created_at_us, rotated_at_us;
    int64_t last_day_us; /* start of the last day with a call, in the team's time zone; 0: none */
    /* In the team's time zone; weeks begin on Monday. */
    struct money spent_today, spent_week, spent_month, spent_total;
};
/* Of its budget, in the window that runs; 0 where it has none. */
struct money key_spent_in_window(const struct key_view *k);
struct key_page {
    struct key_view *v;
    size_t n;
};

struct key_minted {
    struct key_id id;
    struct str secret;
};

/* Fields as in struct key_settings: name, project, models, addresses, expires_at, rpm, tpm,
 * concurrency, budget, budget_window, tags, cache_seconds,
 * cache_similarity. owner 0: none (a management key mints). */
int keyring_mint(struct db *db, struct arena *a, const uint8_t key_pepper[32],
                 const struct actor *actor, struct team_id team, struct user_id owner,
                 const struct key_settings *settings, struct key_minted *ret,
                 struct identity_fault *fault) _must_use_;
/* Sets all of the settings; read the key first to change one. */
int keyring_update(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct key_id key, const struct key_settings *settings,
                   struct identity_fault *fault) _must_use_;
int keyring_set_disabled(struct db *db, struct arena *a, const struct actor *actor,
                         struct team_id team, struct key_id key, bool disabled) _must_use_;
/* The secret before stays valid for overlap_hours (0 to 720). Field: overlap_hours. */
int keyring_rotate(struct db *db, struct arena *a, const uint8_t key_pepper[32],
                   const struct actor *actor, struct team_id team, struct key_id key,
                   int64_t overlap_hours, struct key_minted *ret,
                   struct identity_fault *fault) _must_use_;
/* For good; its name stays in logs and invoices. */
int keyring_delete(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct key_id key) _must_use_;

int keyring_get(struct db *db, struct arena *a, struct team_id team, struct key_id key,
                struct key_view *ret) _must_use_;
/* Newest first; deleted ones only on demand. At most BOUND_KEYS_PER_TEAM. */
int keyring_list(struct db *db, struct arena *a, struct team_id team, bool with_deleted,
                 struct key_page *ret) _must_use_;
