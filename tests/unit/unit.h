/* unit.h: what every cmocka file needs in front of it, and comparisons of slices.
 *
 * cmocka's own assert wins over base.h's within tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#undef assert
#include <cmocka.h>

#define assert_str(s, z)                                                                           \
    do {                                                                                           \
        struct str s_ = (s), z_ = str_c(z);                                                        \
        assert_int_equal(s_.n, z_.n);                                                              \
        assert_memory_equal(s_.p, z_.p, z_.n);                                                     \
    } while (0)
