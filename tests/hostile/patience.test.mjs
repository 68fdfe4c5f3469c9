// Clients that take their time: heads and bodies that drip, readers that do not read. They are cut at
// the server's deadlines, good traffic goes on meanwhile, and memory stays within bounds.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import net from 'node:net';
import { join } from 'node:path';
import { eventually, setup, sleep, test } from '../lib/story.mjs';
import { startUpstream, chunk } from '../lib/upstream.mjs';
import { top } from '../lib/server.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import * as bench from '../bench/bench.mjs';

const long = process.env.HOSTILE_LONG === '1';
const drips = long ? 5000 : 300;
const readers = long ? 1000 : 100;
const cluster = new Cluster();
const build = join(top, process.env.TOLLGATE_BUILD ?? 'build');
const memoryMax = (build.includes('asan') ? 1200 : 300) << 20; // the sanitizer keeps what was freed
let node, secret, upstream, file;

// A stream goes on for as long as somebody takes it.
async function answer(req, res) {
  const event = `data: ${JSON.stringify(chunk({ content: 'x'.repeat(16000) }))}\n\n`;
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const more = () => { while (!res.destroyed && res.write(event)); };
  res.on('drain', more);
  return more();
}

setup('one node with short patience', async () => {
  execFileSync('ninja', ['-C', build, 'bench-load', 'bench-mock'], { stdio: 'ignore' });
  const mock = await bench.serve('mock');
  await cluster.start();
  upstream = await startUpstream(answer);
  node = await cluster.add('one', {
    HEAD_TIMEOUT_MS: '4000', BODY_TIMEOUT_MS: '4000', WRITE_TIMEOUT_MS: '4000', MAX_CONNECTIONS_PER_ADDRESS: '20000',
    SHED_AFTER_MS: '0',
  });
  await cluster.install([upstream, { url: `http://127.0.0.1:${mock.port}/plain/v1` }]);
  const [slow, quick] = cluster.accounts;
  cluster.accounts = [slow];
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  cluster.accounts = [quick];
  await cluster.model({ name: 'good' });
  file = bench.body('good', 1000);
  const team = await cluster.team(1_000_000_000_000_000);
  secret = (await cluster.key(team, { concurrency: 5000 })).key;
  await cluster.everywhere(secret, 'good');
});

// Good traffic for a while, from a process of its own to an upstream of its own: every call has to be
// answered well; the 99th percentile of how long they took, in milliseconds.
async function goodTraffic() {
  const args = ['rate', node.port, 8, 3000, file, '/v1/chat/completions', 200, `Authorization: Bearer ${secret}`].map(String);
  const child = spawn(join(build, 'bench-load'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (d) => { text += d; });
  const code = await new Promise((done) => child.on('exit', done));
  assert.equal(code, 0, 'the load generator');
  const run = JSON.parse(text);
  assert.equal(run.refused + run.errors + run.unanswered, 0, text);
  return run.latency_us.p99 / 1000;
}

test(`${drips} connections that drip are cut at their deadlines; good traffic goes on`, async () => {
  const usual = await goodTraffic();
  const before = await node.metrics();
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n';
  const open = new Set();
  let answered = '';
  for (let i = 0; i < drips; i++) {
    const socket = net.connect(node.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', (d) => { answered += d; });
    socket.on('close', () => open.delete(socket));
    open.add(socket);
    socket.write(i % 2 ? `${head}X-Slow: ` : `${head}Content-Length: 100000\r\n\r\n`);
    if (i % 50 === 49) await sleep(1);
  }
  const drip = setInterval(() => { for (const socket of open) socket.write('x'); }, 500);
  const beside = await goodTraffic();
  await eventually(() => open.size === 0, 'all that drip to be cut', 90000);
  clearInterval(drip);
  const after = await node.metrics();
  const again = await goodTraffic();
  assert.equal(answered, '', 'nobody who drips gets an answer');
  assert.ok(after.tollgate_http_timeouts_total - before.tollgate_http_timeouts_total >= drips);
  assert.ok(after.tollgate_memory_used_bytes < memoryMax, `${after.tollgate_memory_used_bytes} bytes`);
  console.log(`   p99 of good traffic: ${usual.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside ${drips} drips, ${again.toFixed(1)} ms alone again`);
});

test(`${readers} readers that do not read are cut; their upstreams are let go`, async () => {
  const usual = await goodTraffic();
  const began = upstream.seen.filter((s) => s.body?.stream).length;
  const text = JSON.stringify(hello('scripted', { stream: true, max_tokens: 900 }));
  const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${secret}\r\n`
    + `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  const stuck = spawn('python3', [join(import.meta.dirname, 'stuck.py'), node.port, readers, request.length].map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
  stuck.stdin.write(request);
  const streams = () => upstream.seen.filter((s) => s.body?.stream).length - began;
  await eventually(() => streams() === readers, `${readers} streams to be under way`);
  const beside = await goodTraffic();
  let most = 0;
  await eventually(async () => {
    const now = await node.metrics();
    most = Math.max(most, now.tollgate_memory_used_bytes);
    return now.tollgate_calls_in_flight <= 1 && upstream.aborted >= readers;
  }, 'all that do not read to be cut', 90000);
  stuck.stdin.end();
  const again = await goodTraffic();
  assert.ok(most < memoryMax, `${most} bytes of memory`);
  await node.allSettled();
  const rows = cluster.sql(`SELECT outcome, count(*)::int AS n FROM call WHERE stream GROUP BY 1`);
  assert.equal(rows.reduce((sum, r) => sum + r.n, 0), readers, JSON.stringify(rows));
  console.log(`   p99 of good traffic: ${usual.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside ${readers} stuck readers, ${again.toFixed(1)} ms alone again; ${(most >> 20)} MiB`);
  sameBooks(cluster);
});
