// Rounds of kill -9 under load: two nodes, one of them (now and then both) killed at a failpoint or
// anywhere at all, brought back, and after every round the books are worked out anew. FAULT_ROUNDS says
// how many, FAULT_SEED makes the same choices again.
import assert from 'node:assert/strict';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { Load } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import { named } from './failpoints.mjs';

const rounds = Number(process.env.FAULT_ROUNDS ?? 30);
const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1000000);
const cluster = new Cluster();
let served = 0, load;

// A small generator, so that a seed makes the same choices again.
let state = seed;
function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

// Each answer has a prompt of its own length: an answer that is charged twice shows.
async function answer(req, res, seen) {
  const usage = { prompt_tokens: ++served, completion_tokens: 40, total_tokens: served + 40 };
  await sleep(below(30));
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
  load = new Load({
    bases: cluster.replicas.map((r) => r.url), secrets, workers: 12, pauseMs: 5,
    bodies: [hello('scripted'), hello('scripted', { stream: true }), hello('scripted', { max_tokens: 700 }), hello('scripted', { stream: true, stream_options: { include_usage: true } })],
  });
});

const sessionOver = (id) => eventually(() => cluster.sql(`SELECT 1 FROM node_session WHERE id = ${id} AND state <> 'live'`).length,
  `what session ${id} held to be resolved`, 5000);

async function kill(node, where) {
  if (where) {
    node.arm(`${where}=kill*${1 + below(8)}`);
    await Promise.race([node.ended, sleep(600)]); // not everything is passed by every load
  } else {
    await sleep(below(150));
  }
  await node.stop('SIGKILL');
  node.arm('');
}

async function back(node, session) {
  await node.revive();
  await sessionOver(session);
}

const places = named((row) => row.kill && !['start', 'stop', 'short', 'gone'].includes(row.by));
const shift = below(places.length);
const place = (round) => (round % 3 === 2 ? undefined : places[(shift + round) % places.length]);

// What a client was told whole has to be in the books by now, or in the journal of a living node.
for (let round = 0; round < rounds; round++) {
  const both = round % 6 === 5;
  const where = place(round);
  test(`round ${round + 1}: ${both ? 'both nodes' : `node ${round % 2 + 1}`} killed ${where ? `at ${where}` : 'anywhere'}`, async () => {
    const victims = both ? cluster.replicas : [cluster.replicas[round % 2]];
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

test('nothing is leased once the nodes have ended', async () => {
  await Promise.all(cluster.replicas.map((r) => r.stop()));
  assert.deepEqual(cluster.sql('SELECT * FROM purse WHERE leased <> 0'), []);
  assert.deepEqual(cluster.sql(`SELECT * FROM node_session WHERE state = 'live'`), []);
  sameBooks(cluster);
});
