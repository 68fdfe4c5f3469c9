/* err.c: see err.h. */
#include "base/err.h"
