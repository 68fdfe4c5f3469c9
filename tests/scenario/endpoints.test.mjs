// The endpoints that are no chats, each with the official `openai` library against a scripted
// upstream: bytes pass, the charge is exact in the endpoint's own units, bad input is named and free,
// a second account stands in, and an answer that is none is a 502 without a charge.
import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';
import { Mistral } from '@mistralai/mistralai';
import { test, setup, eventually } from '../lib/story.mjs';
import { startUpstream, send } from '../lib/upstream.mjs';
import { standardInstallation, addModel, served, call, settled, attemptsOf, booksBalance } from '../lib/installation.mjs';

let it, up, spare, client;
const key = () => ({ authorization: `Bearer ${it.key}` });
const idOf = (response) => response.headers.get('x-tollgate-request-id');
const row = async (response) => settled(it.server, idOf(response));
const nano = (dollars) => Math.round(dollars * 1e9);

const models = [
  { name: 'writer', kind: 'completion', input: '1', output: '2' },
  { name: 'painter', kind: 'image', prices: { image: '0.04', 'image:hd/1024x1024': '0.08', 'image:1792x1024': '0.06' } },
  { name: 'sized-painter', kind: 'image', prices: { 'image:1024x1024': '0.02', 'image:hd/512x512': '0.03' } },
  { name: 'token-painter', kind: 'image', prices: { input: '5', image_input: '10', image_output: '40', output: '8' } },
  { name: 'speaker', kind: 'speech', prices: { character: '15' } },
  { name: 'token-speaker', kind: 'speech', prices: { input: '0.6', audio_output: '12' } },
  { name: 'listener', kind: 'transcription', prices: { second: '0.0001' } },
  { name: 'token-listener', kind: 'transcription', prices: { input: '2.5', audio_input: '6', output: '10' } },
  { name: 'judge', kind: 'moderation', prices: { input: '0.1' } },
  { name: 'ranker', kind: 'rerank', prices: { search: '0.002' } },
  { name: 'token-ranker', kind: 'rerank', prices: { input: '0.05' } },
  { name: 'reader', kind: 'ocr', prices: { page: '0.002' } },
];

setup('an installation with a model of every kind at two accounts', async () => {
  up = await startUpstream();
  spare = await startUpstream();
  it = await standardInstallation([up, spare], { balance: 200 });
  for (const m of models)
    await addModel(it.operator, { ...m, fields: { max_output_tokens: '2000' }, targets: it.accounts.map((account, i) => ({ account, upstreamModel: `up-${i + 1}/${m.name}`, priority: i + 1 })) });
  await served(it.server, it.key, models.at(-1).name);
  client = new OpenAI({ apiKey: it.key, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
});

test('each model says what it is for', async () => {
  const { data } = await (await fetch(`${it.server.url}/v1/models`, { headers: key() })).json();
  for (const m of models) assert.equal(data.find((d) => d.id === m.name).kind, m.kind);
});

test('a model does not serve the endpoint of another kind', async () => {
  const res = await call(it.server, it.key, { model: 'speaker', prompt: 'a cat' }, { path: '/v1/images/generations' });
  assert.equal(res.status, 400, res.text);
  assert.equal(res.json.error.param, 'model');
  assert.equal((await row(res)).charge_nano, 0);
});

// --- completions ---

const completion = (text = ' world', usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }) => ({
  id: 'cmpl-1', object: 'text_completion', created: 1700000000, model: 'up', choices: [{ text, index: 0, logprobs: null, finish_reason: 'stop' }], usage,
});

test('completes a prompt', async () => {
  up.script = (req, res) => send(res, 200, completion());
  const { data, response } = await client.completions.create({ model: 'writer', prompt: 'Hello', max_tokens: 20, echo: false }).withResponse();
  assert.equal(up.seen.at(-1).url, '/v1/completions');
  assert.deepEqual(up.seen.at(-1).body, { model: 'up-1/writer', prompt: 'Hello', max_tokens: 20, echo: false });
  assert.equal(data.choices[0].text, ' world');
  const r = await row(response);
  assert.equal(r.charge_nano, 5 * 1000 + 7 * 2000);
  assert.equal(r.endpoint, 'completions');
  assert.equal(data.usage.cost, r.charge_nano / 1e9);
});

test('completes without usage: the text is counted, each of several prompts is held for', async () => {
  up.script = (req, res) => send(res, 200, { ...completion('12345678'), usage: undefined });
  const { response } = await client.completions.create({ model: 'writer', prompt: ['one', 'two'], n: 2, max_tokens: 10 }).withResponse();
  const r = await row(response);
  assert.equal(r.basis, 'counted');
  assert.equal(r.charge_nano, Math.ceil('["one","two"]'.length / 4) * 1000 + 2 * 2000);
  assert.ok(r.hold_nano >= 4 * 10 * 2000, `four answers of ten tokens are held, not ${r.hold_nano}`);
});

test('streams a completion', async () => {
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const text of ['Hel', 'lo']) res.write(`data: ${JSON.stringify({ ...completion(text, undefined), choices: [{ text, index: 0, finish_reason: null }] })}\n\n`);
    res.write(`data: ${JSON.stringify({ ...completion(), choices: [] })}\n\n`);
    res.end('data: [DONE]\n\n');
  };
  const { data, response } = await client.completions.create({ model: 'writer', prompt: 'x', stream: true }).withResponse();
  let text = '';
  for await (const c of data) text += c.choices[0]?.text ?? '';
  assert.equal(text, 'Hello');
  assert.equal(up.seen.at(-1).body.stream_options.include_usage, true);
  assert.ok(up.seen.at(-1).body.max_tokens === undefined || up.seen.at(-1).body.max_tokens > 0);
  assert.equal((await row(response)).charge_nano, 5 * 1000 + 7 * 2000);
});

