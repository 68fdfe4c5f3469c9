/* asset.c: see asset.h. */
#include "web/asset.h"

#include "gateway/gateway.h"
#include "http/listener.h"
#include "web/site.h"

void web_asset(struct request *req)
{
    const struct gateway *gateway = listener_ctx(req->listener);

    site_answer(gateway->services->site, req);
}
