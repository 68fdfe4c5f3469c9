// A node dies, or the database is away, at each place around the keeping of a job that makes a video, and while
// a failed one's charge is given back. The table in server/gateway/call_video.c says what is to come of it: a job
// that is there is charged once and one that is charged is there, whoever settles it; nothing is given back twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { eventually, setup, test } from '../lib/story.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const CHARGE = 400_000_000;
const cluster = new Cluster();
const jobs = new Map();
let one, two, team, key, serial = 0;

function upstream(req, res) {
  const id = req.url.split('/')[3] ?? `vid_${++serial}`;
  if (req.method === 'POST') jobs.set(id, 'queued');
  send(res, 200, { id, object: 'video', status: jobs.get(id), seconds: '4', size: '720x1280' });
}

setup('two nodes, an account that makes videos, and a team with a grant and budgets', async () => {
  await cluster.start();
  one = await cluster.add('one', { POLL_INTERVAL_MS: '200' });
  two = await cluster.add('two', { POLL_INTERVAL_MS: '200' });
  await cluster.install([await startUpstream(upstream)]);
  await cluster.model({ name: 'film', kind: 'video', prices: { second: '0.1' } });
  team = await cluster.team(50_000_000_000);
  cluster.postgres.psql(`SELECT set_config('app.scope', 'system', false); SELECT post_grant(${team}, 'g1', ${1.5 * CHARGE}, 'Welcome', 'for the test', 10, NULL, 'system', NULL, 'test')`);
  key = (await cluster.key(team, { budget: '40' })).key;
  await cluster.everywhere(key, 'film');
});

const headers = () => ({ authorization: `Bearer ${key}`, 'content-type': 'application/json' });
const create = (node) => fetch(`${node.url}/v1/videos`, { method: 'POST', headers: headers(), body: '{"model":"film","prompt":"A cat"}' });
const retrieve = (node, id) => fetch(`${node.url}/v1/videos/${id}`, { headers: headers() });
const rows = () => cluster.sql('SELECT * FROM video_job ORDER BY call_id');
const calls = () => cluster.sql(`SELECT * FROM call WHERE team_id = ${team} ORDER BY call_id`);
const nameOf = (row) => `video_${row.call_id.replaceAll('-', '')}`;
// What came back of a job, or of all: to the wallet and the grant.
const returned = (name = 'video') => cluster.sql(`SELECT coalesce(sum(amount_nano), 0)::bigint AS nano FROM transfer WHERE team_id = ${team} AND code = 'ADJUST' AND ref LIKE '${name}%'`)[0].nano;

// The new call, whole: its charge in the budget, and its job with whoever may ask.
async function paidOnce(known) {
  await eventually(() => calls().length > known, 'the call to be booked');
  assert.equal(calls().length, known + 1);
  const call = calls().at(-1);
  assert.deepEqual([call.charge_nano, call.outcome, call.seconds, call.status], [CHARGE, 'ok', 4, 200]);
  const row = rows().at(-1);
  assert.deepEqual([row.call_id, row.state, row.seconds, row.size, row.model], [call.call_id, 'queued', 4, '720x1280', 'film']);
  assert.ok(jobs.has(row.upstream_id));
  assert.equal((await retrieve(two, nameOf(row))).status, 200);
  inTheBudget();
  sameBooks(cluster);
  return row;
}

// What was charged, less what came back, is in the key's budget; what is held is the open session's slack.
function inTheBudget() {
  const [{ used }] = cluster.sql(`SELECT used FROM purse WHERE team_id = ${team} AND kind = 'budget' AND scope = 'key'`);
  const charged = calls().reduce((sum, call) => sum + call.charge_nano, 0);
  assert.equal(used, charged - rows().reduce((sum, row) => sum + (row.returned_nano ?? 0), 0));
}

// Brings the dead node back; nothing of what its session held is left.
async function back(session) {
  await one.ended;
  one.arm('');
  await one.revive();
  await eventually(() => cluster.sql(`SELECT 1 FROM node_session WHERE id = ${session} AND state <> 'live'`).length, 'its session to be closed');
  assert.equal(cluster.sql(`SELECT 1 FROM lease WHERE session_id = ${session} AND remaining > 0`).length, 0);
  await cluster.everywhere(key, 'film');
}

// --- kills ---

test('kill -9 before END: the call is cut, there is no job, and nothing is charged', async () => {
  const known = calls().length, session = one.session, made = jobs.size;
  one.arm('call.settle=kill');
  await assert.rejects(create(one));
  await back(session);
  await eventually(() => calls().length > known, 'the call to be booked');
  assert.equal(jobs.size, made + 1);
  assert.deepEqual([calls().at(-1).charge_nano, calls().at(-1).outcome, rows().length], [0, 'cut', 0]);
  inTheBudget();
  sameBooks(cluster);
});

for (const [place, kept] of [['journal.ended', false], ['video.keep', false], ['video.kept', true]])
  test(`kill -9 at ${place}: the job is ${kept ? 'there' : 'made by the replay'}, and charged by it`, async () => {
    const known = calls().length, session = one.session, before = rows().length;
    one.arm(`settle.send=pause,${place}=kill`);
    await assert.rejects(create(one));
    await one.ended;
    assert.deepEqual([rows().length, calls().length], [before + (kept ? 1 : 0), known]);
    await back(session);
    await paidOnce(known);
  });

