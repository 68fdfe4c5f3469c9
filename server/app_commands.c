/* app_commands.c: the commands that do one thing on the database and end.
 *
 * They run beside a running installation or without one: with no DATABASE_URL the private
 * PostgreSQL of the data directory is used, and started for the moment if nobody runs it. */
#include "app.h"

#include "base/bounds.h"
#include "base/secret.h"
#include "catalog/import.h"
#include "config.h"
#include "db/embedded.h"
#include "db/migrate.h"
#include "db/tx.h"
#include "identity/manage_key.h"
#include "identity/reset.h"
#include "identity/second_factor.h"
#include "identity/user.h"

#include <errno.h>
#include <stdio.h>

/* The most that one command's answers may hold: an import's lines over a large file. */
#define COMMAND_ARENA_BYTES MIB(256)

struct command {
    const struct config *config;
    struct arena *arena;
    struct embedded *embedded;
    struct db *db;
    struct master *master;
    uint8_t session_pepper[32], key_pepper[32];
};

static int complain(const char *sentence)
{
    fprintf(stderr, "tollgate: %s\n", sentence);
    return 1;
}

int app_migrate(const struct config *config)
{
    unsigned applied = 0;
    int r;

    if (!config->database_owner_url[0])
        return complain("set DATABASE_OWNER_URL to a role that owns the schema");
    r = migrate_run(config->database_owner_url, config->migrations_dir, &applied);
    if (r == 0 && config->database_url[0])
        r = migrate_app_login(config->database_owner_url, config->database_url);
    if (r)
        return complain(migrate_outcome_text(r));
    printf("%u migrations applied; the database is up to date\n", applied);
    return 0;
}

static void command_close(struct command *c)
{
    db_close(c->db);
    embedded_leave(c->embedded);
    master_free(c->master);
    arena_free(c->arena);
}

static int command_open(const struct config *config, struct command *c)
{
    const char *conninfo = config->database_url;
    int r;

    *c = (struct command){.config = config, .arena = arena_new(COMMAND_ARENA_BYTES)};
    if (!c->arena)
        return complain("out of memory");
    if (!conninfo[0]) {
        r = embedded_start(config->data_dir, 0, &c->embedded);
        if (r)
            return complain(r > 0 ? embedded_outcome_text(r) : "the private PostgreSQL failed");
        conninfo = embedded_app_conninfo(c->embedded);
    }
    r = db_open(conninfo, "tollgate command", &c->db);
    if (r)
        return complain("the database cannot be reached");
    r = migrate_check(c->db, config->migrations_dir);
    if (r)
        return complain(migrate_outcome_text(r));
    r = master_load(config->secret_file, &c->master);
    if (r)
        return complain("SECRET_FILE cannot be read: 32 bytes, readable by its owner only");
    master_subkey(c->master, "session", c->session_pepper);
    master_subkey(c->master, "api-key", c->key_pepper);
    return 0;
}

int app_create_operator(const struct config *config, const char *email)
{
    struct command c;
    struct actor actor = ACTOR_THE_SYSTEM;
    struct identity_fault fault = {0};
    struct str password = STR_NONE;
    int r = command_open(config, &c);

    if (!r) {
        r = user_create_operator(c.db, c.arena, &actor, str_c(email), &password, &fault);
        if (r == IDENTITY_E_FAULT)
            complain(fault.sentence);
        else if (r)
            complain("the operator could not be made");
        else if (password.p)
            printf("operator: %s\npassword: %.*s\nIt is not shown again; change it after signing in.\n",
                   email, STR_FMT(password));
        else
            printf("%s is an operator now and keeps its password.\n", email);
    }
    command_close(&c);
    return r != 0;
}

struct key_wish {
    struct command *c;
    const char *name;
    struct str secret;
    struct identity_fault fault;
};

static int mint_key(struct db *db, void *ctx)
{
    struct key_wish *w = ctx;
    struct actor actor = ACTOR_THE_SYSTEM;
    struct team_id installation = {0};
    int64_t id;

    return manage_key_mint(db, w->c->arena, w->c->key_pepper, &actor, installation, ROLE_ADMIN,
                           str_c(w->name), 0, &id, &w->secret, &w->fault);
}