// --- images ---

const images = (n, more = {}) => ({ created: 1700000000, data: Array.from({ length: n }, (_, i) => ({ b64_json: `aW1hZ2Ug${i}` })), ...more });

for (const [label, ask, each, kind] of [
  ['at the price of all others', { n: 3 }, 0.04, null],
  ['by quality and size', { n: 2, quality: 'hd', size: '1024x1024' }, 0.08, 'hd/1024x1024'],
  ['by size alone', { n: 1, quality: 'standard', size: '1792x1024' }, 0.06, '1792x1024'],
])
  test(`makes images ${label}`, async () => {
    up.script = (req, res) => send(res, 200, images(ask.n));
    const { data, response } = await client.images.generate({ model: 'painter', prompt: 'a cat', response_format: 'b64_json', ...ask }).withResponse();
    assert.deepEqual(up.seen.at(-1).body, { model: 'up-1/painter', prompt: 'a cat', response_format: 'b64_json', ...ask });
    assert.equal(up.seen.at(-1).url, '/v1/images/generations');
    assert.deepEqual(data, images(ask.n));
    const r = await row(response);
    assert.deepEqual([r.images, r.charge_nano, r.image_kind], [ask.n, nano(each) * ask.n, kind]);
    assert.ok(r.hold_nano >= r.charge_nano, 'it was held');
  });

test('charges the images that came, not those that were asked for', async () => {
  up.script = (req, res) => send(res, 200, images(1));
  const { response } = await client.images.generate({ model: 'painter', prompt: 'x', n: 4 }).withResponse();
  assert.deepEqual([(await row(response)).images, (await row(response)).charge_nano], [1, nano(0.04)]);
});

test('what the client leaves open is charged as the provider says that it made it', async () => {
  up.script = (req, res) => send(res, 200, images(1, { quality: 'hd', size: '1024x1024' }));
  const { response } = await client.images.generate({ model: 'painter', prompt: 'x', quality: 'auto', size: 'auto' }).withResponse();
  const r = await row(response);
  assert.deepEqual([r.charge_nano, r.image_kind, r.hold_nano], [nano(0.08), 'hd/1024x1024', nano(0.08)]);
});

test('images that have no price are refused, by the size', async () => {
  const before = up.seen.length;
  const res = await call(it.server, it.key, { model: 'sized-painter', prompt: 'x', size: '64x64', quality: 'low' }, { path: '/v1/images/generations' });
  assert.equal(res.status, 400, res.text);
  assert.equal(res.json.error.param, 'size');
  assert.equal(up.seen.length, before);
  assert.equal((await row(res)).charge_nano, 0);
});

const imageUsage = { total_tokens: 4210, input_tokens: 50, output_tokens: 4160, input_tokens_details: { text_tokens: 10, image_tokens: 40 } };
const imageTokens = 10 * 5000 + 40 * 10000 + 4160 * 40000;

