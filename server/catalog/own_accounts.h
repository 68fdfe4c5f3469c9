/* own_accounts.h: what a team's own provider accounts serve: models that the installation routes to the same
 * kind of provider, as they are asked there (see change.h, but for the scope, which may be the team's). */
#pragma once

#include "catalog/accounts.h"

/* What one team may have: two or three keys at each provider that it deals with. Every node keeps all of
 * them, with what they serve: a thousand teams with five of twenty models each take 28 MiB, and a load
 * of the snapshot 0.8 s (two cores, beside other work). */
#define OWN_ACCOUNTS_PER_TEAM 20

/* A model that an account of the kind may serve, and whether this one does; also one that it serves though
 * the installation routes it to no provider of the kind now. */
struct own_model {
    struct str name;
    bool offered, served;
};

/* May an own account of the team's be changed now? Each change has every node load its catalogue anew, so
 * they are counted: 60 in ten minutes (own_account_admit() in 0003_catalog.sql). IDENTITY_E_LIMITED:
 * *ret_retry_after_s is set. Ask within the transaction that makes the change, which until its end is
 * the only one of the team's. */
int own_may_change(struct db *db, struct team_id team, int32_t *ret_retry_after_s) _must_use_;
/* The same for a test, which counts as a change; a transaction of its own. */
int own_may_test(struct db *db, struct team_id team, int32_t *ret_retry_after_s) _must_use_;

/* The account, if it is that team's own; else CHANGE_E_NONE. */
int own_account_get(struct db *db, struct arena *a, struct team_id team, struct account_id id,
                    struct account_row *ret) _must_use_;
/* By name, at most BOUND_CATALOG_ROWS; id v 0: of an account that is yet to be. */
int own_models(struct db *db, struct arena *a, struct str kind, struct account_id id,
               struct own_model **ret, size_t *ret_n) _must_use_;
/* account_edit(). The rules of all own accounts hold: CHANGE_E_FAULT where a base URL is given and the
 * installation allows none (own_base_urls), unless it was there before. */
int own_edit(struct db *db, struct arena *a, const struct actor *actor, const struct account_row *row,
             const struct account_draft *draft, struct identity_fault *fault) _must_use_;
/* account_add() for draft->team, and own_serve(); own_may_change() has said yes. CHANGE_E_FAULT also where
 * the team has OWN_ACCOUNTS_PER_TEAM. */
int own_add(struct db *db, struct arena *a, const struct actor *actor, const uint8_t seal_key[32],
            const struct account_draft *draft, struct str secret, const struct str *models, size_t n,
            struct account_id *ret, struct identity_fault *fault) _must_use_;
/* The account serves these models and no others; n 0: all that it may. CHANGE_E_FAULT: one of them is
 * none of those. */
int own_serve(struct db *db, struct arena *a, const struct actor *actor, const struct account_row *row,
              const struct str *models, size_t n, struct identity_fault *fault) _must_use_;
