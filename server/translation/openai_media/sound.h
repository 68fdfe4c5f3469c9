/* sound.h: how long a file of sound is, by its own headers: WAV, MP3, AAC (ADTS), FLAC, Ogg (Opus,
 * Vorbis), MP4.
 *
 * Pure and bounded: one walk over the frames at most. Any thread. */
#pragma once

#include "base/str.h"

/* Milliseconds, rounded up; < 0: it cannot be told. Never less than its bytes last at the rate of
 * uncompressed sound, so that a header which says too little is not believed. */
int64_t sound_length_ms(struct str file);
