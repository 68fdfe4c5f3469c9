/* app.c: the composition root: what each command needs, put together. */
#include "app.h"

#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "config.h"
#include "db/migrate.h"

int app_migrate(const struct config *config)
{
    unsigned applied = 0;

    if (!config->database_owner_url[0]) {
        fprintf(stderr, "tollgate: set DATABASE_OWNER_URL to a role that owns the schema\n");
        return 1;
    }
    int r = migrate_run(config->database_owner_url, config->migrations_dir, &applied);

    if (r == 0 && config->database_url[0])
        r = migrate_app_login(config->database_owner_url, config->database_url);
    if (r != 0) {
        fprintf(stderr, "tollgate: %s\n", migrate_outcome_text(r));
        return 1;
    }
    printf("%u migrations applied; the database is up to date\n", applied);
    return 0;
}

/* Until the server is put together here: holds the database and waits to be ended. */
int app_serve(const struct config *config)
{
    struct db *db;
    sigset_t ends;
    int sig;
    int r = db_open(config->database_url, "tollgate serve", &db);

    if (r != 0) {
        fprintf(stderr, "tollgate: the database cannot be reached\n");
        return 1;
    }
    r = migrate_check(db, config->migrations_dir);
    if (r == 0) {
        sigemptyset(&ends);
        sigaddset(&ends, SIGTERM);
        sigaddset(&ends, SIGINT);
        sigprocmask(SIG_BLOCK, &ends, NULL);
        log_info("serve_waits", "demo_port=%d", config->demo_port);
        sigwait(&ends, &sig);
    } else {
        fprintf(stderr, "tollgate: %s\n", migrate_outcome_text(r));
    }
    db_close(db);
    return r != 0;
}

static int not_yet(const char *command)
{
    fprintf(stderr, "tollgate: %s is not put together yet\n", command);
    return 1;
}

int app_create_operator(const struct config *config, const char *email)
{
    (void)config;
    (void)email;
    return not_yet("create-operator");
}

int app_reset_password(const struct config *config, const char *email)
{
    (void)config;
    (void)email;
    return not_yet("reset-password");
}

int app_catalog_import(const struct config *config, const char *path)
{
    (void)config;
    (void)path;
    return not_yet("catalog import");
}
