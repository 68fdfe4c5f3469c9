// kill -9 at each step of a call on a real node, and what the books say after it is back: a finished
// call charged exactly once, an unfinished one by the rule of what its journal has, every hold
// resolved. The last two words of a case are what the client may have seen and what is charged.
import assert from 'node:assert/strict';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask } from '../lib/client.mjs';
import { hello, served } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
const FULL = 1000 * 1000 + 500 * 2000; // nano-dollars, at 1 and 2 dollars a million
const text = 'word '.repeat(100); // 500 bytes: 125 tokens where they are counted
let upstream, node, other, team, key, script;
const gates = { go: undefined };
const gate = () => new Promise((go) => { gates.go = go; });

const plain = (req, res) => send(res, 200, { ...chat('Hello.'), usage });
const event = (res, value) => res.write(`data: ${JSON.stringify(value)}\n\n`);
const opening = (res) => res.writeHead(200, { 'content-type': 'text/event-stream' });
const closing = (res) => {
  event(res, chunk({}, 'stop'));
  event(res, { ...chunk({}), choices: [], usage });
  res.end('data: [DONE]\n\n');
};
const streamed = (req, res) => { opening(res); event(res, chunk({ content: text })); closing(res); };

setup('two nodes', async () => {
  await cluster.start();
  script = plain;
  upstream = await startUpstream((...all) => script(...all));
  other = await cluster.add('stays');
  node = await cluster.add('dies');
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  team = await cluster.team(50_000_000_000);
  key = await cluster.key(team, { budget: '40', concurrency: 2, rpm: 100000 });
  await served(node, key.key, 'scripted');
});

const newest = () => cluster.sql(`SELECT * FROM call WHERE team_id = ${team} ORDER BY call_id DESC LIMIT 1`)[0];
const count = () => Number(cluster.postgres.psql(`SELECT count(*) FROM call WHERE team_id = ${team}`));

// Nothing of what the session had is left to it.
const resolved = (session) => eventually(() => cluster.sql(`SELECT state FROM node_session WHERE id = ${session} AND state <> 'live'`).length === 1,
  `what session ${session} held to be resolved`);

// Has the node die with a call under way, brings it back, and waits until what it held is resolved.
async function round({ stream, die, answer = stream ? streamed : plain }) {
  const session = node.session, known = count(), before = upstream.seen.length;
  script = answer;
  const call = ask(node.url, key.key, hello('scripted', { stream, max_tokens: 600 }));
  await die(call);
  const told = await call;
  assert.deepEqual((await node.ended).signal, 'SIGKILL');
  node.arm('');
  gates.go?.();
  await node.revive();
  await resolved(session);
  return { told, asked: upstream.seen.length - before, fresh: count() - known, row: newest() };
}

const at = (failpoint) => async () => { node.arm(`${failpoint}=kill`); };
// The failpoint is armed before the call is sent: ask() writes to the socket in a later turn.

for (const [step, failpoint] of [['before the hold', 'hold.before'], ['after the hold', 'hold.taken'], ['while the hold is asked for', 'lease.granted']])
  for (const stream of [false, true])
    test(`killed ${step}${stream ? ' of a stream' : ''}: nothing happened, nothing is held`, async () => {
      if (failpoint === 'lease.granted') { // so that the node has to ask
        await node.stop();
        await node.revive();
        await served(node, key.key, 'scripted');
      }
      const end = await round({ stream, die: at(failpoint) });
      assert.equal(end.told.status, 0);
      assert.equal(end.asked, 0, 'the upstream was not asked');
      assert.equal(end.fresh, 0, 'there is no record');
      assert.equal(cluster.leased(team), 0);
      sameBooks(cluster);
    });

test('killed after BEGIN, nothing sent: on record as cut, charged 0', async () => {
  const end = await round({ stream: false, die: at('journal.begun') });
  assert.equal(end.told.status, 0);
  assert.equal(end.asked, 0);
  assert.equal(end.fresh, 1);
  assert.deepEqual([end.row.outcome, end.row.basis, end.row.charge_nano], ['cut', 'cut', 0]);
  sameBooks(cluster);
});

