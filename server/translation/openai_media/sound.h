/* sound.h: how long a file of sound is: WAV, MP3, AAC (ADTS), FLAC, Ogg (Opus, Vorbis), MP4.
 *
 * Whoever sends the file has written its headers, so what they claim is held against what a decoder would
 * find: its frames and packets are counted, and what cannot be counted lasts as long as its bytes at the
 * lowest rate of any codec for speech. Pure and bounded: a few walks over the file. Any thread. */
#pragma once

#include "base/str.h"

/* 6 kbit/s: Opus at its lowest (RFC 6716, 2.1.1); MPEG audio begins at 8 (ISO 13818-3). */
enum { SOUND_BYTES_PER_S_LEAST = 750 };

/* In milliseconds, rounded up; < 0: it cannot be told. */
struct sound_length {
    int64_t ms;      /* the best figure */
    int64_t most_ms; /* a decoder finds no more; where both are known it is no less than ms */
};
struct sound_length sound_length(struct str file);
