// What is refused, how it is said, and that it costs nothing.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test, setup, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { standardInstallation, call, hello, settled, mintKey, booksBalance } from '../lib/installation.mjs';

let it, up;
setup('an installation', async () => {
  up = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([up]);
});

const bad = async (body, options) => {
  const res = await call(it.server, it.key, body, options);
  assert.equal(typeof res.json?.error?.message, 'string', res.text);
  for (const field of ['type', 'param', 'code'])
    assert.ok(res.json.error[field] === null || typeof res.json.error[field] === 'string', field);
  return res;
};

for (const [name, body, status, param] of [
  ['malformed JSON', '{"model":"scripted",}', 400, null],
  ['a JSON that goes on behind its end', '{"model":"scripted","messages":[]} x', 400, null],
  ['a wrong type', { model: 5, messages: [] }, 400, 'model'],
  ['a duplicate field', '{"model":"scripted","mod\\u0065l":"other","messages":[]}', 400, null],
  ['no model', { messages: [] }, 400, 'model'],
  ['no messages', { model: 'scripted' }, 400, 'messages'],
  ['a wrong stream', { ...hello('scripted'), stream: 'yes' }, 400, 'stream'],
  ['a negative limit', { ...hello('scripted'), max_tokens: -1 }, 400, 'max_tokens'],
  ['a fractional limit', '{"model":"scripted","messages":[],"max_tokens":1.5}', 400, 'max_tokens'],
  ['an unknown model', hello('no-such-model'), 404, 'model'],
]) {
  test(`${name} is refused with ${status}`, async () => {
    up.seen.length = 0;
    const res = await bad(body);
    assert.equal(res.status, status, res.text);
    if (param) assert.equal(res.json.error.param, param, res.text);
    assert.equal(up.seen.length, 0);
  });
}

test('the path of a fault deep inside is named', async () => {
  const res = await bad('{"model":"scripted","messages":[{"role":"user","content":"a"},{"role":"user","content":tru}]}');
  assert.equal(res.status, 400);
  assert.match(res.text, /messages\[1\]\.content/);
});

test('a body over the limit is a 413', async () => {
  const res = await bad(JSON.stringify(hello('scripted', { padding: 'x'.repeat(21 * 1024 * 1024) })));
  assert.equal(res.status, 413);
});

test('no key, a wrong key and a foreign format are 401 and are not echoed', async () => {
  for (const key of [undefined, 'tg-wrong', `tg-${'a'.repeat(49)}`, 'sk-abcdef', 'tgm-x']) {
    const res = await call(it.server, key, hello('scripted'));
    assert.equal(res.status, 401, res.text);
    if (key) assert.ok(!res.text.includes(key));
  }
});

test('an unknown address and a wrong method say so in JSON', async () => {
  const nowhere = await call(it.server, it.key, {}, { path: '/v1/nothing' });
  assert.equal(nowhere.status, 404);
  assert.equal(nowhere.json.error.code, 'unknown_url');
  const res = await fetch(`${it.server.url}/v1/chat/completions`);
  assert.equal(res.status, 405);
  assert.match(res.headers.get('allow'), /POST/);
});

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
for (const [method, path, status] of [['GET', '/nothing', 404], ['GET', '/keys/1/nothing/else', 404], ['GET', '/operator/nothing', 404],
  ['GET', '/%zz', 404], ['POST', '/nothing', 404], ['POST', '/pricing', 405], ['DELETE', '/sign-in', 405], ['GET', '/v1x', 404]])
  test(`a browser gets a page for ${method} ${path}`, async () => {
    const res = await fetch(it.server.url + path, { method, headers: browser, ...(method === 'POST' ? { body: 'a=b' } : {}) });
    assert.equal(res.status, status);
    assert.match(res.headers.get('content-type'), /^text\/html/);
    assert.match(res.headers.get('content-security-policy'), /default-src 'none'/);
    if (status === 405) assert.match(res.headers.get('allow'), /GET/);
    assert.match(await res.text(), /<h1/);
    if (status === 405) return; // the address is a page's, whoever asks
    const program = await fetch(it.server.url + path, { method, headers: { accept: '*/*' }, ...(method === 'POST' ? { body: 'a=b' } : {}) });
    assert.equal(program.status, 404);
    assert.equal((await program.json()).error.code, 'unknown_url');
  });

for (const path of ['/v1', '/v1/nothing', '/api', '/api/v1/nothing', '/v1/chat/completions'])
  test(`under ${path} a browser gets JSON too`, async () => {
    const res = await fetch(it.server.url + path, { headers: browser });
    assert.equal(res.status, path.endsWith('completions') ? 405 : 404);
    assert.equal(typeof (await res.json()).error.message, 'string');
  });

const refused = async (key, body, status, source) => {
  const res = await call(it.server, key, body);
  assert.equal(res.status, status, res.text);
  if (source) assert.equal(res.json.tollgate.quota_source, source, res.text);
  return res;
};

