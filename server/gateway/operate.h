/* operate.h: what an operator's page may ask of the gateway. Worker threads. */
#pragma once

#include "cache/answers.h"
#include "catalog/accounts.h"
#include "db/db.h"
#include "gateway/services.h"
#include "ledger/journal.h"
#include "lease/node.h"

struct operate_probe {
    bool ok;
    int status;         /* of the upstream's answer; 0: none came */
    int64_t latency_us; /* of the whole exchange */
    struct str error;   /* a sentence; p NULL where ok */
    int64_t models;     /* how many models it lists; -1: it did not say */
};
enum { OPERATE_OK = 0, OPERATE_E_UNKNOWN = 1, OPERATE_E_AWAY = 4 };
/* Asks the account for its list of models; where there is no such list, for a word. Blocks up to
 * the connect and first-byte timeouts. The result is noted on the account. */
int operate_probe(const struct services *services, struct db *db, struct arena *a,
                  struct account_id account, struct operate_probe *ret) _must_use_;

/* May what such an account asks be asked: its base URL, or else that of its kind? CHANGE_E_FAULT:
 * *fault names base_url or network and says why not. */
int operate_check_url(const struct provider *provider, const struct account_draft *draft,
                      struct identity_fault *fault) _must_use_;

struct operate_lane {
    const char *name;
    struct jobs_stats stats;
};
/* This node, now. */
struct operate_status {
    unsigned loops, in_flight;
    uint64_t calls, keys_cached;
    struct operate_lane lanes[6];
    struct node_view node;
    struct journal_view journal;
    struct answers_view answers; /* max_bytes 0: none are kept here */
    int64_t database_silence_ms;
    bool draining;
};
void operate_read_status(const struct services *services, struct operate_status *ret);
