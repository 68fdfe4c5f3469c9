// A key's look-up that a change overtakes: what it read may be from before the change, so nobody is
// answered by it, and what is looked up once more stays known.
import assert from 'node:assert/strict';
import { setup, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';

const cluster = new Cluster();
let node, team, known;

setup('a node, and a key that it knows', async () => {
  await cluster.start();
  const upstream = await startUpstream((req, res) =>
    send(res, 200, { ...chat(), usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }));
  node = await cluster.add('one', { LOOPS: '1' }); // a key that one call has shown is known to all of it
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
