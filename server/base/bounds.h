/* bounds.h: every hard ceiling, with its reason. Units are in the names. */
#pragma once

#define KIB(n) ((size_t)(n) * 1024)
#define MIB(n) ((size_t)(n) * 1024 * 1024)

/* Request head: cookies and long bearer tokens fit, as with Node.js. libmicrohttpd's pool is as large, and
 * all of it is touched by each request: an idle stream holds on to it, and larger ones leave less of the
 * processor's cache. */
#define BOUND_HEAD_BYTES KIB(16)
#define BOUND_URL_BYTES KIB(8)
#define BOUND_HEADER_COUNT 64
/* A body must come at this pace after its first body_timeout (reliability H3). */
#define BOUND_BODY_BYTES_PER_S KIB(64)
/* What a refused request may still send before its connection is cut: a whole body in most cases,
 * so that the client reads the refusal and not a reset. */
#define BOUND_LINGER_BYTES MIB(32)
/* Kept back for when memory is out: what a page or two still need. */
#define BOUND_RESERVE_BYTES MIB(1)
/* A certificate chain or a private key. */
#define BOUND_PEM_BYTES KIB(256)
/* Chat bodies with a dozen inline images. */
#define BOUND_LLM_BODY_BYTES MIB(20)
/* Forms with a file: OpenAI takes 25 MB of sound, and there are the other parts. */
#define BOUND_FILE_BODY_BYTES MIB(26)
#define BOUND_ADMIN_BODY_BYTES KIB(64)
#define BOUND_FORM_BODY_BYTES KIB(64)
/* All templates together, parsed; and the indentation strings of one rendering. */
#define BOUND_TEMPLATES_BYTES MIB(8)
/* Sections within sections of one template, and partials within partials: a partial may include
 * itself, so the view could ask for any depth; each level costs some 400 bytes of stack. */
#define BOUND_TEMPLATE_DEPTH 64
/* One file for browsers (fonts are the largest), and all of them with their compressed twins. */
#define BOUND_ASSET_BYTES MIB(2)
#define BOUND_ASSETS_BYTES MIB(16)
#define BOUND_ASSET_FILES 64
/* A page: a log of 200 rows is some 150 KB. */
#define BOUND_PAGE_BYTES MIB(4)
/* Fields of one submitted form: a key may be limited to each of some hundred models. */
#define BOUND_FORM_PAIRS 1024
/* Time zones to choose from; the system lists some 320. */
#define BOUND_ZONES 1024
/* Days on one chart. */
#define BOUND_CHART_DAYS 400
/* A kept response: what is larger is passed on and not kept. As an event of a stream. */
#define BOUND_STORED_RESPONSE_BYTES MIB(4)
/* The conversation before it, which goes into the body of the next request. */
#define BOUND_STORED_INPUT_BYTES BOUND_LLM_BODY_BYTES
/* Responses on their way to the database, on one node; beyond it they are not kept. */
#define BOUND_STORED_WAITING_BYTES MIB(64)
/* An id of a response: the providers' have some 55 characters. */
#define BOUND_STORED_ID_BYTES 200
/* A request's arena: body copy, spliced body, log fields. */
#define BOUND_REQUEST_ARENA_BYTES MIB(64)
/* Answers read whole before the head goes out, so that x-tollgate-cost can be set (DESIGN 7). */
#define BOUND_WHOLE_REPLY_BYTES MIB(1)
/* An answer written anew in its client's format; the request, its texts and this share an arena. */
#define BOUND_TRANSLATED_REPLY_BYTES MIB(32)
/* Answers of any kind from an upstream. */
#define BOUND_UPSTREAM_REPLY_BYTES MIB(64)
#define BOUND_SSE_EVENT_BYTES MIB(4)
/* One that carries an image: 24 MB of PNG in base64. */
#define BOUND_SSE_IMAGE_BYTES MIB(32)
/* Bytes waiting for a slow client before its upstream is paused: with one read more they stay within a
 * buffer of 128 KiB, and a thousand stuck readers within 300 MB. */
#define BOUND_STREAM_QUEUE_BYTES KIB(96)
/* json/scan: depth 64, values and containers against memory blow-up (reliability 2.2). */
#define BOUND_JSON_DEPTH 64
#define BOUND_JSON_VALUES 200000
/* Of documents never made a tree of, 2,048 embeddings of 3,072 numbers; a reply has no room for more. */
#define BOUND_JSON_ROW_VALUES 8000000
#define BOUND_JSON_CONTAINERS 50000
#define BOUND_JSON_KEYS_PER_OBJECT 4096
/* Keys of all open objects whose duplicates are looked for: one object of the largest kind and what
 * it may be nested in. They are remembered on the stack, 12 bytes each. */
