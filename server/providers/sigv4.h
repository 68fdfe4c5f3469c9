/* sigv4.h: requests signed as Amazon wants them (AWS Signature Version 4).
 *
 * Source: "Create a signed AWS API request" in the IAM user guide. The path is signed as its
 * encoded form encoded once more, as for every service but S3. libcurl can sign too, but the one of
 * Debian 12 (7.88) signs the path as it stands in the URL, which Bedrock refuses for the names of
 * its models, and without headers of ours. Pure; any thread. */
#pragma once

#include "base/arena.h"

struct sigv4_key {
    struct str id, secret;
    struct str session; /* of temporary keys; empty: none */
    struct str region, service;
};

struct sigv4_request {
    const char *method; /* "POST" */
    struct str url;     /* whole, percent-encoded, as it is sent */
    struct str body;
    int64_t now_us; /* Unix time; the signature is good for some minutes around it */
};

/* The values of the headers to send, in the arena: x-amz-date, authorization, and for a temporary
 * key x-amz-security-token. Host is signed as libcurl sends it. */
struct sigv4_headers {
    struct str date, authorization;
};
int sigv4_sign(struct arena *a, const struct sigv4_key *key, const struct sigv4_request *request,
               struct sigv4_headers *ret) _must_use_;
