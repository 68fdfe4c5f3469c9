// A node dies, or drains, around a call that the gateway makes of its own: the one that embeds the question of a
// request whose key takes answers to questions that are alike. Both calls are on record as far as they got, each is
// charged once, and nothing of either is held for ever.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { send, chat, startUpstream } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { addAccount, addModel, call, hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
const EMBEDDED = 70_000, ANSWERED = 20_000; // nano-dollars: 7 tokens at 10 dollars a million; 10 and 5 at 1 and 2
const texts = ['How do I reset my password?', 'How can I reset the password I have?'];
let embedder, node, team, key, gate, topics = 0;

const embedded = async (req, res) => {
  await gate?.reached;
  send(res, 200, { object: 'list', model: 'e', usage: { prompt_tokens: 7, total_tokens: 7 }, data: [{ object: 'embedding', index: 0, embedding: [1, 0, 0, 0] }] });
};
// The embedder answers nothing more until it is let go.
function hold() {
  gate = {};
  gate.reached = new Promise((go) => { gate.go = go; });
}
function letGo() {
  gate?.go();
  gate = undefined;
}

setup('two nodes, and a key that takes answers to questions that are alike', async () => {
  await cluster.start();
  const upstream = await startUpstream((req, res) => send(res, 200, { ...chat(), usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }));
  embedder = await startUpstream(embedded);
  await cluster.add('stays');
  node = await cluster.add('dies');
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  const account = await addAccount(cluster.operator, embedder, { name: 'embedder' });
  await addModel(cluster.operator, { name: 'compares', kind: 'embedding', input: '10', output: '0', targets: [{ account, upstreamModel: 'e-1' }] });
  assert.equal((await cluster.ask('PATCH', '/installation', { similarity_model: 'compares' })).status, 200);
  team = await cluster.team(50_000_000_000);
  key = (await cluster.key(team, { budget: '40', concurrency: 4, cache_seconds: 600, cache_similarity: 0.95 })).key;
  await cluster.everywhere(key, 'scripted');
  await cluster.everywhere(key, 'compares');
});

const ask = (topic, text) => call(node, key, hello('scripted', { messages: [{ role: 'system', content: topic }, { role: 'user', content: text }] }));
const calls = () => cluster.sql(`SELECT * FROM call WHERE team_id = ${team} ORDER BY call_id`);
const brief = (known) => calls().slice(known).map((c) => [c.endpoint, c.outcome, c.charge_nano]).sort();
const vectors = async () => (await node.metrics()).tollgate_cache_vectors;
const settled = () => eventually(async () => (await Promise.all(cluster.replicas.map((n) => n.isSettled()))).every(Boolean), 'all to be settled');

// A topic on which the node knows an answer.
async function answered() {
  const topic = `Topic ${String.fromCharCode(97 + topics++)}`, before = await vectors();
  assert.equal((await ask(topic, texts[0])).status, 200);
  await eventually(async () => (await vectors()) > before, 'the question to be known');
  await settled();
  return topic;
}

// Brings the dead node back, which is left nothing; what is on record of both calls then.
async function after(known, session) {
  assert.equal((await node.ended).signal, 'SIGKILL');
  node.arm('');
  letGo();
  await node.revive();
  await eventually(() => cluster.sql(`SELECT 1 FROM node_session WHERE id = ${session} AND state <> 'live'`).length, 'its session to be closed');
  assert.equal(cluster.sql(`SELECT 1 FROM lease WHERE session_id = ${session} AND remaining > 0`).length, 0);
  const fresh = brief(known);
  await cluster.everywhere(key, 'compares');
  await settled();
  const [{ used }] = cluster.sql(`SELECT used FROM purse WHERE team_id = ${team} AND kind = 'budget' AND scope = 'key'`);
  assert.equal(used, calls().reduce((sum, c) => sum + c.charge_nano, 0));
  sameBooks(cluster);
  return fresh;
}

// --- asked ahead of the provider ---

test('killed while the question is embedded ahead: that call is cut, the other had not begun, nothing is charged', async () => {
  const topic = await answered(), known = calls().length, session = node.session, asked = embedder.seen.length;
  hold();
  const mine = ask(topic, texts[1]).catch(() => 'gone');
  await eventually(() => embedder.seen.length > asked, 'the embedder to be asked');
  await node.stop('SIGKILL');
  assert.equal(await mine, 'gone');
  assert.deepEqual(await after(known, session), [['embeddings', 'cut', 0]]);
});

test('killed when it has been embedded ahead: that call is charged once', async () => {
  const topic = await answered(), known = calls().length, session = node.session;
  node.arm('journal.ended=kill');
  assert.equal(await ask(topic, texts[1]).catch(() => 'gone'), 'gone');
  assert.deepEqual(await after(known, session), [['embeddings', 'ok', EMBEDDED]]);
});

test('killed when both have ended, the answer from the cache: the question is charged once, the answer not', async () => {
  const topic = await answered(), known = calls().length, session = node.session;
  node.arm('journal.ended=kill*2');
  assert.equal(await ask(topic, texts[1]).catch(() => 'gone'), 'gone');
  assert.deepEqual(await after(known, session), [['chat.completions', 'ok', 0], ['embeddings', 'ok', EMBEDDED]]);
});

// --- asked once the answer is kept ---

test('killed while the question is embedded behind: the answer is charged once, the question not', async () => {
  const known = calls().length, session = node.session, asked = embedder.seen.length;
  hold();
  assert.equal((await ask('Topic of its own', texts[0])).status, 200);
  await eventually(() => embedder.seen.length > asked, 'the embedder to be asked');
  await node.stop('SIGKILL');
  assert.deepEqual(await after(known, session), [['chat.completions', 'ok', ANSWERED], ['embeddings', 'cut', 0]]);
});

test('killed when it has been embedded behind: both are charged, once', async () => {
  const known = calls().length, session = node.session;
  node.arm('journal.ended=kill*2');
  await ask('Topic of its own', texts[0]).catch(() => {});
  assert.deepEqual(await after(known, session), [['chat.completions', 'ok', ANSWERED], ['embeddings', 'ok', EMBEDDED]]);
});

for (const place of ['settle.sent', 'settle.committed'])
  test(`killed at ${place} of their settlement: both are charged, once`, async () => {
    const known = calls().length, session = node.session, before = await vectors();
    node.arm(`${place}=pause`);
    assert.equal((await ask('Topic of its own', texts[0])).status, 200);
    await eventually(async () => (await vectors()) > before, 'the question to be known');
    await node.stop('SIGKILL');
    assert.deepEqual(await after(known, session), [['chat.completions', 'ok', ANSWERED], ['embeddings', 'ok', EMBEDDED]]);
  });

test('a node that drains with a question under way ends well, and both are on record', async () => {
  const known = calls().length, asked = embedder.seen.length;
  hold();
  assert.equal((await ask('Topic of its own', texts[0])).status, 200);
  await eventually(() => embedder.seen.length > asked, 'the embedder to be asked');
  const ended = node.stop('SIGTERM');
  letGo();
  assert.equal((await ended).code, 0);
  await eventually(() => calls().length === known + 2, 'both on record');
  assert.deepEqual(brief(known), [['chat.completions', 'ok', ANSWERED], ['embeddings', 'ok', EMBEDDED]]);
  sameBooks(cluster);
});
