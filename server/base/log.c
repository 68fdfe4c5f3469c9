/* log.c: see log.h. A line is built on the stack and leaves in one write(2), so that lines of
 * several threads and processes on one pipe do not mix. What is too long is cut and marked. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    LINE_BYTES = 4096, /* PIPE_BUF: atomic on a pipe */
    VALUE_BYTES = 200,
    VALUE_RING = 8,
};

static _Atomic(enum log_level) threshold = LOG_INFO;
static _Atomic(const char *) name;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, level);
}

void log_set_name(const char *process_name)
{
    atomic_store(&name, process_name);
}

bool log_enabled(enum log_level level)
{
    return level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

static void write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t written = write(STDERR_FILENO, p, n);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nowhere left to say so */
        p += written;
        n -= (size_t)written;
    }
}

static void put(char line[LINE_BYTES], size_t *n, const char *fmt, va_list args) _printf_(3, 0);
static void putf(char line[LINE_BYTES], size_t *n, const char *fmt, ...) _printf_(3, 4);

/* Appends at *n, cut to leave room for the end mark. */
static void put(char line[LINE_BYTES], size_t *n, const char *fmt, va_list args)
{
    static const char mark[] = "...";
    size_t room = LINE_BYTES - *n - sizeof(mark);
    int wanted = vsnprintf(line + *n, room, fmt, args);

    if (wanted < 0)
        return;
    if ((size_t)wanted < room) {
        *n += (size_t)wanted;
        return;
    }
    *n += room - 1;
    memcpy(line + *n, mark, sizeof(mark) - 1);
    *n += sizeof(mark) - 1;
}

static void putf(char line[LINE_BYTES], size_t *n, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put(line, n, fmt, args);
    va_end(args);
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
    char line[LINE_BYTES], stamp[CLOCK_RFC3339_SIZE];
    const char *process = atomic_load_explicit(&name, memory_order_relaxed);
    int saved = errno;
    size_t n = 0;
    va_list args;

    if (!log_enabled(level))
        return;
    clock_rfc3339(clock_wall_us(), stamp);
    putf(line, &n, "%s %s%s%s %s ", stamp, process ? process : "", process ? " " : "",
         level_names[level], event);
    va_start(args, fmt);
    put(line, &n, fmt, args);
    va_end(args);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?'; /* a value that did not come through log_str forges no line */
    line[n++] = '\n';
    write_all(line, n);
    errno = saved;
}

static char *put_escaped(char *to, const char *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)*p;

    if (c >= 0x80) {
        memcpy(to, p, n);
        return to + n;
    }
    if (c == '"' || c == '\\') {
        *to++ = '\\';
    } else if (c < 0x20 || c == 0x7f) {
        *to++ = '\\';
        *to++ = 'x';
        *to++ = hex[c >> 4];
        c = (unsigned char)hex[c & 15];
    }
    *to++ = (char)c;
    return to;
}

const char *log_str(struct str s)
{
    static _Thread_local char ring[VALUE_RING][4 * VALUE_BYTES + 8];
    static _Thread_local unsigned turn;
    char *start = ring[turn++ % VALUE_RING], *to = start;
    size_t cut = MIN(s.n, (size_t)VALUE_BYTES);

    *to++ = '"';
    for (size_t i = 0; i < cut;) {
        size_t length = str_utf8_length(s.p + i, s.n - i);

        if (length == 0) {
            *to++ = '?';
            length = 1;
        } else {
            to = put_escaped(to, s.p + i, length);
        }
        i += length;
    }
    *to++ = '"';
    if (cut < s.n)
        to = stpcpy(to, "...");
    *to = '\0';
    return start;
}
