// A limit by the minute while PostgreSQL is stopped over the turn of a minute, or says nothing: calls go
// on, each of two nodes lets in half of the limit and refuses the rest as the database would; and when
// it is back what they let in counts, and the next minute is as before. The database's clock is moved, so
// that its minute turns when the test wants it to.
import assert from 'node:assert/strict';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Clock } from '../lib/clock.mjs';
import { needsFaketime } from '../lib/server.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { Proxy } from '../lib/proxy.mjs';
import { ask, Load } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const LIMIT = 12;
const HALF = LIMIT / 2;
const cluster = new Cluster();
const proxy = new Proxy();
let clock, team, unlimited, offset = 0;

setup('two nodes, and a database whose clock can be moved', async () => {
  clock = new Clock();
  await cluster.start({ proxy, env: clock.env });
  const upstream = await startUpstream((req, res) =>
    send(res, 200, { ...chat(), usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }));
  // A key that one call has shown to the node is known to all of it.
  await cluster.add('one', { LOOPS: '1' });
  await cluster.add('two', { LOOPS: '1' });
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  team = await cluster.team(900_000_000_000);
  unlimited = (await cluster.key(team)).key;
  await cluster.everywhere(unlimited, 'scripted');
  for (const node of cluster.replicas)
    await eventually(async () => (await node.metrics()).tollgate_nodes_live === 2, 'the nodes to have counted each other');
}, { needs: needsFaketime });

const second = () => ((Date.now() / 1000 + offset) % 60 + 60) % 60; // of the database's minute

// The database's clock goes forward, until its minute has so many seconds left; when that turns.
function minuteWith(seconds) {
  offset += Math.ceil((120 - seconds - second()) % 60);
  clock.set(`+${offset}`);
  return Date.now() + (60 - second()) * 1000;
}

const until = (moment) => sleep(Math.max(moment - Date.now(), 0) + 100);
const oneCall = (node, key) => ask(node.url, key, hello('scripted'));
const crowd = (node, key, n) => Promise.all(Array.from({ length: n }, () => oneCall(node, key)));
const good = (answers) => answers.filter((a) => a.status === 200).length;

// A key that both nodes have used in this minute, once each, after they had heard that it is new: what
// they hear of a key makes them forget it.
async function knownKey() {
  const made = await cluster.key(team, { rpm: LIMIT });
  await hearing();
  const answers = [];
  for (const node of cluster.replicas) {
    await eventually(async () => {
      const told = await oneCall(node, made.key);
      if (told.status === 200) answers.push(told);
      return told.status === 200;
    }, 'the key to be known');
  }
  return { ...made, answers };
}

// Both nodes hear of changes, and have heard all that were before. What they know of keys is good for 55 s
// from when they last did.
async function hearing() {
  const made = await cluster.key(team);
  const told = (node, wanted) => eventually(async () => ((await oneCall(node, made.key)).status === 200) === wanted, `node ${node.name} to hear of changes`);
  for (const node of cluster.replicas) await told(node, true);
  const set = await cluster.ask('PATCH', `/keys/${made.id}?team=${team}`, { disabled: true });
  assert.equal(set.status, 200, set.text);
  for (const node of cluster.replicas) await told(node, false);
}

// Exactly so many are let in, and the others hear what the database would tell them.
function halved(answers, wanted, what) {
  assert.equal(good(answers), wanted, `${what}: let in of ${answers.length}; ${answers.find((a) => ![200, 429].includes(a.status))?.text}`);
  for (const a of answers.filter((x) => x.status !== 200)) {
    assert.equal(a.status, 429, `${what}: ${a.text}`);
    assert.ok(Number(a.headers['retry-after']) >= 1 && Number(a.headers['retry-after']) <= 60, `${what}: ${a.headers['retry-after']}`);
    const { tollgate } = JSON.parse(a.text);
    assert.deepEqual([tollgate.quota_source, tollgate.limit, tollgate.unit], ['key_rate_limit', String(LIMIT), 'requests']);
  }
}