int app_create_management_key(const struct config *config, const char *name)
{
    struct command c;
    struct key_wish wish = {.c = &c, .name = name};
    int r = command_open(config, &c);

    if (!r) {
        r = db_tx(c.db, DB_OPERATOR, "create_management_key", mint_key, &wish);
        if (r == IDENTITY_E_FAULT)
            fprintf(stderr, "tollgate: the key's name: %s\n", wish.fault.sentence);
        else if (r)
            complain("the key could not be made");
        else
            printf("%.*s\nIt acts for every team, and is not shown again.\n",
                   STR_FMT(wish.secret));
    }
    command_close(&c);
    return r != 0;
}

struct person_wish {
    struct command *c;
    const char *email;
    struct str token; /* of a reset link */
};

static int make_reset(struct db *db, void *ctx)
{
    struct person_wish *w = ctx;
    struct actor actor = ACTOR_THE_SYSTEM;
    struct user user;
    int r = user_by_email(db, w->c->arena, str_c(w->email), &user);

    if (r)
        return r;
    return reset_make(db, w->c->arena, w->c->session_pepper, &actor, user.id, &w->token);
}

int app_reset_password(const struct config *config, const char *email)
{
    struct command c;
    struct person_wish wish = {.c = &c, .email = email};
    int r = command_open(config, &c);

    if (!r) {
        r = db_tx(c.db, DB_SYSTEM, "reset_password", make_reset, &wish);
        if (r == IDENTITY_E_NONE)
            complain("there is no account with this e-mail address");
        else if (r)
            complain("the link could not be made");
        else
            printf("%s/reset/%.*s\nThe link works once, for %d minutes.\n", config->public_url,
                   STR_FMT(wish.token), RESET_MINUTES);
    }
    command_close(&c);
    return r != 0;
}

static int remove_factor(struct db *db, void *ctx)
{
    struct person_wish *w = ctx;
    struct actor actor = ACTOR_THE_SYSTEM;
    struct user user;
    int r = user_by_email(db, w->c->arena, str_c(w->email), &user);

    return r ? r : second_factor_remove(db, &actor, user.id);
}

int app_remove_second_factor(const struct config *config, const char *email)
{
    struct command c;
    struct person_wish wish = {.c = &c, .email = email};
    int r = command_open(config, &c);

    if (!r) {
        r = db_tx(c.db, DB_SYSTEM, "remove_second_factor", remove_factor, &wish);
        if (r == IDENTITY_E_NONE)
            complain("nobody with this e-mail address has a second factor");
        else if (r)
            complain("the second factor could not be removed");
        else
            printf("The password alone signs %s in now.\n", email);
    }
    command_close(&c);
    return r != 0;
}

static void print_line(void *ctx, const struct import_line *line)
{
    (void)ctx;
    if (line->verdict != IMPORT_UNCHANGED && line->verdict != IMPORT_SKIPPED)
        printf("%-9s %.*s  %.*s\n", import_verdict_name(line->verdict), STR_FMT(line->model),
               STR_FMT(line->detail));
}

int app_catalog_import(const struct config *config, const char *path)
{
    struct command c;
    struct actor actor = ACTOR_THE_SYSTEM;
    struct import_options options = {.line = print_line};
    struct import_result result = {0};
    struct str fault = STR_NONE;
    int r = command_open(config, &c);

    if (!r) {
        r = catalog_import_file(c.db, c.arena, &actor, path, &options, &result, &fault);
        if (r == IMPORT_E_READ)
            complain("the file cannot be read");
        else if (r == IMPORT_E_FORMAT)
            fprintf(stderr, "tollgate: %s: %.*s\n", path, STR_FMT(fault));
        else if (r)
            complain("the import failed; nothing was changed");
        for (unsigned v = 0; r == IMPORT_OK && v < IMPORT_VERDICTS; v++)
            printf("%s: %zu\n", import_verdict_name((enum import_verdict)v), result.count[v]);
    }
    command_close(&c);
    return r != 0;
}
