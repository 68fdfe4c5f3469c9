/* Invoices as PDF and CSV: drawn from values made here, read back with pdftotext. */
#include "unit.h"

#include "base/arena.h"
#include "base/bounds.h"
#include "ledger/invoice_csv.h"
#include "ledger/invoice_pdf.h"
#include "ledger/pdf_text.h"

static struct arena *arena;

static int setup(void **state)
{
    arena = arena_new(MIB(16));
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(arena);
    return 0;
}

/* Two movements and n usage lines of 1.234567891 each. */
static struct invoice sample(size_t n)
{
    struct invoice_line *lines = arena_array(arena, struct invoice_line, n + 2);
    struct money each = {1234567891};

    assert_non_null(lines);
    lines[0] = (struct invoice_line){.kind = INVOICE_TOPUP,
                                     .text = STR("Top-up TO-4K7QZ2M9"),
                                     .date = STR("2026-11-02"),
                                     .amount = MONEY_USD(5000)};
    lines[1] = (struct invoice_line){.kind = INVOICE_ADJUSTMENT,
                                     .text = STR("=cmd(\"x\")"),
                                     .date = STR("2026-11-09"),
                                     .amount = {-1}};
    for (size_t i = 0; i < n; i++)
        lines[i + 2] = (struct invoice_line){
            .kind = INVOICE_USAGE,
            .provider = STR("openai"),
            .model = arena_strf(arena, "model-%zu", i),
            .text = i ? STR("") : STR("own key, fee 2.5%"),
            .key = i % 2 ? STR("Ελληνικό κλειδί") : STR("東京サーバー"),
            .calls = 12345,
            .input_tokens = 1000000 + (int64_t)i,
            .output_tokens = 7,
            .amount = {-each.nano},
        };
    int64_t usage = each.nano * (int64_t)n;
    return (struct invoice){
        .number = STR("TG-2026-000042"),
        .month = STR("2026-11"),
        .time_zone = STR("Asia/Tokyo"),
        .issue_date = STR("2026-12-01"),
        .issued_at_us = 1796083200000000,
        .seller = {STR("Tollgate Betriebs GmbH"), STR("Straße 1\n10115 Berlin"), STR("DE"),
                   STR("DE123456789"), STR("billing@example.org")},
        .buyer = {STR("株式会社トールゲート"), STR("شارع الملك فهد\nΛεωφόρος Αθηνών 5"), STR("JP"),
                  STR("T1234567890123"), STR("")},
        .opening = MONEY_USD(1),
        .topups = MONEY_USD(5000),
        .adjustments = {-1},
        .usage = {usage},
        .closing = {5001000000000 - 1 - usage},
        .lines = lines,
        .n_lines = n + 2,
        .calls = 12345 * (int64_t)n,
    };
}

static const char *pdf_text(const struct invoice *inv)
{
    struct buf b;

    buf_init(&b, MIB(8));
    assert_int_equal(invoice_pdf(inv, &b), 0);
    const char *text = pdf_text_of(arena, buf_str(&b));
    buf_done(&b);
    return text;
}

static void pdf_has_names_in_any_script(void **state)
{
    struct invoice inv = sample(2);
    const char *text = pdf_text(&inv);

    assert_non_null(strstr(text, "TG-2026-000042"));
    assert_non_null(strstr(text, "株式会社トールゲート"));
    assert_non_null(strstr(text, "東京サーバー"));
    assert_non_null(strstr(text, "Λεωφόρος Αθηνών"));
    assert_non_null(strstr(text, "Ελληνικό κλειδί"));
    assert_non_null(strstr(text, "الملك"));
    assert_non_null(strstr(text, "November 2026"));
    assert_non_null(strstr(text, "Straße 1"));
}

static void pdf_amounts_are_exact(void **state)
{
    struct invoice inv = sample(2);
    const char *text = pdf_text(&inv);

    assert_non_null(strstr(text, "$2.469135782 used"));
    assert_non_null(strstr(text, "5,000.000000000"));
    assert_non_null(strstr(text, "-0.000000001"));
    assert_non_null(strstr(text, "4,998.530864217"));
}

static void pdf_goes_on_over_pages_with_titles_and_numbers(void **state)
{
    struct invoice inv = sample(120);
    const char *text = pdf_text(&inv);
    size_t titles = 0;

    for (const char *p = text; (p = strstr(p, "Requests")); p++)
        titles++;
    assert_true(titles >= 4);
    assert_non_null(strstr(text, "Page 1 of "));
    assert_non_null(strstr(text, "model-119"));
    assert_null(strstr(text, "of 0"));
    assert_null(strstr(text, "Page 1 of 1\n"));
}

static void pdf_of_equal_invoices_is_equal(void **state)
{
    struct invoice inv = sample(3);
    struct buf a, b;

    buf_init(&a, MIB(8));
    buf_init(&b, MIB(8));
    assert_int_equal(invoice_pdf(&inv, &a), 0);
    assert_int_equal(invoice_pdf(&inv, &b), 0);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    buf_done(&a);
    buf_done(&b);
}

static void pdf_without_movement_or_parties_is_drawn(void **state)
{
    struct invoice inv = {.month = STR("2026-11"), .time_zone = STR("UTC")};

    assert_non_null(strstr(pdf_text(&inv), "Preview"));
}

static void pdf_too_large_for_its_buffer_fails(void **state)
{
    struct invoice inv = sample(1);
    struct buf b;

    buf_init(&b, KIB(2));
    assert_true(invoice_pdf(&inv, &b) < 0);
    buf_done(&b);
}

static void csv_rows_add_up_and_are_safe(void **state)
{
    struct invoice inv = sample(3);
    struct money sum = MONEY_ZERO, last = MONEY_ZERO;
    struct buf b;

    buf_init(&b, KIB(64));
    invoice_csv(&inv, &b);
    assert_int_equal(buf_finish(&b), 0);
    struct str rest = buf_str(&b), row;
    size_t rows = 0;

    while (str_split(&rest, '\n', &row) && row.n > 0) {
        const char *comma = memrchr(row.p, ',', row.n);
        struct str figure = str_n(comma + 1, (size_t)(row.p + row.n - comma - 2));
        if (rows++ == 0)
            continue;
        assert_int_equal(money_add(sum, last, &sum), 0);
        assert_int_equal(money_parse(figure, &last), 0);
    }
    assert_int_equal(rows, 1 + 1 + 5 + 1);
    assert_int_equal(sum.nano, last.nano);
    assert_int_equal(last.nano, inv.closing.nano);
    assert_non_null(memmem(b.p, b.n, "\"'=cmd(\"\"x\"\")\"", 14));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_has_names_in_any_script),
        cmocka_unit_test(pdf_amounts_are_exact),
        cmocka_unit_test(pdf_goes_on_over_pages_with_titles_and_numbers),
        cmocka_unit_test(pdf_of_equal_invoices_is_equal),
        cmocka_unit_test(pdf_without_movement_or_parties_is_drawn),
        cmocka_unit_test(pdf_too_large_for_its_buffer_fails),
        cmocka_unit_test(csv_rows_add_up_and_are_safe),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
