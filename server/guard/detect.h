/* detect.h: what guardrails find without being told how it looks: each kind of finding is a function
 * that is linear in the text.
 *
 * They look at the bytes of decoded text: what is found is ASCII, whatever stands around it. They prefer
 * to be right: numbers have their checksums, known lengths and edges, so that an id or a version that
 * only looks similar is let through. Pure; any thread. */
#pragma once

#include "base/str.h"

/* The order is that of the bits in a rule and of the choices on its page. */
enum detect_kind {
    DETECT_EMAIL,
    DETECT_CARD, /* payment cards: ranges of the networks, Luhn's checksum */
    DETECT_IBAN, /* ISO 13616: the country's length, the checksum */
    DETECT_SSN,  /* US social security numbers, written with dashes or spaces */
    DETECT_IP,   /* addresses of both families */
    DETECT_SECRET, /* private keys in PEM, and API keys as the known providers write them */
    DETECT_KINDS
};

struct detect_kind_info {
    const char *name;  /* "email", as in the database and the API */
    const char *label; /* for people */
    struct str mark;   /* what stands in the place of a finding: "[EMAIL]" */
};
extern const struct detect_kind_info detect_kinds[DETECT_KINDS];
bool detect_kind_parse(struct str name, enum detect_kind *ret);

struct detect_span {
    size_t from, to; /* bytes of the text, [from, to) */
};

/* The first finding that begins at `from` or behind it; false: there is none. Findings of one kind do not
 * overlap when each search begins where the one before ended. */
bool detect_find(enum detect_kind kind, struct str text, size_t from,
                 struct detect_span *ret) _must_use_;

/* The kinds by file. */
bool detect_email(struct str text, size_t from, struct detect_span *ret) _must_use_;
bool detect_card(struct str text, size_t from, struct detect_span *ret) _must_use_;
bool detect_iban(struct str text, size_t from, struct detect_span *ret) _must_use_;
bool detect_ssn(struct str text, size_t from, struct detect_span *ret) _must_use_;
bool detect_ip(struct str text, size_t from, struct detect_span *ret) _must_use_;
bool detect_secret(struct str text, size_t from, struct detect_span *ret) _must_use_;

static inline bool detect_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool detect_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool detect_is_word(char c)
{
    return detect_is_digit(c) || detect_is_letter(c);
}
