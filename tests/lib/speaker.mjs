// speaker.mjs: a scripted model behind a real socket that speaks the formats of five providers, chosen by
// the path. What it says follows from what it was asked, whatever the format:
//   tools and "weather"     calls get_weather for each city named (Paris, Rome); after the results: words
//   "json" or a schema      one JSON object          an image        how many it saw
//   "fail", "busy"          400, 429                 "slow"          many pieces, until the client leaves
//   anything else           "Hello there."
import { crc32 } from 'node:zlib';
import { startUpstream, send } from './upstream.mjs';

export const figures = { input: 9, output: 3 };
export const counted = 42;
export const city = { name: 'Paris', people: 2100000 };
const cities = ['Paris', 'Rome'];

// What a library wraps around a tool's result.
function said(result) {
  try {
    const o = JSON.parse(result);
    return o.content ?? o.output ?? o.result ?? result;
  } catch {
    return result;
  }
}

function decide(asked) {
  if (/\bfail\b/.test(asked.said)) return { status: 400, error: 'The scripted refusal.' };
  if (/\bbusy\b/.test(asked.said)) return { status: 429, error: 'The scripted limit.' };
  if (/\bslow\b/.test(asked.said)) return { slow: true, pieces: Array(100).fill('drip ') };
  if (asked.results.length) return { pieces: ['The weather: ', asked.results.map(said).join(' and '), '.'] };
  if (asked.tools.length && /weather/.test(asked.said))
    return { calls: cities.filter((name) => asked.said.includes(name)).map((name, i) => ({ id: `call_${i + 1}`, name: asked.tools[0], input: { city: name } })) };
  if (asked.tools.includes('json')) return { calls: [{ id: 'call_1', name: 'json', input: city }] };
  if (asked.schema || /\bjson\b/.test(asked.said)) return { pieces: [JSON.stringify(city).slice(0, 12), JSON.stringify(city).slice(12)] };
  if (asked.images) return { pieces: ['I see ', `${asked.images} image.`] };
  return { pieces: ['Hello ', 'there.'] };
}

const list = (v) => (typeof v === 'string' ? [{ type: 'text', text: v }] : v ?? []);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Writes the events of an answer; a slow one stops when its reader is gone.
async function write(res, type, frames, slow) {
  res.writeHead(200, { 'content-type': type });
  for (const frame of frames) {
    if (res.destroyed) return;
    res.write(frame);
    if (slow) await pause(10);
  }
  res.end();
}

// --- OpenAI's chat completions ---

const openai = {
  read: (b) => {
    const last = b.messages.findLastIndex((m) => m.role === 'user');
    const parts = list(b.messages[last].content);
    return {
      said: parts.map((p) => p.text ?? '').join(' '),
      images: parts.filter((p) => p.type === 'image_url').length,
      tools: (b.tools ?? []).map((t) => t.function.name),
      results: b.messages.slice(last).filter((m) => m.role === 'tool').map((m) => list(m.content).map((p) => p.text).join('')),
      schema: b.response_format?.type === 'json_schema',
      stream: b.stream === true,
    };
  },
  usage: { prompt_tokens: figures.input, completion_tokens: figures.output, total_tokens: figures.input + figures.output },
  plain: (res, turn) => send(res, 200, {
    id: 'chatcmpl-1', object: 'chat.completion', created: 1700000000, model: 'scripted', usage: openai.usage,
    choices: [{
      index: 0, logprobs: null, finish_reason: turn.calls ? 'tool_calls' : 'stop',
      message: {
        role: 'assistant', refusal: null, content: turn.calls ? null : turn.pieces.join(''),
        ...(turn.calls && { tool_calls: turn.calls.map((c) => ({ id: c.id, type: 'function', function: { name: c.name, arguments: JSON.stringify(c.input) } })) }),
      },
    }],
  }),
  stream: (res, turn) => {
    const chunk = (delta, finish = null) => ({
      id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1700000000, model: 'scripted', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    });
    const deltas = turn.calls
      ? turn.calls.flatMap((c, index) => {
        const text = JSON.stringify(c.input);
        return [
          { tool_calls: [{ index, id: c.id, type: 'function', function: { name: c.name, arguments: '' } }] },
          { tool_calls: [{ index, function: { arguments: text.slice(0, 5) } }] },
          { tool_calls: [{ index, function: { arguments: text.slice(5) } }] },
        ];
      })
      : turn.pieces.map((content) => ({ content }));
    const events = [chunk({ role: 'assistant', content: '' }), ...deltas.map((d) => chunk(d)), chunk({}, turn.calls ? 'tool_calls' : 'stop'),
      { ...chunk({}), choices: [], usage: openai.usage }];
    return write(res, 'text/event-stream', [...events.map((e) => `data: ${JSON.stringify(e)}\n\n`), 'data: [DONE]\n\n'], turn.slow);
  },
  fail: (res, turn) => send(res, turn.status, { error: { message: turn.error, type: turn.status === 429 ? 'rate_limit_error' : 'invalid_request_error', param: null, code: null } }),
};

