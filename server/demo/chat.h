/* chat.h: POST /v1/chat/completions of the demo upstream. Loop thread. */
#pragma once

#include "http/request.h"

void demo_chat(struct request *r);
