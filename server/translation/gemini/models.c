/* models.c: what Google's models are by their names: "gemini-2.5-flash-lite", "gemini-3-pro-preview",
 * "gemini-flash-latest", also behind a path. */
#include "translation/gemini/gemini.h"

/* "3", "2.5": false: no version. */
static bool read_version(struct str word, struct gemini_model *m)
{
    struct str major;
    uint32_t n, minor = 0;

    if (!str_split(&word, '.', &major) || str_u32(major, &n) != 0 || n == 0 || n > 99)
        return false;
    if (word.n && str_u32(word, &minor) != 0)
        return false;
    m->major = n;
    m->minor = minor;
    return true;
}

struct gemini_model gemini_model_of(struct str name)
{
    struct gemini_model m = {.major = 0};
    bool named = false, latest = false;
    struct str part, word;

    while (str_split(&name, '/', &part))
        ;
    while (str_split(&part, '-', &word)) {
        if (named && !m.major)
            (void)read_version(word, &m);
        named = named || str_eq_c(word, "gemini");
        m.pro = m.pro || str_eq_c(word, "pro");
        m.flash = m.flash || str_eq_c(word, "flash");
        m.lite = m.lite || str_eq_c(word, "lite");
        latest = latest || str_eq_c(word, "latest");
    }
    if (named && latest && !m.major)
        m.major = GEMINI_NEWEST;
    return m;
}
