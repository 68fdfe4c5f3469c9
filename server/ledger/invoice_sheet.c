/* invoice_sheet.c: sheets of A4, drawn with pango and cairo.
 *
 * The base direction is left to right for the layout's sake, also where the text is Arabic or
 * Hebrew: pango orders such a run by itself. Fonts are asked for by name in one list; pango goes
 * on to any other font of the machine for characters that none of these has. */
#include "ledger/invoice_sheet.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <pango/pangocairo.h>

#include "base/clock.h"
#include "base/err.h"

#define FAMILIES                                                                              \
    "Inter, Noto Sans, Noto Sans Arabic, Noto Sans Hebrew, Droid Sans Fallback, DejaVu Sans," \
    " sans-serif"
#define FOOT_Y (SHEET_HEIGHT - 400)
#define BOTTOM_Y (SHEET_HEIGHT - 620)
#define ROW_PAD 50
#define CELL_GAP 80
#define LINE_HEIGHT 1.45f   /* of the size */
#define INTER_HEIGHT 1.21f  /* the font's own */
#define SHEET_TEXT_MAX 4096 /* bytes of one cell; longer ones are cut */

#define POINTS(tenths) ((tenths) / 10.0)
#define TENTHS_FROM_PANGO(n) ((int)((n)*10LL / PANGO_SCALE))

struct look {
    double points, grey;
    PangoWeight weight;
};

static const struct look looks[] = {
    [SHEET_TITLE] = {22, 0.07, PANGO_WEIGHT_BOLD},
    [SHEET_LEAD] = {15, 0.07, PANGO_WEIGHT_BOLD},
    [SHEET_HEAD] = {10.5, 0.07, PANGO_WEIGHT_SEMIBOLD},
    [SHEET_BODY] = {9, 0.15, PANGO_WEIGHT_NORMAL},
    [SHEET_STRONG] = {9, 0.07, PANGO_WEIGHT_SEMIBOLD},
    [SHEET_FAINT] = {8, 0.42, PANGO_WEIGHT_NORMAL},
};

struct sheet {
    struct sheet_config config;
    cairo_t *cr;
    PangoFontMap *font_map; /* its own: the default one lives as long as its thread */
    PangoLayout *layout;
    PangoFontDescription *fonts[ARRAY_LEN(looks)];
    struct buf *out; /* NULL while pages are counted */
    int y;
    unsigned page, pages; /* pages: 0 while they are counted */
    const struct sheet_column *columns;
    size_t n_columns;
};

static cairo_status_t write_out(void *closure, const unsigned char *data, unsigned length)
{
    struct sheet *s = closure;

    if (s->out)
        buf_put(s->out, data, length);
    return CAIRO_STATUS_SUCCESS;
}

struct sheet *sheet_new(const struct sheet_config *config)
{
    struct sheet *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->config = *config;
    s->font_map = pango_cairo_font_map_new();
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        s->fonts[i] = pango_font_description_from_string(FAMILIES);
        pango_font_description_set_weight(s->fonts[i], looks[i].weight);
        pango_font_description_set_absolute_size(s->fonts[i], looks[i].points * PANGO_SCALE);
    }
    return s;
}

static void sheet_close(struct sheet *s)
{
    if (s->layout)
        g_object_unref(s->layout);
    if (s->cr)
        cairo_destroy(s->cr);
    s->layout = NULL;
    s->cr = NULL;
}

void sheet_free(struct sheet *s)
{
    if (!s)
        return;
    sheet_close(s);
    g_object_unref(s->font_map);
    for (size_t i = 0; i < ARRAY_LEN(looks); i++)
        pango_font_description_free(s->fonts[i]);
    free(s);
}

void sheet_freep(struct sheet **s)
{
    sheet_free(*s);
    *s = NULL;
}

static void set_property(cairo_surface_t *surface, cairo_pdf_metadata_t what, struct str value)
{
    char z[256];
    size_t n = MIN(value.n, sizeof(z) - 1);

    while (n > 0 && n < value.n && ((unsigned char)value.p[n] & 0xc0) == 0x80)
        n--; /* not within a character */
    if (n > 0)
        memcpy(z, value.p, n);
    z[n] = '\0';
    cairo_pdf_surface_set_metadata(surface, what, z);
}

