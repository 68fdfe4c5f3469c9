/* first_start.c: see first_start.h. */
#include "first_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "catalog/bootstrap.h"
#include "config.h"
#include "db/migrate.h"
#include "identity/bootstrap.h"
#include "identity/installation.h"

#define OPERATOR_EMAIL "operator@localhost"
#define DEMO_GRANT MONEY_USD(5)

static int complain(const char *sentence)
{
    fprintf(stderr, "tollgate: %s\n", sentence);
    return 1;
}

static int check_secret(struct db *db, const struct master *master)
{
    uint8_t key[32];
    struct digest fingerprint;
    bool ours = false;
    int r;

    master_subkey(master, "fingerprint", key);
    fingerprint = digest_plain(str_n((const char *)key, sizeof(key)));
    secret_wipe(key, sizeof(key));
    r = installation_claim_secret(db, &fingerprint, &ours);
    if (r)
        return complain("the installation's row cannot be read");
    if (!ours)
        return complain("SECRET_FILE is not the one this database was set up with; stored "
                        "credentials and keys would not work. Use the same file on every replica.");
    return 0;
}

static void demo_key_path(const struct config *config, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/demo-key", config->data_dir);
}

static struct str read_demo_key(const struct config *config, struct arena *a)
{
    char path[PATH_MAX], text[256];
    ssize_t n;
    int fd;

    demo_key_path(config, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STR_NONE;
    n = read(fd, text, sizeof(text));
    close(fd);
    return n > 0 ? arena_str(a, str_trim(str_n(text, (size_t)n))) : STR_NONE;
}

static void keep_demo_key(const struct config *config, struct str key)
{
    char path[PATH_MAX];
    int fd;

    demo_key_path(config, path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, key.p, key.n) != (ssize_t)key.n)
        log_warn("demo_key_not_kept", "path=%s error=%d", log_str(str_c(path)), errno);
    if (fd >= 0)
        close(fd);
}

static int make_accounts(const struct config *config, const struct services *services,
                         struct db *db, struct arena *a, struct first_start *ret)
{
    static const struct str demo_models[] = {STR("demo-small"), STR("demo-large"),
                                             STR("demo-embedding"), STR("demo-video")};
    bool demo = services->demo_port != 0;
    struct str known = demo ? read_demo_key(config, a) : STR_NONE;
    struct bootstrap_wish wish = {.operator_email = STR(OPERATOR_EMAIL),
                                  .demo = demo,
                                  .demo_key = known,
                                  .demo_models = demo_models,
                                  .n_demo_models = ARRAY_LEN(demo_models),
                                  .demo_grant = DEMO_GRANT};
    struct bootstrap_made made = {0};
    int r = bootstrap(db, a, services->key_pepper, &wish, &made);

    if (r)
        return complain("the first accounts could not be made");
    if (made.demo_key.p) {
        keep_demo_key(config, made.demo_key);
        known = made.demo_key;
    }
    ret->demo_key = known;
    if (made.operator_made) {
        ret->operator_email = made.operator_email;
        ret->operator_password = made.operator_password;
    }
    return 0;
}

static int make_catalogue(const struct config *config, const struct services *services,
                          struct db *db)
{
    size_t added = 0;
    int r = catalog_bootstrap(db, config->catalog_file, &added);

    if (r == IMPORT_E_READ || r == IMPORT_E_FORMAT)
        log_warn("catalogue_file_unread", "path=%s", log_str(str_c(config->catalog_file)));
    else if (r)
        return complain("the catalogue could not be set up");
    if (added)
        log_info("catalogue_set_up", "models=%zu", added);
    if (services->demo_port && catalog_bootstrap_demo(db))
        return complain("the demo models could not be set up");
    return 0;
}

int first_start(const struct config *config, const struct master *master,
                const struct services *services, struct db *db, struct arena *a,
                struct first_start *ret)
{
    int r = migrate_check(db, config->migrations_dir);

    if (r)
        return complain(migrate_outcome_text(r));
    r = check_secret(db, master);
    if (!r && installation_mark_sandbox(db, services->sandbox_payments))
        r = complain("the installation's row cannot be changed");
    if (!r)
        r = make_catalogue(config, services, db);
    if (!r)
        r = make_accounts(config, services, db, a, ret);
    return r;
}

void first_start_print(const struct config *config, const struct services *services,
                       const struct first_start *f)
{
    printf("\nTollgate %.*s is ready at %.*s\n", STR_FMT(services->version),
           STR_FMT(services->public_url));
    if (f->operator_password.p)
        printf("\n  operator account: %.*s\n  password:         %.*s\n"
               "  (shown this once; change it after signing in)\n",
               STR_FMT(f->operator_email), STR_FMT(f->operator_password));
    if (f->demo_key.p)
        printf("\nA first request, without any provider key:\n\n"
               "  curl %.*s/v1/chat/completions -H 'Authorization: Bearer %.*s' "
               "-H 'Content-Type: application/json' "
               "-d '{\"model\":\"demo-small\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n",
               STR_FMT(services->public_url), STR_FMT(f->demo_key));
    printf("\nCtrl-C stops it.\n\n");
    fflush(stdout);
    (void)config;
}