#define BOUND_JSON_OPEN_KEYS 5120
/* A key with escapes in such an object is decoded on the stack; long names of properties fit. */
#define BOUND_JSON_ESCAPED_KEY_BYTES 1024
/* Paths one scan may watch (a bit each), and their steps. */
#define BOUND_JSON_WATCHES 32
#define BOUND_JSON_WATCH_STEPS 8
/* Purses one call may draw on: wallet or grants, 5 scopes of budget, rate, permit. */
#define BOUND_HOLD_PURSES 12
/* Targets one call may try, retries included. */
#define BOUND_ATTEMPTS 16
/* One record in the journal: half a KiB usually; 16 attempts with every text at its bound and every
 * number at its longest are 20. */
#define BOUND_JOURNAL_RECORD_BYTES KIB(32)
/* Prices above $10,000 per million are data errors (reliability 1.1); a call above $10,000 too. */
#define BOUND_PRICE_PER_MILLION_NANO ((int64_t)10000000000000)
/* What even a confirmed price cannot exceed: $1,000 for one request or image. */
#define BOUND_PRICE_ABSURD_NANO ((int64_t)1000000000000000000)
#define BOUND_CALL_COST_NANO ((int64_t)10000000000000)
/* Tokens, images, seconds ... of one call: with the price ceiling the sum stays within 128 bits. */
#define BOUND_USAGE_QUANTITY INT32_MAX
/* Steps of input length within one service tier of a price; the providers have two at most. */
#define BOUND_PRICE_STEPS 4
/* Figures for images or videos of a certain quality and size in one price; OpenAI's list has twelve a model. */
#define BOUND_PRICE_VISUALS 32
/* Addresses a fetch may never reach: the database's and its replicas', in both families. */
#define BOUND_FORBIDDEN_ADDRESSES 16
/* Parameters and columns of one statement: a settle batch has some forty arrays. */
#define BOUND_DB_ARGS 96
#define BOUND_DB_COLS 96
/* All encoded parameters of one statement: a batch of 200 calls at 4 KiB, and imports. */
#define BOUND_DB_PARAMETER_BYTES MIB(32)
/* Files in migrations/, each of them, and all as read at start. */
#define BOUND_MIGRATIONS 2000
#define BOUND_MIGRATION_BYTES MIB(4)
#define BOUND_MIGRATIONS_BYTES MIB(64)
/* What one team may have; pages and policies read them whole. */
#define BOUND_KEYS_PER_TEAM 2000
#define BOUND_MEMBERS_PER_TEAM 500
#define BOUND_PROJECTS_PER_TEAM 500
#define BOUND_INVITES_PER_TEAM 100
#define BOUND_MANAGE_KEYS_PER_TEAM 100
#define BOUND_OPEN_ORDERS_PER_TEAM 100
/* Teams one person may belong to; the switcher shows them all. */
#define BOUND_TEAMS_PER_USER 200
/* What one key may name: all of it is read with the key and compared on every call. */
#define BOUND_KEY_MODELS 200
#define BOUND_KEY_ADDRESSES 50
#define BOUND_KEY_TAGS 16
/* Accounts, models or targets that one page or snapshot shows: a large reseller's catalogue. */
#define BOUND_CATALOG_ROWS 20000
/* Extra headers of a provider account: an organisation, a project, a few labels. */
#define BOUND_ACCOUNT_HEADERS 16
/* Context or output of a model; today's largest context has ten million. */
#define BOUND_MODEL_TOKENS ((int64_t)1000000000)
/* Versions of a model's prices that its page shows. */
#define BOUND_PRICE_VERSIONS 500
/* A catalogue file: LiteLLM's table has 1.4 MB. */
#define BOUND_CATALOG_FILE_BYTES MIB(16)
/* The configuration file, one value in it (a path, a URL), and all of them in memory. */
#define BOUND_CONFIG_BYTES KIB(64)
#define BOUND_CONFIG_VALUE_BYTES KIB(4)
#define BOUND_CONFIG_ARENA_BYTES MIB(2)
/* One key's policy in memory: BOUND_KEY_MODELS names of 200 bytes, addresses, tags, and slack. */
#define BOUND_KEY_POLICY_BYTES KIB(128)
/* Keys one loop remembers: about 3 KiB each. */
#define BOUND_KEYS_CACHED 10000
/* Changes on their way to a loop; beyond it they become one that says `all`. */
#define BOUND_CHANGES 256
/* Rows a second that refused calls of one key write on one node (DESIGN 1). */
#define BOUND_REFUSALS_PER_S 20
/* Lines of one invoice (ledger/invoice.h divides them), what they take in memory, and drawn at some 40 lines
 * and 8 KiB a page, in some 2 s, for which the database waits: it ends a transaction that is idle for 15. */
#define BOUND_INVOICE_LINES 3007
#define BOUND_INVOICE_ARENA_BYTES MIB(64)
#define BOUND_INVOICE_PDF_BYTES MIB(32)