test('images are charged by their tokens where those have the price', async () => {
  up.script = (req, res) => send(res, 200, images(1, { usage: imageUsage }));
  const { data, response } = await client.images.generate({ model: 'token-painter', prompt: 'x', quality: 'high' }).withResponse();
  const r = await row(response);
  assert.deepEqual([r.charge_nano, r.images, r.image_output_tokens, r.image_input_tokens, r.basis], [imageTokens, 0, 4160, 40, 'provider']);
  assert.equal(data.usage.cost, imageTokens / 1e9);
});

test('streams an image with its previews', async () => {
  const events = [
    { type: 'image_generation.partial_image', b64_json: 'cGFydA==', partial_image_index: 0 },
    { type: 'image_generation.completed', b64_json: 'd2hvbGU=', size: '1024x1024', quality: 'high', usage: imageUsage },
  ];
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const e of events) res.write(`event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`);
    res.end();
  };
  const { data, response } = await client.images.generate({ model: 'token-painter', prompt: 'x', stream: true, partial_images: 1 }).withResponse();
  const seen = [];
  for await (const e of data) seen.push(e);
  assert.deepEqual(seen.map((e) => e.type), events.map((e) => e.type));
  assert.equal(seen[1].usage.cost, imageTokens / 1e9);
  assert.equal((await row(response)).charge_nano, imageTokens);
});

test('a streamed image may be larger than any event of text', async () => {
  const large = 'A'.repeat(9 * 1024 * 1024);
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(`data: ${JSON.stringify({ type: 'image_generation.completed', b64_json: large, size: '1024x1024', quality: 'hd' })}\n\n`);
  };
  const { data, response } = await client.images.generate({ model: 'painter', prompt: 'x', stream: true }).withResponse();
  const seen = [];
  for await (const e of data) seen.push(e);
  assert.equal(seen.length, 1);
  assert.ok(seen[0].b64_json === large, 'the image is whole');
  const r = await row(response);
  assert.deepEqual([r.images, r.charge_nano, r.image_kind], [1, nano(0.08), 'hd/1024x1024']);
});

test('an image stream that breaks off before its image is free', async () => {
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(`data: ${JSON.stringify({ type: 'image_generation.partial_image', b64_json: 'AA==' })}\n\n`);
  };
  const res = await call(it.server, it.key, { model: 'painter', prompt: 'x', stream: true }, { path: '/v1/images/generations' });
  assert.match(res.text, /event: error\ndata: .*broke off/);
  const r = await row(res);
  assert.deepEqual([r.outcome, r.images, r.charge_nano], ['cut', 0, 0]);
});

const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255, 254, 13, 10]), Buffer.from('\r\n--not-a-boundary\r\n'), Buffer.alloc(3000, 7)]);

test('edits images, whose bytes pass as they are but for the model', async () => {
  up.script = (req, res) => send(res, 200, images(2));
  const { response } = await client.images.edit({ model: 'painter', prompt: 'add a hat', n: 2, size: '1792x1024', image: [await toFile(png, 'a.png', { type: 'image/png' }), await toFile(png, 'b.png', { type: 'image/png' })] }).withResponse();
  const seen = up.seen.at(-1);
  assert.equal(seen.url, '/v1/images/edits');
  const form = await new Response(seen.bytes, { headers: { 'content-type': seen.headers['content-type'] } }).formData();
  assert.equal(form.get('model'), 'up-1/painter');
  assert.equal(form.get('prompt'), 'add a hat');
  const files = [...form.entries()].filter(([, v]) => typeof v !== 'string').map(([, v]) => v);
  assert.equal(files.length, 2);
  for (const f of files) assert.deepEqual(Buffer.from(await f.arrayBuffer()), png);
  assert.deepEqual([(await row(response)).images, (await row(response)).charge_nano], [2, nano(0.06) * 2]);
});

test('an answer larger than what is kept whole passes, its images counted as asked for', async () => {
  const large = { created: 1, data: [{ b64_json: 'A'.repeat(1500000) }, { b64_json: 'B'.repeat(1500000) }] };
  up.script = (req, res) => send(res, 200, large);
  const { data, response } = await client.images.generate({ model: 'painter', prompt: 'x', n: 2 }).withResponse();
  assert.deepEqual(data, large);
  assert.deepEqual([(await row(response)).images, (await row(response)).charge_nano], [2, nano(0.04) * 2]);
});

// --- speech ---

