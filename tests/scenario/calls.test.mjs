// A call from key to ledger: what the client gets, what the upstream was asked, what is on record.
import assert from 'node:assert/strict';
import { test, setup, eventually, sleep } from '../lib/story.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { standardInstallation, call, hello, settled, attemptsOf, booksBalance, mintKey, addModel, served } from '../lib/installation.mjs';

let it, up, spare;
const plain = (req, res, seen) => send(res, 200, { ...chat(), model: seen.body.model, surprise: { kept: [1, 2, 3] } }, { 'x-request-id': 'req-up-1' });

setup('an installation with two upstreams', async () => {
  up = await startUpstream(plain);
  spare = await startUpstream(plain);
  it = await standardInstallation([up, spare]);
});

test('a plain call is answered, charged and recorded', async () => {
  up.seen.length = 0;
  const res = await call(it.server, it.key, hello('scripted', { future_field: { a: [1] }, seed: 12345678901234567890n.toString() }));
  assert.equal(res.status, 200, res.text);
  assert.deepEqual(res.json.surprise, { kept: [1, 2, 3] });
  assert.equal(up.seen[0].body.model, 'up-1');
  assert.deepEqual(up.seen[0].body.future_field, { a: [1] });
  assert.equal(up.seen[0].headers.authorization, 'Bearer sk-upstream-secret');
  assert.ok(!up.seen[0].raw.includes(it.key));
  // 9 tokens at $1 and 3 at $2 per million: 15,000 nano-dollars
  assert.equal(res.headers.get('x-tollgate-cost'), '0.000015');
  assert.match(res.text, /"cost":0\.000015\b/);
  assert.equal(res.headers.get('x-tollgate-model'), 'scripted');
  assert.equal(res.headers.get('x-tollgate-attempts'), '1');
  const id = res.headers.get('x-tollgate-request-id');
  const row = await settled(it.server, id);
  assert.equal(row.charge_nano, 15000);
  assert.equal(row.input_tokens, 9);
  assert.equal(row.output_tokens, 3);
  assert.equal(row.basis, 'provider');
  assert.equal(row.outcome, 'ok');
  assert.equal(row.upstream_request_id, 'req-up-1');
  const attempts = attemptsOf(it.server, id);
  assert.equal(attempts.length, 1);
  assert.equal(attempts[0].served, true);
  assert.equal(attempts[0].upstream_model, 'up-1');
  booksBalance(it.server);
});

test('the body reaches the upstream byte for byte but for the model', async () => {
  up.seen.length = 0;
  const body = '{ "model" : "scripted",\n "messages":[{"role":"user","content":"caf\\u00e9 \\ud83d\\ude00 </script>"}], "max_tokens":20 , "temperature":1.50 }';
  const res = await call(it.server, it.key, body);
  assert.equal(res.status, 200, res.text);
  assert.equal(up.seen[0].raw, body.replace('"scripted"', '"up-1"'));
});

test('a stream passes chunk by chunk; usage is asked for and its chunk hidden', async () => {
  up.seen.length = 0;
  up.script = (req, res) => sse(res, [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop')],
    { usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } });
  const res = await call(it.server, it.key, hello('scripted', { stream: true }));
  up.script = plain;
  assert.equal(res.status, 200);
  assert.match(res.headers.get('content-type'), /^text\/event-stream/);
  assert.deepEqual(up.seen[0].body.stream_options, { include_usage: true });
  const events = res.text.split('\n\n').filter((e) => e.startsWith('data: {')).map((e) => JSON.parse(e.slice(6)));
  assert.equal(events.length, 4);
  assert.ok(events.every((e) => e.choices.length === 1));
  assert.match(res.text, /: .*cost.*0\.000014/);
  assert.match(res.text, /data: \[DONE\]\n\n$/);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.charge_nano, 14000);
  assert.equal(row.stream, true);
});

test('a client that asks for usage gets its chunk, with the cost', async () => {
  up.script = (req, res) => sse(res, [chunk({ content: 'Hi' }), chunk({}, 'stop')], { usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } });
  const res = await call(it.server, it.key, hello('scripted', { stream: true, stream_options: { include_usage: true } }));
  up.script = plain;
  const events = res.text.split('\n\n').filter((e) => e.startsWith('data: {')).map((e) => JSON.parse(e.slice(6)));
  assert.equal(events.length, 3);
  assert.equal(events[2].usage.total_tokens, 12);
  assert.equal(events[2].usage.cost, 0.000014);
});

