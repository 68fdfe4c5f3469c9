/* usage.c: see usage.h. Sums of rows, within what the database could add up. */
#include "logs/usage.h"

void usage_row_add(struct usage_row *a, const struct usage_row *b, int sign)
{
    a->calls += sign * b->calls;
    a->blocked += sign * b->blocked;
    a->errors += sign * b->errors;
    a->fallbacks += sign * b->fallbacks;
    for (enum usage_unit u = 0; u < USAGE_UNITS; u++)
        a->used.n[u] += sign * b->used.n[u];
    a->charge.nano += sign * b->charge.nano;
    a->cache_hits += sign * b->cache_hits;
    a->saved.nano += sign * b->saved.nano;
}

void usage_table_fold(struct usage_table *table, size_t n)
{
    while (table->n > n) {
        usage_row_add(&table->others, &table->rows[--table->n], 1);
        table->n_others++;
    }
}
