// The official `openai` library against the gateway with nothing but its base URL changed.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { test, setup, eventually, sleep } from '../lib/story.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { standardInstallation, settled, attemptsOf, booksBalance, signUp, mintKey } from '../lib/installation.mjs';

let it, up, client;
const ask = (model, more = {}) => ({ model, messages: [{ role: 'user', content: 'Say hello' }], max_tokens: 30, ...more });
const make = (apiKey) => new OpenAI({ apiKey, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
const fails = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};

setup('an installation with the demo upstream and a scripted one', async () => {
  up = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([up]);
  client = make(it.key);
});

test('lists models', async () => {
  const ids = [];
  for await (const m of client.models.list()) ids.push(m.id);
  for (const id of ['demo-small', 'demo-large', 'demo-embedding', 'scripted']) assert.ok(ids.includes(id), ids.join());
  assert.equal((await client.models.retrieve('demo-small')).id, 'demo-small');
});

test('chats', async () => {
  const { data, response } = await client.chat.completions.create(ask('demo-small')).withResponse();
  assert.equal(data.object, 'chat.completion');
  assert.ok(data.choices[0].message.content.length > 0);
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  const row = await settled(it.server, response.headers.get('x-tollgate-request-id'));
  assert.equal(row.output_tokens, data.usage.completion_tokens);
  assert.equal(Number(response.headers.get('x-tollgate-cost')), data.usage.cost);
});

test('streams, and the pieces are the answer', async () => {
  const stream = await client.chat.completions.create(ask('demo-small', { stream: true, seed: 7, stream_options: { include_usage: true } }));
  let text = '', usage;
  for await (const part of stream) {
    text += part.choices[0]?.delta?.content ?? '';
    usage = part.usage ?? usage;
  }
  const whole = await client.chat.completions.create(ask('demo-small', { seed: 7 }));
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test('calls tools in two rounds', async () => {
  const tools = [{ type: 'function', function: { name: 'get_weather', description: 'Weather of a place', parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] } } }];
  const first = await client.chat.completions.create(ask('demo-small', { tools, tool_choice: 'required' }));
  const [wish] = first.choices[0].message.tool_calls;
  assert.equal(wish.function.name, 'get_weather');
  assert.equal(typeof JSON.parse(wish.function.arguments).place, 'string');
  const second = await client.chat.completions.create(ask('demo-small', {
    tools, messages: [{ role: 'user', content: 'Weather?' }, first.choices[0].message, { role: 'tool', tool_call_id: wish.id, content: 'Sunny' }],
  }));
  assert.ok(second.choices[0].message.content);
});

test('streams a tool call', async () => {
  const tools = [{ type: 'function', function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] } } }];
  const run = client.chat.completions.stream(ask('demo-small', { tools, tool_choice: 'required' }));
  const final = await run.finalChatCompletion();
  assert.equal(final.choices[0].message.tool_calls[0].function.name, 'add');
  JSON.parse(final.choices[0].message.tool_calls[0].function.arguments);
});

test('gets structured output', async () => {
  const schema = { type: 'object', properties: { name: { type: 'string' }, age: { type: 'integer' }, mood: { type: 'string', enum: ['good', 'bad'] } }, required: ['name', 'age', 'mood'], additionalProperties: false };
  const res = await client.chat.completions.create(ask('demo-small', { max_tokens: 200, response_format: { type: 'json_schema', json_schema: { name: 'person', schema, strict: true } } }));
  const value = JSON.parse(res.choices[0].message.content);
  assert.equal(typeof value.name, 'string');
  assert.ok(Number.isInteger(value.age));
  assert.ok(['good', 'bad'].includes(value.mood));
});

test('gets several choices', async () => {
  const res = await client.chat.completions.create(ask('demo-small', { n: 3 }));
  assert.equal(res.choices.length, 3);
});

test('embeds (the library asks for base64)', async () => {
  const res = await client.embeddings.create({ model: 'demo-embedding', input: ['one text', 'another'] });
  assert.equal(res.data.length, 2);
  assert.ok(res.data[0].embedding.length > 8 && typeof res.data[0].embedding[0] === 'number');
  assert.ok(res.usage.prompt_tokens > 0);
});

test('aborts mid-stream; what was used is settled', async () => {
  const { data: stream, response } = await client.chat.completions.create(ask('demo-large', { stream: true, max_tokens: 400 })).withResponse();
  let n = 0;
  for await (const part of stream) if (part && ++n === 5) break;
  stream.controller.abort();
  const row = await settled(it.server, response.headers.get('x-tollgate-request-id'));
  assert.equal(row.outcome, 'client_gone');
  assert.ok(row.charge_nano > 0);
});

test('401, 402, 404 come as the library\'s own errors', async () => {
  assert.ok((await fails(make('tg-nothing').chat.completions.create(ask('demo-small')))) instanceof OpenAI.AuthenticationError);
  assert.ok((await fails(client.chat.completions.create(ask('no-such-model')))) instanceof OpenAI.NotFoundError);
  const poor = await signUp(it.server);
  const error = await fails(make(await mintKey(poor)).chat.completions.create(ask('scripted')));
  assert.equal(error.status, 402);
  assert.equal(error.code, 'insufficient_balance');
});

test('429 and 500 from the upstream fall back; alone they reach the client', async () => {
  for (const [status, kind] of [[429, OpenAI.RateLimitError], [500, OpenAI.InternalServerError]]) {
    up.script = (req, res) => send(res, status, { error: { message: `upstream says ${status}`, type: 'error', param: null, code: null } });
    const error = await fails(client.chat.completions.create(ask('scripted')));
    assert.ok(error instanceof kind, String(error));
    assert.match(error.message, new RegExp(`upstream says ${status}`));
  }
  up.script = (req, res) => send(res, 200, chat());
  const { data, response } = await client.chat.completions.create(ask('scripted', { models: ['demo-small'] })).withResponse();
  assert.ok(data.choices.length);
  await settled(it.server, response.headers.get('x-tollgate-request-id'));
  assert.ok(attemptsOf(it.server, response.headers.get('x-tollgate-request-id')).length >= 1);
});

test('the demo\'s own switches play a failure by hand', async () => {
  const error = await fails(client.chat.completions.create(ask('demo-small', { metadata: { demo: '500' } })));
  assert.ok(error.status >= 500, String(error));
});

test('the books balance', () => booksBalance(it.server));
