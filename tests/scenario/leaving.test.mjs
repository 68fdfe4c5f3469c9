// A client that leaves, at every step of a call, streamed and plain, at a provider whose work and
// bill stop when its connection is closed and at one that goes on: what becomes of the upstream, and
// what is on the record.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, setup, eventually, sleep } from '../lib/story.mjs';
import { startUpstream, chunk, chat } from '../lib/upstream.mjs';
import { standardInstallation, addAccount, addModel, served, booksBalance, mintKey, signUp, topUp } from '../lib/installation.mjs';
import { RawClient } from '../lib/raw.mjs';

const messages = [{ role: 'user', content: 'Tell me a story of eight words, or of more if you like.' }];
const words = 'once there was a small cat called tom ';
const usage = { prompt_tokens: 40, completion_tokens: 30, total_tokens: 70 };
// $1 and $2 per million tokens; what is counted here is counted at four bytes a token.
const provided = 40 * 1000 + 30 * 2000;
const inputTokens = Math.ceil(Buffer.byteLength(JSON.stringify(messages)) / 4);
const outputTokens = Math.ceil(words.length / 4);
const countedCharge = inputTokens * 1000 + outputTokens * 2000;

let it, up, turn;

// What the upstream does in one test: it goes up to a step and says so; then it waits to be let on.
class Turn {
  constructor(step) {
    this.step = step;
    this.reached = new Promise((done) => { this.reach = done; });
    this.letOn = new Promise((done) => { this.goOn = done; });
  }
}

// What was written to this socket has been read by the program at its other end: the kernel keeps none of it.
function isRead(socket) {
  if (socket.writableLength) return false;
  const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
  const ends = new RegExp(`:${hex(socket.remotePort)} [0-9A-F]+:${hex(socket.localPort)} [0-9A-F]+ [0-9A-F]+:([0-9A-F]+) `);
  const line = readFileSync('/proc/net/tcp', 'utf8').match(ends);
  return !line || Number.parseInt(line[1], 16) === 0;
}

// Leaves, and waits until the server has noticed.
async function leave(client, how) {
  const gone = async () => (await it.server.metrics()).tollgate_http_clients_gone_total;
  const before = await gone();
  client.leave(how);
  await eventually(async () => await gone() > before, 'the leaving to be noticed');
}

const event = (e) => `data: ${JSON.stringify(e)}\n\n`;

async function playStream(res, t) {
  const at = async (step) => {
    if (t.step !== step) return;
    t.reach();
    await t.letOn;
  };
  await at('sent');
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write(': patience\n\n');
  await at('head');
  res.write(event(chunk({ role: 'assistant', content: words })));
  await at('middle');
  res.write(event(chunk({}, 'stop')));
  await at('finished');
  res.write(event({ ...chunk({}), choices: [], usage }));
  res.end('data: [DONE]\n\n');
}

async function playPlain(res, t) {
  const body = JSON.stringify(chat(words, usage));
  const at = async (step) => {
    if (t.step !== step) return;
    t.reach();
    await t.letOn;
  };
  await at('sent');
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length + 2 });
  res.write('\n\n'); // as some do, to keep the connection alive
  await at('head');
  res.write(body.slice(0, 100));
  await at('middle');
  res.write(body.slice(100, -1));
  await at('finished');
  res.end(body.slice(-1));
}

setup('providers of both kinds', async () => {
  up = await startUpstream(async (req, res, seen) => {
    const t = turn;
    t.asked = true;
    t.socket = req.socket;
    res.on('close', () => { t.closed = true; t.complete = res.writableFinished; });
    await (seen.body.stream ? playStream(res, t) : playPlain(res, t));
  });
  it = await standardInstallation([up]);
  for (const [name, kind] of [['stops', 'openai-compatible'], ['goes-on', 'groq']]) {
    const account = await addAccount(it.operator, up, { name, kind });
    await addModel(it.operator, { name, targets: [{ account }] });
    await served(it.server, it.key, name);
  }
});

