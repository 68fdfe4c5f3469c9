/* multipart.c: see multipart.h. */
#include "translation/multipart.h"

enum {
    BOUNDARY_MAX = 70,      /* RFC 2046 5.1.1 */
    PART_HEAD_MAX = 8192,   /* bytes of the headers of one part */
    PART_HEADERS_MAX = 16,
};

static bool starts_folded(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_ieq(str_n(s.p, prefix.n), prefix);
}

static struct str after(struct str s, size_t n)
{
    return str_n(s.p + n, s.n - n);
}

/* Where part begins in s; < 0: nowhere. */
static ssize_t find(struct str s, struct str part)
{
    const char *at = s.n ? memmem(s.p, s.n, part.p, part.n) : NULL;

    return at ? at - s.p : -1;
}

bool multipart_is_form(struct str content_type)
{
    const struct str type = STR("multipart/form-data");

    return starts_folded(content_type, type) &&
           (content_type.n == type.n || content_type.p[type.n] == ';' ||
            content_type.p[type.n] == ' ');
}

/* Takes the next `; name=value` off *rest. False: there is none, or it is malformed. */
static bool take_parameter(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str s = str_trim(*rest);
    ssize_t equals, end;

    if (!s.n || s.p[0] != ';')
        return false;
    s = str_trim(after(s, 1));
    equals = str_find(s, '=');
    if (equals <= 0)
        return false;
    *ret_name = str_trim(str_n(s.p, (size_t)equals));
    s = after(s, (size_t)equals + 1);
    if (s.n && s.p[0] == '"') {
        s = after(s, 1);
        end = str_find(s, '"');
        if (end < 0)
            return false;
        *ret_value = str_n(s.p, (size_t)end);
        *rest = after(s, (size_t)end + 1);
        return true;
    }
    end = str_find(s, ';');
    *ret_value = str_trim(end < 0 ? s : str_n(s.p, (size_t)end));
    *rest = end < 0 ? str_n(s.p + s.n, 0) : after(s, (size_t)end);
    return ret_value->n > 0;
}

static bool is_boundary(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if ((c < '0' || c > '9') && ((c | 0x20) < 'a' || (c | 0x20) > 'z') &&
            (!c || !strchr("'()+_,-./:=? ", c)))
            return false;
    }
    return s.n > 0 && s.n <= BOUNDARY_MAX && s.p[s.n - 1] != ' ';
}

static bool read_boundary(struct str content_type, struct str *ret)
{
    struct str rest = after(content_type, strlen("multipart/form-data")), name, value;
    bool found = false;

    while (take_parameter(&rest, &name, &value)) {
        if (!str_ieq(name, STR("boundary")))
            continue;
        if (found)
            return false;
        found = true;
        *ret = value;
    }
    return found && !str_trim(rest).n && is_boundary(*ret);
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f || s.p[i] == '\\')
            return false;
    return true;
}

/* form-data; name="file"; filename="a.mp3" */
static const char *read_disposition(struct str value, struct part *part)
{
    const struct str type = STR("form-data");
    struct str rest, name, text;

    if (!starts_folded(value, type))
        return "a part is no form-data";
    if (part->name.p)
        return "a part has two names";
    rest = after(value, type.n);
    while (take_parameter(&rest, &name, &text)) {
        if (str_ieq(name, STR("name")) && !part->name.p)
            part->name = text;
        else if (str_ieq(name, STR("filename")) && !part->filename.p)
            part->filename = text;
        else if (!str_ieq(name, STR("filename*")))
            return "a part has a parameter that is not understood";
    }
    if (str_trim(rest).n)
        return "a part's name cannot be read";
    if (!part->name.n || !is_plain(part->name) || str_find(part->name, '%') >= 0)
        return "a part has no plain name";
    return NULL;
}

static const char *read_header(struct str line, struct part *part)
{
    ssize_t colon = str_find(line, ':');
    struct str name, value;

    if (colon <= 0)
        return "a part's header cannot be read";
    name = str_n(line.p, (size_t)colon);
    value = str_trim(after(line, (size_t)colon + 1));
    if (str_ieq(name, STR("content-disposition")))
        return read_disposition(value, part);
    if (str_ieq(name, STR("content-transfer-encoding")) && !str_ieq(value, STR("binary")) &&
        !str_ieq(value, STR("7bit")) && !str_ieq(value, STR("8bit")))
        return "a part has a transfer encoding";
    return NULL;
}

/* The headers, up to the empty line. */
static const char *read_headers(struct str *rest, struct part *part)
{
    for (int i = 0; i <= PART_HEADERS_MAX; i++) {
        ssize_t end = find(str_n(rest->p, MIN(rest->n, (size_t)PART_HEAD_MAX)), STR("\r\n"));
        const char *wrong;
        struct str line;

        if (end < 0)
            return "a part's headers do not end";
        line = str_n(rest->p, (size_t)end);
        *rest = after(*rest, (size_t)end + 2);
        if (!line.n)
            return part->name.p ? NULL : "a part has no name";
        wrong = read_header(line, part);
        if (wrong)
            return wrong;
    }
    return "a part has too many headers";
}

static bool stands_twice(const struct multipart *m, struct str name)
{
    if (str_ends(name, STR("[]")))
        return false;
    for (size_t i = 0; i < m->n; i++)
        if (str_eq(m->part[i].name, name))
            return true;
    return false;
}

/* The part that begins here, up to the line that delimits it; takes both off *rest. */
static const char *read_part(struct str delimiter, struct str *rest, struct multipart *m)
{
    struct part part = {.name = STR_NONE};
    const char *wrong = read_headers(rest, &part);
    ssize_t end;

    if (wrong)
        return wrong;
    if (m->n == MULTIPART_PARTS)
        return "it has more than 64 parts";
    if (stands_twice(m, part.name))
        return "two parts have the same name";
    end = find(*rest, delimiter);
    if (end < 0)
        return "its last part does not end";
    part.value = str_n(rest->p, (size_t)end);
    m->part[m->n++] = part;
    *rest = after(*rest, (size_t)end + delimiter.n);
    return NULL;
}

static const char *read_parts(struct str delimiter, struct str body, struct multipart *m)
{
    struct str first = after(delimiter, 2), rest; /* the first one has no line before it */
    const char *wrong;

    if (!str_starts(body, first))
        return "it does not begin with its boundary";
    rest = after(body, first.n);
    for (;;) {
        if (str_starts(rest, STR("--")))
            return str_trim(after(rest, 2)).n ? "something stands behind its end" : NULL;
        if (!str_starts(rest, STR("\r\n")))
            return "a boundary is not a line of its own";
        rest = after(rest, 2);
        wrong = read_part(delimiter, &rest, m);
        if (wrong)
            return wrong;
    }
}

int multipart_read(struct str content_type, struct str body, struct multipart *ret,
                   const char **ret_reason)
{
    char delimiter[BOUNDARY_MAX + 4] = "\r\n--";
    struct str boundary = STR_NONE;

    ret->n = 0;
    if (!multipart_is_form(content_type) || !read_boundary(content_type, &boundary)) {
        *ret_reason = "its content type names no boundary";
        return MULTIPART_E_BAD;
    }
    memcpy(delimiter + 4, boundary.p, boundary.n);
    *ret_reason = read_parts(str_n(delimiter, boundary.n + 4), body, ret);
    return *ret_reason ? MULTIPART_E_BAD : MULTIPART_OK;
}
