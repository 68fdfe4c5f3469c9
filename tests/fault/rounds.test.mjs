// Rounds of kill -9 under load: two nodes, one of them (now and then both) killed at a failpoint or
// anywhere at all, brought back, and after every round the books are worked out anew. FAULT_ROUNDS says
// how many, FAULT_SEED makes the same choices again.
//
// Meanwhile two more nodes have fallen out, one killed for good and one stopped (SIGSTOP) for longer
// than its lease; a fifth, which is left alone, takes both apart. What they come back with is late, and
// real.
import assert from 'node:assert/strict';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask, Load } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import { named } from './failpoints.mjs';

const rounds = Number(process.env.FAULT_ROUNDS ?? 30);
const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1000000);
const cluster = new Cluster();
let served = 0, load, pair, outside, outsideKey;
const fallen = []; // watches, is lost, is stopped
const late = {};

// A small generator, so that a seed makes the same choices again.
let state = seed;
function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

// A stream that shows enough for a PROGRESS record and ends when it is told to.
const held = [];
async function hold(res, usage) {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < 2; i++) res.write(`data: ${JSON.stringify(chunk({ content: 'word '.repeat(100) }))}\n\n`);
  await new Promise((go) => held.push(go));
  res.end(`data: ${JSON.stringify({ ...chunk({}, 'stop'), choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

// Each answer has a prompt of its own length: an answer that is charged twice shows.
async function answer(req, res, seen) {
  const usage = { prompt_tokens: ++served, completion_tokens: 40, total_tokens: served + 40 };
  await sleep(below(30));
  if (/hold on/.test(seen.raw)) return hold(res, usage);
  if (!seen.body.stream) return send(res, 200, { ...chat(), usage });
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < 4; i++) {
    res.write(`data: ${JSON.stringify(chunk({ content: 'some words that are counted when the end is missing ' }))}\n\n`);
    await sleep(below(40));
  }
  res.write(`data: ${JSON.stringify({ ...chunk({}, 'stop'), choices: [], usage })}\n\n`);
  res.end('data: [DONE]\n\n');
}

setup(`two nodes under load (FAULT_SEED=${seed})`, async () => {
  await cluster.start();
  const upstream = await startUpstream(answer);
  await cluster.add('one');
  await cluster.add('two');
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  const secrets = [];
  for (const nano of [900_000_000_000, 40_000_000_000, 3_000_000]) { // rich, middling, soon refused
    const team = await cluster.team(nano);
    secrets.push((await cluster.key(team)).key);
    secrets.push((await cluster.key(team, { budget: (nano / 2e9).toFixed(9), budget_window: 'month', concurrency: 6, rpm: 100000 })).key);
  }
  await cluster.everywhere(secrets[0], 'scripted');
  pair = [...cluster.replicas];
  for (const name of ['watches', 'is lost', 'is stopped']) fallen.push(await cluster.add(name));
  outside = await cluster.team(50_000_000_000);
  outsideKey = (await cluster.key(outside, { budget: '30', concurrency: 5 })).key;
  load = new Load({
    bases: pair.map((r) => r.url), secrets, workers: 12, pauseMs: 5,
    bodies: [hello('scripted'), hello('scripted', { stream: true }), hello('scripted', { max_tokens: 700 }), hello('scripted', { stream: true, stream_options: { include_usage: true } })],
  });
});

const sessionOver = (id) => eventually(() => cluster.sql(`SELECT 1 FROM node_session WHERE id = ${id} AND state <> 'live'`).length,
  `what session ${id} held to be resolved`);

// What was lost is taken apart by the node that watches: the others may come first, and are kept from it.
const noReaping = 'session.reap=error:ECONNRESET';

async function kill(node, where) {
  if (where) {
    node.arm(`${where}=kill*${1 + below(8)},${noReaping}`);
    await Promise.race([node.ended, sleep(600)]); // not everything is passed by every load
  } else {
    await sleep(below(150));
  }
  await node.stop('SIGKILL');
  node.arm(noReaping);
}

async function back(node, session) {
  await node.revive();
  await sessionOver(session);
}

const places = named((row) => row.kill && !['start', 'stop', 'short', 'gone'].includes(row.by));
const shift = below(places.length);
const place = (round) => (round % 3 === 2 ? undefined : places[(shift + round) % places.length]);

test('one node is killed and does not return, another is stopped', async () => {
  const [watch, lost, stopped] = fallen;
  const stream = (node) => ask(node.url, outsideKey, hello('scripted', { stream: true, max_tokens: 900, messages: [{ role: 'user', content: 'hold on' }] }));
  const shown = (call) => eventually(() => call.told.text.split('data:').length > 2, 'the stream to be under way');

  for (const node of pair) node.arm(noReaping);
  watch.arm('session.reap=error:ECONNRESET*1,session.reaped=error:ECONNRESET*1'); // which are tried again
  lost.arm('settle.send=pause');
  late.ended = await ask(lost.url, outsideKey, hello('scripted'));
  assert.equal(late.ended.status, 200, late.ended.text);
  late.cut = stream(lost);
  late.whole = stream(stopped);
  await shown(late.cut);
  await shown(late.whole);
  late.sessions = [lost.session, stopped.session];
  await lost.stop('SIGKILL');
  stopped.child.kill('SIGSTOP');
  assert.ok(cluster.leased(outside) > 0);
});

// What a client was told whole has to be in the books by now, or in the journal of a living node.
for (let round = 0; round < rounds; round++) {
  const both = round % 6 === 5;
  const where = place(round);
  test(`round ${round + 1}: ${both ? 'both nodes' : `node ${round % 2 + 1}`} killed ${where ? `at ${where}` : 'anywhere'}`, async () => {
    const victims = both ? pair : [pair[round % 2]];
    const sessions = victims.map((v) => v.session);
    await sleep(60);
    await Promise.all(victims.map((v) => kill(v, where)));
    await Promise.all(victims.map((v, i) => back(v, sessions[i])));
    sameBooks(cluster);
  });
}

test('every answer that a client saw whole is charged once, and no answer twice', async () => {
  const answers = await load.stop();
  const good = answers.filter((a) => a.status === 200 && a.whole);
  assert.ok(good.length > rounds * 10, `only ${good.length} answers: no load`);
  await cluster.recorded(good.map((a) => a.id));
  console.log(`${sameBooks(cluster, answers).trim()}; ${answers.length} asked, ${good.length} answered whole, ${served} served`);
  const twice = cluster.sql(`SELECT input_tokens, count(*) FROM call WHERE basis = 'provider' GROUP BY 1 HAVING count(*) > 1`);
  assert.deepEqual(twice, [], 'answers that were charged twice');
  assert.deepEqual(good.filter((a) => a.cost === undefined), [], 'answers without their cost');
  for (const a of answers.filter((x) => x.status && x.status !== 200))
    assert.ok([402, 429, 502, 503].includes(a.status), `${a.status} ${a.text}`);
});

test('the two that fell out are taken apart, and what they held is free', async () => {
  const state = () => cluster.sql(`SELECT state FROM node_session WHERE id = ANY ('{${late.sessions}}') AND state = 'reaped'`).length;
  await eventually(() => state() === 2, 'both sessions to be reaped', 180000);
  assert.equal(cluster.leased(outside), 0);
  assert.equal(cluster.leased(outside, 'permits'), 0);
  assert.equal(cluster.leased(outside, 'budget'), 0);
  // Its line is written after what it tells of can be seen in the database.
  for (const name of ['session.reap', 'session.reaped'])
    await eventually(() => new RegExp(`failpoint name=${name} `).test(fallen[0].log), `the line about ${name}`);
  sameBooks(cluster);
});

test('the stopped node goes on: its stream ends whole and is charged late, new calls wait for a new session', async () => {
  const stopped = fallen[2];
  const early = Array.from({ length: 4 }, () => ask(stopped.url, outsideKey, hello('scripted'))); // there when it wakes
  held.splice(0).forEach((go) => go());
  await sleep(100);
  stopped.child.kill('SIGCONT');
  const told = await late.whole;
  assert.ok(told.whole, told.text.slice(-300));
  for (const t of await Promise.all(early)) assert.ok([200, 503].includes(t.status), `${t.status} ${t.text}`);
  await eventually(async () => (await ask(stopped.url, outsideKey, hello('scripted'))).status === 200, 'a new session');
  assert.ok(stopped.session > Math.max(...late.sessions));
  const row = (await cluster.recorded([told.id])).get(told.id);
  assert.equal(BigInt(row.charge_nano), told.cost);
  const [transfer] = cluster.sql(`SELECT code FROM transfer WHERE id = ${row.transfer_id}`);
  assert.equal(transfer.code, 'LATE_USAGE');
  sameBooks(cluster, [told]);
});

test('the lost node comes back after all: what its journal has is charged late, once', async () => {
  const lost = fallen[1];
  lost.arm('');
  await lost.revive();
  const ended = (await cluster.recorded([late.ended.id])).get(late.ended.id);
  assert.equal(BigInt(ended.charge_nano), late.ended.cost);
  const [cut] = cluster.sql(`SELECT * FROM call WHERE team_id = ${outside} AND outcome = 'cut'`);
  assert.equal(cut.output_tokens, 250);
  const codes = cluster.sql(`SELECT DISTINCT code FROM transfer WHERE id IN (${ended.transfer_id}, ${cut.transfer_id})`);
  assert.deepEqual(codes, [{ code: 'LATE_USAGE' }]);
  await late.cut;
  sameBooks(cluster, [late.ended]);
});

test('nothing is leased once the nodes have ended', async () => {
  await Promise.all(cluster.replicas.map((r) => r.stop()));
  assert.deepEqual(cluster.sql('SELECT * FROM purse WHERE leased <> 0'), []);
  assert.deepEqual(cluster.sql(`SELECT * FROM node_session WHERE state = 'live'`), []);
  sameBooks(cluster);
});
