/* letter.h: what is said in a mail, and the mail that it makes: headers, a plain text and an HTML part
 * that say the same (RFC 5322, 2045 to 2047). Pure.
 *
 * Whatever stands in a letter may come from anybody: names of teams, of people. No byte of it can end a
 * header, a part or an element. */
#pragma once

#include "base/bounds.h"
#include "base/buf.h"

/* "ops@example.org" or "Tollgate <ops@example.org>". */
struct mailbox {
    struct str name, address; /* name: may be empty */
};
/* False: it is neither. The parts point into text. */
bool mailbox_parse(struct str text, struct mailbox *ret);

struct letter {
    struct str subject;
    const struct str *lines; /* paragraphs */
    size_t n_lines;
    struct str link, link_says; /* p NULL: none */
    struct str foot;            /* why it was sent */
};

struct mail {
    struct mailbox from;
    struct str to;   /* a bare address */
    struct str tag;  /* 32 hexadecimal digits: its Message-ID, the same at each try */
    struct str host; /* whose Message-ID it is */
    int64_t at_us;
    const struct letter *letter;
};

#define MAIL_BYTES_MAX KIB(256)

void letter_put_text(const struct letter *l, struct buf *out);
void letter_put_html(const struct letter *l, struct buf *out);
/* The whole mail with CR LF line ends; whether it fitted says buf_finish(out). */
void mail_put(const struct mail *m, struct buf *out);
