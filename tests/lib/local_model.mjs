// local_model.mjs: a real language model in a few hundred kilobytes, run by llama.cpp on one thread.
//
// It is a llama whose attention and feed-forward layers add nothing: an embedding is one-hot, so the
// output matrix is a table of which word follows which, learned from a text. What it writes makes
// little sense, but it is tokenised, evaluated, sampled and counted like any other model.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { top } from './server.mjs';
import { needsPath } from './story.mjs';

const words = 384;
const width = 512;
const hidden = 32;
const heads = 8;

export const needsLlama = needsPath(join(top, 'tests/node_modules/node-llama-cpp'), 'node-llama-cpp');

function corpus() {
  const templates = readdirSync(join(top, 'templates')).filter((f) => f.endsWith('.html'));
  const texts = templates.map((f) => readFileSync(join(top, 'templates', f), 'utf8').replace(/\{\{[^}]*\}\}|<[^>]*>/g, ' '));
  const readme = ['README.md', 'server/README.md'].map((f) => join(top, f)).filter(existsSync).map((f) => readFileSync(f, 'utf8'));
  return [...readme, ...texts].join(' . ').toLowerCase().replace(/[^a-z.]+/g, ' ').replace(/\./g, ' . ').split(/\s+/).filter(Boolean);
}

