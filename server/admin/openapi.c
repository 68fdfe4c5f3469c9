/* openapi.c: GET /api/v1/openapi.json: openapi.json as it stands beside this file, linked in. */
#include "admin/admin.h"
#include "openapi_digest.h"

extern const char admin_openapi_begin[], admin_openapi_end[];

__asm__(".pushsection .rodata\n"
        ".global admin_openapi_begin\n"
        "admin_openapi_begin:\n"
        ".incbin \"server/admin/openapi.json\"\n"
        ".global admin_openapi_end\n"
        "admin_openapi_end:\n"
        ".popsection\n");

struct str admin_document(void)
{
    return str_n(admin_openapi_begin, (size_t)(admin_openapi_end - admin_openapi_begin));
}

int admin_openapi(struct admin *a)
{
    return admin_reply_bytes(a, "application/json", admin_document());
}
