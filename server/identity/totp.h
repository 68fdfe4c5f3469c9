/* totp.h: codes of six digits that an app makes of a shared secret and the time (RFC 6238: SHA-1, steps of
 * 30 s, as the apps have it). Sole home of liboath. */
#pragma once

#include "base/arena.h"

#define TOTP_SECRET_BYTES 20 /* as long as SHA-1, as RFC 4226 recommends */
#define TOTP_STEP_S 30

/* Whether code belongs to a step later than after_step, at most one away from that of now_s: apps and
 * servers keep time apart, and people type slowly. *ret_step: the step; who takes a code keeps it, so that
 * neither this code nor an older one is taken again. */
bool totp_check(const uint8_t secret[TOTP_SECRET_BYTES], struct str code, int64_t now_s,
                int64_t after_step, int64_t *ret_step);

/* "JBSW Y3DP ...", to be typed into an app; in the arena, p NULL: no memory. */
struct str totp_typed(struct arena *a, const uint8_t secret[TOTP_SECRET_BYTES]) _must_use_;
/* otpauth://totp/ISSUER:ACCOUNT?secret=..., which apps read from a QR code. */
struct str totp_uri(struct arena *a, const uint8_t secret[TOTP_SECRET_BYTES], struct str issuer,
                    struct str account) _must_use_;
