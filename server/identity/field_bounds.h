/* field_bounds.h: what may stand in fields of people, teams and keys, said once for forms, the API and the
 * services; the columns' own checks say the same. Texts are counted in characters. How many of a thing there
 * may be stands in base/bounds.h. */
#pragma once

#include <stdint.h>

#include "base/bounds.h"

#define PERSON_NAME_MAX 120
#define EMAIL_MAX 254 /* RFC 5321 4.5.3.1.3, less the angle brackets */
#define TEAM_NAME_MAX 80
#define PROJECT_NAME_MAX 80

/* Whom an invoice names: buyers (teams) and the seller (the installation). */
#define PARTY_NAME_MAX 200
#define PARTY_ADDRESS_MAX 600
#define PARTY_TAX_ID_MAX 60

/* Virtual keys and those of the management API. */
#define KEY_NAME_MAX 80
#define KEY_LIMIT_MAX INT64_C(1000000000000) /* requests and tokens a minute, calls at the same time */
#define KEY_MODEL_NAME_MAX 200
#define KEY_TAG_NAME_MAX 40
#define KEY_TAG_VALUE_MAX 100
/* All of them in a form, one a line: addresses with room for spaces, name=value. */
#define KEY_ADDRESS_LINES_MAX 4000
#define KEY_TAG_LINES_MAX (BOUND_KEY_TAGS * (KEY_TAG_NAME_MAX + KEY_TAG_VALUE_MAX + sizeof("=\r\n")))

/* A key's budget and any other: as MONEY_MAX_BALANCE. */
#define BUDGET_MAX_NANO INT64_C(1000000000000000000)