async function eachNode(key, wanted, what, kept) {
  for (const node of cluster.replicas) {
    const answers = await crowd(node, key, LIMIT + 3);
    kept.push(...answers);
    halved(answers, wanted, `${what}, node ${node.name}`);
  }
}

const used = (key) => cluster.sql(`SELECT used::int, window_start FROM purse WHERE kind = 'requests' AND scope_id = (SELECT id FROM api_key WHERE name = '${key.name}')`)[0];

async function away(wanted) {
  for (const node of cluster.replicas)
    await eventually(async () => (await node.metrics()).tollgate_database_away === wanted, `the database to be ${wanted ? 'away' : 'back'}`);
}

test('stopped over the turn of a minute: each node lets in its half of the limit', async () => {
  let turns = minuteWith(25);
  const key = await knownKey();
  const kept = [...key.answers];
  const before = await Promise.all(cluster.replicas.map((node) => node.metrics()));

  await cluster.postgres.stop('fast');
  try {
    // In the minute in which it went one call of each half had been made.
    await eachNode(key.key, HALF - 1, 'the minute in which it went', kept);
    assert.ok(Date.now() < turns, 'all that within one minute');
    await away(1);
    await until(turns);
    turns += 60000;
    await eachNode(key.key, HALF, 'the next minute', kept);
    for (const [i, node] of cluster.replicas.entries()) {
      const now = await node.metrics();
      assert.equal(now.tollgate_rate_shares_total - before[i].tollgate_rate_shares_total, 2, 'shares');
      await eventually(() => / rate_shares /.test(node.log), 'its line');
      assert.equal(node.log.match(/ rate_shares /g).length, 1, 'said once');
    }
  } finally {
    await cluster.postgres.start();
  }
  await away(0);

  // What the shares let in is settled, and counts in this minute.
  await cluster.recorded(kept.filter((a) => a.status === 200).map((a) => a.id));
  for (const node of cluster.replicas) {
    const told = await oneCall(node, key.key);
    kept.push(told);
    assert.equal(told.status, 429, told.text);
    await eventually(() => / rate_shares_over /.test(node.log), 'its line');
  }
  assert.ok(Date.now() < turns, 'all that within one minute');
  assert.equal(used(key).used, LIMIT);

  clock.set(`+${offset += 60}`);
  const next = (await Promise.all(cluster.replicas.map((node) => crowd(node, key.key, LIMIT)))).flat();
  assert.equal(good(next), LIMIT, `let in of ${next.length} in the minute after`);
  for (const a of next.filter((x) => x.status !== 200)) assert.equal(a.status, 429, a.text);
  sameBooks(cluster, [...kept, ...next]);
}, { needs: needsFaketime });

// Whoever asks first waits for an answer that does not come; once the heartbeat has none either nobody
// does any more, and those that wait are answered with the first.
test('silent over the turn of a minute: calls go on by shares', async () => {
  await hearing();
  const turns = minuteWith(15);
  const key = await knownKey();
  const kept = [...key.answers];
  // Of a team that calls nothing for a while the money goes back.
  const others = new Load({ bases: cluster.replicas.map((node) => node.url), secrets: [unlimited], bodies: [hello('scripted')], workers: 2, pauseMs: 200 });

  proxy.hush();
  try {
    await away(1);
    await until(turns);
    await eachNode(key.key, HALF, 'while it says nothing', kept);
  } finally {
    kept.push(...await others.stop());
    proxy.hush(false);
    proxy.cutAll(); // those that say nothing would be waited for
  }
  await away(0);
  await eventually(async () => {
    kept.push(await oneCall(cluster.replicas[0], (await cluster.key(team)).key));
    return kept.at(-1).status === 200;
  }, 'a new key to be answered');
  await cluster.recorded(kept.filter((a) => a.status === 200).map((a) => a.id));
  sameBooks(cluster, kept);
}, { needs: needsFaketime });
