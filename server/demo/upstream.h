/* upstream.h: the demo upstream, `tollgate demo-upstream --port N`: an OpenAI-compatible server
 * that invents its answers, so that Tollgate can be tried and tested without any provider.
 *
 * GET /v1/models, GET /v1/models/{model}, POST /v1/chat/completions (plain and streamed),
 * POST /v1/embeddings, POST /v1/videos with what is asked of its jobs (video.h). Any API key is taken, or none.
 *
 * Models: `demo-small` (short, at full speed), `demo-large` (longer, 20 ms between chunks),
 * `demo-embedding`, `demo-video` (a small MP4 after three seconds). With `seed` given the same request gets the same answer. Kept: max_tokens,
 * max_completion_tokens, stop, n (8 at most), logprobs, top_logprobs, tools, tool_choice,
 * response_format, stream_options.include_usage; for embeddings dimensions and encoding_format.
 * A tool is called when tool_choice demands one or the last user message names it. Tokens are those
 * of token.h: completion_tokens is what was emitted (text, or name and arguments of tool calls);
 * prompt_tokens is the text of all messages and tools, four for each message and 85 for each image.
 *
 * Failure on order, by words behind the model's name (`demo-small+429`, `demo-large+delay500+die`),
 * in the header `x-demo: delay=500,die`, or in the request's `metadata`: {"demo": "die"}:
 *   400 ... 599  that error, in OpenAI's shape (429 and 503 with Retry-After: 1)
 *   delay=MS     waits before it answers
 *   timeout      never answers
 *   die          ends in the middle of the answer, with the connection cut
 *   slow         200 ms between chunks
 *   nousage      no `usage` in the answer
 *   badjson      an answer, or one event of a stream, that is no JSON */
#pragma once

#include "http/router.h"

/* Runs until SIGTERM or SIGINT. port 0: any free one. Writes the port in decimal and a newline to
 * ready_fd (-1: none) and closes it. The exit status; says on standard error what is wrong. */
int demo_upstream_run(uint16_t port, int ready_fd);

/* The routes alone, for a listener of one's own (tests). */
extern const struct route demo_routes[];
extern const size_t demo_route_count;
