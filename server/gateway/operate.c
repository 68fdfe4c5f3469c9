/* operate.c: see operate.h: the node as it is now. */
#include "gateway/operate.h"

#include "gateway/gateway.h"

void operate_read_status(const struct services *services, struct operate_status *ret)
{
    const struct {
        const char *name;
        const struct jobs *lane;
    } lanes[] = {{"money", services->money},
                 {"pages", services->pages},
                 {"passwords", services->passwords},
                 {"long", services->long_jobs},
                 {"waiting", services->waiting},
                 {"responses", services->responses}};
    struct operate_status s = {.loops = services->loops};
    const struct gateways *all = services->gateways;

    for (size_t i = 0; i < ARRAY_LEN(lanes); i++) {
        s.lanes[i].name = lanes[i].name;
        jobs_read_stats(lanes[i].lane, &s.lanes[i].stats);
    }
    s.in_flight = gateways_in_flight(all);
    gateways_count(all, &s.calls, &s.keys_cached);
    node_read(services->node, &s.node);
    journal_read(services->journal, &s.journal);
    if (services->answers)
        answers_read(services->answers, &s.answers);
    s.database_silence_ms =
        services->database_silence_ms ? services->database_silence_ms(services->ctx) : 0;
    s.draining = services->draining && services->draining(services->ctx);
    *ret = s;
}
