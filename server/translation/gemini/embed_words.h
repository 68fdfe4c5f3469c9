/* embed_words.h: Google's words for what vectors are for, of the Gemini API and of Vertex AI. */
#pragma once

#include "translation/embed.h"

extern embed_words google_task_words;
