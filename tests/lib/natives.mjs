// natives.mjs: a scripted upstream that answers in each provider's own format, by the path that is asked.
// Every answer is the same two words and figures, so that a client cannot tell who gave it; a question of
// "fail" is refused with the format's own error, and a list of models is given where one is asked for.
import { chat, chunk, send, sse, startUpstream } from './upstream.mjs';

export const words = ['Hello ', 'there.'];
export const figures = { input: 9, output: 3 };

// --- Anthropic's messages ---

const anthropicUsage = (used) => ({ input_tokens: used.input, output_tokens: used.output, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 });
const message = (content, usage, stop) => ({
  id: 'msg_1', type: 'message', role: 'assistant', model: 'scripted', content, stop_reason: stop, stop_sequence: null, usage,
});

export const anthropic = {
  plain: (res, used = figures, said = words) =>
    send(res, 200, message([{ type: 'text', text: said.join('') }], anthropicUsage(used), 'end_turn'), { 'request-id': 'req_1' }),
  // cut: the connection breaks before the answer is whole.
  stream: (res, used = figures, said = words, { cut = false } = {}) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const e of [
      { type: 'message_start', message: message([], { ...anthropicUsage(used), output_tokens: 1 }, null) },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      ...said.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
      ...(cut ? [] : [
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: used.output } },
        { type: 'message_stop' },
      ]),
    ]) res.write(`event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`);
    if (cut) res.destroy();
    else res.end();
  },
  fail: (res, status = 400, says = 'The scripted refusal.') =>
    send(res, status, { type: 'error', error: { type: status < 500 ? 'invalid_request_error' : 'api_error', message: says }, request_id: 'req_1' }),
  list: (res) => send(res, 200, { data: [{ type: 'model', id: 'scripted' }], has_more: false, first_id: 'scripted', last_id: 'scripted' }),
  asked: (body) => [body.messages.at(-1).content].flat().map((part) => part.text ?? part).join(''),
};

// --- Google's generateContent ---

const geminiUsage = { promptTokenCount: figures.input, candidatesTokenCount: figures.output, totalTokenCount: figures.input + figures.output };
const candidate = (text, end) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...(end ? { finishReason: 'STOP' } : {}) }],
  ...(end ? { usageMetadata: geminiUsage } : {}), modelVersion: 'scripted', responseId: 'resp-1',
});

export const gemini = {
  plain: (res) => send(res, 200, candidate(words.join(''), true)),
  stream: (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    words.forEach((text, i) => res.write(`data: ${JSON.stringify(candidate(text, i === words.length - 1))}\r\n\r\n`));
    res.end();
  },
  fail: (res) => send(res, 400, { error: { code: 400, message: 'The scripted refusal.', status: 'INVALID_ARGUMENT' } }),
  list: (res) => send(res, 200, { models: [{ name: 'models/scripted' }] }),
  asked: (body) => body.contents.at(-1).parts[0].text,
};

// --- OpenAI's chat completions ---

const openaiUsage = { prompt_tokens: figures.input, completion_tokens: figures.output, total_tokens: figures.input + figures.output };

export const openai = {
  plain: (res) => send(res, 200, chat(words.join(''), openaiUsage)),
  stream: (res) => sse(res, [chunk({ role: 'assistant', content: '' }), ...words.map((content) => chunk({ content })), chunk({}, 'stop')], { usage: openaiUsage }),
  fail: (res) => send(res, 400, { error: { message: 'The scripted refusal.', type: 'invalid_request_error', param: null, code: null } }),
  list: (res) => send(res, 200, { object: 'list', data: [{ id: 'scripted', object: 'model' }] }),
  asked: (body) => body.messages.at(-1).content,
};

