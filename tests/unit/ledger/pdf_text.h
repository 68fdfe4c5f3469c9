/* pdf_text.h: a PDF read back, for the tests of invoices. */
#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "base/arena.h"
#include "base/bounds.h"

/* The PDF's text as pdftotext -layout gives it. */
static inline const char *pdf_text_of(struct arena *arena, struct str pdf)
{
    char in[] = "/tmp/tg-invoice-XXXXXX", out[] = "/tmp/tg-text-XXXXXX";
    char name[] = "pdftotext", layout[] = "-layout";
    char *argv[] = {name, layout, in, out, NULL};
    int from = mkstemp(in), to = mkstemp(out), status = -1;
    char *text = arena_alloc(arena, MIB(2));
    pid_t pid;

    assert_true(from >= 0 && to >= 0);
    assert_non_null(text);
    assert_int_equal(write(from, pdf.p, pdf.n), (ssize_t)pdf.n);
    assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(read(to, text, MIB(2) - 1) > 0);
    close(from);
    close(to);
    unlink(in);
    unlink(out);
    return text;
}
