/* people_group.h: one database with people for all tests of an executable. */
#pragma once

#include "people.h"

static struct people t;

static inline int setup(void **state)
{
    people_start(&t);
    return 0;
}

static inline int teardown(void **state)
{
    people_stop(&t);
    return 0;
}
