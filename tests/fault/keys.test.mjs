// What a node knows of keys. A look-up that a change overtakes may have read what was before the change, so
// nobody is answered by it, and what is looked up once more stays known. What one loop of a node knows serves
// the others too where the database does not tell: because it is away, or because it does not come to it.
import assert from 'node:assert/strict';
import { setup, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';

const cluster = new Cluster();
let node, wide, team, known;

setup('a node of one loop and one of two, and a key that they know', async () => {
  await cluster.start();
  const upstream = await startUpstream((req, res) =>
    send(res, 200, { ...chat(), usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }));
  node = await cluster.add('one', { LOOPS: '1' }); // a key that one call has shown is known to all of it
  wide = await cluster.add('two', { LOOPS: '2' });
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  team = await cluster.team(900_000_000_000);
  known = (await cluster.key(team)).key;
  await cluster.everywhere(known, 'scripted');
});

const call = (key) => ask(node.url, key, hello('scripted'));
const change = async (key, fields) => {
  const set = await cluster.ask('PATCH', `/keys/${key.id}?team=${team}`, fields);
  assert.equal(set.status, 200, set.text);
};

// Changes are heard in their order: a model that is there since tells that those before it were.
let models = 0;
async function heard() {
  const name = `marker-${++models}`;
  await cluster.model({ name, input: '1', output: '2' });
  await eventually(async () => {
    const listed = await fetch(`${node.url}/v1/models`, { headers: { authorization: `Bearer ${known}` } });
    return (await listed.text()).includes(name);
  }, 'the node to have heard');
}

// A call with a key that the node does not know; what is changed while that is looked up.
async function overtaken(key, changes) {
  const [{ now }] = cluster.sql('SELECT clock_timestamp()::text AS now');
  node.arm('key.purses=pause');
  const told = call(key.key);
  await eventually(() => cluster.sql(`SELECT FROM pg_stat_activity WHERE application_name = 'tollgate worker' AND query_start > '${now}'
                                       AND state = 'idle'`).length, 'the key to have been read');
  await changes();
  await heard();
  node.arm('');
  return told;
}

test('a key that is disabled while it is looked up serves no call', async () => {
  const key = await cluster.key(team);
  await heard();
  const told = await overtaken(key, () => change(key, { disabled: true }));
  assert.equal(told.status, 401, told.text);
  assert.equal(JSON.parse(told.text).error.code, 'key_disabled');
});

test('another key\'s change does not make the node forget what it looks up', async () => {
  const [key, other] = [await cluster.key(team), await cluster.key(team)];
  await heard();
  const told = await overtaken(key, () => change(other, { name: 'another name' }));
  assert.equal(told.status, 200, told.text);
  await cluster.recorded([told.id]);
  await cluster.postgres.stop('fast');
  try {
    const away = await call(key.key);
    assert.equal(away.status, 200, away.text);
  } finally {
    await cluster.postgres.start();
  }
});

// Calls at the same time, and so on connections of their own, which the kernel spreads over the loops.
const atOnce = (key, n = 24) => Promise.all(Array.from({ length: n }, () => ask(wide.url, key, hello('scripted'))));
// The database may have been away until just now.
const servedOnce = (key) => eventually(async () => {
  const told = await ask(wide.url, key, hello('scripted'));
  return told.status === 200 && told;
}, 'a call to be answered');
const allServed = (answers) => assert.deepEqual(answers.filter((a) => a.status !== 200).map((a) => a.text), []);

test('a key that one loop knows is good on the others while the database is away', async () => {
  const { key } = await cluster.key(team);
  await cluster.recorded([(await servedOnce(key)).id]);
  await cluster.postgres.stop('fast');
  try {
    allServed(await atOnce(key));
  } finally {
    await cluster.postgres.start();
  }
});

// Jobs of the money lane that are on.
async function lookUps() {
  const shown = await fetch(`${wide.url}/metrics`);
  return Number((await shown.text()).match(/^tollgate_lane_running\{lane="money"\} (\d+)/m)?.[1] ?? 0);
}

test('what was known of a key serves while its look-up does not come to an end', async () => {
  const { key } = await cluster.key(team);
  await servedOnce(key);
  allServed(await atOnce(key));
  wide.arm('key.look_up=pause');
  try {
    cluster.postgres.psql(`SELECT note_change('all')`);
    await eventually(async () => {
      allServed(await atOnce(key));
      return await lookUps() === 2;
    }, 'both loops to look the key up');
    allServed(await atOnce(key));
  } finally {
    wide.arm('');
  }
  allServed(await atOnce(key));
});
