// Three times as many calls as the node can take: it goes on working at about its capacity, lets others
// wait and tells some of them 503, keeps its books, and is its old self when the flood is over. The
// capacity is what it does for as many connections as the first flood has: a thousand cost this
// machine's kernel and caches more than a few do, nginx too.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually, setup, test } from '../lib/story.mjs';
import { top } from '../lib/server.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { served } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import * as bench from '../bench/bench.mjs';

const long = process.env.HOSTILE_LONG === '1';
const build = join(top, process.env.TOLLGATE_BUILD ?? 'build');
const ms = long ? 15000 : 3000, rounds = long ? 3 : 2;
const few = 64, many = 1000, crowd = 6000;
const cluster = new Cluster();
let node, secret, file, peak;

// One run of the load generator: good answers per second of time (rate) and of the loop's processor time
// (goodput). Unlike in the bench, refusals are what is looked for.
async function load(...args) {
  const from = bench.processorNs(node.child.pid, 'loop');
  const run = await generate(...args);
  const spent = (bench.processorNs(node.child.pid, 'loop') - from) / 1e9;
  return { ...run, rate: run.ok / run.seconds, goodput: run.ok / spent, used: spent / run.seconds };
}
function generate(mode, connections, runMs, rate) {
  const args = [mode, node.port, connections, runMs, file, '/v1/chat/completions', ...(rate ? [Math.round(rate)] : []),
    `Authorization: Bearer ${secret}`].map(String);
  return new Promise((done, fail) => {
    const child = spawn(join(build, 'bench-load'), args, { stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (d) => { text += d; });
    child.on('exit', (code) => (code === 0 ? done(JSON.parse(text)) : fail(new Error(`bench-load ended with ${code}`))));
  });
}

setup('one node with one loop', async () => {
  execFileSync('ninja', ['-C', build, 'bench-load', 'bench-mock'], { stdio: 'ignore' });
  const mock = await bench.serve('mock');
  await cluster.start();
  node = await cluster.add('one', {
    LOOPS: '1', LOG_LEVEL: 'warn', MAX_CONNECTIONS_PER_ADDRESS: '20000', SHED_AFTER_MS: '100',
  });
  await cluster.install([{ url: `http://127.0.0.1:${mock.port}/plain/v1` }]);
  await cluster.model({ name: 'bench-plain' });
  const team = await cluster.team(1e15);
  secret = (await cluster.key(team, { concurrency: 100000 })).key;
  await served(node, secret, 'bench-plain');
  file = bench.body('bench-plain', 1000);
});

// Capacity, and what is left of it under the flood: in turns, in one run, the best of the rounds, since
// other work on the machine takes from either.
async function saturated(connections) {
  const run = await load('sat', connections, long ? 5000 : 1500);
  assert.equal(run.errors + run.unanswered, 0, JSON.stringify(run));
  return run;
}
async function flooded(connections, rate) {
  const before = await node.metrics();
  const run = await load('rate', connections, ms, rate);
  const after = await node.metrics();
  assert.equal(run.errors + run.unanswered, 0, JSON.stringify(run));
  const shed = Object.keys(after).filter((k) => k.startsWith('tollgate_http_turned_away_total'))
    .map((k) => [k.match(/"(\w+)"/)[1], after[k] - before[k]]).filter(([, n]) => n);
  console.log(`   ${run.rate.toFixed(0)} good calls/s; ${run.goodput.toFixed(0)} a processor second; the loop had ${(100 * run.used).toFixed(0)} % of a processor; `
    + `${run.refused} refused (${shed.map((s) => s.join(' ')).join(', ')}); p99 ${(run.latency_us.p99 / 1000).toFixed(0)} ms`);
  return run;
}

test('what the node can take', async () => {
  peak = await saturated(few);
  console.log(`   with ${few} connections: ${peak.rate.toFixed(0)} calls/s; ${peak.goodput.toFixed(0)} a processor second`);
});

for (const connections of [many, crowd])
  test(`three times as much, from ${connections} connections: it goes on at its capacity, and every call is answered`, async () => {
    let best = 0, refused = 0;
    for (let round = 0; round < rounds; round++) {
      const capacity = await saturated(many);
      const run = await flooded(connections, peak.goodput * 3);
      const share = run.goodput / capacity.goodput;
      console.log(`   ${(100 * share).toFixed(0)} % of a capacity of ${capacity.goodput.toFixed(0)} a processor second with ${many} connections`);
      best = Math.max(best, share);
      refused += run.refused;
    }
    assert.ok(connections < crowd || refused > 0, 'so many cannot all be served in time');
    assert.ok(best > (long ? 0.8 : 0.5), `${(100 * best).toFixed(0)} % of its capacity`);
  });

test('it recovers at once, and the books are right', async () => {
  const from = performance.now();
  await eventually(async () => {
    const run = await load('rate', few, 1000, peak.rate / 3);
    return run.refused + run.errors + run.unanswered === 0;
  }, 'a second of usual load without a refusal');
  console.log(`   recovered within ${((performance.now() - from) / 1000).toFixed(1)} s`);
  await node.allSettled();
  sameBooks(cluster);
});
