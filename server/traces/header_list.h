/* header_list.h: headers as OTEL_EXPORTER_OTLP_HEADERS has them: "name=value,name=value", values
 * percent-encoded (OpenTelemetry, "OTLP Exporter", Specifying headers). Pure. */
#pragma once

#include "base/arena.h"
#include "fetch/fetch.h"

/* Ours are among them. */
#define HEADER_LIST_MAX 16

struct header_list {
    struct fetch_header v[HEADER_LIST_MAX];
    size_t n;
};

/* Content-Type first, then those of text. 0, or -EINVAL: it is no such list, or a long one. Copies live in
 * the arena. */
int header_list_read(struct arena *a, struct str text, struct header_list *ret) _must_use_;