test('a key for other models is refused, and its list is short', async () => {
  const key = await mintKey(it.owner, { models: 'demo-small' });
  await refused(key, hello('scripted'), 403);
  const list = await (await fetch(`${it.server.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).json();
  assert.deepEqual(list.data.map((m) => m.id), ['demo-small']);
});

test('a key for other addresses is refused', async () => {
  const key = await mintKey(it.owner, { addresses: '10.1.0.0/16\n2001:db8::/32' });
  const res = await refused(key, hello('scripted'), 403);
  assert.equal(res.json.error.code, 'address_not_allowed');
  const own = await mintKey(it.owner, { addresses: '127.0.0.0/8' });
  assert.equal((await call(it.server, own, hello('scripted'))).status, 200);
});

test('requests per minute: exactly the limit, then 429 with its headers', async () => {
  const key = await mintKey(it.owner, { rpm: '3' });
  const all = await Promise.all(Array.from({ length: 8 }, () => call(it.server, key, hello('scripted'))));
  const good = all.filter((r) => r.status === 200);
  const over = all.filter((r) => r.status === 429);
  // The minute may turn in between: never more than the limit for each of the two minutes.
  assert.ok(good.length === 3 || good.length <= 6 && over.length + good.length === 8);
  if (over.length) {
    assert.equal(over[0].json.tollgate.quota_source, 'key_rate_limit');
    assert.ok(Number(over[0].headers.get('retry-after')) >= 1);
    assert.equal(over[0].headers.get('x-ratelimit-limit-requests'), '3');
    const row = await settled(it.server, over[0].headers.get('x-tollgate-request-id'));
    assert.equal(row.outcome, 'blocked');
    assert.equal(row.quota_source, 'key_rate_limit');
  }
});

test('tokens per minute are a limit too', async () => {
  const key = await mintKey(it.owner, { tpm: '60' });
  const all = [];
  for (let i = 0; i < 8; i++) all.push(await call(it.server, key, hello('scripted', { max_tokens: 20 })));
  assert.ok(all.some((r) => r.status === 200));
  const over = all.find((r) => r.status === 429);
  assert.ok(over, all.map((r) => r.status).join());
  assert.equal(over.json.tollgate.unit, 'tokens');
});

test('calls at the same time are a limit, given back at their end', async () => {
  let release;
  const gate = new Promise((done) => { release = done; });
  up.script = async (req, res) => { await gate; send(res, 200, chat()); };
  const key = await mintKey(it.owner, { concurrency: '2' });
  up.seen.length = 0;
  const running = [call(it.server, key, hello('scripted')), call(it.server, key, hello('scripted'))];
  await eventually(() => up.seen.length >= 2, 'two calls upstream');
  const third = await call(it.server, key, hello('scripted'));
  assert.equal(third.status, 429, third.text);
  assert.equal(third.json.tollgate.quota_source, 'concurrency');
  release();
  for (const r of await Promise.all(running)) assert.equal(r.status, 200);
  up.script = (req, res) => send(res, 200, chat());
  await eventually(async () => (await call(it.server, key, hello('scripted'))).status === 200, 'the permits to come back');
});

test('a key\'s budget holds under parallel calls', async () => {
  // Each call: 9 x $1 + 3 x $2 per million = $0.000015 used; worst case bounded by max_tokens.
  const key = await mintKey(it.owner, { budget: '0.0002', budget_window: 'month' });
  const all = [];
  for (let round = 0; round < 6; round++)
    all.push(...await Promise.all(Array.from({ length: 5 }, () => call(it.server, key, hello('scripted')))));
  const good = all.filter((r) => r.status === 200).length;
  const over = all.filter((r) => r.status === 402);
  assert.ok(over.length > 0 && good > 0, all.map((r) => r.status).join());
  assert.equal(over[0].json.error.code, 'key_limit_exceeded');
  assert.equal(over[0].json.tollgate.quota_source, 'app_key');
  assert.ok(good * 15000 <= 200000, `${good} calls`);
  booksBalance(it.server);
});

test('an expired key says so', async () => {
  const key = await mintKey(it.owner, { name: 'expiring' });
  it.server.psql(`UPDATE api_key SET expires_at = now() - interval '1 minute' WHERE name = 'expiring'`);
  const res = await refused(key, hello('scripted'), 401);
  assert.equal(res.json.error.code, 'key_expired');
});

// Bytes that no HTTP library sends.
const raw = (text) => new Promise((done, fail) => {
  const socket = net.connect(it.server.port, '127.0.0.1', () => socket.end(text));
  let answer = '';
  socket.setTimeout(60000, () => socket.destroy(new Error('no answer')));
  socket.on('data', (d) => { answer += d; });
  socket.on('close', () => done(answer));
  socket.on('error', fail);
});
const head = (lines) => `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n\r\n`;
for (const [name, text] of [
  ['two Content-Lengths', head('Content-Length: 3\r\nContent-Length: 4') + 'abcd'],
  ['Content-Length with Transfer-Encoding', head('Content-Length: 3\r\nTransfer-Encoding: chunked') + '0\r\n\r\n'],
  ['an odd Transfer-Encoding', head('Transfer-Encoding: xchunked') + '0\r\n\r\n'],
  ['two Hosts', head('Host: other\r\nContent-Length: 0')],
  ['a space before the colon', head('Transfer-Encoding : chunked') + '0\r\n\r\n'],
]) {
  test(`${name}: 400 and the connection is closed`, async () => {
    const answer = await raw(text + 'GET /SMUG HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400/);
    assert.equal(answer.match(/HTTP\/1\.1 \d/g).length, 1, answer);
  });
}