const sound = Buffer.from(Array.from({ length: 700000 }, (_, i) => i % 251));

test('speaks: the bytes pass with their type, characters are charged', async () => {
  up.script = (req, res) => { res.writeHead(200, { 'content-type': 'audio/mpeg' }); res.end(sound); };
  const input = 'Grüße — "quoted" \u{1F600}';
  const response = await client.audio.speech.create({ model: 'speaker', voice: 'alloy', input });
  assert.equal(response.headers.get('content-type'), 'audio/mpeg');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), sound);
  assert.deepEqual(up.seen.at(-1).body, { model: 'up-1/speaker', voice: 'alloy', input });
  const r = await row(response);
  assert.deepEqual([r.characters, r.charge_nano, r.hold_nano], [[...input].length, [...input].length * 15000, [...input].length * 15000]);
  assert.equal(r.endpoint, 'audio.speech');
});

test('a client that leaves while sound comes is charged for all of it', async () => {
  let go;
  up.script = (req, res) => { res.writeHead(200, { 'content-type': 'audio/mpeg' }); res.write(sound.subarray(0, 5000)); go = () => res.end(); };
  const abort = new AbortController();
  const response = await fetch(`${it.server.url}/v1/audio/speech`, { method: 'POST', signal: abort.signal, headers: { ...key(), 'content-type': 'application/json' }, body: JSON.stringify({ model: 'speaker', voice: 'x', input: 'twelve chars' }) });
  const reader = response.body.getReader();
  await reader.read();
  const before = up.aborted;
  abort.abort();
  const r = await row(response);
  assert.deepEqual([r.outcome, r.charge_nano], ['client_gone', 12 * 15000]);
  await eventually(() => up.aborted > before, 'the upstream to be closed');
  go();
});

test('speech by tokens as a stream of events', async () => {
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(`data: ${JSON.stringify({ type: 'speech.audio.delta', audio: 'AAAA' })}\n\n`);
    res.end(`data: ${JSON.stringify({ type: 'speech.audio.done', usage: { input_tokens: 14, output_tokens: 101, total_tokens: 115 } })}\n\n`);
  };
  const res = await call(it.server, it.key, { model: 'token-speaker', voice: 'x', input: 'Hello', stream_format: 'sse' }, { path: '/v1/audio/speech' });
  assert.equal(res.status, 200);
  const charge = 14 * 600 + 101 * 12000;
  const events = res.text.trim().split('\n\n').map((e) => JSON.parse(e.replace(/^data: /, '')));
  assert.deepEqual(events[0], { type: 'speech.audio.delta', audio: 'AAAA' });
  assert.equal(events[1].usage.cost, charge / 1e9);
  const r = await row(res);
  assert.deepEqual([r.charge_nano, r.audio_output_tokens, r.basis, r.stream], [charge, 101, 'provider', true]);
});

test('speech by tokens without figures is counted by its text, within its hold', async () => {
  up.script = (req, res) => { res.writeHead(200, { 'content-type': 'audio/wav' }); res.end(sound.subarray(0, 900)); };
  const response = await client.audio.speech.create({ model: 'token-speaker', voice: 'alloy', input: 'Hello there.' });
  await response.arrayBuffer();
  const r = await row(response);
  assert.deepEqual([r.charge_nano, r.basis], [3 * 600 + 18 * 12000, 'counted']);
  assert.ok(r.hold_nano >= r.charge_nano);
});

// --- transcriptions ---

// So many seconds of silence.
function wav(seconds, rate = 8000) {
  const head = Buffer.alloc(44), data = Buffer.alloc(Math.round(seconds * rate * 2));
  head.write('RIFF', 0); head.writeUInt32LE(36 + data.length, 4); head.write('WAVEfmt ', 8); head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(rate, 24); head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34); head.write('data', 36); head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}
const recording = async (seconds) => toFile(wav(seconds), 'words.wav', { type: 'audio/wav' });

