/* form.c: requests for images, videos and transcriptions that come as forms, see media.h. */
#include "translation/openai_media/media.h"

#include "base/err.h"
#include "translation/plain.h"

int media_read_form(struct arena *a, struct str content_type, struct str body, const char *needed,
                    struct wire_request *ret, const struct form_body **ret_form,
                    struct json_fault *fault)
{
    struct wire_request request;
    const struct form_body *form;
    int r = form_body_read(a, content_type, body, &request, &form, fault);

    if (r == DIALECT_OK)
        r = form_body_need(form, needed, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.text_bytes = request.llm.prompt_bytes = form_body_value(form, "prompt").n;
    *ret = request;
    *ret_form = form;
    return DIALECT_OK;
}

void media_edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                        struct buf *out)
{
    if (request->content_type.p)
        form_body_edit_request(request, edit, out);
    else
        plain_edit_request(request, edit, out);
}
