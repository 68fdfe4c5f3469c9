/* serve.h: the loops of a node, each with its gateway and its listener, and what they share. */
#pragma once

#include "db/db.h"
#include "gateway/services.h"

struct config;
struct serve;

/* Makes node, catalogue, health board, site and loops, puts them into services, and starts the
 * threads. 0; 1 after having said on standard error what is wrong (the port is taken, a template is
 * broken); < 0. *ret is set in any case, for serve_free(). */
int serve_start(const struct config *config, struct services *services, struct db *db,
                struct serve **ret) _must_use_;
/* GET /assets/{version}/{name}: what pages load. Loop thread. */
void serve_asset(struct request *req);
/* What the listener heard: keys and teams are forgotten, the catalogue is loaded anew. Any thread. */
void serve_changed(struct serve *s, struct str payload);
/* The listener has asked, and knows of no change: a catalogue that could not be loaded is tried again. Any
 * thread. */
void serve_polled(struct serve *s);
/* The configuration that was given at the start has new values. The main thread, before serve_drain. */
void serve_reload(struct serve *s);
/* No new connections; running calls may go on for at most limit_ms, then they are cut. Loops have
 * ended when it returns. NULL is fine. */
void serve_drain(struct serve *s, int limit_ms);
/* After the lanes have ended: settles what the node still holds, then frees. NULL is fine. */
void serve_free(struct serve *s);