for (const place of ['settle.send', 'settle.sent', 'settle.committed'])
  test(`kill -9 at ${place}, once the client has its job: charged once`, async () => {
    const known = calls().length, session = one.session;
    one.arm(`${place}=pause`);
    const { id, status } = await (await create(one)).json();
    assert.equal(status, 'queued');
    await eventually(() => one.log.split('-- again').at(-1).includes(`failpoint name=${place}`), 'the batch to be under way');
    await one.stop('SIGKILL');
    await back(session);
    assert.equal(nameOf(await paidOnce(known)), id);
  });

for (const place of ['replay.read', 'replay.pushed', 'settle.sent', 'settle.committed', 'replay.settled'])
  test(`kill -9 at journal.ended, and again at ${place} of the replay: charged once`, async () => {
    const known = calls().length, session = one.session;
    one.arm('journal.ended=kill');
    await assert.rejects(create(one));
    await one.ended;
    one.arm(`${place}=kill`);
    await one.revive().catch(() => {}); // it may die before it is ready
    await back(session);
    await paidOnce(known);
  });

test('a journal that is replayed a second time, from a copy, by a node of another name: nothing more is charged', async () => {
  const known = calls().length, session = one.session;
  one.arm('journal.ended=kill');
  await assert.rejects(create(one));
  await one.ended;
  const journal = join(one.dataDir, 'journal'), copy = join(one.dataDir, 'copy');
  execFileSync('cp', ['-a', journal, copy]);
  await back(session);
  const { call_id } = await paidOnce(known);
  await one.stop();
  execFileSync('rm', ['-r', journal]);
  execFileSync('mv', [copy, journal]);
  await one.revive({ NODE_NAME: 'another' });
  await eventually(() => /journal_replayed calls=[1-9]/.test(one.log.split('-- again').at(-1)), 'the copy to be read');
  await cluster.everywhere(key, 'film');
  assert.equal((await paidOnce(known)).call_id, call_id);
  await one.stop();
  await one.revive({ NODE_NAME: 'one' });
});

// --- the database away ---

for (const [place, what] of [['video.keep', 'the worker cannot reach it'], ['video.kept', 'the answer of its COMMIT is lost'], ['settle.sent', 'the settlement is cut'], ['settle.committed', 'the answer of the settlement is lost']])
  test(`${place}, ${what}: the client has its job, which is charged once`, async () => {
    const known = calls().length;
    one.arm(`${place}=error:ECONNRESET*1`);
    const made = await create(one);
    assert.equal(made.status, 200);
    const { id } = await made.json();
    assert.equal(made.headers.get('x-tollgate-cost'), '0.4');
    assert.equal(nameOf(await paidOnce(known)), id);
    one.arm('');
  });

for (const dies of [false, true])
  test(`PostgreSQL stops before the job is kept${dies ? ', and the node dies then' : ''}: the client has its job, which is there and charged when it is back`, async () => {
    const known = calls().length, session = one.session;
    one.arm('video.keep=pause');
    const made = create(one);
    await eventually(() => one.log.split('-- again').at(-1).includes('failpoint name=video.keep'), 'the job to be taken');
    await cluster.postgres.stop('immediate');
    one.arm('');
    assert.equal((await made).status, 200);
    const { id } = await (await made).json();
    await eventually(async () => (await retrieve(one, id)).status === 503, 'the node to miss the database');
    if (dies) await one.stop('SIGKILL');
    await cluster.postgres.start();
    if (dies) await back(session);
    await eventually(async () => {
      const { status } = await retrieve(one, id);
      assert.notEqual(status, 404, 'it is not known yet, rather than unknown');
      return status === 200;
    }, 'the job to be told of');
    await cluster.everywhere(key, 'film');
    assert.equal(nameOf(await paidOnce(known)), id);
  });

// --- giving back ---

test('all of them fail, while both nodes look and clients ask: each gives its charge back once', async () => {
  const all = rows();
  for (const row of all) jobs.set(row.upstream_id, 'failed');
  cluster.postgres.psql("UPDATE video_job SET look_at = '-infinity', asked_at = '-infinity'");
  await Promise.all(all.flatMap((row) => [retrieve(one, nameOf(row)), retrieve(two, nameOf(row))]));
  await eventually(() => {
    cluster.postgres.psql("UPDATE video_job SET look_at = '-infinity' WHERE returned_nano IS NULL");
    return rows().every((row) => row.returned_nano === CHARGE);
  }, 'all to be given back');
  assert.equal(returned(), CHARGE * all.length);
  assert.equal(calls().reduce((sum, call) => sum + call.charge_nano, 0), CHARGE * all.length, 'each was charged');
  inTheBudget();
  sameBooks(cluster);
});

for (const place of ['video.noted', 'video.returned'])
  test(`kill -9 at ${place} of giving back: it is given back once, by whoever looks next`, async () => {
    const { id } = await (await create(two)).json();
    const uuid = id.slice(6);
    const job = () => cluster.sql(`SELECT * FROM video_job WHERE call_id = '${uuid}'`)[0];
    await cluster.recorded([`call_${uuid}`]);
    jobs.set(job().upstream_id, 'failed');
    one.arm(`${place}=kill`);
    cluster.postgres.psql(`UPDATE video_job SET asked_at = '-infinity', look_at = NULL WHERE call_id = '${uuid}'`);
    await retrieve(one, id).catch(() => {});
    await one.ended;
    one.arm('');
    cluster.postgres.psql(`UPDATE video_job SET look_at = '-infinity', asked_at = '-infinity' WHERE call_id = '${uuid}' AND returned_nano IS NULL`);
    await eventually(() => job().returned_nano === CHARGE, 'the other node to give it back');
    assert.equal(returned(id), CHARGE);
    await one.revive();
    await cluster.everywhere(key, 'film');
    sameBooks(cluster);
  });