for (const stream of [false, true])
  test(`killed after the request was sent${stream ? ', a stream' : ''}: cut, charged 0`, async () => {
    const end = await round({
      stream, answer: async (...all) => { await gate(); (stream ? streamed : plain)(...all); },
      die: async () => {
        await eventually(() => gates.go, 'the upstream to be asked');
        await node.stop('SIGKILL');
      },
    });
    gates.go = undefined;
    assert.equal(end.told.status, 0);
    assert.deepEqual([end.asked, end.fresh], [1, 1]);
    assert.deepEqual([end.row.outcome, end.row.basis, end.row.charge_nano], ['cut', 'cut', 0]);
    sameBooks(cluster);
  });

test('killed in the middle of a stream: charged at the last PROGRESS', async () => {
  const end = await round({
    stream: true,
    answer: async (req, res) => {
      opening(res);
      event(res, chunk({ content: text }));
      event(res, chunk({ content: text })); // more than 64 tokens: noted
      await gate();
      closing(res);
    },
    die: async (call) => {
      await eventually(() => call.told.text.split('data:').length > 2, 'the client to see some of it');
      await sleep(20);
      await node.stop('SIGKILL');
    },
  });
  gates.go = undefined;
  assert.equal(end.told.whole, false);
  assert.equal(end.fresh, 1);
  assert.deepEqual([end.row.outcome, end.row.basis], ['cut', 'cut']);
  assert.equal(end.row.output_tokens, 250);
  assert.equal(end.row.charge_nano, end.row.input_tokens * 1000 + 250 * 2000);
  sameBooks(cluster);
});

for (const stream of [false, true])
  test(`killed after END${stream ? ' of a stream' : ''}: charged in full, once, though the client lacks the end`, async () => {
    const end = await round({ stream, die: at('journal.ended') });
    assert.equal(end.told.whole, false);
    assert.equal(end.fresh, 1);
    assert.deepEqual([end.row.outcome, end.row.basis, end.row.charge_nano], ['ok', 'provider', FULL]);
    sameBooks(cluster);
  });

for (const stream of [false, true])
  for (const [step, armed] of [
    ['after the last byte', 'settle.send=pause'],
    ['after the batch was sent', 'settle.sent=pause'],
    ['after the commit, its answer lost', 'settle.committed=pause'],
  ])
    test(`killed ${step}${stream ? ' of a stream' : ''}: charged in full, once`, async () => {
      const end = await round({
        stream,
        die: async (call) => {
          node.arm(armed);
          await call;
          if (!armed.startsWith('settle.send=')) await eventually(() => node.log.includes(`failpoint name=${armed.split('=')[0]}`), 'the batch to be under way');
          await node.stop('SIGKILL');
        },
      });
      assert.equal(end.told.whole, true);
      assert.equal(end.told.cost, BigInt(FULL));
      assert.equal(end.fresh, 1);
      assert.deepEqual([end.row.outcome, end.row.basis, end.row.charge_nano], ['ok', 'provider', FULL]);
      sameBooks(cluster);
    });

for (const failpoint of ['replay.read', 'replay.pushed', 'replay.settled'])
  test(`killed again while it replays (${failpoint}): charged in full, once`, async () => {
    const session = node.session, known = count();
    script = plain;
    node.arm('settle.send=pause');
    const told = await ask(node.url, key.key, hello('scripted', { max_tokens: 600 }));
    await node.stop('SIGKILL');
    node.arm(`${failpoint}=kill`);
    await node.revive().catch(() => {}); // it may die before it is ready
    await node.ended;
    node.arm('');
    await node.revive();
    await resolved(session);
    assert.equal(told.cost, BigInt(FULL));
    assert.equal(count() - known, 1);
    sameBooks(cluster);
  });
