// Searches of the web that providers run themselves: counted as they bill them and charged at the price's
// figure, in every format, plain and streamed; where there is none, refused before anybody is asked.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { test, setup } from '../lib/story.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';
import { standardInstallation, call, settled, booksBalance, addAccount, addModel, served, mintManagementKey, manage } from '../lib/installation.mjs';

let it, up, claude, openai;
const each = 10000001; // nano-dollars a search: $0.010000001
const prices = { input: '1', output: '2' };
const hello = [{ role: 'user', content: 'Hello' }];
const tokens = (input, output) => input * 1000 + output * 2000;

const plays = (...events) => (req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end(events.map((e) => `${e.type ? `event: ${e.type}\n` : ''}data: ${JSON.stringify(e)}\n\n`).join(''));
};
const says = (value) => (req, res) => send(res, 200, value);
const row = (res) => settled(it.server, res.headers.get('x-tollgate-request-id'));

async function charged(res, searches, spent, basis = 'provider') {
  const r = await row(res);
  assert.deepEqual([r.searches, r.charge_nano, r.cost_nano, r.basis], [searches, spent + searches * each, spent + searches * each, basis]);
  return r;
}

setup('models that sell searches and others that do not, at Anthropic, OpenAI and Google', async () => {
  up = await startUpstream(says({}));
  it = await standardInstallation([up]);
  for (const [kind, base] of [['anthropic', '/v1'], ['openai', '/v1'], ['google', '/v1beta']]) {
    const account = await addAccount(it.operator, up, { kind, name: kind, base_url: `http://127.0.0.1:${up.port}${base}`, key: 'secret' });
    await addModel(it.operator, { name: `seeks-${kind}`, prices: { ...prices, search: '0.010000001' }, targets: [{ account, upstreamModel: kind }] });
    await addModel(it.operator, { name: `sits-${kind}`, prices, targets: [{ account, upstreamModel: kind }] });
    await addModel(it.operator, { name: `gives-${kind}`, prices: { ...prices, search: '0' }, targets: [{ account, upstreamModel: kind }] });
    await served(it.server, it.key, `gives-${kind}`);
  }
  claude = new Anthropic({ apiKey: it.key, baseURL: it.server.url, maxRetries: 0 });
  openai = new OpenAI({ apiKey: it.key, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
});

// --- Anthropic ---

const searchTool = (more) => [{ name: 'lookup', input_schema: { type: 'object' } }, { type: 'web_search_20250305', name: 'web_search', ...more }];
const messageOf = (use) => ({ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content: [{ type: 'text', text: 'Found.' }], stop_reason: 'end_turn', stop_sequence: null,
  usage: { input_tokens: 100, output_tokens: 30, ...(use === undefined ? {} : { server_tool_use: use }) } });
const streamOf = (first, last) => plays(
  { type: 'message_start', message: { ...messageOf(first), content: [], stop_reason: null, usage: { input_tokens: 40, output_tokens: 1, server_tool_use: first } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ type: 'web_search_result', title: 'T', url: 'https://example.org' }] } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Found.' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { input_tokens: 100, output_tokens: 30, ...(last ? { server_tool_use: last } : {}) } },
  { type: 'message_stop' });

test('Anthropic: what was made is charged, to the nano-dollar, also above the bound', async () => {
  up.script = says(messageOf({ web_search_requests: 3 }));
  const { data, response } = await claude.messages.create({ model: 'seeks-anthropic', max_tokens: 50, messages: hello, tools: searchTool({ max_uses: 2 }) }).withResponse();
  assert.equal(data.usage.server_tool_use.web_search_requests, 3);
  assert.deepEqual(up.seen.at(-1).body.tools, searchTool({ max_uses: 2 }));
  const r = await charged(response, 3, tokens(100, 30));
  assert.ok(r.hold_nano >= 2 * each && r.hold_nano < 3 * each, `held ${r.hold_nano}`);
  assert.equal(response.headers.get('x-tollgate-cost'), '0.030160003');
});

test('Anthropic: without a bound ten are held for, and none charged where none was made', async () => {
  up.script = says(messageOf({ web_search_requests: 0 }));
  const res = await call(it.server, it.key, { model: 'seeks-anthropic', max_tokens: 50, messages: hello, tools: searchTool() }, { path: '/v1/messages' });
  const r = await charged(res, 0, tokens(100, 30));
  assert.ok(r.hold_nano >= 10 * each && r.hold_nano < 11 * each, `held ${r.hold_nano}`);
  const without = await row(await call(it.server, it.key, { model: 'seeks-anthropic', max_tokens: 50, messages: hello }, { path: '/v1/messages' }));
  assert.ok(without.hold_nano < each);
});

test('Anthropic: a stream’s last count is the one; where it tells none, the results that came', async () => {
  const ask = () => claude.messages.stream({ model: 'seeks-anthropic', max_tokens: 50, messages: hello, tools: searchTool({ max_uses: 5 }) });
  for (const [last, searches] of [[{ web_search_requests: 2 }, 2], [undefined, 1], [{ web_search_requests: -2 }, 1], [{ web_search_requests: 2000000000 }, 1]]) {
    up.script = streamOf({ web_search_requests: 0 }, last);
    const { data: stream, response } = await ask().withResponse();
    await stream.finalMessage();
    await charged(response, searches, tokens(100, 30));
  }
});

// --- OpenAI ---

const item = { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'q' } };
const opened = { id: 'ws_2', type: 'web_search_call', status: 'completed', action: { type: 'open_page', url: 'https://example.org' } };
const said = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Found.', annotations: [] }] };
const responseOf = (use) => ({ id: 'resp_1', object: 'response', created_at: 1700000000, model: 'gpt', status: 'completed', output: [item, opened, item, said],
  usage: { input_tokens: 100, output_tokens: 30, total_tokens: 130 }, ...(use === undefined ? {} : { tool_usage: { web_search: { num_requests: use } } }) });