test('transcribes: the file passes, the provider’s seconds are charged', async () => {
  up.script = (req, res) => send(res, 200, { text: 'Hello.', usage: { type: 'duration', seconds: 13 } });
  const { data, response } = await client.audio.transcriptions.create({ model: 'listener', file: await recording(12.5), language: 'en' }).withResponse();
  assert.equal(data.text, 'Hello.');
  const seen = up.seen.at(-1);
  assert.equal(seen.url, '/v1/audio/transcriptions');
  const form = await new Response(seen.bytes, { headers: { 'content-type': seen.headers['content-type'] } }).formData();
  assert.equal(form.get('model'), 'up-1/listener');
  assert.deepEqual(Buffer.from(await form.get('file').arrayBuffer()), wav(12.5));
  const r = await row(response);
  assert.deepEqual([r.seconds, r.charge_nano, r.hold_nano, r.basis], [13, 13 * 100000, 13 * 100000, 'provider']);
});

test('a transcription as text has no figures: the seconds of the file are counted', async () => {
  up.script = (req, res) => send(res, 200, 'WEBVTT\n\n00:00.000 --> 00:02.000\nHello.\n', { 'content-type': 'text/vtt; charset=utf-8' });
  const { data, response } = await client.audio.transcriptions.create({ model: 'listener', file: await recording(7.2), response_format: 'vtt' }).withResponse();
  assert.equal(data, 'WEBVTT\n\n00:00.000 --> 00:02.000\nHello.\n');
  assert.match(response.headers.get('content-type'), /^text\/vtt/);
  const r = await row(response);
  assert.deepEqual([r.seconds, r.charge_nano, r.basis], [8, 8 * 100000, 'counted']);
});

test('a verbose transcription says its duration', async () => {
  up.script = (req, res) => send(res, 200, { task: 'transcribe', language: 'english', duration: 8.470000267028809, text: 'Hello.', segments: [] });
  const { response } = await client.audio.transcriptions.create({ model: 'listener', file: await recording(8), response_format: 'verbose_json' }).withResponse();
  assert.deepEqual([(await row(response)).seconds, (await row(response)).basis], [9, 'provider']);
});

test('streams a transcription by tokens', async () => {
  const events = [
    { type: 'transcript.text.delta', delta: 'Hel' }, { type: 'transcript.text.delta', delta: 'lo.' },
    { type: 'transcript.text.done', text: 'Hello.', usage: { type: 'tokens', input_tokens: 30, input_token_details: { text_tokens: 2, audio_tokens: 28 }, output_tokens: 4, total_tokens: 34 } },
  ];
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const e of events) res.write(`data: ${JSON.stringify(e)}\n\n`);
    res.end();
  };
  const { data, response } = await client.audio.transcriptions.create({ model: 'token-listener', file: await recording(3), stream: true }).withResponse();
  const seen = [];
  for await (const e of data) seen.push(e);
  const charge = 2 * 2500 + 28 * 6000 + 4 * 10000;
  assert.deepEqual(seen.map((e) => e.type), events.map((e) => e.type));
  assert.equal(seen[2].usage.cost, charge / 1e9);
  const r = await row(response);
  assert.deepEqual([r.charge_nano, r.audio_input_tokens, r.seconds, r.basis], [charge, 28, 0, 'provider']);
});

test('translates', async () => {
  up.script = (req, res) => send(res, 200, { text: 'Hello.' });
  const { data, response } = await client.audio.translations.create({ model: 'listener', file: await recording(2) }).withResponse();
  assert.equal(data.text, 'Hello.');
  assert.equal(up.seen.at(-1).url, '/v1/audio/translations');
  assert.deepEqual([(await row(response)).seconds, (await row(response)).endpoint], [2, 'audio.translations']);
});

test('a file of a kind that is not known is held for by its bytes', async () => {
  up.script = (req, res) => send(res, 200, { text: 'Hello.', usage: { type: 'duration', seconds: 3 } });
  const { response } = await client.audio.transcriptions.create({ model: 'listener', file: await toFile(Buffer.alloc(75000, 1), 'x.webm') }).withResponse();
  const r = await row(response);
  assert.deepEqual([r.seconds, r.charge_nano, r.hold_nano], [3, 3 * 100000, 101 * 100000]);
});

// --- moderations and rerank ---

test('moderates', async () => {
  const verdict = { id: 'modr-1', model: 'omni', results: [{ flagged: false, categories: { hate: false }, category_scores: { hate: 0.01 } }] };
  up.script = (req, res) => send(res, 200, verdict);
  const { data, response } = await client.moderations.create({ model: 'judge', input: ['be nice', 'please'] }).withResponse();
  assert.deepEqual(data, verdict);
  assert.deepEqual(up.seen.at(-1).body, { model: 'up-1/judge', input: ['be nice', 'please'] });
  const r = await row(response);
  assert.deepEqual([r.input_tokens, r.charge_nano, r.basis], [5, 5 * 100, 'counted']);
});

