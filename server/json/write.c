/* write.c: see write.h. */
#include "json/write.h"

#include "json/text.h"

void json_begin(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

/* Everything that stands in a container or at the root passes here first. */
static void before_value(struct json_writer *w)
{
    if (w->comma_)
        buf_putc(w->out, ',');
    w->comma_ = true;
}

static void open_container(struct json_writer *w, char c)
{
    before_value(w);
    w->depth_++;
    w->comma_ = false;
    buf_putc(w->out, c);
}

static void close_container(struct json_writer *w, char c)
{
    assert(w->depth_ > 0);
    w->depth_--;
    w->comma_ = true;
    buf_putc(w->out, c);
}

void json_open_object(struct json_writer *w)
{
    open_container(w, '{');
}

void json_close_object(struct json_writer *w)
{
    close_container(w, '}');
}

void json_open_array(struct json_writer *w)
{
    open_container(w, '[');
}

void json_close_array(struct json_writer *w)
{
    close_container(w, ']');
}

static void put_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    char text[6] = {'\\', letters[c]};

    if (letters[c]) {
        buf_put(out, text, 2);
        return;
    }
    text[1] = 'u';
    text[2] = text[3] = '0';
    text[4] = hex[c >> 4];
    text[5] = hex[c & 15];
    buf_put(out, text, 6);
}

void json_escape(struct buf *out, struct str s)
{
    const char *p = s.p, *end = str_end(s);

    while (p < end) {
        const char *stop = text_plain_end(p, end);
        size_t length;

        buf_put(out, p, (size_t)(stop - p));
        if (stop == end)
            return;
        p = stop;
        if (!(*p & 0x80)) {
            put_escape(out, (unsigned char)*p++);
            continue;
        }
        length = str_utf8_length(p, (size_t)(end - p));
        if (length)
            buf_put(out, p, length);
        else
            buf_puts(out, "\xef\xbf\xbd");
        p += length ? length : 1;
    }
}

static void put_quoted(struct buf *out, struct str s)
{
    buf_putc(out, '"');
    json_escape(out, s);
    buf_putc(out, '"');
}

void json_key_str(struct json_writer *w, struct str key)
{
    before_value(w);
    put_quoted(w->out, key);
    buf_putc(w->out, ':');
    w->comma_ = false; /* none between the key and its value */
}

void json_key(struct json_writer *w, const char *key)
{
    json_key_str(w, str_c(key));
}

void json_str(struct json_writer *w, struct str s)
{
    before_value(w);
    put_quoted(w->out, s);
}

void json_cstr(struct json_writer *w, const char *z)
{
    if (z)
        json_str(w, str_c(z));
    else
        json_null(w);
}

void json_int(struct json_writer *w, int64_t v)
{
    before_value(w);
    buf_put_i64(w->out, v);
}

void json_bool(struct json_writer *w, bool v)
{
    before_value(w);
    buf_puts(w->out, v ? "true" : "false");
}

void json_null(struct json_writer *w)
{
    before_value(w);
    buf_puts(w->out, "null");
}

void json_money(struct json_writer *w, struct money m)
{
    before_value(w);
    buf_putc(w->out, '"');
    money_put(w->out, m, 0);
    buf_putc(w->out, '"');
}

void json_money_number(struct json_writer *w, struct money m)
{
    before_value(w);
    money_put(w->out, m, 0);
}

void json_raw(struct json_writer *w, struct str s)
{
    before_value(w);
    buf_put_str(w->out, s);
}
