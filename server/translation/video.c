/* video.c: see video.h. */
#include "translation/video.h"

enum { EDGE_MAX = 16384 };

static bool read_edge(struct str text, uint32_t *ret)
{
    uint64_t v;

    if (!text.n || text.p[0] == '0' || str_u64(text, &v) != STR_OK || v > EDGE_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

bool video_size_read(struct str text, struct video_size *ret)
{
    ssize_t mark = str_find(text, 'x');
    struct video_size size;

    if (mark <= 0 || !read_edge(str_n(text.p, (size_t)mark), &size.width) ||
        !read_edge(str_n(text.p + mark + 1, text.n - (size_t)mark - 1), &size.height))
        return false;
    *ret = size;
    return true;
}