// The row of the only call of a model that has none yet that was looked at.
const looked = new Set();
function newRow(model) {
  const rows = it.server.sql(`SELECT * FROM call WHERE requested_model = '${model}' ORDER BY call_id`);
  const row = rows.find((r) => !looked.has(r.call_id));
  if (row) looked.add(row.call_id);
  return row;
}

async function leaves({ model, stream, step, how, drained, basis, charge }) {
  turn = new Turn(step);
  const client = new RawClient(it.server).ask(it.key, { model, messages, max_tokens: 50, stream });
  await turn.reached;
  // What was sent has to be on its way through before the client goes.
  if (stream && (step === 'middle' || step === 'finished')) await client.until('small cat');
  if (step === 'finished' && stream) await client.until('"stop"');
  await eventually(() => isRead(turn.socket), 'what the upstream said to be read');
  await leave(client, how);
  if (drained) {
    await sleep(400);
    assert.ok(!turn.closed, 'the upstream is read on');
    turn.goOn();
  }
  const row = await eventually(() => newRow(model), 'the call on record');
  await eventually(() => turn.closed, 'the upstream to be closed');
  turn.goOn();
  assert.equal(Boolean(turn.complete), drained, 'read to its end');
  assert.equal(row.outcome, 'client_gone');
  assert.equal(row.status, 499);
  assert.ok(row.client_gone_at, 'when the client went');
  assert.equal(row.basis, basis);
  assert.equal(row.charge_nano, charge);
  const [attempt] = it.server.sql(`SELECT * FROM attempt WHERE call_id = '${row.call_id}'`);
  assert.equal(attempt.reason, 'client_gone');
  assert.equal(attempt.served, basis !== 'zero');
  booksBalance(it.server);
}

const zero = { drained: false, basis: 'zero', charge: 0 };
const whole = { drained: true, basis: 'provider', charge: provided };
const soFar = { drained: false, basis: 'counted', charge: countedCharge };
const rules = [
  // stream, step, at one that stops, at one that goes on
  [true, 'sent', zero, whole],
  [true, 'head', zero, whole],
  [true, 'middle', soFar, whole],
  [true, 'finished', whole, whole],
  [false, 'sent', zero, whole],
  [false, 'head', zero, whole],
  [false, 'middle', whole, whole],
  [false, 'finished', whole, whole],
];
const steps = { sent: 'before the first byte', head: 'after the head', middle: 'in the middle', finished: 'just before the end' };

for (const [stream, step, stops, goesOn] of rules)
  for (const [model, expected] of [['stops', stops], ['goes-on', goesOn]])
    for (const how of step === 'middle' ? ['reset', 'half'] : ['close'])
      test(`${stream ? 'a stream' : 'a plain answer'}, ${steps[step]}, ${how}: a provider that ${model === 'stops' ? 'stops' : 'goes on'}`,
        () => leaves({ model, stream, step, how, ...expected }));

test('a client that leaves while its body is still coming has asked for nothing', async () => {
  turn = new Turn('sent');
  const [{ n: before }] = it.server.sql('SELECT count(*) AS n FROM call');
  const client = new RawClient(it.server).ask(it.key, { model: 'stops', messages, max_tokens: 50 }, 40);
  await sleep(200);
  client.leave();
  await sleep(700);
  const [{ n: after }] = it.server.sql('SELECT count(*) AS n FROM call');
  assert.equal(after, before);
  assert.ok(!turn.asked);
});

