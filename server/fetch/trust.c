/* trust.c: whose signatures under the certificates of upstreams are believed; see fetch.h. */
#include <stdio.h>

#include "fetch/transfer.h"

static const char *file; /* set once, before any thread fetches */

const char *trust_file(void)
{
    return file;
}

int fetch_trust(const char *ca_file)
{
    FILE *f = fopen(ca_file, "re");
    char line[256];
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f))
        found = str_starts(str_c(line), STR("-----BEGIN CERTIFICATE-----"));
    if (f)
        (void)fclose(f);
    if (!found)
        return FETCH_TRUST_E_FILE;
    file = ca_file;
    return FETCH_TRUST_OK;
}
