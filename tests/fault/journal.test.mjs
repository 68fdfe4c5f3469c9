// A node whose journal takes no records admits no calls, and does not keep that to itself: /readyz, /metrics and the
// operators' alerts say so, and that it is over, also where nobody sends it calls meanwhile.
import assert from 'node:assert/strict';
import { setup, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
let node, secret;

setup('a node that looks for what is amiss all the time', async () => {
  await cluster.start();
  const upstream = await startUpstream((req, res) =>
    send(res, 200, { ...chat(), usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }));
  node = await cluster.add('one', { POLL_INTERVAL_MS: '200' });
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  secret = (await cluster.key(await cluster.team(900_000_000_000))).key;
  await cluster.everywhere(secret, 'scripted');
});

const call = () => ask(node.url, secret, hello('scripted'));
const alarms = () => cluster.sql(`SELECT * FROM alarm WHERE kind = 'journal' ORDER BY id`);
async function ready() {
  const res = await fetch(`${node.url}/readyz`);
  return { status: res.status, text: await res.text() };
}

// One more alarm stands, and what it says of the node is this.
async function told(n, says, why) {
  assert.deepEqual(await ready(), { status: 503, text: says });
  assert.equal((await node.metrics()).tollgate_journal_refuses, 1);
  await eventually(() => alarms().length === n, 'the alarm');
  const last = alarms().at(-1);
  assert.deepEqual([last.subject, last.ended_at], ['one', null]);
  assert.match(last.detail, why);
  assert.match((await cluster.operator.get('/operator/alerts')).text, /Node one cannot record or settle calls Stands/);
}

async function over() {
  await eventually(async () => (await ready()).text === 'ready\n', 'the node to be ready');
  assert.equal((await node.metrics()).tollgate_journal_refuses, 0);
  await eventually(() => alarms().every((a) => a.ended_at), 'the alarm to be over');
  assert.equal((await call()).status, 200);
  sameBooks(cluster);
}

test('a disk that takes no records is told of; once it takes them the node is ready again, without a call', async () => {
  assert.deepEqual(await ready(), { status: 200, text: 'ready\n' });
  node.arm('journal.write=error:ENOSPC');
  assert.equal((await call()).status, 503);
  await told(1, 'journal takes no records\n', /^Its disk takes no records \(No space left on device\)/);
  node.arm('');
  await over();
});

test('a disk whose sync failed is told of until the node is started again', async () => {
  node.arm('journal.sync=error:EIO*1');
  assert.equal((await call()).status, 200);
  await eventually(async () => (await call()).status === 503, 'calls to be refused');
  node.arm('');
  await told(2, 'journal not synced, start this node again\n', /could not be synced.*started again/);
  await node.stop();
  cluster.postgres.psql(`UPDATE alarm_report SET seen_at = seen_at - interval '1 minute'`); // it holds that much longer than its run
  await node.revive();
  await over();
});