// --- Amazon's Converse, with the binary frames of its streams ---

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc32 = (bytes) => (bytes.reduce((crc, b) => crcTable[(crc ^ b) & 255] ^ (crc >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };

// An event of Amazon's event stream: lengths, headers, payload, and a sum over each part.
export function frame(type, payload) {
  const headers = Buffer.concat([[':message-type', 'event'], [':event-type', type], [':content-type', 'application/json']].map(([name, value]) =>
    Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7, value.length >> 8, value.length & 255]), Buffer.from(value)])));
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.concat([u32(16 + headers.length + body.length), u32(headers.length)]);
  const whole = Buffer.concat([prelude, u32(crc32(prelude)), headers, body]);
  return Buffer.concat([whole, u32(crc32(whole))]);
}

const converseUsage = { inputTokens: figures.input, outputTokens: figures.output, totalTokens: figures.input + figures.output };

export const converse = {
  plain: (res) => send(res, 200, { output: { message: { role: 'assistant', content: [{ text: words.join('') }] } }, stopReason: 'end_turn', usage: converseUsage, metrics: { latencyMs: 1 } }, { 'x-amzn-requestid': 'amz-1' }),
  stream: (res) => {
    res.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
    res.write(frame('messageStart', { role: 'assistant' }));
    for (const text of words) res.write(frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }));
    res.write(frame('contentBlockStop', { contentBlockIndex: 0 }));
    res.write(frame('messageStop', { stopReason: 'end_turn' }));
    res.end(frame('metadata', { usage: converseUsage, metrics: { latencyMs: 1 } }));
  },
  fail: (res) => send(res, 400, { message: 'The scripted refusal.' }, { 'x-amzn-errortype': 'ValidationException' }),
  asked: (body) => body.messages.at(-1).content[0].text,
};

// --- Ollama's own chat, whose stream is lines of JSON ---

const line = (content, end) => ({
  model: 'scripted', created_at: '2026-11-01T10:00:00Z', message: { role: 'assistant', content }, done: end,
  ...(end ? { done_reason: 'stop', prompt_eval_count: figures.input, eval_count: figures.output } : {}),
});

export const ollama = {
  plain: (res) => send(res, 200, line(words.join(''), true)),
  stream: (res) => {
    res.writeHead(200, { 'content-type': 'application/x-ndjson' });
    for (const text of words) res.write(`${JSON.stringify(line(text, false))}\n`);
    res.end(`${JSON.stringify(line('', true))}\n`);
  },
  fail: (res) => send(res, 400, { error: 'The scripted refusal.' }),
  list: (res) => send(res, 200, { models: [{ name: 'scripted:latest', model: 'scripted:latest' }] }),
  asked: (body) => body.messages.at(-1).content,
};

const bodySays = (seen) => seen.body.stream === true;
const routes = [
  { path: /\/messages$/, format: anthropic, streams: bodySays },
  { path: /\/models\/[^/]+:generateContent$/, format: gemini, streams: () => false },
  { path: /\/models\/[^/]+:streamGenerateContent$/, format: gemini, streams: () => true },
  { path: /\/publishers\/anthropic\/models\/[^/]+:(rawPredict|streamRawPredict)$/, format: anthropic, streams: (seen) => /stream/.test(seen.url) },
  { path: /^\/model\/[^/]+\/converse$/, format: converse, streams: () => false },
  { path: /^\/model\/[^/]+\/converse-stream$/, format: converse, streams: () => true },
  { path: /\/chat\/completions$/, format: openai, streams: bodySays },
  { path: /\/api\/chat$/, format: ollama, streams: (seen) => seen.body.stream !== false },
];

export function answer(req, res, seen) {
  const path = new URL(req.url, 'http://upstream').pathname;
  const route = routes.find((r) => r.path.test(path));
  if (req.method === 'GET' && /\/models$/.test(path))
    return (req.headers['anthropic-version'] ? anthropic : req.headers['x-goog-api-key'] ? gemini : openai).list(res);
  if (req.method === 'GET' && /\/api\/tags$/.test(path)) return ollama.list(res);
  if (!route) return send(res, 404, { error: { message: `Nothing answers at ${path}.` } });
  if (route.format.asked(seen.body) === 'fail') return route.format.fail(res);
  return route.streams(seen) ? route.format.stream(res) : route.format.plain(res);
}

export const startNatives = (port) => startUpstream(answer, port);
