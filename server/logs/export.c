/* export.c: see export.h. Columns come from record.def, so an export has what a team's log has. */
#include "logs/export.h"

#include "base/csv.h"

static void csv_uuid(struct buf *out, struct call_id id)
{
    char text[CALL_ID_TEXT];

    call_id_text(id, text);
    csv_text(out, call_id_given(id) ? str_c(text) : STR_NONE);
}

static void csv_id(struct buf *out, int64_t v)
{
    if (v)
        csv_i64(out, v);
    else
        csv_text(out, STR_NONE);
}

static void csv_bool(struct buf *out, bool v)
{
    csv_text(out, v ? STR("true") : STR("false"));
}

#define CSV_UUID csv_uuid
#define CSV_ID csv_id
#define CSV_TIME csv_time
#define CSV_I64 csv_i64
#define CSV_I32 csv_i64
#define CSV_BOOL csv_bool
#define CSV_MONEY csv_money
#define CSV_TEXT csv_text
#define CSV_JSON csv_text

/* Amounts go out as decimal dollars, and are called so. */
static void csv_name(struct buf *out, struct str name)
{
    const struct str nano = STR("_nano");

    if (!str_ends(name, nano)) {
        csv_text(out, name);
        return;
    }
    buf_put_str(out, str_n(name.p, name.n - nano.n));
    csv_text(out, STR("_usd"));
}

#define HEAD(name, kind, bound, label)                                                             \
    if (!RECORD_IS_OPERATORS(name))                                                                \
        csv_name(out, STR(#name));
#define FIELD(name, kind, bound, label)                                                            \
    if (!RECORD_IS_OPERATORS(name))                                                                \
        CSV_##kind(out, row->call.name);

void log_csv_head(struct buf *out)
{
    RECORD_CALL(HEAD)
    csv_text(out, STR("prompt_tokens"));
    csv_text(out, STR("completion_tokens"));
    csv_text(out, STR("posted_at"));
    csv_text(out, STR("transfer_id"));
    csv_text(out, STR("team"));
    csv_text(out, STR("key"));
    csv_text(out, STR("project"));
    csv_end(out);
}

void log_csv_row(struct buf *out, const struct log_row *row)
{
    RECORD_CALL(FIELD)
    csv_i64(out, call_record_tokens(&row->call, USAGE_COVERS_PROMPT));
    csv_i64(out, call_record_tokens(&row->call, USAGE_COVERS_OUTPUT));
    csv_time(out, row->posted_at_us);
    csv_id(out, row->transfer_id);
    csv_text(out, row->team_name);
    csv_text(out, row->key_name);
    csv_text(out, row->project_name);
    csv_end(out);
}
