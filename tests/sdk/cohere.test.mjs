// Cohere's own library with only the base URL changed, before an account of Cohere: its chat, embeddings
// and rerank of version 2 pass as they are, and each is counted and charged.
import assert from 'node:assert/strict';
import { CohereClientV2 } from 'cohere-ai';
import { test, setup } from '../lib/story.mjs';
import { citySchema, pixel, weather } from '../lib/clients.mjs';
import { startServer } from '../lib/server.mjs';
import { startSpeaker, figures, city } from '../lib/speaker.mjs';
import { addAccount, addModel, booksBalance, call, mintKey, recorded, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';

let server, speaker, key, client;
const question = 'What is the weather in Paris and Rome?';
const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];
const charge = figures.input * 1000 + figures.output * 2000;

setup('an installation with an account of Cohere and one of another provider', async () => {
  speaker = await startSpeaker();
  server = await startServer();
  const operator = await signInOperator(server);
  const account = await addAccount(operator, speaker, { kind: 'cohere', name: 'cohere', base_url: `http://127.0.0.1:${speaker.port}`, key: 'co-scripted' });
  const other = await addAccount(operator, speaker, { kind: 'openai-compatible', name: 'other', base_url: `http://127.0.0.1:${speaker.port}/v1`, key: 'sk-scripted' });
  await addModel(operator, { name: 'command', targets: [{ account, upstreamModel: 'command-a' }] });
  await addModel(operator, { name: 'elsewhere', targets: [{ account: other, upstreamModel: 'scripted-1' }] });
  await addModel(operator, { name: 'embed', kind: 'embedding', output: '0', fields: { max_output_tokens: '' }, targets: [{ account, upstreamModel: 'embed-v4.0' }] });
  await addModel(operator, { name: 'rank', kind: 'rerank', prices: { search: '0.002' }, fields: { max_output_tokens: '' }, targets: [{ account, upstreamModel: 'rerank-v4.0' }] });
  const owner = await signUp(server);
  await topUp(owner, 20);
  key = await mintKey(owner);
  client = new CohereClientV2({ token: key, environment: server.url, maxRetries: 0 });
  for (const m of ['command', 'elsewhere', 'embed', 'rank']) await served(server, key, m);
});

// The answer, once its call is booked for as much.
async function charged(nano, fn) {
  const { answer, row } = await recorded(server, fn);
  assert.equal(row.charge_nano, nano);
  assert.equal(row.basis, 'provider');
  return answer;
}

const ask = (content, more = {}) => ({ model: 'command', maxTokens: 200, messages: [{ role: 'user', content }], ...more });
async function gather(stream) {
  const out = { text: '', calls: [] };
  for await (const e of stream) {
    if (e.type === 'content-delta') out.text += e.delta.message.content.text;
    if (e.type === 'tool-call-start') out.calls[e.index] = { ...e.delta.message.toolCalls };
    if (e.type === 'tool-call-delta') out.calls[e.index].function.arguments += e.delta.message.toolCalls.function.arguments;
    if (e.type === 'message-end') out.end = e.delta;
  }
  return out;
}

test('text', async () => {
  const r = await charged(charge, () => client.chat(ask('Hello')));
  assert.equal(r.message.content[0].text, 'Hello there.');
  assert.equal(r.finishReason, 'COMPLETE');
  assert.equal(r.usage.billedUnits.inputTokens, figures.input);
  const seen = speaker.seen.at(-1);
  assert.equal(seen.url, '/v2/chat');
  assert.deepEqual([seen.body.model, seen.body.max_tokens, seen.headers.authorization], ['command-a', 200, 'Bearer co-scripted']);
});

test('a stream', async () => {
  const r = await charged(charge, async () => gather(await client.chatStream(ask('Hello'))));
  assert.equal(r.text, 'Hello there.');
  assert.equal(r.end.finishReason, 'COMPLETE');
  assert.equal(r.end.usage.billedUnits.outputTokens, figures.output);
});

