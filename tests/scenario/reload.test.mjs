// SIGHUP: the file of settings is read again. What can change changes, for the next request; what cannot
// is named; a file that is wrong changes nothing; and nobody who is being served notices.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { ownDirectory } from '../lib/server.mjs';
import { RawClient } from '../lib/raw.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
const file = join(ownDirectory('tg-settings-'), 'settings');
let node, secret, goOn;

async function answer(req, res) {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write(`data: ${JSON.stringify(chunk({ content: 'the first words ' }))}\n\n`);
  await new Promise((done) => { goOn = done; });
  const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
  res.end(`data: ${JSON.stringify({ ...chunk({}, 'stop'), usage })}\n\ndata: [DONE]\n\n`);
}

const settings = (lines) => writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o644 });
async function hangUp(expected) {
  const from = node.log.length;
  node.child.kill('SIGHUP');
  await eventually(() => expected.test(node.log.slice(from)), `${expected} in the log`);
  return node.log.slice(from);
}

// The status that a body without a length gets.
async function chunkedStatus() {
  const client = new RawClient(node);
  client.write('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n');
  await client.until('\r\n\r\n');
  client.leave();
  return Number(client.text.match(/^HTTP\/1\.1 (\d+)/)[1]);
}

setup('a node with a file of settings', async () => {
  settings(['CHUNKED_BODIES=on', 'LONG_WORKERS=2', 'MAX_CONNECTIONS=50']);
  await cluster.start();
  const upstream = await startUpstream(answer);
  node = await cluster.add('one', { TOLLGATE_CONFIG: file, LOOPS: '1' });
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  secret = (await cluster.key(await cluster.team(1_000_000_000))).key;
  await cluster.everywhere(secret, 'scripted');
});

test('limits change for the next request, and what needs another start is named', async () => {
  assert.equal(await chunkedStatus(), 401);
  settings(['CHUNKED_BODIES=off', 'LONG_WORKERS=3', 'LOG_LEVEL=debug', 'NODE_NAME=other']);
  const log = await hangUp(/settings_read/);
  assert.match(log, /setting_changed name=CHUNKED_BODIES/);
  assert.match(log, /setting_not_changed name=LONG_WORKERS reason=needs_another_start/);
  await eventually(async () => await chunkedStatus() === 411, 'chunked bodies to be refused');
});

test('a file that is wrong changes nothing, and says why', async () => {
  settings(['CHUNKED_BODIES=maybe']);
  assert.match(await hangUp(/settings_not_read/), /CHUNKED_BODIES/);
  assert.equal(await chunkedStatus(), 411);
});

// So many that say nothing, once the node has them.
async function silent(n) {
  const clients = Array.from({ length: n }, () => new RawClient(node));
  await eventually(async () => (await node.metrics()).tollgate_http_connections >= n, `${n} connections`);
  return clients;
}

test('more connections are let in when their limit is raised, and fewer when it is lowered', async () => {
  settings(['CHUNKED_BODIES=off', 'MAX_CONNECTIONS=300']);
  assert.match(await hangUp(/settings_read/), /setting_changed name=MAX_CONNECTIONS/);
  const clients = await silent(200);
  assert.equal(await chunkedStatus(), 411);
  settings(['CHUNKED_BODIES=off', 'MAX_CONNECTIONS=20']);
  await hangUp(/settings_read/);
  await eventually(async () => await chunkedStatus() === 503, 'a connection more to be turned away');
  for (const client of clients) client.leave();
  await eventually(async () => await chunkedStatus() === 411, 'room again');
});

test('a stream that is under way goes on to its end', async () => {
  const call = ask(node.url, secret, hello('scripted', { stream: true }));
  await eventually(() => call.told.text.includes('the first words'), 'the stream to be under way');
  settings(['CHUNKED_BODIES=on', 'MAX_CONNECTIONS=20', 'WRITE_TIMEOUT_MS=5000', 'UPSTREAM_IDLE_TIMEOUT_MS=5000']);
  await hangUp(/settings_read/);
  await eventually(async () => await chunkedStatus() === 401, 'chunked bodies to be taken again');
  await sleep(300);
  goOn();
  const told = await call;
  assert.ok(told.whole, told.text);
  sameBooks(cluster, [told]);
});