// --- Anthropic's messages ---

const anthropicBlocks = (turn) => (turn.calls
  ? turn.calls.map((c) => ({ type: 'tool_use', id: `toolu_${c.id}`, name: c.name, input: c.input }))
  : [{ type: 'text', text: turn.pieces.join('') }]);

const anthropic = {
  read: (b) => {
    const parts = list(b.messages.at(-1).content);
    return {
      said: parts.filter((p) => p.type === 'text').map((p) => p.text).join(' '),
      images: parts.filter((p) => p.type === 'image').length,
      tools: (b.tools ?? []).map((t) => t.name),
      results: parts.filter((p) => p.type === 'tool_result').map((p) => list(p.content).map((x) => x.text).join('')),
      schema: b.output_config?.format?.type === 'json_schema',
      stream: b.stream === true,
    };
  },
  message: (content, stop, output) => ({
    id: 'msg_1', type: 'message', role: 'assistant', model: 'scripted', content, stop_reason: stop, stop_sequence: null,
    usage: { input_tokens: figures.input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: output },
  }),
  plain: (res, turn) => send(res, 200, anthropic.message(anthropicBlocks(turn), turn.calls ? 'tool_use' : 'end_turn', figures.output)),
  stream: (res, turn) => {
    const blocks = anthropicBlocks(turn).flatMap((block, index) => {
      const text = JSON.stringify(block.input);
      const deltas = block.type === 'text'
        ? turn.pieces.map((piece) => ({ type: 'text_delta', text: piece }))
        : [{ type: 'input_json_delta', partial_json: '' }, { type: 'input_json_delta', partial_json: text.slice(0, 5) }, { type: 'input_json_delta', partial_json: text.slice(5) }];
      return [
        { type: 'content_block_start', index, content_block: block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} } },
        ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
        { type: 'content_block_stop', index },
      ];
    });
    const events = [
      { type: 'message_start', message: anthropic.message([], null, 1) }, { type: 'ping' }, ...blocks,
      { type: 'message_delta', delta: { stop_reason: turn.calls ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: { output_tokens: figures.output } },
      { type: 'message_stop' },
    ];
    return write(res, 'text/event-stream', events.map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`), turn.slow);
  },
  fail: (res, turn) => send(res, turn.status, { type: 'error', request_id: 'req_1', error: { type: turn.status === 429 ? 'rate_limit_error' : 'invalid_request_error', message: turn.error } }),
};

// --- Google's generateContent ---

const gemini = {
  read: (b, path) => {
    const parts = b.contents.at(-1).parts;
    return {
      said: parts.map((p) => p.text ?? '').join(' '),
      images: parts.filter((p) => p.inlineData || p.fileData).length,
      tools: (b.tools ?? []).flatMap((t) => t.functionDeclarations ?? []).map((f) => f.name),
      results: parts.filter((p) => p.functionResponse).map((p) => JSON.stringify(p.functionResponse.response)),
      schema: !!(b.generationConfig?.responseSchema ?? b.generationConfig?.responseJsonSchema),
      stream: /:streamGenerateContent$/.test(path),
    };
  },
  frame: (parts, end) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(end && { finishReason: 'STOP' }) }], modelVersion: 'scripted', responseId: 'resp-1',
    ...(end && { usageMetadata: { promptTokenCount: figures.input, candidatesTokenCount: figures.output, totalTokenCount: figures.input + figures.output } }),
  }),
  parts: (turn) => (turn.calls ? turn.calls.map((c) => ({ functionCall: { name: c.name, args: c.input } })) : turn.pieces.map((text) => ({ text }))),
  plain: (res, turn) => send(res, 200, gemini.frame(turn.calls ? gemini.parts(turn) : [{ text: turn.pieces.join('') }], true)),
  stream: (res, turn) => {
    const parts = gemini.parts(turn);
    return write(res, 'text/event-stream', parts.map((p, i) => `data: ${JSON.stringify(gemini.frame([p], i === parts.length - 1))}\r\n\r\n`), turn.slow);
  },
  fail: (res, turn) => send(res, turn.status, { error: { code: turn.status, message: turn.error, status: turn.status === 429 ? 'RESOURCE_EXHAUSTED' : 'INVALID_ARGUMENT' } }),
};

// --- Amazon's Converse ---

// One frame of the event stream: lengths, their sum, headers, payload, the sum of it all.
function frame(type, payload, kind = 'event') {
  const header = (name, value) => Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7, value.length >> 8, value.length & 255]), Buffer.from(value)]);
  const headers = Buffer.concat([header(`:${kind}-type`, type), header(':content-type', 'application/json'), header(':message-type', kind)]);
  const body = Buffer.from(JSON.stringify(payload));
  const total = 16 + headers.length + body.length;
  const number = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };
  const lengths = Buffer.concat([number(total), number(headers.length)]);
  const start = Buffer.concat([lengths, number(crc32(lengths)), headers, body]);
  return Buffer.concat([start, number(crc32(start))]);
}

const bedrock = {
  read: (b, path) => {
    const parts = b.messages.at(-1).content;
    return {
      said: parts.map((p) => p.text ?? '').join(' '),
      images: parts.filter((p) => p.image).length,
      tools: (b.toolConfig?.tools ?? []).filter((t) => t.toolSpec).map((t) => t.toolSpec.name),
      results: parts.filter((p) => p.toolResult).map((p) => p.toolResult.content.map((c) => c.text ?? JSON.stringify(c.json)).join('')),
      schema: !!b.outputConfig?.textFormat,
      stream: /\/converse-stream$/.test(path),
    };
  },
  usage: { inputTokens: figures.input, outputTokens: figures.output, totalTokens: figures.input + figures.output },
  content: (turn) => (turn.calls ? turn.calls.map((c) => ({ toolUse: { toolUseId: `tooluse_${c.id}`, name: c.name, input: c.input } })) : [{ text: turn.pieces.join('') }]),
  plain: (res, turn) => send(res, 200, {
    output: { message: { role: 'assistant', content: bedrock.content(turn) } }, stopReason: turn.calls ? 'tool_use' : 'end_turn', usage: bedrock.usage, metrics: { latencyMs: 1 },
  }),
  stream: (res, turn) => {
    const blocks = bedrock.content(turn).flatMap((block, contentBlockIndex) => (block.toolUse
      ? [frame('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: block.toolUse.toolUseId, name: block.toolUse.name } } }),
        frame('contentBlockDelta', { contentBlockIndex, delta: { toolUse: { input: JSON.stringify(block.toolUse.input) } } }), frame('contentBlockStop', { contentBlockIndex })]
      : [...turn.pieces.map((text) => frame('contentBlockDelta', { contentBlockIndex, delta: { text } })), frame('contentBlockStop', { contentBlockIndex })]));
    return write(res, 'application/vnd.amazon.eventstream', [
      frame('messageStart', { role: 'assistant' }), ...blocks, frame('messageStop', { stopReason: turn.calls ? 'tool_use' : 'end_turn' }), frame('metadata', { usage: bedrock.usage, metrics: { latencyMs: 1 } }),
    ], turn.slow);
  },
  fail: (res, turn) => send(res, turn.status, { message: turn.error }, { 'x-amzn-errortype': turn.status === 429 ? 'ThrottlingException' : 'ValidationException' }),
};

// --- Ollama's own chat ---

const ollama = {
  read: (b) => {
    const last = b.messages.findLastIndex((m) => m.role === 'user');
    return {
      said: b.messages[last].content,
      images: (b.messages[last].images ?? []).length,
      tools: (b.tools ?? []).map((t) => t.function.name),
      results: b.messages.slice(last).filter((m) => m.role === 'tool').map((m) => m.content),
      schema: typeof b.format === 'object',
      stream: b.stream !== false,
    };
  },
  line: (message, end) => ({
    model: 'scripted', created_at: '2026-11-01T10:00:00Z', message: { role: 'assistant', content: '', ...message }, done: end,
    ...(end && { done_reason: 'stop', total_duration: 5, prompt_eval_count: figures.input, eval_count: figures.output }),
  }),
  calls: (turn) => turn.calls.map((c) => ({ function: { name: c.name, arguments: c.input } })),
  plain: (res, turn) => send(res, 200, ollama.line(turn.calls ? { tool_calls: ollama.calls(turn) } : { content: turn.pieces.join('') }, true)),
  stream: (res, turn) => {
    const pieces = turn.calls ? ollama.calls(turn).map((c) => ({ tool_calls: [c] })) : turn.pieces.map((content) => ({ content }));
    const lines = [...pieces.map((p) => ollama.line(p, false)), ollama.line({}, true)];
    return write(res, 'application/x-ndjson', lines.map((l) => `${JSON.stringify(l)}\n`), turn.slow);
  },
  fail: (res, turn) => send(res, turn.status, { error: turn.error }),
};

// --- Cohere's own chat, version 2 ---

const cohere = {
  read: (b) => {
    const last = b.messages.findLastIndex((m) => m.role === 'user');
    const parts = list(b.messages[last].content);
    return {
      said: parts.map((p) => p.text ?? '').join(' '),
      images: parts.filter((p) => p.type === 'image_url').length,
      tools: (b.tools ?? []).map((t) => t.function.name),
      results: b.messages.slice(last).filter((m) => m.role === 'tool').map((m) => list(m.content).map((p) => p.text ?? p.document?.data).join('')),
      schema: !!(b.response_format?.json_schema ?? b.response_format?.schema),
      stream: b.stream === true,
    };
  },
  // What is billed leaves out what the provider adds to the prompt.
  usage: { billed_units: { input_tokens: figures.input, output_tokens: figures.output }, tokens: { input_tokens: 500, output_tokens: figures.output } },
  calls: (turn) => turn.calls.map((c) => ({ id: c.id, type: 'function', function: { name: c.name, arguments: JSON.stringify(c.input) } })),
  plain: (res, turn) => send(res, 200, {
    id: 'chat-1', finish_reason: turn.calls ? 'TOOL_CALL' : 'COMPLETE', usage: cohere.usage,
    message: { role: 'assistant', ...(turn.calls ? { tool_plan: 'I look.', tool_calls: cohere.calls(turn) } : { content: [{ type: 'text', text: turn.pieces.join('') }] }) },
  }),
  stream: (res, turn) => {
    const pieces = turn.calls
      ? cohere.calls(turn).flatMap((c, index) => [
        { type: 'tool-call-start', index, delta: { message: { tool_calls: { ...c, function: { name: c.function.name, arguments: '' } } } } },
        { type: 'tool-call-delta', index, delta: { message: { tool_calls: { function: { arguments: c.function.arguments } } } } },
        { type: 'tool-call-end', index },
      ])
      : [{ type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
        ...turn.pieces.map((text) => ({ type: 'content-delta', index: 0, delta: { message: { content: { text } } } })), { type: 'content-end', index: 0 }];
    const events = [
      { id: 'chat-1', type: 'message-start', delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } } },
      ...pieces, { type: 'message-end', delta: { finish_reason: turn.calls ? 'TOOL_CALL' : 'COMPLETE', usage: cohere.usage } },
    ];
    return write(res, 'text/event-stream', [...events.map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`), 'data: [DONE]\n\n'], turn.slow);
  },
  fail: (res, turn) => send(res, turn.status, { id: 'err-1', message: turn.error }),
};

