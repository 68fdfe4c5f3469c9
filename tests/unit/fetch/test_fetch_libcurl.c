/* test_fetch_libcurl.c: the same answers through libcurl, as with TLS. */
#define THROUGH_LIBCURL true

#include "test_fetch.c"
