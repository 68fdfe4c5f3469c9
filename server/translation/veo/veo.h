/* veo.h: Google's jobs that make videos, at its Gemini API and at Vertex AI, whose requests are alike.
 *
 * Sources: ai.google.dev/gemini-api/docs/veo; docs.cloud.google.com, "Veo on Vertex AI API". Contracts:
 * video_dialect.h. Any thread. */
#pragma once

#include "translation/video_dialect.h"
#include "translation/video_prompt.h"

/* What the two take beside what they have in common. */
struct veo_host {
    bool is_vertex;  /* wants a number of videos, and told whether they have sound */
    bool large_is_8; /* videos beyond 720p have eight seconds */
};
int veo_write(const struct video_prompt *p, const struct veo_host *host, struct str model, struct buf *out,
              struct chat_losses *losses, struct json_fault *fault) _must_use_;

/* The operation that an answer tells of: `videos` are where each video stands in it. */
struct veo_paths {
    const char *videos, *reasons; /* "response.videos[].bytesBase64Encoded" */
};
int veo_read_state(struct arena *a, struct str body, const struct veo_paths *paths,
                   struct video_told *ret) _must_use_;
/* Operations' names go into paths as they are: segments of letters, digits, - . _ and no way up. */
bool veo_is_name(struct str name);
/* url with the way's last part, "{model}:predictLongRunning", replaced; what stands behind it stays. p NULL:
 * out of memory, or it is no such URL. */
struct str veo_url(struct arena *a, struct str url, const char *last, struct str by);
