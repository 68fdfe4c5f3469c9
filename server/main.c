/* main.c: which command, with which settings. Everything else is behind app.h, up.h, upstream.h. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "app.h"
#include "base/log.h"
#include "base/str.h"
#include "config.h"
#include "demo/upstream.h"
#include "supervisor/up.h"

#define EXIT_USAGE 2
#define OVERRIDES_MAX 8

struct arguments {
    const char *command, *operand, *config_file;
    struct config_override overrides[OVERRIDES_MAX];
    size_t n_overrides;
    const char *ready_fd;
    char self_exe[PATH_MAX];
};

struct command {
    const char *name;
    const char *operand; /* NULL: takes none */
    const char *help;
    int (*run)(const struct config *config, const struct arguments *args);
    bool bare; /* reads no settings: config is NULL */
};

static int usage(const char *what, const char *which)
{
    fprintf(stderr, "tollgate: %s%s (see tollgate --help)\n", what, which);
    return EXIT_USAGE;
}

static struct config_source source_of(const struct arguments *args)
{
    return (struct config_source){.file = args->config_file,
                                  .overrides = args->overrides,
                                  .n_overrides = args->n_overrides,
                                  .self_exe = args->self_exe};
}

static int run_up(const struct config *config, const struct arguments *args)
{
    const struct config_source source = source_of(args);

    return supervisor_up(config, &source);
}

static int run_serve(const struct config *config, const struct arguments *args)
{
    const struct config_source source = source_of(args);

    return app_serve(config, &source);
}

static int run_migrate(const struct config *config, const struct arguments *args)
{
    (void)args;
    return app_migrate(config);
}

static int run_check_config(const struct config *config, const struct arguments *args)
{
    (void)args;
    config_print(config, stdout);
    return 0;
}

static int run_create_operator(const struct config *config, const struct arguments *args)
{
    return app_create_operator(config, args->operand);
}

static int run_create_management_key(const struct config *config, const struct arguments *args)
{
    return app_create_management_key(config, args->operand);
}

static int run_reset_password(const struct config *config, const struct arguments *args)
{
    return app_reset_password(config, args->operand);
}

static int run_remove_second_factor(const struct config *config, const struct arguments *args)
{
    return app_remove_second_factor(config, args->operand);
}

static int run_catalog_import(const struct config *config, const struct arguments *args)
{
    return app_catalog_import(config, args->operand);
}

static int run_demo_upstream(const struct config *config, const struct arguments *args)
{
    uint32_t port = 0, ready_fd = 0;

    (void)config;
    for (size_t i = 0; i < args->n_overrides; i++) {
        if (strcmp(args->overrides[i].origin, "--port") != 0)
            return usage("demo-upstream has no ", args->overrides[i].origin);
        if (str_u32(str_c(args->overrides[i].value), &port) != STR_OK || port > UINT16_MAX)
            return usage("there is no port ", args->overrides[i].value);
    }
    if (args->ready_fd && str_u32(str_c(args->ready_fd), &ready_fd) != STR_OK)
        return usage("there is no descriptor ", args->ready_fd);
    return demo_upstream_run((uint16_t)port, args->ready_fd ? (int)ready_fd : -1);
}

static const struct command commands[] = {
    {"up", NULL, "the server with a private PostgreSQL and the demo upstream; what ./run starts",
     run_up},
    {"serve", NULL, "the server alone, on DATABASE_URL", run_serve},
    {"demo-upstream", NULL, "an OpenAI-compatible server that invents answers; --port only",
     run_demo_upstream, .bare = true},
    {"migrate", NULL, "makes or upgrades the database, on DATABASE_OWNER_URL", run_migrate},
    {"check-config", NULL, "prints every effective setting and where it came from",
     run_check_config},
    {"create-operator", "EMAIL", "makes an operator account and prints its password",
     run_create_operator},
    {"create-management-key", "NAME", "makes a key of the management API for all teams, prints it",
     run_create_management_key},
    {"reset-password", "EMAIL", "prints a one-time link that sets a new password",
     run_reset_password},
    {"remove-second-factor", "EMAIL", "lets somebody sign in by password alone, who has lost the rest",
     run_remove_second_factor},
    {"catalog import", "FILE", "reads models and prices: our format, or LiteLLM's JSON",
     run_catalog_import},
};

