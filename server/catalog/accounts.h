/* accounts.h: provider accounts, one credential at one upstream each (see change.h).
 *
 * A credential goes in and never comes out: it is sealed under the installation's secret, bound to
 * its row, and only its last four characters are shown. */
#pragma once

#include "catalog/change.h"
#include "catalog/credential.h"
#include "catalog/words.h"

struct account_draft {
    struct str kind; /* fixed once added */
    struct str name;
    /* Empty: the kind's own. The caller has checked it with guard_url() for the network. */
    struct str base_url;
    struct str extra_headers; /* a JSON object of strings; empty: none */
    struct str region, project; /* where its kind asks for them; else empty */
    struct team_id team; /* v 0: the installation's; fixed once added */
    bool own_only;       /* of a team's own: nothing behind it while it is enabled */
    bool private_network, enabled; /* a team's own is never private */
    enum data_policy data_policy;
    int32_t priority, weight; /* 0 .. 1000; 1 .. 1000 */
    int64_t rpm, tpm;         /* 0: no limit */
};

struct account_row {
    struct account_id id;
    struct account_draft is;
    const struct provider *provider; /* NULL: a kind not known here */
    bool has_key;
    struct str key_last4;
    int64_t last_ok_us, last_error_us, created_us; /* 0: never */
    struct str last_error;
    int64_t targets; /* how many models are routed to it */
};

/* key: as credential_join() makes it; empty: none. */
int account_add(struct db *db, const struct actor *actor, const uint8_t seal_key[32],
                const struct account_draft *draft, struct str key, struct account_id *ret,
                struct identity_fault *fault) _must_use_;
/* Everything but the kind and the key becomes what the draft says; with a key stored, scheme, host and
 * port of its address stay as they are. */
int account_edit(struct db *db, const struct actor *actor, struct account_id id,
                 const struct account_draft *draft, struct identity_fault *fault) _must_use_;
/* key empty: takes it away. */
int account_set_key(struct db *db, const struct actor *actor, const uint8_t seal_key[32],
                    struct account_id id, struct str key, struct identity_fault *fault) _must_use_;
int account_enable(struct db *db, const struct actor *actor, struct account_id id,
                   bool enabled) _must_use_;
/* Its row stays for the log; its targets go with it, its credential is erased. */
int account_delete(struct db *db, const struct actor *actor, struct account_id id) _must_use_;
/* Makes a target of everything that its kind is known to sell and that has a price, and enables
 * those models: what was disabled by an operator by hand stays so if it has a target already. */
int account_adopt_offers(struct db *db, const struct actor *actor, struct account_id id,
                         int64_t *ret_targets) _must_use_;

int account_get(struct db *db, struct arena *a, struct account_id id,
                struct account_row *ret) _must_use_;
/* By name, at most BOUND_CATALOG_ROWS: the installation's, or that team's own. */
int account_list(struct db *db, struct arena *a, struct account_row **ret,
                 size_t *ret_n) _must_use_;
int account_list_own(struct db *db, struct arena *a, struct team_id team, struct account_row **ret,
                     size_t *ret_n) _must_use_;
/* What the last try told: error p NULL, it worked. No audit, no note of change. */
int account_note(struct db *db, struct account_id id, struct str error) _must_use_;

/* What an operator may type; used by the functions above. */
int account_draft_check(const struct account_draft *draft, const struct provider *provider,
                        struct identity_fault *fault) _must_use_;

int account_key_seal(struct arena *a, const uint8_t seal_key[32], struct account_id id,
                     struct str key, struct str *ret) _must_use_;
/* The credential of a row, in the arena: wipe it after use. SECRET_E_FORGED: it was sealed under
 * another secret or for another row. */
int account_key_open(struct arena *a, const uint8_t seal_key[32], struct account_id id,
                     struct str sealed, struct str *ret) _must_use_;
