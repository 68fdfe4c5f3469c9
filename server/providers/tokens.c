/* tokens.c: see tokens.h. A slot's bytes are words behind a sequence number that is odd while they are
 * written (a sequence lock); all of it is atomic, so that a reader that is late reads no torn word. */
#include "providers/tokens.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/secret.h"
#include "providers/slots.h"

enum { WORDS = TOKEN_BYTES / 8, READS_MAX = 1000 };

struct slot {
    _Atomic int64_t account; /* 0: free */
    _Atomic uint64_t sequence;
    _Atomic uint64_t credential;
    _Atomic int64_t expires_us;
    _Atomic uint64_t length;
    _Atomic uint64_t word[WORDS];
};

struct token_board {
    pthread_mutex_t writers;
    struct slot slots[TOKEN_SLOTS];
};

int token_board_new(struct token_board **ret)
{
    struct token_board *b = calloc(1, sizeof(*b));

    if (!b)
        return err_origin(-ENOMEM);
    (void)pthread_mutex_init(&b->writers, NULL);
    *ret = b;
    return 0;
}

void token_board_free(struct token_board *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->writers);
    secret_wipe(b->slots, sizeof(b->slots));
    free(b);
}

/* Forgotten, or not written yet. Of a writer. */
static bool is_empty(const void *slot, int64_t now)
{
    const struct slot *s = slot;

    (void)now;
    return atomic_load(&s->length) == 0;
}

/* Of a writer. */
static struct slot *slot_to_write(struct token_board *b, struct account_id account)
{
    struct slot *s = slot_of(b->slots, TOKEN_SLOTS, sizeof(*s), account.v, true);

    return s ? s : slot_take_over(b->slots, TOKEN_SLOTS, sizeof(*s), account.v, is_empty, 0);
}

static void write_token(struct slot *s, uint64_t credential, struct str token, int64_t expires_us)
{
    atomic_fetch_add(&s->sequence, 1);
    atomic_store(&s->credential, credential);
    atomic_store(&s->expires_us, expires_us);
    atomic_store(&s->length, token.n);
    for (size_t i = 0; i * 8 < token.n; i++) {
        uint64_t w = 0;

        memcpy(&w, token.p + i * 8, MIN(token.n - i * 8, (size_t)8));
        atomic_store(&s->word[i], w);
    }
    atomic_fetch_add(&s->sequence, 1);
}

int token_put(struct token_board *b, struct account_id account, uint64_t credential,
              struct str token, int64_t expires_us)
{
    struct slot *s;

    if (token.n > TOKEN_BYTES)
        return TOKEN_E_FULL;
    pthread_mutex_lock(&b->writers);
    s = slot_to_write(b, account);
    if (s)
        write_token(s, credential, token, expires_us);
    pthread_mutex_unlock(&b->writers);
    return s ? TOKEN_OK : TOKEN_E_FULL;
}

static void forget(struct slot *s)
{
    write_token(s, 0, STR_NONE, 0);
    for (size_t i = 0; i < WORDS; i++)
        atomic_store(&s->word[i], 0);
}

void token_keep(struct token_board *b, bool (*is_kept)(const void *ctx, struct account_id account), const void *ctx)
{
    pthread_mutex_lock(&b->writers);
    for (size_t i = 0; i < TOKEN_SLOTS; i++) {
        struct slot *s = &b->slots[i];
        struct account_id account = {atomic_load(&s->account)};

        if (!is_empty(s, 0) && !is_kept(ctx, account))
            forget(s);
    }
    pthread_mutex_unlock(&b->writers);
}

/* What a slot held at one moment. */
struct seen {
    uint64_t credential, length;
    int64_t expires_us;
    char bytes[TOKEN_BYTES];
};

static bool read_once(struct slot *s, struct seen *ret)
{
    uint64_t before = atomic_load(&s->sequence);

    if (before & 1)
        return false;
    ret->credential = atomic_load(&s->credential);
    ret->expires_us = atomic_load(&s->expires_us);
    ret->length = MIN(atomic_load(&s->length), (uint64_t)TOKEN_BYTES);
    for (size_t i = 0; i * 8 < ret->length; i++) {
        uint64_t w = atomic_load(&s->word[i]);

        memcpy(ret->bytes + i * 8, &w, 8);
    }
    return atomic_load(&s->sequence) == before;
}

/* A writer is done within a microsecond; one that was put to sleep is not waited for. */
static bool read_slot(struct token_board *b, struct account_id account, uint64_t credential,
                      struct seen *ret)
{
    struct slot *s = slot_of(b->slots, TOKEN_SLOTS, sizeof(*s), account.v, false);

    for (int i = 0; s && i < READS_MAX; i++)
        if (read_once(s, ret))
            return ret->credential == credential && ret->length > 0;
    return false;
}

int token_get(struct token_board *b, struct account_id account, uint64_t credential,
              int64_t now_us, struct arena *a, struct str *ret)
{
    struct seen seen;
    struct str bearer = STR_NONE;
    bool good = read_slot(b, account, credential, &seen) && seen.expires_us > now_us;

    if (good)
        bearer = arena_strf(a, "Bearer %.*s", (int)seen.length, seen.bytes);
    secret_wipe(&seen, sizeof(seen));
    if (!good)
        return TOKEN_E_NONE;
    if (!bearer.p)
        return err_origin(-ENOMEM);
    *ret = bearer;
    return TOKEN_OK;
}

int64_t token_expires_us(struct token_board *b, struct account_id account, uint64_t credential)
{
    struct seen seen;
    int64_t expires_us = read_slot(b, account, credential, &seen) ? seen.expires_us : 0;

    secret_wipe(&seen, sizeof(seen));
    return expires_us;
}
