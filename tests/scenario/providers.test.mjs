// An account of each kind of provider serves a client that knows only OpenAI's chat: what arrives there is
// in the provider's own format, at its own address and with its own credential; what the client gets back
// is its own format, priced by the provider's own figures.
import assert from 'node:assert/strict';
import { test, setup } from '../lib/story.mjs';
import { startNatives, figures, words } from '../lib/natives.mjs';
import { addAccount, addModel, booksBalance, call, hello, mintKey, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';
import { startServer } from '../lib/server.mjs';

let server, operator, key, up;

// What each kind is asked: where, with which headers, and with which fields of its own.
const kinds = [
  {
    kind: 'anthropic', base: '/v1', key: 'sk-ant-secret', model: 'claude-scripted',
    plain: '/v1/messages', stream: '/v1/messages',
    headers: { 'x-api-key': 'sk-ant-secret', 'anthropic-version': '2023-06-01', authorization: undefined },
    body: (b) => assert.deepEqual([b.model, b.max_tokens, b.messages], ['claude-scripted', 20, [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }]]),
  },
  {
    kind: 'google', base: '/v1beta', key: 'AIza-secret', model: 'gemini-scripted',
    plain: '/v1beta/models/gemini-scripted:generateContent',
    stream: '/v1beta/models/gemini-scripted:streamGenerateContent?alt=sse',
    headers: { 'x-goog-api-key': 'AIza-secret', authorization: undefined },
    body: (b) => assert.deepEqual([b.generationConfig.maxOutputTokens, b.contents], [20, [{ role: 'user', parts: [{ text: 'Hello' }] }]]),
  },
  {
    kind: 'openai-compatible', base: '/v1', key: 'sk-secret', model: 'gpt-scripted',
    plain: '/v1/chat/completions', stream: '/v1/chat/completions',
    headers: { authorization: 'Bearer sk-secret' },
    body: (b) => assert.deepEqual([b.model, b.max_tokens, b.messages], ['gpt-scripted', 20, [{ role: 'user', content: 'Hello' }]]),
  },
];

const base = (path) => `http://127.0.0.1:${up.port}${path}`;
const events = (text) => text.split('\n\n').filter((e) => e.startsWith('data: {')).map((e) => JSON.parse(e.slice(6)));

function assertAsked(k, seen, url) {
  assert.equal(seen.method, 'POST');
  assert.equal(seen.url, url);
  assert.match(seen.headers['content-type'], /^application\/json/);
  for (const [name, value] of Object.entries(k.headers)) assert.equal(seen.headers[name], value, name);
  k.body(seen.body);
  assert.ok(!JSON.stringify(seen).includes(key), 'the client’s key stays here');
}

async function assertCharged(res) {
  const row = await settled(server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.input_tokens, figures.input);
  assert.equal(row.output_tokens, figures.output);
  assert.equal(row.charge_nano, figures.input * 1000 + figures.output * 2000);
  assert.equal(row.basis, 'provider');
  assert.equal(row.outcome, 'ok');
}

setup('an installation with an account of each kind', async () => {
  up = await startNatives();
  server = await startServer();
  operator = await signInOperator(server);
  for (const k of kinds) {
    k.account = await addAccount(operator, up, { kind: k.kind, name: k.kind, base_url: base(k.base), key: k.key });
    await addModel(operator, { name: `by-${k.kind}`, targets: [{ account: k.account, upstreamModel: k.model }] });
  }
  const owner = await signUp(server);
  await topUp(owner, 20);
  key = await mintKey(owner);
  for (const k of kinds) await served(server, key, `by-${k.kind}`);
});

for (const k of kinds) {
  test(`${k.kind}: a plain call`, async () => {
    up.seen.length = 0;
    const res = await call(server, key, hello(`by-${k.kind}`));
    assert.equal(res.status, 200, res.text);
    assertAsked(k, up.seen[0], k.plain);
    assert.equal(res.json.object, 'chat.completion');
    assert.equal(res.json.choices[0].message.content, words.join(''));
    assert.equal(res.json.choices[0].finish_reason, 'stop');
    assert.equal(res.json.usage.prompt_tokens, figures.input);
    assert.equal(res.json.usage.completion_tokens, figures.output);
    assert.equal(res.headers.get('x-tollgate-provider'), k.kind);
    await assertCharged(res);
  });

  test(`${k.kind}: a stream`, async () => {
    up.seen.length = 0;
    const res = await call(server, key, hello(`by-${k.kind}`, { stream: true, stream_options: { include_usage: true } }));
    assert.equal(res.status, 200, res.text);
    assertAsked(k, up.seen[0], k.stream);
    const all = events(res.text);
    assert.equal(all.map((e) => e.choices[0]?.delta?.content ?? '').join(''), words.join(''));
    assert.equal(all.findLast((e) => e.choices[0]?.finish_reason)?.choices[0].finish_reason, 'stop');
    assert.equal(all.findLast((e) => e.usage)?.usage.completion_tokens, figures.output);
    assert.match(res.text, /data: \[DONE\]\n\n$/);
    await assertCharged(res);
  });

  test(`${k.kind}: the provider’s refusal, in the client’s format`, async () => {
    const res = await call(server, key, hello(`by-${k.kind}`, { messages: [{ role: 'user', content: 'fail' }] }));
    assert.equal(res.status, 400, res.text);
    assert.match(res.json.error.message, /The scripted refusal\./);
    assert.equal(res.json.error.type, 'invalid_request_error');
    assert.equal(res.json.error.param, null);
    const row = await settled(server, res.headers.get('x-tollgate-request-id'));
    assert.equal(row.charge_nano, 0);
  });

  test(`${k.kind}: the account is tried out`, async () => {
    up.seen.length = 0;
    const page = await operator.submit(`/operator/accounts/${k.account.id}`, /\/test$/);
    assert.match(page.text, /It works\..*it lists 1 model/s);
    assert.equal(up.seen[0].method, 'GET');
    for (const [name, value] of Object.entries(k.headers)) assert.equal(up.seen[0].headers[name], value, name);
  });
}

test('the books balance', () => booksBalance(server));
