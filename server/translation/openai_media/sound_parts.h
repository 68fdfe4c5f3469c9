/* sound_parts.h: one container of sound each, and what they are read with. Used by sound*.c only. */
#pragma once

#include "translation/openai_media/sound.h"

#define SOUND_UNKNOWN ((struct sound_length){-1, -1})

/* The file begins as one: with fLaC, OggS, a box, or (behind its tag) a frame of MPEG audio or AAC. */
struct sound_length sound_of_flac(struct str file);
struct sound_length sound_of_ogg(struct str file);
struct sound_length sound_of_mp4(struct str file);
struct sound_length sound_of_frames(struct str file);

uint64_t sound_big(const char *p, size_t n);
uint64_t sound_little(const char *p, size_t n);
/* samples / rate in milliseconds, rounded up; < 0: none, or out of all bounds. */
int64_t sound_samples_ms(uint64_t samples, uint64_t rate);
/* What so many bytes last at the lowest rate. */
int64_t sound_bytes_ms(uint64_t bytes);
/* The next place of these bytes; NULL: there is none. */
const char *sound_find(struct str s, const char *bytes, size_t n);

static inline struct str sound_after(struct str s, size_t n)
{
    return str_n(s.p + n, s.n - n);
}
