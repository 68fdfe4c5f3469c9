// kill -9 with shadows under way, and a node that drains: each shadow is on record once, no team is charged
// for any, and the day's ceiling holds over nodes.
import assert from 'node:assert/strict';
import { setup, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { addAccount, addModel, call, hello, served } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
const text = 'word '.repeat(100); // 125 tokens where they are counted
let upstream, other, nodes, model, team, key, script;
const usual = (req, res) => send(res, 200, chat());
const started = (req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write(`data: ${JSON.stringify(chunk({ content: text }))}\n\n`);
};
const rows = () => cluster.sql('SELECT * FROM shadow_call ORDER BY posted_at, call_id');
const rule = async (body) => {
  assert.equal((await cluster.ask('PUT', `/routes/${model.id}/shadow`, { to_model: 'candidate', share_permille: 1000, ...body })).status, 200);
};
const askAt = (node, more = {}) => call(node, key.key, hello('scripted', { max_tokens: 600, ...more }));

setup('two nodes, one model, another that shadows it', async () => {
  await cluster.start();
  script = usual;
  upstream = await startUpstream((req, res, seen) => (seen.body.stream
    ? (started(req, res), res.end(`data: ${JSON.stringify(chunk({}, 'stop'))}\n\ndata: [DONE]\n\n`)) : usual(req, res)));
  other = await startUpstream((...all) => script(...all));
  nodes = [await cluster.add('one'), await cluster.add('two')];
  await cluster.install([upstream]);
  model = await cluster.model({ name: 'scripted', input: '1', output: '2' });
  const account = await addAccount(cluster.operator, other, { name: 'other' });
  await addModel(cluster.operator, { name: 'candidate', input: '3', output: '5', targets: [{ account }] });
  team = await cluster.team(50_000_000_000);
  key = await cluster.key(team);
  await rule();
  for (const node of nodes) await served(node, key.key, 'candidate');
  for (const node of nodes) await eventually(async () => {
    const n = other.seen.length;
    await askAt(node);
    await new Promise((done) => setTimeout(done, 100));
    return other.seen.length > n;
  }, 'the rule to be known');
  await eventually(() => rows().length === other.seen.length, 'those shadows on record');
});

const kill = async (node) => {
  await node.stop('SIGKILL');
  await node.revive();
};

for (const [what, stream] of [['before anything came', false], ['in the middle of a stream', true]])
  test(`killed with a shadow under way, ${what}: on record once, as cut, at no charge`, async () => {
    const known = rows().length, [node] = nodes, asked = other.seen.length;
    script = stream ? started : () => {};
    const answer = await askAt(node, { stream });
    assert.equal(answer.status, 200);
    await eventually(() => other.seen.length === asked + 1, 'the shadow to be asked');
    // Its PROGRESS comes a quarter of a second after its first bytes at the latest, where it says more.
    await eventually(async () => (await cluster.recorded([answer.headers.get('x-tollgate-request-id')])).size === 1, 'the call to be settled');
    await kill(node);
    script = usual;
    await eventually(() => rows().length === known + 1, 'the shadow on record');
    const row = rows().at(-1);
    assert.deepEqual([row.outcome, row.basis, row.charge_nano], ['cut', 'cut', 0]);
    const [call_] = cluster.sql(`SELECT charge_nano, outcome FROM call WHERE call_id = '${row.shadow_of}'`);
    assert.equal(call_.outcome, 'ok');
    assert.ok(call_.charge_nano > 0);
    sameBooks(cluster);
  });

test('a node that drains does not wait for its shadows: they are cut, and on record', async () => {
  const known = rows().length, [node] = nodes, asked = other.seen.length;
  script = () => {};
  assert.equal((await askAt(node)).status, 200);
  await eventually(() => other.seen.length === asked + 1, 'the shadow to be asked');
  assert.equal((await node.stop('SIGTERM')).code, 0);
  assert.doesNotMatch(node.log, /drain_cut/, 'it waited for nobody');
  script = usual;
  await eventually(() => rows().length === known + 1, 'the shadow on record');
  assert.equal(rows().at(-1).outcome, 'cut');
  await node.revive();
  sameBooks(cluster);
});

test('a ceiling holds over both nodes, whatever dies meanwhile', async () => {
  const day = () => cluster.sql('SELECT cost_nano, taken_nano FROM shadow_day')[0];
  const ceiling = day().cost_nano + 20_000_000; // six at the most that one may cost
  await rule({ day_ceiling: (ceiling / 1e9).toFixed(9) });
  script = (req, res) => setTimeout(() => usual(req, res), 100);
  for (let round = 0; round < 3; round++) {
    const asks = nodes.flatMap((node) => Array.from({ length: 12 }, () => askAt(node).catch(() => {})));
    await Promise.all(asks);
    if (round === 1) await kill(nodes[1]);
    assert.ok(day().cost_nano + day().taken_nano <= ceiling, JSON.stringify(day()));
  }
  await eventually(async () => (await Promise.all(nodes.map((n) => n.isSettled()))).every(Boolean), 'all to be settled');
  const all = cluster.sql("SELECT cost_nano, hold_nano FROM shadow_call WHERE hold_nano > 0");
  assert.ok(all.length > 5 && all.every((r) => r.cost_nano <= r.hold_nano), JSON.stringify(all.slice(0, 3)));
  assert.ok(day().cost_nano <= ceiling);
  sameBooks(cluster);
});