test('an upstream that gives no usage is counted, and marked so', async () => {
  up.script = (req, res) => send(res, 200, { ...chat('four words are here'), usage: undefined });
  const res = await call(it.server, it.key, hello('scripted'));
  up.script = plain;
  assert.equal(res.status, 200);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.basis, 'counted');
  assert.ok(row.output_tokens > 0 && row.charge_nano > 0);
});

// A cooled-down account comes last: waits until the first one is asked first again.
const firstIsWell = () => eventually(async () => {
  up.seen.length = 0;
  up.script = plain;
  await call(it.server, it.key, hello('scripted'));
  return up.seen.length === 1;
}, 'the first upstream to be asked again', 70000);

for (const [name, script, reason] of [
  ['429', (req, res) => send(res, 429, { error: { message: 'slow down', type: 'rate_limit' } }, { 'retry-after': '1' }), 'rate_limited'],
  ['500', (req, res) => send(res, 500, { error: { message: 'oops' } }), 'server_error'],
  ['a connection that dies', (req, res) => res.socket.destroy(), /reset|server_error|connect|bad_reply/],
  ['an answer that is no JSON', (req, res) => send(res, 200, '<html>busy</html>'), /bad_reply/],
]) {
  test(`${name} before the first byte moves on to the next target`, async () => {
    await firstIsWell();
    up.script = script;
    const res = await call(it.server, it.key, hello('scripted'), { headers: { 'x-tollgate-trace': '1' } });
    up.script = plain;
    assert.equal(res.status, 200, res.text);
    assert.equal(res.headers.get('x-tollgate-attempts'), '2');
    const id = res.headers.get('x-tollgate-request-id');
    const row = await settled(it.server, id);
    assert.equal(row.fallback, true);
    assert.equal(row.charge_nano, 15000);
    const attempts = attemptsOf(it.server, id);
    assert.equal(attempts.length, 2);
    assert.match(attempts[0].reason, new RegExp(reason));
    assert.equal(attempts[0].served, false);
    assert.equal(attempts[1].served, true);
    assert.equal(attempts[1].account_name, 'upstream-2');
    booksBalance(it.server);
  });
}

test('when all fail the last error reaches the client with the attempts; nothing is charged', async () => {
  const fail = (req, res) => send(res, 503, { error: { message: 'upstream is down', type: 'server_error', param: null, code: 'down' } });
  up.script = spare.script = fail;
  const res = await call(it.server, it.key, hello('scripted'));
  up.script = spare.script = plain;
  assert.ok(res.status >= 500, String(res.status));
  assert.ok(res.json.error.message);
  assert.equal(res.json.tollgate.attempts.length, 2, res.text);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.charge_nano, 0);
  assert.equal(row.outcome, 'upstream_error');
  assert.equal(row.basis, 'zero');
});

test('an error of the client\'s making is passed on and tried once', async () => {
  const bad = (req, res) => send(res, 400, { error: { message: 'temperature is too high', type: 'invalid_request_error', param: 'temperature', code: null } });
  up.script = spare.script = bad;
  const res = await call(it.server, it.key, hello('scripted', { temperature: 9 }));
  up.script = spare.script = plain;
  assert.equal(res.status, 400);
  assert.equal(res.json.error.param, 'temperature');
  assert.equal(res.headers.get('x-tollgate-attempts'), '1');
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.charge_nano, 0);
});

test('a stream that dies ends with an error event; what came is charged', async () => {
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(`data: ${JSON.stringify(chunk({ content: 'some words before the end ' }))}\n\n`);
    setTimeout(() => res.socket.destroy(), 50);
  };
  const res = await call(it.server, it.key, hello('scripted', { stream: true }));
  up.script = plain;
  assert.match(res.text, /some words/);
  assert.match(res.text, /"error"/);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.outcome, 'cut');
  assert.equal(row.basis, 'counted');
  assert.ok(row.charge_nano > 0);
  booksBalance(it.server);
});

