/* letter.c: see letter.h. The markup is small and calm, since mail programs know little of it, and loads
 * nothing: nobody learns from it that it was read. */
#include "notices/letter.h"

#include "fetch/smtp.h"

bool mailbox_parse(struct str text, struct mailbox *ret)
{
    struct str s = str_trim(text), name = STR("");
    ssize_t open = str_find(s, '<');

    if (open >= 0) {
        if (s.p[s.n - 1] != '>')
            return false;
        name = str_trim(str_n(s.p, (size_t)open));
        s = str_n(s.p + open + 1, s.n - (size_t)open - 2);
    }
    if (name.n >= 2 && name.p[0] == '"' && name.p[name.n - 1] == '"')
        name = str_n(name.p + 1, name.n - 2);
    if (!smtp_is_address(s) || !str_is_field(name) || !str_utf8(name))
        return false;
    *ret = (struct mailbox){name, s};
    return true;
}

/* One line of text: what would end it becomes a blank. */
static void put_line(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_putc(out, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i]);
}

void letter_put_text(const struct letter *l, struct buf *out)
{
    for (size_t i = 0; i < l->n_lines; i++) {
        put_line(out, l->lines[i]);
        buf_puts(out, "\n\n");
    }
    if (l->link.p) {
        put_line(out, l->link);
        buf_puts(out, "\n\n");
    }
    buf_puts(out, "-- \n");
    put_line(out, l->foot);
    buf_putc(out, '\n');
}

static void put_escaped(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '&')
            buf_puts(out, "&amp;");
        else if (c == '<')
            buf_puts(out, "&lt;");
        else if (c == '>')
            buf_puts(out, "&gt;");
        else if (c == '"')
            buf_puts(out, "&quot;");
        else
            buf_putc(out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
    }
}

static void put_element(struct buf *out, const char *open, struct str s, const char *close)
{
    buf_puts(out, open);
    put_escaped(out, s);
    buf_puts(out, close);
}

#define FONT "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;"

void letter_put_html(const struct letter *l, struct buf *out)
{
    buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n");
    put_element(out, "<title>", l->subject, "</title></head>\n");
    buf_puts(out, "<body style=\"margin:0;padding:24px;" FONT "\">\n"
                  "<div style=\"max-width:560px\">\n");
    put_element(out, "<h1 style=\"font-size:20px;margin:0 0 16px\">", l->subject, "</h1>\n");
    for (size_t i = 0; i < l->n_lines; i++)
        put_element(out, "<p style=\"margin:0 0 16px\">", l->lines[i], "</p>\n");
    if (l->link.p) {
        put_element(out, "<p style=\"margin:0 0 16px\"><a href=\"", l->link, "\">");
        put_element(out, "", l->link_says, "</a></p>\n");
    }
    put_element(out, "<p style=\"margin:24px 0 0;font-size:14px;opacity:.7\">", l->foot,
                "</p>\n</div>\n</body></html>\n");
}