const documents = ['Paris', 'Berlin', 'Rome'];
const results = [{ index: 0, relevance_score: 0.98 }, { index: 2, relevance_score: 0.1 }];

for (const path of ['/v1/rerank', '/v2/rerank', '/api/v1/rerank'])
  test(`ranks by search units at ${path}`, async () => {
    const answer = { id: 'r-1', results, meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } } };
    up.script = (req, res) => send(res, 200, answer);
    const res = await call(it.server, it.key, { model: 'ranker', query: 'Capital of France?', documents, top_n: 2, return_documents: false }, { path });
    assert.deepEqual(res.json, answer);
    assert.equal(up.seen.at(-1).url, '/v1/rerank');
    assert.deepEqual(up.seen.at(-1).body, { model: 'up-1/ranker', query: 'Capital of France?', documents, top_n: 2, return_documents: false });
    const r = await row(res);
    assert.deepEqual([r.searches, r.charge_nano, r.basis], [1, 2000000, 'provider']);
    assert.equal(res.headers.get('x-tollgate-cost'), '0.002');
  });

test('ranks by tokens, in Voyage’s and in Jina’s words', async () => {
  for (const answer of [{ object: 'list', data: results, model: 'rerank-2', usage: { total_tokens: 26 } }, { model: 'jina', object: 'list', usage: { total_tokens: 26, prompt_tokens: 26 }, results }]) {
    up.script = (req, res) => send(res, 200, answer);
    const res = await call(it.server, it.key, { model: 'token-ranker', query: 'Capital?', documents, top_k: 2 }, { path: '/v1/rerank' });
    assert.equal(res.json.usage.cost, 26 * 50 / 1e9);
    delete res.json.usage.cost;
    assert.deepEqual(res.json, answer);
    const r = await row(res);
    assert.deepEqual([r.input_tokens, r.charge_nano, r.basis], [26, 26 * 50, 'provider']);
  }
});

test('ranks without figures: a hundred documents are a search unit, held for with room', async () => {
  up.script = (req, res) => send(res, 200, { results });
  const res = await call(it.server, it.key, { model: 'ranker', query: 'q', documents: Array(101).fill('short') }, { path: '/v1/rerank' });
  const r = await row(res);
  assert.deepEqual([r.searches, r.charge_nano, r.basis], [2, 4000000, 'counted']);
  assert.ok(r.hold_nano >= r.charge_nano);
});

// --- pages ---

const pdf = { type: 'document_url', document_url: 'https://example.org/a.pdf' };
const pagesRead = (n) => Array.from({ length: n }, (_, index) => ({ index, markdown: `# Page ${index}`, images: [], dimensions: null }));

test('reads pages for Mistral’s own client, as many as its provider tells', async () => {
  const answer = { pages: pagesRead(2), model: 'mistral-ocr', usage_info: { pages_processed: 2, doc_size_bytes: 1234 } };
  up.script = (req, res) => send(res, 200, answer);
  const mistral = new Mistral({ apiKey: it.key, serverURL: it.server.url });
  const got = await mistral.ocr.process({ model: 'reader', document: { type: 'document_url', documentUrl: pdf.document_url }, pages: [0, 1] });
  assert.deepEqual([got.pages.map((p) => p.markdown), got.usageInfo.pagesProcessed], [['# Page 0', '# Page 1'], 2]);
  assert.equal(up.seen.at(-1).url, '/v1/ocr');
  const { model, document, pages } = up.seen.at(-1).body;
  assert.deepEqual({ model, document, pages }, { model: 'up-1/reader', document: pdf, pages: [0, 1] });
  const r = await eventually(() => it.server.sql('SELECT * FROM call WHERE pages = 2')[0], 'the record');
  assert.deepEqual([r.pages, r.charge_nano, r.hold_nano, r.basis], [2, 4000000, 4000000, 'provider']);
});

test('reads pages without figures: as many as came, held for as many as a document may have', async () => {
  up.script = (req, res) => send(res, 200, { pages: pagesRead(3), model: 'm' });
  const res = await call(it.server, it.key, { model: 'reader', document: pdf, pages: ['0-2'] }, { path: '/v1/ocr' });
  assert.equal(res.json.pages.length, 3);
  const r = await row(res);
  assert.deepEqual([r.pages, r.charge_nano, r.hold_nano, r.basis], [3, 6000000, 2000000000, 'provider']);
});