const paths = [[/\/chat\/completions$/, openai], [/\/messages$/, anthropic], [/\/models\/[^/]+:(stream)?[gG]enerateContent$/, gemini], [/\/model\/[^/]+\/converse(-stream)?$/, bedrock], [/\/api\/chat$/, ollama], [/\/v2\/chat$/, cohere]];

export const startSpeaker = () => startUpstream((req, res, seen) => {
  const path = new URL(req.url, 'http://upstream').pathname;
  // What a prompt has, counted for nothing.
  if (/\/messages\/count_tokens$/.test(path)) return send(res, 200, { input_tokens: counted });
  if (/:countTokens$/.test(path)) return send(res, 200, { totalTokens: counted });
  if (/\/v2\/embed$/.test(path))
    return send(res, 200, { id: 'emb-1', embeddings: { float: seen.body.texts.map((t) => [t.length, 0.5]) }, texts: seen.body.texts, meta: { api_version: { version: '2' }, billed_units: { input_tokens: figures.input } } });
  if (/\/v2\/rerank$/.test(path))
    return send(res, 200, { id: 'rank-1', results: seen.body.documents.map((d, index) => ({ index, relevance_score: 1 / (index + 1) })), meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } } });
  const format = paths.find(([pattern]) => pattern.test(path))?.[1];
  if (!format) return send(res, 404, { error: { message: `Nothing answers at ${path}.` } });
  seen.asked = format.read(seen.body, path);
  const turn = decide(seen.asked);
  if (turn.error) return format.fail(res, turn);
  return seen.asked.stream ? format.stream(res, turn) : format.plain(res, turn);
});

// The kinds of provider accounts that speak each format, and their address at the speaker.
export const upstreams = [
  { format: 'openai', kind: 'openai-compatible', base: '/v1', fields: { key: 'sk-scripted' } },
  { format: 'anthropic', kind: 'anthropic', base: '/v1', fields: { key: 'sk-ant-scripted' } },
  { format: 'gemini', kind: 'google', base: '/v1beta', fields: { key: 'AIza-scripted' } },
  {
    format: 'bedrock', kind: 'bedrock', base: '',
    fields: { key: '', region: 'us-east-1', access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  },
];

// A fifth, which cannot be told that a tool has to be called.
export const ollamaUpstream = { format: 'ollama', kind: 'ollama-native', base: '/api', fields: {} };
