/* llm.h: what the gateway has to know of a request, a reply and a stream event, whatever their wire
 * format. Data only; slices live in the request's arena or in the bytes that were read. */
#pragma once

#include "base/str.h"
#include "model/service.h"
#include "model/usage.h"

/* What admission, the hold and routing need of a request. */
struct llm_request {
    struct str model; /* decoded; p NULL when only `models` was given */
    bool stream;
    bool wants_usage;      /* a streaming client asked for the usage figures */
    bool has_output_limit; /* else output_limit is 0 */
    uint64_t output_limit; /* tokens per choice; the larger when two names give one */
    const char *limit_field; /* the client's name of it; NULL: its format has one only */
    uint32_t choices;      /* `n`; 1 when absent */
    enum service_tier service;
    bool has_tools;
    /* Searches of the web that the provider may make for it, at most as far as the request says; 0: it
     * asks for none. The path of what asks for them, "tools[0]"; p NULL: nothing does. */
    uint64_t searches;
    struct str search_path;
    bool searches_always; /* there is one at least, of which an answer need not tell */
    bool wants_schema;        /* the answer shall be JSON of a given schema */
    bool wants_reasoning;     /* the model shall think, and not only if it likes to */
    bool wants_audio;         /* the answer may be sound */
    uint32_t image_parts;     /* also those given by URL */
    uint32_t audio_parts;     /* inline, */
    uint64_t audio_bytes;     /* and their bytes as base64 */
    uint32_t file_parts;      /* inline, */
    uint64_t file_bytes;      /* and their bytes as base64 */
    uint32_t files_elsewhere; /* named by an id or a URL: of unknown size */
    uint64_t text_bytes;      /* of the body, without inline media */
    uint64_t prompt_bytes;    /* of what the model reads in it: messages or input, tools */
    /* Of what is no chat. */
    struct visual_kind visual; /* to be made, `choices` of them; of a video its size alone */
    uint32_t pictures;         /* that come along: to be edited, or judged */
    uint64_t characters;       /* to be spoken */
    uint64_t seconds;          /* of a video, to be made */
    uint64_t sound_bytes;      /* to be written down, */
    int64_t sound_ms;          /* and its length; < 0: not known */
    int64_t sound_most_ms;     /* however false its headers are; < 0: not known */
    uint64_t documents;        /* to be ranked, */
    uint64_t query_bytes;      /* by this */
    uint64_t pages;            /* to be read; 0: it is not said how many */
    struct str models_json;   /* OpenRouter's `models`, the raw array; p NULL when absent */
    struct str provider_json; /* OpenRouter's `provider`, the raw object; p NULL when absent */
    /* The id of an earlier answer, kept by whoever gave it, that this one goes on from (Responses);
     * p NULL: none. Who keeps no answers has to refuse it. */
    struct str previous_id;
};

/* What a whole reply or a stream's event says. */
struct llm_report {
    bool has_usage;
    struct usage usage; /* of the whole call so far, where has_usage... */
    bool lacks_prompt;  /* ...but the provider gave no credible figure of this side */
    bool lacks_output;
    /* A bit for each unit that is not told though its side is: what was told before still holds, and
     * the bit of what was never told stays. Writes to the cache for an hour are not told, those for 5
     * minutes are: the sum of both. */
    uint32_t silent;
    bool has_service;
    enum service_tier service; /* that served, where has_service */
    uint32_t images;       /* that were made, whole */
    uint32_t pages;        /* that were read */
    uint32_t searches;     /* of the web, that are seen in here; what the usage tells goes before */
    struct visual_kind visual;
    uint64_t output_bytes; /* of generated text and arguments in here */
    struct str finish_reason;
    struct str id; /* the provider's id of the reply */
};

#define LLM_SILENT(unit) ((uint32_t)1 << (unit))
_Static_assert(USAGE_UNITS <= 32, "a bit for each unit");

/* The figures of a stream, event by event: the last ones count, and where they lack a side or a
 * unit, the ones before. now->has_usage. */
void llm_take_usage(struct llm_report *last, const struct llm_report *now);
