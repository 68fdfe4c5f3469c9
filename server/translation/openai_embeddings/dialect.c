/* dialect.c: OpenAI's embeddings format (API reference, "Create embeddings"). An answer has no text
 * and is never streamed; its usage object is read as chat's. */
#include <stdio.h>

#include "base/err.h"
#include "translation/edit.h"
#include "translation/openai_chat/chat.h"
#include "json/write.h"

enum { MODEL, INPUT, WATCHES };

static const char *const paths[WATCHES] = {[MODEL] = "model", [INPUT] = "input"};

static int wrong(struct json_fault *fault, size_t which, const char *reason)
{
    *fault = (struct json_fault){.at = 0};
    (void)snprintf(fault->path, sizeof(fault->path), "%s", paths[which]);
    (void)snprintf(fault->reason, sizeof(fault->reason), "%s", reason);
    return DIALECT_E_FIELD;
}
