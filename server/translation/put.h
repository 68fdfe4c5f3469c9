/* put.h: members of JSON objects as the writers of formats need them: only what is given. */
#pragma once

#include "json/write.h"
#include "translation/chat_dialect.h"

static inline void put_text(struct json_writer *w, const char *key, struct str s)
{
    if (!s.p)
        return;
    json_key(w, key);
    json_str(w, s);
}

static inline void put_word(struct json_writer *w, const char *key, const char *word)
{
    if (word)
        put_text(w, key, str_c(word));
}

static inline void put_raw(struct json_writer *w, const char *key, struct str raw)
{
    if (!raw.p)
        return;
    json_key(w, key);
    json_raw(w, raw);
}

static inline void put_int(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_int(w, v);
}

/* 1, 0; -1: not told. */
static inline void put_flag(struct json_writer *w, const char *key, int flag)
{
    if (flag < 0)
        return;
    json_key(w, key);
    json_bool(w, flag);
}

/* OpenAI's list of stop sequences, and Ollama's. */
static inline void put_stops(struct json_writer *w, const struct chat_request *r)
{
    if (!r->n_stops)
        return;
    json_key(w, "stop");
    json_open_array(w);
    for (size_t i = 0; i < r->n_stops; i++)
        json_str(w, r->stops[i]);
    json_close_array(w);
}

/* Extras go into the format that they came from. */
static inline void put_extras(struct json_writer *w, const struct chat_extras *extras)
{
    for (size_t i = 0; i < extras->n; i++) {
        json_key_str(w, extras->v[i].name);
        json_raw(w, extras->v[i].raw);
    }
}