test('an answer of pages too large to be read whole is charged by its figures, too', async () => {
  const pages = pagesRead(4);
  pages[0].images = [{ id: 'a', image_base64: 'A'.repeat(1500000) }];
  up.script = (req, res) => send(res, 200, { pages, model: 'm', usage_info: { pages_processed: 4, doc_size_bytes: 9 } });
  const res = await call(it.server, it.key, { model: 'reader', document: { type: 'image_url', image_url: 'https://example.org/a.png' } }, { path: '/v1/ocr' });
  assert.equal(res.json.pages.length, 4);
  const r = await row(res);
  assert.deepEqual([r.pages, r.charge_nano, r.basis], [4, 8000000, 'provider']);
});

// --- what goes wrong ---

const form = (parts) => {
  const f = new FormData();
  for (const [name, value] of Object.entries(parts)) f.append(name, value, ...(value instanceof Blob ? ['a.wav'] : []));
  return f;
};
const file = new Blob([wav(1)]);
const hand = (text, type = 'multipart/form-data; boundary=b') => ({ body: text.replaceAll('\n', '\r\n'), type });
const part = (name, value) => `--b\nContent-Disposition: form-data; name="${name}"\n\n${value}\n`;
const audioFile = '--b\nContent-Disposition: form-data; name="file"; filename="a.wav"\n\nxx\n';

const bad = [
  ['/v1/completions', { model: 'writer' }, 'prompt'],
  ['/v1/completions', { prompt: 'x' }, 'model'],
  ['/v1/completions', { model: 'writer', prompt: 5 }, 'prompt'],
  ['/v1/completions', { model: 'writer', prompt: 'x', n: 0 }, 'n'],
  ['/v1/completions', { model: 'writer', prompt: 'x', best_of: 500 }, 'best_of'],
  ['/v1/images/generations', { model: 'painter' }, 'prompt'],
  ['/v1/images/generations', { model: 'painter', prompt: 'x', n: 11 }, 'n'],
  ['/v1/images/generations', { model: 'painter', prompt: 'x', size: 1024 }, 'size'],
  ['/v1/images/generations', { model: 'painter', prompt: 'x', stream: 'yes' }, 'stream'],
  ['/v1/images/edits', form({ model: 'painter', prompt: 'x' }), 'image'],
  ['/v1/images/edits', form({ model: 'painter', image: file }), 'prompt'],
  ['/v1/images/edits', form({ model: 'painter', prompt: 'x', image: file, n: '1.5' }), 'n'],
  ['/v1/audio/speech', { model: 'speaker', voice: 'x' }, 'input'],
  ['/v1/audio/speech', { model: 'speaker', input: ['x'] }, 'input'],
  ['/v1/audio/transcriptions', form({ model: 'listener' }), 'file'],
  ['/v1/audio/transcriptions', form({ file }), 'model'],
  ['/v1/audio/transcriptions', form({ model: 'listener', file, stream: 'maybe' }), 'stream'],
  ['/v1/audio/transcriptions', { model: 'listener' }, 'body'],
  ['/v1/audio/translations', form({ model: 'nobody', file }), 'model'],
  ['/v1/audio/transcriptions', hand(`${part('model', 'listener')}${part('model', 'speaker')}${audioFile}--b--\n`), 'body'],
  ['/v1/audio/transcriptions', hand(`${part('model', 'listener')}${audioFile}`), 'body'],
  ['/v1/audio/transcriptions', hand(`preamble\n${part('model', 'listener')}${audioFile}--b--\n`), 'body'],
  ['/v1/audio/transcriptions', hand(`${part('model', 'listener')}${audioFile}--b--\n${part('model', 'x')}`), 'body'],
  ['/v1/audio/transcriptions', hand(`${part('mo\\del', 'listener')}${audioFile}--b--\n`), 'body'],
  ['/v1/audio/transcriptions', hand(`--b\nContent-Disposition: form-data; name="model"\nContent-Transfer-Encoding: base64\n\nbGlzdGVuZXI=\n${audioFile}--b--\n`), 'body'],
  ['/v1/audio/transcriptions', hand('x', 'multipart/form-data'), 'body'],
  ['/v1/audio/transcriptions', hand(`${part('model', 'listener')}${audioFile}--b--\n`, 'multipart/form-data; boundary=b; note=caf\u00e9'), 'content-type'],
  ['/v1/moderations', { model: 'judge' }, 'input'],
  ['/v1/ocr', { model: 'reader' }, 'document'],
  ['/v1/ocr', { model: 'reader', document: 'x' }, 'document'],
  ['/v1/ocr', { model: 'reader', document: pdf, document_annotation_format: { type: 'json_schema' } }, 'document_annotation_format'],
  ['/v1/rerank', { model: 'ranker', query: 'q' }, 'documents'],
  ['/v1/rerank', { model: 'ranker', documents }, 'query'],
  ['/v2/rerank', { model: 'ranker', query: 'q', documents: 'x' }, 'documents'],
];