test('a client that leaves while the database is asked for its hold costs nothing', async () => {
  // A team of its own, of whose wallet this node has no lease yet, and whose purses are locked for a while.
  const other = await signUp(it.server);
  await topUp(other, 5);
  const key = await mintKey(other);
  await served(it.server, key, 'stops');
  turn = new Turn('sent');
  const locked = it.server.psqlMeanwhile(`BEGIN; SELECT id FROM purse WHERE team_id =
    (SELECT id FROM team WHERE name = '${other.team}') FOR UPDATE; SELECT pg_sleep(600); COMMIT`).catch(() => {});
  await eventually(() => it.server.sql(`SELECT 1 AS x FROM pg_stat_activity WHERE query ~ 'pg_slee[p]'`).length, 'the lock');
  const client = new RawClient(it.server).ask(key, { model: 'stops', messages, max_tokens: 50, stream: true });
  await eventually(() => it.server.sql(`SELECT 1 AS x FROM pg_stat_activity WHERE wait_event_type = 'Lock'`).length, 'the hold to wait for it');
  await leave(client);
  it.server.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_slee[p]'`);
  await locked;
  const row = await eventually(() => newRow('stops'), 'the call on record');
  assert.equal(row.outcome, 'client_gone');
  assert.equal(row.basis, 'zero');
  assert.equal(row.charge_nano, 0);
  assert.ok(row.client_gone_at);
  assert.ok(!turn.asked, 'the upstream was never asked');
});

test('an upstream that is read on is left once what was set aside is used', async () => {
  turn = new Turn('sent');
  up.script = async (req, res) => {
    res.on('close', () => { turn.closed = true; });
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(event(chunk({ content: words })));
    while (!turn.closed) {
      res.write(event(chunk({ content: words })));
      await sleep(20);
    }
  };
  const client = new RawClient(it.server).ask(it.key, { model: 'goes-on', messages, max_tokens: 50, stream: true });
  await client.until('small cat');
  client.leave();
  await eventually(() => turn.closed, 'the upstream to be left');
  const row = await eventually(() => newRow('goes-on'), 'the call on record');
  assert.equal(row.outcome, 'client_gone');
  assert.equal(row.basis, 'counted');
  // What is beyond what was held is what came since the last look: 64 tokens, or a quarter second.
  assert.ok(row.charge_nano >= row.hold_nano, `${row.charge_nano} of ${row.hold_nano}`);
  assert.ok(row.charge_nano <= row.hold_nano + 20 * 64 * 2000, `${row.charge_nano} of ${row.hold_nano}`);
  booksBalance(it.server);
});

test('an upstream that says no more is left after half a minute, with what came', async () => {
  turn = new Turn('middle');
  up.script = async (req, res) => {
    res.on('close', () => { turn.closed = true; });
    await playStream(res, turn);
  };
  const client = new RawClient(it.server).ask(it.key, { model: 'goes-on', messages, max_tokens: 50, stream: true });
  await client.until('small cat');
  client.leave();
  await eventually(() => turn.closed, 'the upstream to be left');
  const row = await eventually(() => newRow('goes-on'), 'the call on record');
  assert.equal(row.basis, 'counted');
  assert.equal(row.charge_nano, countedCharge);
  turn.goOn();
});

test('an error that comes when the client is gone is nobody\'s output', async () => {
  for (const stream of [true, false]) {
    turn = new Turn('error');
    up.script = async (req, res) => {
      turn.reach();
      await turn.letOn;
      res.writeHead(500, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ error: { message: words.repeat(20) }, choices: [{ message: { content: words } }], usage }));
    };
    const client = new RawClient(it.server).ask(it.key, { model: 'goes-on', messages, max_tokens: 50, stream });
    await turn.reached;
    await leave(client);
    turn.goOn();
    const row = await eventually(() => newRow('goes-on'), 'the call on record');
    assert.equal(row.outcome, 'client_gone');
    assert.equal(row.basis, 'zero');
    assert.equal(row.charge_nano, 0);
  }
});

test('after all of it the gateway serves, and the books balance', async () => {
  up.script = async (req, res, seen) => (seen.body.stream ? playStream(res, new Turn('')) : playPlain(res, new Turn('')));
  const res = await fetch(`${it.server.url}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${it.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'stops', messages, max_tokens: 50 }),
  });
  assert.equal(res.status, 200);
  assert.equal((await res.json()).choices[0].message.content, words);
  booksBalance(it.server);
});
