/* media.h: what stands in a prompt beside its text, counted for the hold (model/llm.h). */
#pragma once

#include "json/scan.h"
#include "model/llm.h"

enum media_kind { MEDIA_IMAGE, MEDIA_AUDIO, MEDIA_FILE };

struct media {
    struct llm_request *llm;
    uint64_t inline_bytes; /* of base64, with its quotes */
};

/* One part that is told by an address or an id. A picture has its own bound whatever its bytes. */
void media_elsewhere(struct media *m, enum media_kind kind);
/* One part that is in the body; data: the span of its base64. */
void media_inline(struct media *m, enum media_kind kind, struct json_span data);
/* "image/png", "audio/mp3"; anything else is a file. Both spellings of the case. */
enum media_kind media_kind_of(struct str mime);
/* Sets what is text: of the body, and of what the model reads of it. */
void media_end(const struct media *m, uint64_t body_bytes, uint64_t prompt_bytes);
