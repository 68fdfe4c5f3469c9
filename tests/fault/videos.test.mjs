// A node dies around the keeping of a job that makes a video, and while a failed one's charge is given back: what
// is kept and what is charged. Nothing is charged that no client could ask after, and nothing is given back twice.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
const jobs = new Map();
let one, two, team, key, serial = 0;

function upstream(req, res) {
  const id = req.url.split('/')[3] ?? `vid_${++serial}`;
  if (req.method === 'POST') jobs.set(id, 'queued');
  send(res, 200, { id, object: 'video', status: jobs.get(id), seconds: '4', size: '720x1280' });
}

setup('two nodes, and an account that makes videos', async () => {
  await cluster.start();
  one = await cluster.add('one', { POLL_INTERVAL_MS: '200' });
  two = await cluster.add('two', { POLL_INTERVAL_MS: '200' });
  await cluster.install([await startUpstream(upstream)]);
  await cluster.model({ name: 'film', kind: 'video', prices: { second: '0.1' } });
  team = await cluster.team(50_000_000_000);
  key = (await cluster.key(team)).key;
  await cluster.everywhere(key, 'film');
});

const create = (node) => fetch(`${node.url}/v1/videos`, {
  method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: '{"model":"film","prompt":"A cat"}',
});
const rows = () => cluster.sql('SELECT * FROM video_job ORDER BY call_id');
const calls = () => cluster.sql(`SELECT * FROM call WHERE team_id = ${team} ORDER BY call_id`);

for (const [place, kept] of [['video.keep', false], ['video.kept', true]])
  test(`kill -9 at ${place}: the job is ${kept ? 'kept' : 'not kept'}, and nothing is charged`, async () => {
    const before = { rows: rows().length, calls: calls().length };
    one.arm(`${place}=kill`);
    await assert.rejects(create(one));
    await one.ended;
    one.arm('');
    assert.equal(rows().length, before.rows + (kept ? 1 : 0));
    await one.revive();
    await eventually(() => calls().length > before.calls, 'the call to be booked from the journal');
    const last = calls().at(-1);
    assert.deepEqual([last.charge_nano, last.outcome], [0, 'cut']);
    await cluster.everywhere(key, 'film');
    sameBooks(cluster);
  });

test('one that was kept so fails, and there is nothing to give back', async () => {
  const [job] = rows();
  jobs.set(job.upstream_id, 'failed');
  cluster.postgres.psql("UPDATE video_job SET look_at = '-infinity'");
  await eventually(() => rows()[0].returned_nano === 0, 'a node to look');
  assert.equal(cluster.sql(`SELECT 1 FROM transfer WHERE code = 'ADJUST' AND ref LIKE 'video%'`).length, 0);
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
    await fetch(`${one.url}/v1/videos/${id}`, { headers: { authorization: `Bearer ${key}` } }).catch(() => {});
    await one.ended;
    one.arm('');
    cluster.postgres.psql(`UPDATE video_job SET look_at = '-infinity', asked_at = '-infinity' WHERE call_id = '${uuid}' AND returned_nano IS NULL`);
    await eventually(() => job().returned_nano === 400_000_000, 'the other node to give it back');
    assert.equal(cluster.sql(`SELECT 1 FROM transfer WHERE ref = '${id}'`).length, 1);
    await one.revive();
    await cluster.everywhere(key, 'film');
    sameBooks(cluster);
  });
