// A node that nobody asks for anything sleeps until its next timer is due. What may wake it is listed
// here; how long anything takes is not judged, only how often its threads were woken meanwhile.
import assert from 'node:assert/strict';
import { setup, sleep, test } from '../lib/story.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { wakeUps } from '../bench/bench.mjs';

// ThreadSanitizer has a thread of its own, which has the program's name and wakes ten times a second.
const needs = () => (/tsan/.test(process.env.TOLLGATE_BUILD) ? 'a sanitizer wakes as well' : undefined);
const LOOPS = 2;
const WINDOWS = 4;
const cluster = new Cluster();
let node;

// By the name of a thread: every so many seconds, at most so many wake-ups; an answer of the database is one.
const timers = {
  tollgate: [
    { every: 60, wakes: 1, of: 'prices that come into force; there are none, but a clock may be set' },
    { every: 60, wakes: 1, of: 'tokens of service accounts; there are none' },
    { every: 60, wakes: 1, of: 'payments at Stripe; it is not set up' },
    { every: 60, wakes: 5, of: 'new passwords and mail; no mail server is set' },
    { every: 5, wakes: 5, of: 'alerts that are to be judged' },
    { every: 5, wakes: 5, of: 'what is to be posted to webhooks' },
    { every: 2, wakes: 2, of: 'orders and grants that are due' },
    { every: 5, wakes: 4, of: 'whether the books are to be checked, in two forms' },
    { every: 5, wakes: 3, of: 'the listener, which asks for the epoch' },
    { every: 10, wakes: 5, of: 'figures of the books' },
    { every: 60, wakes: 15, of: 'invoices, answers that are over, old holds, the window of the checks' },
  ],
  node: [
    { every: 5, wakes: 5, of: 'the heartbeat' },
    { every: 5, wakes: 5, of: 'other sessions' },
  ],
  loop: [{ every: 10, wakes: LOOPS, of: 'a spare descriptor and memory kept back' }],
  flusher: [{ every: 5, wakes: 1, of: 'a session that was replaced' }],
};

// Each timer may be due once more than it fits into the time.
const allowed = (name, seconds) => (timers[name] ?? [])
  .reduce((sum, t) => sum + (Math.floor(seconds / t.every) + 1) * t.wakes, 0);

function counted() {
  const sums = {};
  for (const t of wakeUps(node.child.pid)) sums[t.name] = (sums[t.name] ?? 0) + t.n;
  return sums;
}

// What was woken more often than its timers are due, as sentences.
async function restless(seconds) {
  const began = process.hrtime.bigint();
  const from = counted();
  await sleep(seconds * 1000);
  const to = counted();
  const passed = Number(process.hrtime.bigint() - began) / 1e9;
  return Object.entries(to)
    .map(([name, n]) => ({ name, woken: n - (from[name] ?? 0), may: allowed(name, passed) }))
    .filter((t) => t.woken > t.may)
    .map((t) => `${t.name}: woken ${t.woken} times in ${passed.toFixed(1)} s, ${t.may} are due`);
}

setup('a node that nobody asks', async () => {
  await cluster.start();
  node = await cluster.add('one', { LOOPS: `${LOOPS}`, DEMO: 'off', LOG_LEVEL: 'warn' });
}, { needs });

test('it wakes for timers that are due and for nothing else', async () => {
  let last;
  for (let i = 0; i < WINDOWS; i++) { // what a start brings with it is over at last
    last = await restless(20);
    if (!last.length) return;
  }
  assert.deepEqual(last, []);
}, { needs });
