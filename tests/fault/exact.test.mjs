// Exactness: of N parallel calls that cost R at worst, a balance or a budget B admits floor(B / R) while
// none has ended, on one, two and three nodes; and nobody is refused for money that another node parks.
import assert from 'node:assert/strict';
import { setup, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';

const R = 10_000_000; // one call of the model below, at worst and in fact
const cluster = new Cluster();
let upstream, waiting = [], parked = false;

const dollars = (nano) => (nano / 1e9).toFixed(9);
const release = () => waiting.splice(0).forEach((go) => go());

setup('three nodes, and a model at a cent a call', async () => {
  await cluster.start();
  upstream = await startUpstream(async (req, res) => {
    if (parked) await new Promise((go) => waiting.push(go));
    send(res, 200, chat());
  });
  await cluster.add('one');
  await cluster.install([upstream]);
  await cluster.model({ name: 'cent', input: '0', output: '0', request: '0.01' });
});

// Fires n calls at the nodes in turn; while none that was admitted has ended, asserts how many were,
// and that each of the others was refused for this reason.
async function admits(secret, n, expected, source) {
  const nodes = cluster.replicas;
  const before = upstream.seen.length;
  let refused = 0;
  parked = true;
  const calls = Array.from({ length: n }, (_, i) => ask(nodes[i % nodes.length].url, secret, hello('cent')));
  for (const c of calls) c.then((told) => { refused += told.status !== 200; });
  try {
    await eventually(() => refused + upstream.seen.length - before >= n, `${n} calls to be admitted or refused`);
    assert.equal(upstream.seen.length - before, expected, `admitted of ${n}`);
  } finally {
    parked = false;
    release();
  }
  const told = await Promise.all(calls);
  const good = told.filter((t) => t.status === 200);
  assert.equal(good.length, expected);
  for (const t of told.filter((x) => x.status !== 200)) {
    assert.equal(t.status, 402, t.text);
    assert.match(JSON.parse(t.text).tollgate.quota_source, source);
  }
  for (const t of good) assert.equal(t.cost, BigInt(R));
  return told;
}

for (const nodes of [1, 2, 3])
  for (const k of [0, 1, 7, 100])
    test(`${nodes} nodes, ${k} calls' worth: balance, budget and both admit exactly ${k}`, async () => {
      while (cluster.replicas.length < nodes) await cluster.add(['one', 'two', 'three'][cluster.replicas.length]);
      const n = k + 9;
      const some = Math.floor(R / 2);

      const poor = await cluster.team(k * R + some);
      const key = await cluster.key(poor);
      await admits(key.key, n, k, /^prepaid_balance$/);

      const rich = await cluster.team((n + 50) * R);
      if (k) { // a budget of less than one call is k = 0 of the balance
        const budgeted = await cluster.key(rich, { budget: dollars(k * R + some), budget_window: 'lifetime' });
        await admits(budgeted.key, n, k, /^app_key$/);

        const both = await cluster.team(k * R + some);
        const tight = await cluster.key(both, { budget: dollars(k * R), budget_window: 'month' });
        await admits(tight.key, n, k, /^(app_key|prepaid_balance)$/);
      }
    });

test('two keys whose budgets together exceed the balance share it exactly', async () => {
  const team = await cluster.team(10 * R);
  const keys = [await cluster.key(team, { budget: dollars(7 * R) }), await cluster.key(team, { budget: dollars(7 * R) })];
  const before = upstream.seen.length;
  let refused = 0;
  parked = true;
  const calls = Array.from({ length: 24 }, (_, i) => ask(cluster.replicas[i % 3].url, keys[i % 2].key, hello('cent')));
  for (const c of calls) c.then((told) => { refused += told.status === 402; });
  await eventually(() => refused + upstream.seen.length - before >= 24, 'the calls to be admitted or refused');
  parked = false;
  release();
  await Promise.all(calls);
  assert.equal(upstream.seen.length - before, 10);
  assert.equal(refused, 14);
});

test('what was refused, or given back, is free again at once', async () => {
  const team = await cluster.team(3 * R);
  const key = await cluster.key(team);
  for (let round = 0; round < 3; round++) {
    parked = true;
    const first = ask(cluster.replicas[round].url, key.key, hello('cent'));
    await eventually(() => waiting.length === 1, 'the call to be under way');
    first.abort(); // before any byte of an answer: nothing is charged
    await first;
    await eventually(async () => (await cluster.replicas[round].metrics()).tollgate_calls_in_flight === 0, 'the leaving to be noticed');
    parked = false;
    release();
  }
  await admits(key.key, 5, 3, /^prepaid_balance$/);
});

for (let round = 1; round <= 6; round++)
  test(`money that another node parks refuses nobody (round ${round})`, async () => {
    // A call on one node leases some more than it needs; the other nodes then want all the rest.
    const calls = 120 + round;
    const team = await cluster.team(calls * R);
    const key = await cluster.key(team);
    const first = await ask(cluster.replicas[round % 3].url, key.key, hello('cent'));
    assert.equal(first.status, 200, first.text);
    await cluster.recorded([first.id]);
    assert.ok(cluster.leased(team) > 0, 'nothing is parked: the test would show nothing');
    const others = cluster.replicas.filter((_, i) => i !== round % 3);
    const told = await Promise.all(Array.from({ length: calls - 1 }, (_, i) => ask(others[i % 2].url, key.key, hello('cent'))));
    assert.deepEqual(told.filter((t) => t.status !== 200).map((t) => t.text), []);
    const over = await ask(others[0].url, key.key, hello('cent'));
    assert.equal(over.status, 402, over.text);
  });
