// Requests whose framing is doubtful: alone, the table of framing_cases.mjs; behind nginx and HAProxy,
// no byte that the proxy took for a body is ever answered as a request, and answers stay in step.
import assert from 'node:assert/strict';
import net from 'node:net';
import { setup, test } from '../lib/story.mjs';
import { startServer, stopAtEnd } from '../lib/server.mjs';
import { cases, second } from './framing_cases.mjs';
import { Front, needsFront } from './fronts.mjs';

const long = process.env.HOSTILE_LONG === '1';
const limitMs = 20000; // what is waited for is an end or an answer, never this
let server;

// The answers in what a server sent, each cut at its announced end.
function answers(bytes) {
  const found = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const head = end < 0 ? '' : rest.subarray(0, end).toString('latin1');
    const code = Number(head.match(/^HTTP\/1\.[01] (\d{3})/)?.[1]);
    if (!code) return found;
    const length = Number(head.match(/^content-length: (\d+)/im)?.[1] ?? 0);
    if (rest.length < end + 4 + length) return found;
    if (code !== 100) found.push({ code, body: rest.subarray(end + 4, end + 4 + length).toString() });
    rest = rest.subarray(end + 4 + length);
  }
}

// Sends bytes and hears until so many answers have come or the other side closed.
function exchange(port, bytes, wanted, ms = limitMs) {
  return new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1');
    let heard = Buffer.alloc(0);
    const finish = (closed) => {
      clearTimeout(late);
      socket.destroy();
      done({ answers: answers(heard), closed, text: heard.toString('latin1').slice(0, 600) });
    };
    const late = setTimeout(() => finish(false), ms);
    socket.on('data', (d) => {
      heard = Buffer.concat([heard, d]);
      if (answers(heard).length >= wanted) finish(false);
    });
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
    socket.write(bytes);
  });
}

// Requests that the server has read the head of, this question not included.
let asked = 0;
async function requestsRead() {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const n = Number(text.match(/^tollgate_http_requests_total (\d+)/m)?.[1]);
  assert.ok(n > 0, 'requests are counted');
  return n - ++asked;
}

setup('a server', async () => {
  server = await startServer({ MAX_CONNECTIONS_PER_ADDRESS: '5000' });
});

for (const c of cases)
  test(`alone: ${c.name}: ${c.status ?? 'no answer'}${c.closes ? ' and closed' : ''}${c.unseen ? ', unseen' : ''}`, async () => {
    const heard = await exchange(server.port, Buffer.concat([c.bytes, second]), 2 + (c.closes ? 1 : 0));
    assert.deepEqual(heard.answers.map((a) => a.code), c.closes ? (c.status ? [c.status] : []) : [c.status, 200], heard.text);
    assert.equal(heard.closed, Boolean(c.closes), heard.text);
  });

test('a refusal by the gate says which rule, and nothing behind it is read', async () => {
  const before = await requestsRead();
  const c = cases.find(({ name }) => name === 'a length, then chunks');
  const { answers: [refusal] } = await exchange(server.port, Buffer.concat([c.bytes, second, second]), 2);
  assert.match(JSON.parse(refusal.body).error.message, /Content-Length and Transfer-Encoding stand together/);
  assert.equal(await requestsRead(), before + 1);
});

test('chunked bodies can be turned away: 411, and closed', async () => {
  const strict = await startServer({ CHUNKED_BODIES: 'off' });
  const [length, chunks] = cases;
  let heard = await exchange(strict.port, Buffer.concat([chunks.bytes, second]), 3);
  assert.deepEqual([heard.answers.map((a) => a.code), heard.closed], [[411], true], heard.text);
  heard = await exchange(strict.port, Buffer.concat([length.bytes, second]), 2);
  assert.deepEqual(heard.answers.map((a) => a.code), [401, 200], heard.text);
});

// A request on each kept connection of the front: all get their own answers.
async function inStep(front) {
  for (const path of ['/livez', `/nothing-${Math.random()}`, '/livez', '/readyz']) {
    const res = await fetch(front.url + path);
    const text = await res.text();
    const fine = path === '/livez' ? text === 'alive\n' : path === '/readyz' ? text === 'ready\n' : res.status === 404;
    assert.ok(fine, `${path} was answered ${res.status} ${text.slice(0, 200)}`);
  }
}

function mutate(bytes, random) {
  const out = Buffer.from(bytes);
  const interesting = [0, 9, 10, 11, 13, 32, 44, 48, 58, 59, 127, 255];
  for (let i = 1 + Math.floor(random() * 3); i > 0; i--)
    out[Math.floor(random() * out.length)] = interesting[Math.floor(random() * interesting.length)];
  return out;
}

// Numbers that a seed fixes (mulberry32).
function seeded(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// A server that takes down what it is sent, answers each connection's first request, and closes.
async function recorder() {
  const taken = { bytes: Buffer.alloc(0) };
  const server = net.createServer((socket) => {
    let answered = false;
    socket.on('error', () => {});
    socket.on('data', (d) => {
      taken.bytes = Buffer.concat([taken.bytes, d]);
      if (answered || !taken.bytes.includes('\r\n\r\n')) return;
      answered = true;
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  stopAtEnd({ stop: () => server.close() });
  return Object.assign(taken, { port: server.address().port });
}

for (const kind of ['nginx', 'haproxy']) {
  const needs = needsFront(kind);
  const front = new Front(kind);

  test(`${kind} stands in front`, async () => { await front.start(server.port); await inStep(front); }, { needs });

  for (const c of cases)
    test(`behind ${kind}: ${c.name}`, async () => {
      const read = await requestsRead();
      const passed = await front.count();
      const heard = await exchange(front.port, Buffer.concat([c.bytes, second]), 2, 1500);
      assert.ok(heard.answers.length <= 2, heard.text);
      await inStep(front);
      const nowPassed = await front.count();
      const nowRead = await requestsRead();
      assert.ok(nowRead - read <= nowPassed - passed + 1, `${nowRead - read} requests read, ${nowPassed - passed} passed on`);
    }, { needs });

  test(`${kind} passes nothing on that the gate cannot see`, async () => {
    const taken = await recorder();
    const other = await new Front(kind).start(taken.port);
    for (const c of cases.filter(({ unseen }) => unseen)) {
      taken.bytes = Buffer.alloc(0);
      await exchange(other.port, c.bytes, 1, 1500);
      const text = taken.bytes.toString('latin1');
      assert.ok(!/\0|[^\r]\n|^\r\n|;a/.test(text), `${c.name}: ${JSON.stringify(text)}`);
    }
  }, { needs });

  const rounds = long ? 20000 : 300;
  test(`behind ${kind}: ${rounds} mutated requests`, async () => {
    const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 100000);
    const random = seeded(seed);
    const small = cases.filter((c) => c.bytes.length < 2000);
    const read = await requestsRead();
    const passed = await front.count();
    for (let i = 0; i < rounds; i += 20)
      await Promise.all(Array.from({ length: 20 }, () => exchange(front.port,
        mutate(Buffer.concat([small[Math.floor(random() * small.length)].bytes, second]), random), 2, 500)));
    await inStep(front);
    const nowPassed = await front.count();
    const nowRead = await requestsRead();
    assert.ok(nowRead - read <= nowPassed - passed + 1, `seed ${seed}: ${nowRead - read} requests read, ${nowPassed - passed} passed on`);
  }, { needs });
}
