/* test_fetch_faults_libcurl.c: the same ways to fail through libcurl, as with TLS. */
#define THROUGH_LIBCURL true

#include "test_fetch_faults.c"