test('bad input is named, and nothing is charged or sent', async () => {
  const before = up.seen.length + spare.seen.length;
  for (const [path, body, param] of bad) {
    const init = body instanceof FormData ? { body } : body.type ? { body: body.body, headers: { 'content-type': body.type } }
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const res = await fetch(it.server.url + path, { method: 'POST', ...init, headers: { ...key(), ...init.headers } });
    const text = await res.text();
    assert.ok(res.status === 400 || (param === 'model' && res.status === 404), `${path} ${param}: ${res.status} ${text}`);
    assert.equal(JSON.parse(text).error.param, param, `${path}: ${text}`);
    assert.equal((await row(res)).charge_nano, 0);
  }
  assert.equal(up.seen.length + spare.seen.length, before);
});

const asks = {
  completions: () => client.completions.create({ model: 'writer', prompt: 'x', max_tokens: 5 }),
  images: () => client.images.generate({ model: 'painter', prompt: 'x' }),
  edits: async () => client.images.edit({ model: 'painter', prompt: 'x', image: await toFile(png, 'a.png') }),
  speech: () => client.audio.speech.create({ model: 'speaker', voice: 'alloy', input: 'x' }),
  transcriptions: async () => client.audio.transcriptions.create({ model: 'listener', file: await recording(1) }),
  translations: async () => client.audio.translations.create({ model: 'listener', file: await recording(1) }),
  moderations: () => client.moderations.create({ model: 'judge', input: 'x' }),
  rerank: () => client.post('/rerank', { body: { model: 'ranker', query: 'q', documents } }),
};
const answers = {
  completions: completion(), images: images(1), edits: images(1), transcriptions: { text: 'x' }, translations: { text: 'x' },
  moderations: { id: 'm', results: [] }, rerank: { results },
};
const answer = (name, res) => (name === 'speech' ? (res.writeHead(200, { 'content-type': 'audio/mpeg' }), res.end(sound.subarray(0, 100))) : send(res, 200, answers[name]));

for (const name of Object.keys(asks)) {
  test(`a second account stands in: ${name}`, async () => {
    up.script = (req, res) => send(res, 503, { error: { message: 'overloaded' } });
    spare.script = (req, res) => answer(name, res);
    const before = spare.seen.length;
    await asks[name]();
    assert.equal(spare.seen.length, before + 1);
    assert.match(spare.seen.at(-1).raw, /up-2\//, 'the second account gets its own name of the model');
  });

  for (const [what, script] of [
    ['an object that is none', (res) => send(res, 200, { status: 'ok' })],
    ['bytes that are no JSON', (res) => send(res, 200, '{"data":[{"b64')],
    ['a page', (res) => send(res, 200, '<html>It works!</html>', { 'content-type': 'text/html' })],
    ['an error in a 200', (res) => send(res, 200, { error: { message: 'on fire' } })],
    ['nothing', (res) => send(res, 200, '')],
  ])
    test(`an answer that is ${what} is a 502 and free: ${name}`, async () => {
      up.script = spare.script = (req, res) => script(res);
      const error = await asks[name]().then(() => assert.fail('it did not fail'), (e) => e);
      assert.equal(error.status, 502, String(error));
      const id = error.headers.get('x-tollgate-request-id');
      assert.equal((await settled(it.server, id)).charge_nano, 0);
      // One account where the other one's health has suffered from the case before.
      const tried = attemptsOf(it.server, id);
      assert.ok(tried.length >= 1);
      for (const a of tried) assert.match(a.reason, /bad_reply|error_in_200/);
    });
}

test('the books balance', () => booksBalance(it.server));
