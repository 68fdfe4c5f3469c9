/* things.h: what calls are counted in that are no chats: images, characters, seconds of sound or
 * video, search units, pages, requests, and tokens where the price names those. Pure.
 *
 * Such a call is counted in what the price of its target names and in nothing else: an image model is
 * sold by the image or by tokens, and its provider tells tokens either way. */
#pragma once

#include "catalog/snapshot.h"
#include "ledger/price.h"
#include "model/llm.h"

/* Is it counted here? Else it is by estimate.h's rules. */
bool things_are_counted(enum model_kind kind);

/* The most that a call can use. Text: half a token a byte. Images: as many as asked for, of the kind
 * that is said, each of which has at most so many tokens as the model's media, or as the model's
 * output. Sound that is spoken: two tokens a byte of text. Sound that is written down: the most that a
 * decoder can find in it, whatever its headers claim (translation/openai_media/sound.h), else what its bytes
 * last at the lowest rate of speech codecs. Search units: one a hundred documents, each of which counts once
 * more for every 500 tokens, the query's among them. Pages: those that are named, else as many as a document
 * may have. A video: its seconds. */
void things_estimate(const struct llm_request *llm, const struct catalog_target *target,
                     struct price_estimate *ret);

/* What came of the answer. */
struct things_seen {
    uint32_t images, pages;
    uint64_t output_bytes; /* of text */
};
/* What was used as far as it can be counted here: images as delivered, text at four bytes a token,
 * speech at three tokens for two bytes of its text, sound as long as its frames say, of unknown length at
 * 32 kbit/s and ten tokens a second, a hundred documents a search unit, a video as long as it was asked for. */
void things_count(const struct llm_request *llm, const struct catalog_target *target,
                  const struct things_seen *seen, struct usage *ret);
/* The provider's figures in the place of these, unit by unit, where it gave any; then what the
 * price does not name is 0. True: all that is left was told by the provider, or delivered. */
bool things_settle(const struct llm_report *told, const struct price *price, struct usage *u);
