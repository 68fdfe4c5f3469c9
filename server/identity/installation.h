/* installation.h: the one row that says what this installation is, and the seller block of its
 * invoices. */
#pragma once

#include "identity/audit.h"

struct installation {
    bool sandbox;
    struct str time_zone;      /* of new teams and of invoice numbers */
    struct str invoice_prefix; /* "TG" */
    struct str seller_name, seller_address, seller_country, seller_tax_id, seller_email;
    int32_t call_retention_months; /* calls older than this leave; 0: they stay */
    int32_t own_fee_bp; /* of what teams' own provider keys serve: 1/10000 of the list charge */
    bool own_base_urls; /* they may name a server of the team's choice */
    struct str similarity_model; /* the embedding model that compares questions; p NULL: none */
    struct str seller_note; /* free lines at the foot of invoices: bank account, register number */
};

/* Any scope. */
int installation_get(struct db *db, struct arena *a, struct installation *ret) _must_use_;
/* Operator scope; sandbox is not changed. Fields as in the struct. */
int installation_update(struct db *db, struct arena *a, const struct actor *actor,
                        const struct installation *wish, struct identity_fault *fault) _must_use_;
/* At start, by configuration. Own transaction. */
int installation_mark_sandbox(struct db *db, bool sandbox) _must_use_;
/* True when the fingerprint is the installation's; the first caller's becomes it. */
int installation_claim_secret(struct db *db, const struct digest *fingerprint,
                              bool *ret) _must_use_;