test('tools in two rounds, plain and streamed', async () => {
  const first = await client.chat(ask(question, { tools }));
  const { toolCalls, toolPlan } = first.message;
  const streamed = await gather(await client.chatStream(ask(question, { tools })));
  for (const calls of [toolCalls, streamed.calls]) assert.deepEqual(calls.map((c) => JSON.parse(c.function.arguments).city), ['Paris', 'Rome']);
  const results = toolCalls.map((c) => ({ role: 'tool', toolCallId: c.id, content: `${JSON.parse(c.function.arguments).city} is sunny` }));
  const second = await client.chat(ask(question, { tools, messages: [{ role: 'user', content: question }, { role: 'assistant', toolCalls, toolPlan }, ...results] }));
  assert.equal(second.message.content[0].text, 'The weather: Paris is sunny and Rome is sunny.');
});

test('structured output and an image', async () => {
  const object = await client.chat(ask('Which city?', { responseFormat: { type: 'json_object', jsonSchema: citySchema } }));
  assert.deepEqual(JSON.parse(object.message.content[0].text), city);
  const image = await client.chat(ask([{ type: 'text', text: 'What is it?' }, { type: 'image_url', imageUrl: { url: `data:image/png;base64,${pixel}` } }]));
  assert.equal(image.message.content[0].text, 'I see 1 image.');
});

test('errors', async () => {
  await assert.rejects(client.chat(ask('Please fail')), (e) => e.statusCode === 400 && /scripted refusal/.test(JSON.stringify(e.body)));
  await assert.rejects(client.chat(ask('You are busy')), (e) => e.statusCode === 429);
  await assert.rejects(client.chat({ model: 'command' }), (e) => e.statusCode === 400 || /messages/.test(e.message));
});

test('a client that leaves', async () => {
  const { row } = await recorded(server, async () => {
    const leave = new AbortController();
    let n = 0;
    const stream = await client.chatStream(ask('Be slow'), { abortSignal: leave.signal });
    await assert.doesNotReject((async () => {
      for await (const e of stream) if (e.type === 'content-delta' && ++n === 3) break;
    })());
    leave.abort();
  });
  assert.equal(row.outcome, 'client_gone');
});

test('embeddings', async () => {
  const r = await charged(figures.input * 1000, () => client.embed({ model: 'embed', texts: ['one', 'three'], inputType: 'search_document', embeddingTypes: ['float'] }));
  assert.deepEqual(r.embeddings.float, [[3, 0.5], [5, 0.5]]);
  assert.deepEqual([speaker.seen.at(-1).url, speaker.seen.at(-1).body.model], ['/v2/embed', 'embed-v4.0']);
});

test('rerank', async () => {
  const { answer, row } = await recorded(server, () => client.rerank({ model: 'rank', query: 'Which?', documents: ['a', 'b'] }));
  assert.deepEqual(answer.results.map((x) => x.index), [0, 1]);
  assert.ok(row.charge_nano > 0);
});

test('bad input and a model that is no Cohere’s are named, and charged nothing', async () => {
  const wrong = await call(server, key, { model: 'command', messages: 'Hello' }, { path: '/v2/chat' });
  assert.deepEqual([wrong.status, wrong.json.error.param], [400, 'messages']);
  const none = await call(server, key, { model: 'embed', input_type: 'search_document' }, { path: '/v2/embed' });
  assert.deepEqual([none.status, none.json.error.param], [400, 'texts']);
  const elsewhere = await call(server, key, { model: 'elsewhere', messages: [{ role: 'user', content: 'Hello' }] }, { path: '/v2/chat' });
  assert.deepEqual([elsewhere.status, elsewhere.json.error.param], [400, 'model']);
  assert.match(elsewhere.json.error.message, /can be asked in the format of this address/);
  assert.equal((await settled(server, elsewhere.headers.get('x-tollgate-request-id'))).charge_nano, 0);
});

test('the books balance', async () => { booksBalance(server); });
