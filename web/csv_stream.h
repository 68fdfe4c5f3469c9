/* csv_stream.h: a file of any number of rows, sent in blocks while the database is read. Worker. */
#pragma once

#include "http/stream.h"
#include "web/web.h"

struct csv_stream {
    struct stream *stream;
    struct buf block; /* rows are written into it */
    bool gone;        /* the browser is */
};
/* The head of the answer; the title row follows. Below 0: nothing to end. */
int csv_stream_begin(struct web *w, struct str name, struct csv_stream *ret) _must_use_;
/* After each row. 0: go on; above 0: the browser is gone; below 0: fatal. */
int csv_stream_row(struct csv_stream *s) _must_use_;
/* Always once. r: what came of the reading; a file that is not whole ends so that it is seen. */
int csv_stream_end(struct csv_stream *s, int r) _must_use_;
