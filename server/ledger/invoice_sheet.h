/* invoice_sheet.h: sheets of A4 that fill from top to bottom: text, blocks, tables that go on over
 * pages, a foot on each. Sole home of pango and cairo. Used by document.c and *_pdf.c only.
 *
 * Lengths are tenths of a point (1/720 inch) from the top left. Everything is drawn twice: the
 * first time onto nothing, to learn how many pages there are. Failures are sticky and told by
 * sheet_finish. */
#pragma once

#include "base/buf.h"

#define SHEET_WIDTH 5953
#define SHEET_HEIGHT 8419
#define SHEET_MARGIN 460
#define SHEET_INNER (SHEET_WIDTH - 2 * SHEET_MARGIN)

enum sheet_style {
    SHEET_TITLE,  /* 22 pt bold */
    SHEET_LEAD,   /* 15 pt bold */
    SHEET_HEAD,   /* 10.5 pt bold: above a block or table */
    SHEET_BODY,   /* 9 pt */
    SHEET_STRONG, /* 9 pt bold */
    SHEET_FAINT,  /* 8 pt grey: column titles, foot */
};

struct sheet;

struct sheet_config {
    struct str title, author; /* of the document's properties */
    int64_t made_at_us;       /* likewise; so that equal invoices are equal bytes */
    struct str foot;          /* at the left of each page's foot */
};

/* NULL: out of memory. */
struct sheet *sheet_new(const struct sheet_config *config) _must_use_;
void sheet_free(struct sheet *s);
void sheet_freep(struct sheet **s);
/* Starts over: out NULL only counts the pages, which the second time, to out, then knows. */
void sheet_start(struct sheet *s, struct buf *out);
/* Ends the last page. -ENOMEM or -EIO when anything failed. */
int sheet_finish(struct sheet *s) _must_use_;

int sheet_y(const struct sheet *s);
void sheet_move_to(struct sheet *s, int y);
void sheet_skip(struct sheet *s, int height);
/* The next page unless this much height is left on this one. */
void sheet_need(struct sheet *s, int height);

/* Text at x, wrapped to width, from the present y, which stays; returns its height. */
int sheet_text(struct sheet *s, int x, int width, enum sheet_style style, bool right,
               struct str text);
/* A line of text over the whole width; moves down by it. */
void sheet_line(struct sheet *s, enum sheet_style style, struct str text);
/* A thin rule over the whole width, or a part. */
void sheet_rule(struct sheet *s, int x, int width, bool strong);

struct sheet_column {
    const char *title;
    int width;
    bool right; /* figures */
};
/* At most 8 columns. The titles are drawn again on each page that the rows reach. */
void sheet_table(struct sheet *s, const struct sheet_column *columns, size_t n);
void sheet_row(struct sheet *s, const struct str *cells, bool strong);
void sheet_table_end(struct sheet *s);