test('a client that leaves mid-stream is noticed at once; the upstream is cancelled', async () => {
  await firstIsWell();
  up.aborted = 0;
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => res.write(`data: ${JSON.stringify(chunk({ content: 'word ' }))}\n\n`), 20);
    res.on('close', () => clearInterval(timer));
  };
  const stop = new AbortController();
  const res = await fetch(`${it.server.url}/v1/chat/completions`, {
    method: 'POST', signal: stop.signal,
    headers: { authorization: `Bearer ${it.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(hello('scripted', { stream: true })),
  });
  const id = res.headers.get('x-tollgate-request-id');
  const reader = res.body.getReader();
  await reader.read();
  await sleep(200);
  stop.abort();
  await reader.cancel().catch(() => {});
  await eventually(() => up.aborted === 1, 'the upstream to be cancelled');
  up.script = plain;
  const row = await settled(it.server, id);
  assert.equal(row.outcome, 'client_gone');
  assert.ok(row.client_gone_at);
  assert.ok(row.charge_nano > 0);
  booksBalance(it.server);
});

test('embeddings are answered and charged', async () => {
  await addModel(it.operator, { name: 'scripted-embedding', kind: 'embedding', input: '0.5', output: '0', targets: [{ account: it.accounts[0] }] });
  await served(it.server, it.key, 'scripted-embedding');
  up.script = (req, res, seen) => send(res, 200, { object: 'list', model: seen.body.model, data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }], usage: { prompt_tokens: 8, total_tokens: 8 } });
  const res = await call(it.server, it.key, { model: 'scripted-embedding', input: 'eight tokens of text' }, { path: '/v1/embeddings' });
  up.script = plain;
  assert.equal(res.status, 200, res.text);
  assert.deepEqual(res.json.data[0].embedding, [0.5, -0.25]);
  assert.equal((await settled(it.server, res.headers.get('x-tollgate-request-id'))).charge_nano, 4000);
});

test('OpenRouter\'s paths answer the same', async () => {
  const res = await call(it.server, it.key, hello('scripted'), { path: '/api/v1/chat/completions' });
  assert.equal(res.status, 200, res.text);
  const headers = { authorization: `Bearer ${it.key}` };
  const generation = await eventually(async () => {
    const r = await fetch(`${it.server.url}/api/v1/generation?id=${res.headers.get('x-tollgate-request-id')}`, { headers });
    return r.ok && (await r.json()).data;
  }, 'the generation');
  assert.equal(generation.total_cost, 0.000015);
  const own = await (await fetch(`${it.server.url}/api/v1/key`, { headers })).json();
  assert.ok(own.data.usage > 0);
  const credits = await (await fetch(`${it.server.url}/api/v1/credits`, { headers })).json();
  assert.ok(credits.data.total_credits >= 20 && credits.data.total_usage > 0);
});

test('a model that costs more than there is is refused before the upstream is asked', async () => {
  await addModel(it.operator, { name: 'dear', input: '9000', output: '9000', targets: [{ account: it.accounts[0] }] });
  await served(it.server, it.key, 'dear');
  up.seen.length = 0;
  const res = await call(it.server, it.key, hello('dear', { max_tokens: 900, n: 5 }));
  assert.equal(res.status, 402, res.text);
  assert.equal(res.json.error.code, 'insufficient_balance');
  assert.equal(res.json.tollgate.quota_source, 'prepaid_balance');
  assert.equal(up.seen.length, 0);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.outcome, 'blocked');
  assert.equal(row.quota_source, 'prepaid_balance');
});

test('a model without a price is refused, never free', async () => {
  await addModel(it.operator, { name: 'unpriced', input: null, targets: [{ account: it.accounts[0] }] });
  const res = await eventually(async () => {
    const told = await call(it.server, it.key, hello('unpriced')); // 503 while it is known and its target is not
    assert.ok([400, 404, 503].includes(told.status), told.text);
    return told.json.error.code === 'model_without_price' && told;
  }, 'the model to be known');
  const list = await (await fetch(`${it.server.url}/v1/models`, { headers: { authorization: `Bearer ${it.key}` } })).json();
  assert.ok(!list.data.some((m) => m.id === 'unpriced'));
  // An operator sees that it fails, and for what.
  await settled(it.server, res.headers.get('x-tollgate-request-id'));
  const page = await it.operator.get('/operator/incidents');
  assert.match(page.text, /Failing now .* 1 No price unpriced none/);
  const [, link] = page.body.match(/href="(\/operator\/calls\?[^"]*model=unpriced[^"]*)">1<\/a>/);
  assert.match((await it.operator.get(link.replaceAll('&amp;', '&'))).text, /unpriced/);
});

test('a new key works at once and a disabled one stops', async () => {
  const key = await mintKey(it.owner, { name: 'short-lived' });
  assert.equal((await call(it.server, key, hello('scripted'))).status, 200);
  const [{ id }] = it.server.sql(`SELECT id FROM api_key WHERE name = 'short-lived'`);
  await it.owner.submit(`/keys/${id}`, /\/disable/);
  await eventually(async () => (await call(it.server, key, hello('scripted'))).status === 401, 'the key to stop');
});