static void set_properties(struct sheet *s, cairo_surface_t *surface)
{
    char made[CLOCK_RFC3339_SIZE];

    clock_rfc3339(s->config.made_at_us, made);
    set_property(surface, CAIRO_PDF_METADATA_TITLE, s->config.title);
    set_property(surface, CAIRO_PDF_METADATA_AUTHOR, s->config.author);
    set_property(surface, CAIRO_PDF_METADATA_CREATE_DATE, str_n(made, 19));
}

/* Paper has no pixels: widths rounded to them would tear words apart. */
static PangoLayout *new_layout(struct sheet *s)
{
    PangoContext *context = pango_font_map_create_context(s->font_map);
    cairo_font_options_t *options = cairo_font_options_create();

    pango_cairo_update_context(s->cr, context);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context, options);
    pango_context_set_round_glyph_positions(context, FALSE);
    PangoLayout *layout = pango_layout_new(context);

    cairo_font_options_destroy(options);
    g_object_unref(context);
    return layout;
}

void sheet_start(struct sheet *s, struct buf *out)
{
    PangoAttrList *attributes = pango_attr_list_new();
    cairo_surface_t *surface;

    sheet_close(s);
    s->out = out;
    s->pages = out ? s->page : 0;
    s->page = 1;
    s->y = SHEET_MARGIN;
    surface = cairo_pdf_surface_create_for_stream(write_out, s, POINTS(SHEET_WIDTH),
                                                  POINTS(SHEET_HEIGHT));
    cairo_pdf_surface_restrict_to_version(surface, CAIRO_PDF_VERSION_1_5);
    set_properties(s, surface);
    s->cr = cairo_create(surface);
    cairo_surface_destroy(surface);
    s->layout = new_layout(s);
    pango_layout_set_auto_dir(s->layout, FALSE);
    pango_layout_set_wrap(s->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_line_spacing(s->layout, LINE_HEIGHT / INTER_HEIGHT);
    pango_attr_list_insert(attributes, pango_attr_font_features_new("tnum=1, calt=0"));
    pango_layout_set_attributes(s->layout, attributes);
    pango_attr_list_unref(attributes);
}

/* Lays text out; width below 0: on one line however long. Returns its height, which for one line is
 * the same whatever fonts it needed. */
static int lay(struct sheet *s, int width, enum sheet_style style, bool right, struct str text)
{
    int height;

    pango_layout_set_font_description(s->layout, s->fonts[style]);
    pango_layout_set_width(s->layout, width < 0 ? -1 : width * PANGO_SCALE / 10);
    pango_layout_set_alignment(s->layout, right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    pango_layout_set_text(s->layout, text.p ? text.p : "", (int)MIN(text.n, SHEET_TEXT_MAX));
    pango_layout_get_size(s->layout, NULL, &height);
    return MAX(TENTHS_FROM_PANGO(height), (int)(looks[style].points * 10 * (double)LINE_HEIGHT));
}

static void draw(struct sheet *s, int x, int y, enum sheet_style style)
{
    double grey = looks[style].grey;

    cairo_set_source_rgb(s->cr, grey, grey, grey);
    cairo_move_to(s->cr, POINTS(x), POINTS(y));
    pango_cairo_show_layout(s->cr, s->layout);
}

static void draw_foot(struct sheet *s)
{
    char text[48];
    struct buf b;

    buf_init(&b, sizeof(text));
    buf_printf(&b, "Page %u of %u", s->page, s->pages);
    s->y = FOOT_Y - 80;
    sheet_rule(s, SHEET_MARGIN, SHEET_INNER, false);
    (void)lay(s, SHEET_INNER - 1000, SHEET_FAINT, false, s->config.foot);
    draw(s, SHEET_MARGIN, FOOT_Y, SHEET_FAINT);
    (void)lay(s, 1000, SHEET_FAINT, true, buf_str(&b));
    draw(s, SHEET_WIDTH - SHEET_MARGIN - 1000, FOOT_Y, SHEET_FAINT);
    buf_done(&b);
}

int sheet_finish(struct sheet *s)
{
    draw_foot(s);
    cairo_show_page(s->cr);
    cairo_surface_t *surface = cairo_get_target(s->cr);
    cairo_status_t status = cairo_status(s->cr);

    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    if (status == CAIRO_STATUS_NO_MEMORY)
        return err_origin(-ENOMEM);
    if (status != CAIRO_STATUS_SUCCESS)
        return err_origin(-EIO);
    return s->out ? buf_finish(s->out) : 0;
}

int sheet_y(const struct sheet *s)
{
    return s->y;
}

void sheet_move_to(struct sheet *s, int y)
{
    s->y = y;
}

void sheet_skip(struct sheet *s, int height)
{
    s->y += height;
}

static void draw_titles(struct sheet *s)
{
    int x = SHEET_MARGIN, height = 0;

    for (size_t i = 0; i < s->n_columns; i++) {
        const struct sheet_column *c = &s->columns[i];
        int h = lay(s, c->width - CELL_GAP, SHEET_FAINT, c->right, str_c(c->title));
        draw(s, c->right ? x + CELL_GAP : x, s->y, SHEET_FAINT);
        height = MAX(height, h);
        x += c->width;
    }
    s->y += height + 40;
    sheet_rule(s, SHEET_MARGIN, SHEET_INNER, true);
}

static void next_page(struct sheet *s)
{
    draw_foot(s);
    cairo_show_page(s->cr);
    s->page++;
    s->y = SHEET_MARGIN;
    if (s->columns)
        draw_titles(s);
}

void sheet_need(struct sheet *s, int height)
{
    if (s->y + height > BOTTOM_Y)
        next_page(s);
}

int sheet_text(struct sheet *s, int x, int width, enum sheet_style style, bool right,
               struct str text)
{
    int height = lay(s, width, style, right, text);

    draw(s, x, s->y, style);
    return height;
}

void sheet_line(struct sheet *s, enum sheet_style style, struct str text)
{
    sheet_need(s, lay(s, SHEET_INNER, style, false, text));
    s->y += sheet_text(s, SHEET_MARGIN, SHEET_INNER, style, false, text);
}

void sheet_rule(struct sheet *s, int x, int width, bool strong)
{
    double grey = strong ? 0.55 : 0.88;

    cairo_set_source_rgb(s->cr, grey, grey, grey);
    cairo_set_line_width(s->cr, 0.5);
    cairo_move_to(s->cr, POINTS(x), POINTS(s->y));
    cairo_line_to(s->cr, POINTS(x + width), POINTS(s->y));
    cairo_stroke(s->cr);
}

void sheet_table(struct sheet *s, const struct sheet_column *columns, size_t n)
{
    assert(n <= 8);
    sheet_need(s, 600); /* the titles never stand alone at the foot */
    s->columns = columns;
    s->n_columns = n;
    draw_titles(s);
}

/* A figure is never broken: one that is too long reaches into the column before it. */
static void draw_cell(struct sheet *s, int x, const struct sheet_column *c, enum sheet_style style,
                      struct str text)
{
    int width;

    (void)lay(s, c->right ? -1 : c->width - CELL_GAP, style, false, text);
    pango_layout_get_size(s->layout, &width, NULL);
    if (c->right)
        x += c->width - TENTHS_FROM_PANGO(width);
    draw(s, x, s->y, style);
}

void sheet_row(struct sheet *s, const struct str *cells, bool strong)
{
    enum sheet_style style = strong ? SHEET_STRONG : SHEET_BODY;
    int height = 0, x = SHEET_MARGIN;

    for (size_t i = 0; i < s->n_columns; i++) {
        const struct sheet_column *c = &s->columns[i];
        height = MAX(height, lay(s, c->right ? -1 : c->width - CELL_GAP, style, false, cells[i]));
    }
    sheet_need(s, height + 2 * ROW_PAD);
    s->y += ROW_PAD;
    for (size_t i = 0; i < s->n_columns; i++) {
        const struct sheet_column *c = &s->columns[i];
        draw_cell(s, x, c, style, cells[i]);
        x += c->width;
    }
    s->y += height + ROW_PAD;
    sheet_rule(s, SHEET_MARGIN, SHEET_INNER, false);
}

void sheet_table_end(struct sheet *s)
{
    s->columns = NULL;
    s->n_columns = 0;
}
