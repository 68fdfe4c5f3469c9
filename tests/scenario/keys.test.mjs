// Where a client may put its key, and that it stays here.
import assert from 'node:assert/strict';
import { test, setup } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { standardInstallation, hello, mintKey, settled } from '../lib/installation.mjs';

let it, up, other;
const ask = (headers, query = '') => fetch(`${it.server.url}/v1/chat/completions${query}`, {
  method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(hello('scripted')),
});

setup('an installation with two keys', async () => {
  up = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([up]);
  other = await mintKey(it.owner);
});

for (const [name, headers, query] of [
  ['authorization', (k) => ({ authorization: `Bearer ${k}` })],
  ['x-api-key', (k) => ({ 'x-api-key': k })],
  ['x-goog-api-key', (k) => ({ 'x-goog-api-key': k })],
  ['api-key', (k) => ({ 'api-key': k })],
  ['?key=', () => ({}), (k) => `?alt=json&key=${k}`],
])
  test(`the key in ${name}`, async () => {
    up.seen.length = 0;
    const res = await ask(headers(it.key), query?.(it.key) ?? '');
    assert.equal(res.status, 200, await res.text());
    assert.ok(!JSON.stringify(up.seen).includes(it.key), 'the provider never sees it');
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    assert.ok(!JSON.stringify(row).includes(it.key), 'nor does the record');
  });

test('the same key twice is one key; two that differ are refused', async () => {
  assert.equal((await ask({ authorization: `Bearer ${it.key}`, 'x-api-key': it.key })).status, 200);
  const res = await ask({ authorization: `Bearer ${it.key}`, 'x-api-key': other });
  assert.equal(res.status, 401);
  assert.equal((await res.json()).error.code, 'ambiguous_api_key');
  assert.equal((await ask({ 'x-api-key': it.key }, `?key=${other}`)).status, 401);
});

test('no key, an empty one and a malformed one are refused', async () => {
  for (const [headers, query] of [[{}, ''], [{ 'x-api-key': '' }, ''], [{}, '?key='], [{ 'api-key': 'tg-nonsense' }, ''], [{}, '?key=%00']])
    assert.equal((await ask(headers, query)).status, 401);
});

test('no log of the server has it', async () => {
  assert.ok(it.server.log.includes('call '), 'there is a log');
  for (const k of [it.key, other]) assert.ok(!it.server.log.includes(k));
});
