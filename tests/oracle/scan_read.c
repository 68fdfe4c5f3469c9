/* scan_read.c: says what json_scan() makes of documents, for those who know better (scan.py, suite.mjs).
 *
 * Input: each document as its length in four bytes, least first, and its bytes. Output: a line each,
 * "fault AT REASON", or "ok" and what stands at the paths below: the kind, how often it occurred, and
 * the decoded text in hexadecimal, the bytes as they are, or "-". */
#include <stdio.h>

#include "base/bounds.h"
#include "json/scan.h"

static struct json_watch watches[] = {
    {.path = "model"},
    {.path = "stream"},
    {.path = "max_tokens"},
    {.path = "stream_options.include_usage"},
    {.path = "messages[].role"},
    {.path = "messages[].content[].type"},
    {.path = "tools"},
};

static void print_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        printf("%02x", (unsigned char)s.p[i]);
}

static void print_watch(struct str doc, const struct json_watch *w)
{
    struct buf text;
    uint64_t number;

    printf(" %s=%u:%u:", w->path, w->span.n ? w->span.kind : 0, w->count);
    if (!w->span.n) {
        putchar('-');
        return;
    }
    buf_init(&text, (size_t)doc.n * 3 + 16);
    if (json_span_text(doc, w->span, &text) == JSON_OK)
        print_hex(buf_str(&text));
    else if (w->span.kind == JSON_OBJECT || w->span.kind == JSON_ARRAY)
        printf("%u", w->span.n);
    else
        print_hex(json_span_str(doc, w->span));
    if (json_span_u64(doc, w->span, &number))
        printf("/%llu", (unsigned long long)number);
    buf_done(&text);
}

static void look_at(struct str doc)
{
    struct json_scan_result result;
    struct json_fault fault;

    if (json_scan(doc, watches, ARRAY_LEN(watches), &result, &fault) != JSON_OK) {
        printf("fault %zu %s\n", fault.at, fault.reason);
        return;
    }
    printf("ok");
    for (size_t i = 0; i < ARRAY_LEN(watches); i++)
        print_watch(doc, &watches[i]);
    putchar('\n');
}

int main(void)
{
    unsigned char head[4];

    while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
        size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        char *bytes = malloc(n + 1); /* of its very size, so that a sanitizer sees a step too far */

        if (!bytes || fread(bytes, 1, n, stdin) != n)
            return 1;
        look_at(str_n(bytes, n));
        free(bytes);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
