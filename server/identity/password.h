/* password.h: which passwords are taken, and checking them.
 *
 * Hashing costs some 50 ms and 19 MiB: passwords lane only, outside transactions. */
#pragma once

#include "base/secret.h"
#include "identity/fault.h"

#define PASSWORD_MIN 12 /* characters */
#define PASSWORD_MAX 128

/* NULL when the password may be used, else the sentence that says why not. email: its own e-mail is
 * refused as well. */
const char *password_refusal(struct str password, struct str email);
/* hash may be NULL (unknown user): takes the same time and is false. */
bool password_check(const char *hash, struct str password);
/* Four groups of five letters and digits (99 bits), for accounts that the program makes. */
struct str password_generate(struct arena *a) _must_use_;