test('Responses: by the figure beside the usage, else by the searches of the output, plain and streamed', async () => {
  for (const [use, searches] of [[3, 3], [undefined, 2], [-1, 2], [0, 0]]) {
    const ask = { model: 'seeks-openai', input: 'Hello', max_output_tokens: 50, tools: [{ type: 'web_search' }], max_tool_calls: 4, store: false };
    up.script = says(responseOf(use));
    const plain = await openai.responses.create(ask).withResponse();
    const r = await charged(plain.response, searches, tokens(100, 30));
    assert.ok(r.hold_nano >= 4 * each && r.hold_nano < 5 * each, `held ${r.hold_nano}`);
    up.script = plays({ type: 'response.created', response: { ...responseOf(), output: [], usage: null, status: 'in_progress' } },
      ...responseOf().output.map((one, output_index) => ({ type: 'response.output_item.done', output_index, item: one })),
      { type: 'response.completed', response: responseOf(use) });
    const { data: stream, response } = await openai.responses.create({ ...ask, stream: true }).withResponse();
    for await (const e of stream) assert.ok(e.type);
    await charged(response, searches, tokens(100, 30));
  }
});

const chatOf = (more) => ({ id: 'chatcmpl-1', object: 'chat.completion', created: 1700000000, model: 'gpt', choices: [{ index: 0, message: { role: 'assistant', content: 'Found.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 100, completion_tokens: 30, total_tokens: 130, ...more } });

test('chats: what asks for a search and tells none has made one; what tells it is believed', async () => {
  const ask = (more) => call(it.server, it.key, { model: 'seeks-openai', max_tokens: 50, messages: hello, ...more });
  up.script = says(chatOf());
  await charged(await ask({ web_search_options: {} }), 1, tokens(100, 30), 'counted');
  await charged(await ask({ plugins: [{ id: 'web' }] }), 1, tokens(100, 30), 'counted');
  await charged(await ask({ tools: [{ type: 'openrouter:web_search' }] }), 0, tokens(100, 30));
  up.script = says(chatOf({ server_tool_use_details: { web_search_requests: 2 } }));
  await charged(await ask({ plugins: [{ id: 'web' }] }), 2, tokens(100, 30));
  up.script = says(chatOf({ num_search_queries: 7 })); // unasked, as Perplexity does
  await charged(await ask({}), 7, tokens(100, 30));
});

// --- Google ---

const candidates = (queries, more) => [{ content: { parts: [{ text: 'Found.' }], role: 'model' }, index: 0, ...(queries ? { groundingMetadata: { webSearchQueries: queries } } : {}), ...more }];
const spent = { promptTokenCount: 100, candidatesTokenCount: 30, totalTokenCount: 130 };
const ask = (model, verb, more) => call(it.server, it.key, { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }], generationConfig: { maxOutputTokens: 50 }, ...more }, { path: `/v1beta/models/${model}:${verb}` });

test('Google: a prompt of models before Gemini 3, a query of later ones, plain and streamed', async () => {
  for (const [modelVersion, searches] of [['gemini-2.5-pro', 1], ['gemini-3-flash-preview', 2]]) {
    up.script = says({ candidates: candidates(['', 'one', 'two', 'one'], { finishReason: 'STOP' }), usageMetadata: spent, modelVersion });
    await charged(await ask('seeks-google', 'generateContent', { tools: [{ googleSearch: {} }] }), searches, tokens(100, 30));
    up.script = plays({ candidates: candidates(['one', 'two']), usageMetadata: { promptTokenCount: 100 }, modelVersion },
      { candidates: candidates(undefined, { finishReason: 'STOP' }), usageMetadata: spent, modelVersion });
    await charged(await ask('seeks-google', 'streamGenerateContent?alt=sse', { tools: [{ google_search: {} }] }), searches, tokens(100, 30));
  }
});

// --- refusals ---

test('a model without the figure refuses by the tool’s path, asks nobody and charges nothing', async () => {
  const before = up.seen.length;
  const sentence = (path, kind) => `\`${path}\`: the model \`sits-${kind}\` sells no web searches.`;
  const rows = [
    [{ model: 'sits-anthropic', max_tokens: 50, messages: hello, tools: searchTool() }, '/v1/messages', 'tools[1]', 'anthropic'],
    [{ model: 'sits-openai', input: 'Hello', tools: [{ type: 'web_search_preview' }] }, '/v1/responses', 'tools[0]', 'openai'],
    [{ model: 'sits-openai', messages: hello, web_search_options: {} }, '/v1/chat/completions', 'web_search_options', 'openai'],
    [{ model: 'sits-openai', messages: hello, plugins: [{ id: 'web' }] }, '/v1/chat/completions', 'plugins[0]', 'openai'],
    [{ contents: [{ parts: [{ text: 'Hello' }] }], tools: [{ google_search: {} }] }, '/v1beta/models/sits-google:generateContent', 'tools[0]', 'google'],
  ];
  for (const [body, path, where, kind] of rows) {
    const res = await call(it.server, it.key, body, { path });
    assert.equal(res.status, 400, res.text);
    assert.ok(res.json.error.message.includes(sentence(where, kind)), res.text);
    if (kind === 'openai') assert.equal(res.json.error.param, where);
    const r = await row(res);
    assert.deepEqual([r.outcome, r.charge_nano, r.searches, r.attempts], ['client_error', 0, 0, 0]);
  }
  assert.equal(up.seen.length, before);
});

test('without search tools such a model serves, and 0 is a figure', async () => {
  up.script = says(messageOf({ web_search_requests: 2 }));
  const path = { path: '/v1/messages' };
  const fetching = await call(it.server, it.key, { model: 'sits-anthropic', max_tokens: 50, messages: hello, tools: [{ type: 'web_fetch_20250910', name: 'web_fetch' }] }, path);
  assert.equal(fetching.status, 200, fetching.text);
  const unsold = await row(fetching); // made unasked, and not sold: the operator's log has it
  assert.deepEqual([unsold.searches, unsold.charge_nano], [0, tokens(100, 30)]);
  assert.match(it.server.log, /unit_without_price .*model="sits-anthropic" searches=2/);
  const r = await row(await call(it.server, it.key, { model: 'gives-anthropic', max_tokens: 50, messages: hello, tools: searchTool() }, path));
  assert.deepEqual([r.searches, r.charge_nano, r.basis], [2, tokens(100, 30), 'provider']);
});

test('another format’s target is told of no search: the tool is refused by name, as before', async () => {
  const res = await call(it.server, it.key, { model: 'sits-anthropic', input: 'Hello', max_output_tokens: 50, tools: [{ type: 'web_search' }] }, { path: '/v1/responses' });
  assert.equal(res.status, 400, res.text);
  assert.match(res.json.error.message, /tools/);
  assert.doesNotMatch(res.json.error.message, /sells no web searches/);
});

// --- what is shown of them ---

test('the API, the roll-up and the price list have them', async () => {
  const api = manage(it.server, await mintManagementKey(it.owner));
  const { json } = await api('GET', '/calls?limit=100');
  const calls = json.data.filter((c) => c.requested_model?.startsWith('seeks-'));
  const [days] = it.server.sql(`SELECT sum(searches)::int AS searches FROM usage_day`);
  const [all] = it.server.sql(`SELECT sum(searches)::int AS searches FROM call`);
  assert.ok(calls.length && calls.some((c) => c.searches === 3));
  assert.deepEqual(days, all);
  const page = await it.owner.get('/pricing');
  assert.match(page.text, /\$0\.010000001 per search/);
});

test('the books balance', async () => { booksBalance(it.server); });
