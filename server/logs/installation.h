/* installation.h: how the installation is doing, as its operators see it: nodes, database, checks of
 * the books, and the incident switches that are on.
 *
 * Read only. Worker threads, inside the caller's transaction, scope operator. Below 0 is fatal. */
#pragma once

#include "db/db.h"

struct node_row {
    int64_t id;
    struct str name, version, state; /* "live", "closed", "reaped" */
    int64_t opened_us, seen_us;
    int64_t silence_ms; /* since its last heartbeat, by the database's clock */
    int64_t leases;     /* slices of purses that it holds */
};
struct node_page {
    struct node_row *v;
    size_t n;
};
/* Live ones first, then what ended within the last day; at most 100. */
int installation_nodes(struct db *db, struct arena *a, struct node_page *ret) _must_use_;

struct database_facts {
    int64_t bytes, started_us;
    int32_t connections, max_connections;
    struct str version;
    int64_t call_bytes; /* of bytes: calls and attempts */
};
int installation_database(struct db *db, struct arena *a, struct database_facts *ret) _must_use_;

enum incident_kind { INCIDENT_PINNED, INCIDENT_OFF, INCIDENT_FROZEN };
struct incident_row {
    int32_t kind;    /* of enum incident_kind */
    int64_t id;      /* of the model or team */
    struct str name; /* of the model or team */
    struct str detail;          /* where it is pinned to; the reason */
    struct str by; /* who did it last; empty: not known */
    int64_t at_us; /* likewise; 0 */
};
struct incident_page {
    struct incident_row *v;
    size_t n;
};
/* At most 50. */
int installation_incidents(struct db *db, struct arena *a, struct incident_page *ret) _must_use_;
