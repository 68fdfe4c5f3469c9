// SIGTERM under load: what runs is answered to its end, nothing new is begun, all is settled, the leases
// are back; the rows are the answers that were given. What does not end in time is cut, and on record.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Cluster, Replica } from '../lib/cluster.mjs';
import { ask, Load } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { program } from '../lib/psql.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
let team, secret, node, streamMs = 400;

async function answer(req, res, seen) {
  const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
  if (!seen.body.stream) {
    await sleep(20);
    return send(res, 200, { ...chat(), usage });
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < 10; i++) {
    res.write(`data: ${JSON.stringify(chunk({ content: 'one more of the words ' }))}\n\n`);
    await sleep(streamMs / 10);
  }
  res.end(`data: ${JSON.stringify({ ...chunk({}, 'stop'), choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

setup('one node', async () => {
  await cluster.start();
  const upstream = await startUpstream(answer);
  node = await cluster.add('one', { DRAIN_SECONDS: '60' });
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  team = await cluster.team(900_000_000_000);
  secret = (await cluster.key(team, { concurrency: 100 })).key;
  await cluster.everywhere(secret, 'scripted');
});

for (const round of [1, 2, 3])
  test(`SIGTERM under load: answered, settled, given back (round ${round})`, async () => {
    const known = Number(cluster.postgres.psql('SELECT count(*) FROM call'));
    const load = new Load({ bases: [node.url], secrets: [secret], bodies: [hello('scripted'), hello('scripted', { stream: true })], workers: 24 });
    await eventually(() => load.answers.length > 60, 'calls to be answered');
    const under = ask(node.url, secret, hello('scripted', { stream: true }));
    await eventually(() => under.told.text, 'a stream to be under way');
    const ended = await node.stop('SIGTERM');
    const answers = await load.stop();
    answers.push(await under);
    assert.deepEqual(ended, { code: 0, signal: null });
    assert.ok(under.told.whole, 'a stream that ran at the time was cut');
    const cut = answers.filter((a) => a.status === 200 && !a.whole);
    assert.deepEqual(cut.map((a) => a.text.slice(-200)), [], 'answers that were begun and not ended');
    for (const a of answers.filter((x) => x.status && x.status !== 200)) assert.equal(a.status, 503, a.text);
    const good = answers.filter((a) => a.status === 200);
    const fresh = Number(cluster.postgres.psql('SELECT count(*) FROM call')) - known;
    assert.equal(fresh, good.length, 'rows = answers that were served');
    const charged = cluster.sql(`SELECT sum(charge_nano)::text AS n FROM (SELECT charge_nano FROM call ORDER BY call_id DESC LIMIT ${good.length}) c`)[0].n;
    assert.equal(BigInt(charged), good.reduce((sum, a) => sum + a.cost, 0n), 'sum of rows = sum of what was told');
    assert.equal(cluster.leased(team), 0, 'leased after the end');
    assert.equal(cluster.leased(team, 'permits'), 0, 'permits after the end');
    assert.deepEqual(cluster.sql(`SELECT id FROM node_session WHERE state <> 'closed'`), []);
    sameBooks(cluster, answers);
    await node.revive();
    await cluster.everywhere(secret, 'scripted');
  });

test('what does not end in time is cut: the client hears it, the row says so, it pays for what it saw', async () => {
  await node.stop();
  await node.revive({ DRAIN_SECONDS: '1' });
  await cluster.everywhere(secret, 'scripted');
  streamMs = 20000;
  const call = ask(node.url, secret, hello('scripted', { stream: true }));
  await eventually(() => call.told.text.includes('one more'), 'the stream to be under way');
  const ended = await node.stop('SIGTERM');
  const told = await call;
  assert.equal(ended.code, 0);
  assert.equal(told.whole, false);
  assert.match(told.text, /"error"/);
  const [row] = cluster.sql('SELECT * FROM call ORDER BY call_id DESC LIMIT 1');
  assert.equal(row.outcome, 'cut');
  assert.ok(row.charge_nano > 0 && row.charge_nano < 10 * 1000 + 600 * 2000, `charged ${row.charge_nano}`);
  assert.equal(cluster.leased(team), 0);
  sameBooks(cluster);
});

// Nothing is settled or given back then: it has nothing yet.
for (const signal of ['SIGTERM', 'SIGINT'])
  test(`${signal} ends a node that waits for its database, SIGHUP does not`, async () => {
    const waiting = new Replica(cluster, 'waiting', { DATABASE_URL: 'postgresql://tollgate_app@127.0.0.1:1/tollgate' });
    const waits = (from) => eventually(() => /database_away/.test(waiting.log.slice(from)), 'it to wait');
    const began = waiting.start().catch((error) => error);
    await waits(0);
    waiting.child.kill('SIGHUP');
    await waits(waiting.log.length);
    assert.equal(waiting.exit, undefined);
    assert.deepEqual(await waiting.stop(signal), { code: 0, signal: null });
    assert.match((await began).message, /ended at start/);
  });

// They come until the last connection is closed, when the loops have ended already.
test('changes that come while a node ends are let go of', async () => {
  const changes = `DO $$ BEGIN FOR i IN 1..10000000 LOOP PERFORM note_change('team:${team}'); COMMIT; END LOOP; END $$`;
  await node.revive();
  const teller = spawn(program('psql'), ['-Xq', ...cluster.postgres.psqlArguments, '-c', changes], { stdio: 'ignore' });
  try {
    for (let i = 0; i < 4; i++) {
      await cluster.everywhere(secret, 'scripted');
      assert.deepEqual(await node.stop('SIGTERM'), { code: 0, signal: null });
      await node.revive();
    }
    assert.equal(teller.exitCode, null, 'changes came all the while');
  } finally {
    teller.kill();
  }
});
