/* Jobs that make videos: what their providers' answers say of them, what is asked next, and requests of OpenAI's
 * as Google wants them. Names go into paths, so none leads elsewhere; what is written is JSON. */
#include "fuzz.h"

#include "base/bounds.h"
#include "json/scan.h"
#include "translation/format.h"
#include "translation/video_prompt.h"

static const struct wire_format *const formats[] = {&format_openai_videos, &format_gemini_videos,
                                                    &format_vertex_videos};
static const struct str urls[] = {
    STR("https://h/v1/videos?v=1"), STR("https://h/v1beta/models/{model}:predictLongRunning"),
    STR("https://h/v1/projects/p/locations/l/publishers/google/models/{model}:predictLongRunning")};

static void is_json(struct str text)
{
    struct json_scan_result result;
    struct json_fault fault;

    HOLDS(json_scan(text, NULL, 0, &result, &fault) == JSON_OK);
}

/* At the same host, and nowhere above where the way leads. */
static void is_address(struct str url)
{
    HOLDS(str_starts(url, STR("https://h/v1")));
    for (size_t i = 0; i < url.n; i++) {
        HOLDS(url.p[i] > ' ' && url.p[i] != '#' && url.p[i] != '\\' && url.p[i] < 0x7f);
        HOLDS(!str_starts(str_n(url.p + i, url.n - i), STR("/../")));
    }
}

static void ask_next(struct arena *a, size_t which, struct str id)
{
    for (enum video_question q = VIDEO_ASK_STATE; q <= VIDEO_ASK_DELETE; q++) {
        const struct video_ask what = {.what = q, .id = id};
        struct video_request next;

        if (formats[which]->video->ask(a, urls[which], &what, &next) != VIDEO_OK)
            continue;
        is_address(next.url);
        if (next.body.p)
            is_json(next.body);
    }
}

static void state(struct arena *a, size_t which, struct str in)
{
    const struct video_dialect *d = formats[which]->video;
    struct video_content content = {.url = STR_NONE};
    struct video_told told;
    int r = d->read_state(a, in, &told);

    HOLDS(r == VIDEO_OK || r == VIDEO_E_BAD);
    if (r == VIDEO_OK) {
        HOLDS(told.state < VIDEO_STATES && told.progress >= -1 && told.progress <= 100);
        if (told.id.n)
            ask_next(a, which, told.id);
    }
    if (d->find_content && d->find_content(a, in, &content) == VIDEO_OK)
        HOLDS(content.url.p || content.base64.n);
}

static void write(struct arena *a, size_t which, const struct wire_request *request)
{
    const struct video_dialect *d = formats[which]->video;
    struct chat_losses losses = {.n = 0};
    struct json_fault fault = {.at = 0};
    struct video_prompt prompt;
    struct buf out;
    int r = video_prompt_read(a, request, &prompt, &fault);

    HOLDS(r == DIALECT_OK || fault.reason[0]);
    if (r != DIALECT_OK || !d->write_request)
        return;
    HOLDS(!prompt.picture.p || prompt.picture_type);
    buf_init(&out, request->body.n * 8 + KIB(8));
    r = d->write_request(&prompt, STR("veo-3.1"), &out, &losses, &fault);
    HOLDS(r == VIDEO_OK || fault.reason[0]);
    HOLDS(buf_finish(&out) == 0);
    if (r == VIDEO_OK)
        is_json(buf_str(&out));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    unsigned kind = fuzz_byte(&in) % 3;
    size_t which = fuzz_byte(&in) % ARRAY_LEN(formats);
    char *copy = fuzz_copy(in);
    struct arena *a = arena_new(MIB(32));
    struct json_fault fault;
    struct wire_request request;

    HOLDS(a);
    in.p = copy;
    if (kind == 0)
        state(a, which, in);
    else if (kind == 1 && openai_videos.read_request(a, in, &request, &fault) == DIALECT_OK)
        write(a, which, &request);
    else if (kind == 2 && openai_videos.read_form(a, STR("multipart/form-data; boundary=b"), in, &request,
                                                  &fault) == DIALECT_OK)
        write(a, which, &request);
    arena_free(a);
    free(copy);
    return 0;
}