static const struct {
    const char *option, *setting, *help;
} options[] = {
    {"--port", "PORT", "N"},
    {"--listen", "LISTEN", "ADDRESS"},
    {"--data", "DATA_DIR", "DIRECTORY"},
    {"--config", NULL, "FILE"},
    {"--ready-fd", NULL, "N, demo-upstream: where it writes its port once it listens"},
};

static void print_help(void)
{
    printf("tollgate " TOLLGATE_VERSION "\n\nusage: tollgate COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const struct command *c = &commands[i];
        int n = printf("  %s %s", c->name, c->operand ? c->operand : "");
        printf("%*s %s\n", MAX(24 - n, 1), "", c->help);
    }
    printf("  --help, --version\n\nOptions, before or after the command:\n\n");
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        printf("  %s %s%s%s\n", options[i].option, options[i].help,
               options[i].setting ? ", the same as " : "",
               options[i].setting ? options[i].setting : "");
    }
    printf("\nSettings, from the environment or from the configuration file (NAME=value lines, #"
           " comments)\nthat --config or TOLLGATE_CONFIG names:\n");
    config_print_help(stdout);
}

/* --name VALUE or --name=VALUE; *i moves on to what was read last. 0, or an exit status. */
static int read_option(struct arguments *args, int argc, char **argv, int *i)
{
    struct str rest = str_c(argv[*i]), name;
    bool joined = str_find(rest, '=') > 0;

    str_split(&rest, '=', &name);
    for (size_t k = 0; k < ARRAY_LEN(options); k++) {
        if (!str_eq_c(name, options[k].option))
            continue;
        if (!joined && *i + 1 == argc)
            return usage("a value is missing behind ", options[k].option);
        const char *value = joined ? rest.p : argv[++*i];
        if (strcmp(options[k].option, "--config") == 0)
            args->config_file = value;
        else if (strcmp(options[k].option, "--ready-fd") == 0)
            args->ready_fd = value;
        else if (args->n_overrides < OVERRIDES_MAX)
            args->overrides[args->n_overrides++] =
                (struct config_override){options[k].setting, value, options[k].option};
        return 0;
    }
    return usage("there is no option ", argv[*i]);
}

static int read_word(struct arguments *args, char *word)
{
    if (!args->command)
        args->command = word;
    else if (strcmp(args->command, "catalog") == 0 && strcmp(word, "import") == 0)
        args->command = "catalog import";
    else if (!args->operand)
        args->operand = word;
    else
        return usage("too many words: ", word);
    return 0;
}

static int read_arguments(struct arguments *args, int argc, char **argv)
{
    ssize_t n = readlink("/proc/self/exe", args->self_exe, sizeof(args->self_exe) - 1);
    int r = 0;

    args->self_exe[MAX(n, 0)] = '\0';
    for (int i = 1; i < argc && r == 0; i++) {
        if (strncmp(argv[i], "--", 2) == 0)
            r = read_option(args, argc, argv, &i);
        else
            r = read_word(args, argv[i]);
    }
    return r;
}

static int run_command(const struct command *command, const struct arguments *args)
{
    char fault[CONFIG_FAULT_SIZE];
    struct config config;

    if (command->operand && !args->operand)
        return usage("a word is missing: ", command->operand);
    if (!command->operand && args->operand)
        return usage("too many words: ", args->operand);
    log_set_name(command->name);
    if (command->bare)
        return command->run(NULL, args);
    int r = config_load(args->config_file, args->overrides, args->n_overrides, args->self_exe,
                        &config, fault);

    if (r != CONFIG_OK) {
        fprintf(stderr, "tollgate: %s\n", r > 0 ? fault : "out of memory");
        return EXIT_USAGE;
    }
    log_set_level((enum log_level)config.log_level);
    int status = command->run(&config, args);

    config_done(&config);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments args = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return print_help(), 0;
        if (strcmp(argv[i], "--version") == 0)
            return puts("tollgate " TOLLGATE_VERSION), 0;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that leaves is an error of one call, not of us */
    int r = read_arguments(&args, argc, argv);

    if (r != 0)
        return r;
    if (!args.command)
        return usage("a command is missing", "");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(args.command, commands[i].name) == 0)
            return run_command(&commands[i], &args);
    }
    return usage("there is no command ", args.command);
}