function vocabulary(text) {
  const counts = new Map();
  for (const w of text) counts.set(w, (counts.get(w) ?? 0) + 1);
  counts.delete('.');
  const known = ['.', ...[...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, width - 259 - 1).map(([w]) => w)].slice(0, words);
  const tokens = [['<unk>', 2], ['<s>', 3], ['</s>', 3]];
  for (let i = 0; i < 256; i++) tokens.push([`<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, 6]);
  const ids = new Map(known.map((w) => [w, tokens.push([w === '.' ? w : `\u2581${w}`, 1]) - 1]));
  while (tokens.length < width) tokens.push([`<unused${tokens.length}>`, 5]);
  return { tokens, ids };
}

// Row by row: the logarithm of how often `next` followed `now`.
function followers(text, ids) {
  const table = Array.from({ length: width }, () => new Float64Array(width));
  let now = 1;
  for (const w of text) {
    const next = ids.get(w);
    if (next === undefined) continue;
    table[now][next]++;
    now = next;
  }
  for (const w of text) if (ids.has(w)) table[1][ids.get(w)]++;
  return table.map((row) => {
    const used = row.some((n) => n > 0) ? row : table[1];
    const sum = used.reduce((a, b) => a + b, 0);
    return used.map((n) => (n > 0 ? Math.log(n / sum) : -30));
  });
}

function half(x) {
  const bits = new Uint32Array(new Float32Array([x]).buffer)[0];
  const exponent = ((bits >>> 23) & 255) - 112;
  if (exponent <= 0) return (bits >>> 16) & 0x8000;
  return ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 1023);
}
function halves(n, at) {
  const bytes = Buffer.alloc(n * 2);
  for (let i = 0; at && i < n; i++) bytes.writeUInt16LE(half(at(i)), i * 2);
  return bytes;
}
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const f32 = (n) => { const b = Buffer.alloc(4); b.writeFloatLE(n); return b; };
const text8 = (s) => Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)]);
const padded = (b) => Buffer.concat([b, Buffer.alloc((32 - (b.length % 32)) % 32)]);
const kinds = { u32: [4, u32], f32: [6, f32], bool: [7, (v) => Buffer.from([v ? 1 : 0])], text: [8, text8] };

function metadata(tokens) {
  const out = [];
  const put = (key, kind, value) => out.push(Buffer.concat([text8(key), u32(kinds[kind][0]), kinds[kind][1](value)]));
  const list = (key, code, items) => out.push(Buffer.concat([text8(key), u32(9), u32(code), u64(items.length), ...items]));
  put('general.architecture', 'text', 'llama');
  put('general.name', 'text', 'word-table');
  for (const [key, value] of Object.entries({ context_length: 4096, embedding_length: width, block_count: 1, feed_forward_length: hidden,
    'attention.head_count': heads, 'attention.head_count_kv': heads, 'rope.dimension_count': width / heads, vocab_size: width }))
    put(`llama.${key}`, 'u32', value);
  put('llama.attention.layer_norm_rms_epsilon', 'f32', 1e-9);
  put('tokenizer.ggml.model', 'text', 'llama');
  list('tokenizer.ggml.tokens', 8, tokens.map(([t]) => text8(t)));
  list('tokenizer.ggml.scores', 6, tokens.map((_, i) => f32(i < 259 ? 0 : 258 - i)));
  list('tokenizer.ggml.token_type', 5, tokens.map(([, type]) => u32(type)));
  put('tokenizer.ggml.bos_token_id', 'u32', 1);
  put('tokenizer.ggml.eos_token_id', 'u32', 2);
  put('tokenizer.ggml.unknown_token_id', 'u32', 0);
  put('tokenizer.ggml.add_bos_token', 'bool', true);
  return out;
}

// Writes the model as a GGUF file (version 3).
export function writeModel(path) {
  const text = corpus();
  const { tokens, ids } = vocabulary(text);
  const after = followers(text, ids);
  const ones = (n, x) => Buffer.concat(Array.from({ length: n }, () => f32(x)));
  const tensors = [
    ['token_embd.weight', [width, width], 1, halves(width * width, (i) => (i % (width + 1) === 0 ? 1 : 0))],
    ['output_norm.weight', [width], 0, ones(width, 1 / Math.sqrt(width))],
    ['output.weight', [width, width], 1, halves(width * width, (i) => after[i % width][Math.floor(i / width)])],
    ['blk.0.attn_norm.weight', [width], 0, ones(width, 1)],
    ...['q', 'k', 'v', 'output'].map((n) => [`blk.0.attn_${n}.weight`, [width, width], 1, halves(width * width)]),
    ['blk.0.ffn_norm.weight', [width], 0, ones(width, 1)],
    ['blk.0.ffn_gate.weight', [width, hidden], 1, halves(width * hidden)],
    ['blk.0.ffn_up.weight', [width, hidden], 1, halves(width * hidden)],
    ['blk.0.ffn_down.weight', [hidden, width], 1, halves(width * hidden)],
  ];
  let at = 0;
  const index = tensors.map(([name, dims, type, bytes]) => {
    const entry = Buffer.concat([text8(name), u32(dims.length), ...dims.map(u64), u32(type), u64(at)]);
    at += padded(bytes).length;
    return entry;
  });
  const facts = metadata(tokens);
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(facts.length), ...facts, ...index]);
  writeFileSync(path, Buffer.concat([padded(head), ...tensors.map(([, , , bytes]) => padded(bytes))]));
}

// An OpenAI-compatible server around the model; `.answers` keeps what was said and counted.
export class LocalModel {
  constructor() {
    this.answers = [];
  }

  async start(path) {
    const { getLlama, LlamaCompletion } = await import('node-llama-cpp');
    this.Completion = LlamaCompletion;
    this.llama = await getLlama({ gpu: false, maxThreads: 1, build: 'never', logLevel: 'error' });
    this.model = await this.llama.loadModel({ modelPath: path });
    this.context = await this.model.createContext({ contextSize: 1024, sequences: 2, threads: 1 });
    this.server = http.createServer((req, res) => {
      let raw = '';
      req.on('data', (d) => { raw += d; });
      req.on('end', () => this.answer(req, res, raw ? JSON.parse(raw) : {}).catch((error) => res.destroy(error)));
    });
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.server.address().port}/v1`;
    return this;
  }

  async answer(req, res, body) {
    const json = (status, value) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (req.url === '/v1/models') return json(200, { object: 'list', data: [{ id: 'word-table', object: 'model', created: 1, owned_by: 'local' }] });
    if (req.url !== '/v1/chat/completions') return json(404, { error: { message: 'no such path', type: 'invalid_request_error', param: null, code: null } });
    const base = { id: `chatcmpl-${this.answers.length + 1}`, created: Math.floor(Date.now() / 1000), model: body.model };
    const event = (choices, more) => res.write(`data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`);
    if (body.stream) res.writeHead(200, { 'content-type': 'text/event-stream' });
    const { text, usage, reason } = await this.generate(body, body.stream ? (t) => event([{ index: 0, delta: { content: t }, finish_reason: null }]) : undefined);
    this.answers.push({ text, usage });
    if (!body.stream)
      return json(200, { ...base, object: 'chat.completion', usage, choices: [{ index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: reason }] });
    event([{ index: 0, delta: {}, finish_reason: reason }]);
    if (body.stream_options?.include_usage) event([], { usage });
    return res.end('data: [DONE]\n\n');
  }

  async generate(body, onTextChunk) {
    const sequence = this.context.getSequence();
    try {
      const completion = new this.Completion({ contextSequence: sequence });
      const before = sequence.tokenMeter.getState();
      const prompt = body.messages.map((m) => m.content).join(' . ');
      const done = await completion.generateCompletionWithMeta(prompt, { maxTokens: body.max_tokens ?? 32, temperature: 1, seed: body.seed, onTextChunk });
      const meter = sequence.tokenMeter.diff(before);
      const usage = { prompt_tokens: meter.usedInputTokens, completion_tokens: meter.usedOutputTokens, total_tokens: meter.usedInputTokens + meter.usedOutputTokens };
      return { text: done.response, usage, reason: done.metadata.stopReason === 'maxTokens' ? 'length' : 'stop' };
    } finally {
      sequence.dispose();
    }
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
    await this.llama.dispose();
  }
}
