/* keyring_check.h: the rules of a key's settings, and new secrets. Inside this room only. */
#pragma once

#include "base/secret.h"
#include "identity/keyring.h"

/* Trims the name. 0 or IDENTITY_E_FAULT. */
int keyring_check(struct key_settings *settings, struct identity_fault *fault) _must_use_;
/* An expiry that is set anew lies in the future. */
int keyring_check_expiry(int64_t expires_at_us, struct identity_fault *fault) _must_use_;

struct key_secret {
    struct str text;          /* shown once */
    struct digest digest;     /* stored */
    struct str prefix, last4; /* shown for ever */
};
int keyring_secret(struct arena *a, const uint8_t key_pepper[32], const char *prefix,
                   struct key_secret *ret) _must_use_;
