// Videos: jobs by the official library on two nodes: made, asked after, listed, downloaded, deleted; charged when
// the provider has taken them, and given back once when they fail, whoever learns of it, and as often.
import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';
import { Cluster } from '../lib/cluster.mjs';
import { addModel, manage, mintKey, mintManagementKey, served, settled, signUp, topUp } from '../lib/installation.mjs';
import { moveHere } from '../lib/own_account.mjs';
import { eventually, setup, sleep, test } from '../lib/story.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';

const USD = 1_000_000_000;
const film = Buffer.alloc(3_000_000, 'moving pictures ');
const jobs = new Map(); // what the upstream has, by its own ids
let up, dead, cluster, one, two, team, stranger, key, serial = 0;

// --- the upstream ---

const object = (job) => ({
  id: job.id, object: 'video', model: 'up-video', status: job.status, progress: job.status === 'completed' ? 100 : 40, created_at: 1700000000,
  completed_at: null, expires_at: job.expires ?? null, size: job.size, seconds: job.seconds, remixed_from_video_id: null, prompt: 'as asked',
  error: job.status === 'failed' ? { code: 'moderation_blocked', message: 'The provider will not make this.' } : null,
});

function make(res, seen) {
  const form = /multipart/.test(seen.headers['content-type']);
  const field = (name) => (form ? seen.raw.match(new RegExp(`name="${name}"\\r\\n\\r\\n([^\\r]*)`))?.[1] : seen.body?.[name]);
  const id = `vid_${++serial}`;
  jobs.set(id, { id, status: 'queued', seconds: field('seconds') ?? '4', size: field('size') ?? '720x1280' });
  send(res, 200, object(jobs.get(id)));
}

// 200 MB, as fast as they are taken.
let poured = 0;
function pour(res) {
  poured = 0;
  res.writeHead(200, { 'content-type': 'video/mp4' });
  const more = () => {
    while (poured < 200_000_000 && !res.destroyed) {
      poured += film.length;
      if (!res.write(film)) return res.once('drain', more);
    }
    return res.end();
  };
  more();
}

function script(req, res, seen) {
  const [, id, rest] = req.url.match(/\/videos(?:\/([^/?]+))?(\/content)?/);
  if (req.method === 'POST') return make(res, seen);
  const job = jobs.get(id);
  if (!job) return send(res, 404, { error: { message: 'no such video', type: 'invalid_request_error' } });
  if (req.method === 'DELETE') {
    jobs.delete(id);
    return send(res, 200, { id, object: 'video.deleted', deleted: true });
  }
  if (!rest) return send(res, 200, object(job));
  if (req.url.includes('spritesheet')) return send(res, 404, { error: { message: 'none' } });
  if (job.long) return pour(res);
  res.writeHead(200, { 'content-type': req.url.includes('thumbnail') ? 'image/webp' : 'video/mp4' });
  return res.end(req.url.includes('thumbnail') ? 'a picture' : film);
}

// --- who asks ---

const client = (node = one, secret = key.key) => new OpenAI({ apiKey: secret, baseURL: `${node.url}/v1`, maxRetries: 0 });
const fails = (promise) => promise.then(() => assert.fail('it did not fail'), (error) => error);
const create = (more = {}, from = client()) => from.videos.create({ model: 'film', prompt: 'A cat', seconds: '8', ...more });
const call = (video) => video.id.replace(/^video_/, '');
const upstreamId = (video) => cluster.sql(`SELECT upstream_id FROM video_job WHERE call_id = '${call(video)}'`)[0].upstream_id;
const become = (video, status, more = {}) => Object.assign(jobs.get(upstreamId(video)), { status, ...more });
const row = (video) => cluster.sql(`SELECT * FROM video_job WHERE call_id = '${call(video)}'`)[0];
// Asked a moment ago, its provider is left alone; a chore looks when it is due.
const forget = (video) => cluster.postgres.psql(`UPDATE video_job SET asked_at = '-infinity' WHERE call_id = '${call(video)}'`);
const due = (video) => cluster.postgres.psql(`UPDATE video_job SET look_at = '-infinity' WHERE call_id = '${call(video)}'`);
const quiet = (video) => cluster.postgres.psql(`UPDATE video_job SET look_at = NULL WHERE call_id = '${call(video)}'`);
const aged = (video, hours) => cluster.postgres.psql(`UPDATE video_job SET created_at = now() - interval '${hours} hours' WHERE call_id = '${call(video)}'`);
const funds = (of = team) => Number(cluster.postgres.psql(`SELECT capacity - used FROM purse WHERE team_id = ${of} AND kind = 'wallet'`));
const returns = (video) => cluster.sql(`SELECT t.*, a.kind AS goes_to FROM transfer t JOIN account a ON a.team_id = t.team_id AND a.id = t.credit_account
  WHERE t.code = 'ADJUST' AND t.ref LIKE '${video.id}%' ORDER BY t.id`);
const findings = () => cluster.sql('SELECT * FROM ledger_findings()');
const booked = (video) => settled(one, `call_${call(video)}`);

setup('two nodes, an account that makes videos, and one before it that does not', async () => {
  up = await startUpstream(script);
  dead = await startUpstream((req, res) => send(res, 500, { error: { message: 'out of order' } }));
  cluster = await new Cluster().start();
  one = await cluster.add('one', { POLL_INTERVAL_MS: '200' });
  two = await cluster.add('two', { POLL_INTERVAL_MS: '200' });
  await cluster.install([up, dead]);
  const [good, bad] = cluster.accounts;
  await addModel(cluster.operator, { name: 'film', kind: 'video', prices: { second: '0.1' }, targets: [{ account: good, upstreamModel: 'up-video' }] });
  await addModel(cluster.operator, {
    name: 'film-fallback', kind: 'video', prices: { second: '0.1' },
    targets: [{ account: bad, upstreamModel: 'x', priority: 1 }, { account: good, upstreamModel: 'up-video', priority: 2 }],
  });
  team = await cluster.team(100 * USD);
  stranger = await cluster.team(USD);
  key = await cluster.key(team);
  await cluster.everywhere(key.key, 'film-fallback');
});

// --- what is made, and what it costs ---

test('a job is made, charged for the seconds that were asked for, and followed from the other node', async () => {
  const { data: video, response } = await create().withResponse();
  assert.match(video.id, /^video_[0-9a-f]{32}$/);
  assert.deepEqual([video.object, video.model, video.status, video.seconds, video.size], ['video', 'film', 'queued', '8', '720x1280']);
  assert.equal(response.headers.get('x-tollgate-cost'), '0.8');
  const sent = up.seen.at(-1);
  assert.match(sent.raw, /up-video/);
  const record = await booked(video);
  assert.deepEqual([record.charge_nano, record.seconds, record.outcome, record.endpoint], [0.8 * USD, 8, 'ok', 'videos']);
  become(video, 'in_progress');
  forget(video);
  const going = await client(two).videos.retrieve(video.id);
  assert.deepEqual([going.id, going.status, going.progress], [video.id, 'in_progress', 40]);
  become(video, 'completed', { expires: 4102444800 });
  forget(video);
  const done = await client(two).videos.retrieve(video.id);
  assert.deepEqual([done.status, done.progress, done.expires_at, done.error], ['completed', 100, 4102444800, null]);
  assert.ok(done.completed_at >= done.created_at - 1);
  const asked = up.seen.length;
  assert.equal((await client().videos.retrieve(video.id)).status, 'completed');
  assert.equal(up.seen.length, asked, 'of what has ended nobody is asked again');
  assert.deepEqual(returns(video), []);
});

test('JSON and a picture to begin with are taken too', async () => {
  const res = await fetch(`${one.url}/v1/videos`, {
    method: 'POST', headers: { authorization: `Bearer ${key.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'film', prompt: 'A dog', seconds: '12', size: '1280x720' }),
  });
  const video = await res.json();
  assert.deepEqual([res.status, video.seconds, video.size], [200, '12', '1280x720']);
  assert.equal((await booked(video)).charge_nano, 1.2 * USD);
  const other = await create({ input_reference: await toFile(Buffer.from('a picture'), 'a.png', { type: 'image/png' }) });
  assert.match(up.seen.at(-1).raw, /name="input_reference"; filename="a\.png"/);
  assert.equal((await booked(other)).charge_nano, 0.8 * USD);
});

test('the provider is asked once a second at most, whoever wants to know', async () => {
  const video = await create();
  quiet(video);
  const before = up.seen.length;
  for (let i = 0; i < 5; i++) await client(i % 2 ? one : two).videos.retrieve(video.id);
  assert.ok(up.seen.length - before <= 5);
  cluster.postgres.psql(`UPDATE video_job SET asked_at = now() + interval '1 hour' WHERE call_id = '${call(video)}'`);
  const then = up.seen.length;
  await client().videos.retrieve(video.id);
  assert.equal(up.seen.length, then);
});

test('an account that fails at making it is followed by the next', async () => {
  const video = await create({ model: 'film-fallback' });
  const record = await booked(video);
  assert.deepEqual([record.attempts, record.fallback, record.charge_nano], [2, true, 0.8 * USD]);
});

test('what is wrong is refused by name, and nothing is charged', async () => {
  const before = await funds();
  const made = jobs.size;
  for (const [more, param] of [[{ seconds: 'long' }, 'seconds'], [{ size: 'wide' }, 'size'], [{ model: 'no-such' }, 'model']]) {
    const error = await fails(create(more));
    assert.ok(error.status >= 400 && error.status < 500, String(error));
    assert.equal(error.param, param);
  }
  for (const path of ['limit=0', 'limit=101', 'order=up', 'after=video_1']) {
    const res = await fetch(`${one.url}/v1/videos?${path}`, { headers: { authorization: `Bearer ${key.key}` } });
    assert.equal(res.status, 400);
    assert.equal((await res.json()).error.param, path.split('=')[0]);
  }
  assert.equal(jobs.size, made);
  assert.equal(await funds(), before);
});

test('a balance or a budget that does not cover it refuses it before anybody is asked', async () => {
  const made = jobs.size;
  const poor = await cluster.key(stranger);
  await cluster.everywhere(poor.key, 'film');
  const broke = await fails(create({ seconds: '12' }, client(one, poor.key)));
  assert.deepEqual([broke.status, broke.code], [402, 'insufficient_balance']);
  const small = await cluster.key(team, { budget: '0.5', budget_window: 'lifetime' });
  await cluster.everywhere(small.key, 'film');
  const over = await fails(create({}, client(one, small.key)));
  assert.equal(over.status, 402);
  assert.equal(jobs.size, made);
});

// --- who may ask ---

test('other teams know nothing of it, nor do keys that may not use its model', async () => {
  const video = await create();
  const foreign = await cluster.key(stranger);
  const narrow = await cluster.key(team, { models: ['film-fallback'] });
  await cluster.everywhere(foreign.key, 'film');
  await cluster.everywhere(narrow.key, 'film-fallback');
  for (const ask of [(c) => c.videos.retrieve(video.id), (c) => c.videos.downloadContent(video.id), (c) => c.videos.delete(video.id)]) {
    const unknown = await fails(ask(client(one, foreign.key)));
    assert.deepEqual([unknown.status, unknown.type], [404, 'invalid_request_error']);
    assert.match(unknown.message, new RegExp(`Video with id '${video.id}' not found`));
    assert.equal((await fails(ask(client(one, narrow.key)))).status, 403);
  }
  assert.deepEqual((await client(one, foreign.key).videos.list()).data, []);
  assert.equal((await fails(client().videos.retrieve('video_nonsense'))).status, 404);
  const colleague = await cluster.key(team);
  await cluster.everywhere(colleague.key, 'film');
  assert.equal((await client(two, colleague.key).videos.retrieve(video.id)).id, video.id);
});

test('the list goes page by page, both ways', async () => {
  const whole = [];
  for await (const video of client(two).videos.list({ limit: 2 })) whole.push(video.id);
  assert.ok(whole.length >= 6);
  assert.deepEqual(whole, [...whole].sort().reverse(), 'newest first');
  const page = await client().videos.list({ limit: 3, order: 'asc' });
  assert.deepEqual(page.data.map((v) => v.id), [...whole].reverse().slice(0, 3));
  assert.deepEqual([page.has_more, page.last_id], [true, whole.at(-3)]);
});

// --- the content ---

test('content passes through whole, and its variants', async () => {
  const video = await create();
  const early = await fails(client().videos.downloadContent(video.id));
  assert.equal(early.status, 400);
  assert.match(early.message, /not ready yet/);
  become(video, 'completed');
  forget(video);
  const res = await client(two).videos.downloadContent(video.id);
  assert.equal(res.headers.get('content-type'), 'video/mp4');
  assert.ok(Buffer.from(await res.arrayBuffer()).equals(film));
  const small = await client().videos.downloadContent(video.id, { variant: 'thumbnail' });
  assert.deepEqual([small.headers.get('content-type'), await small.text()], ['image/webp', 'a picture']);
  assert.equal((await fails(client().videos.downloadContent(video.id, { variant: 'spritesheet' }))).status, 404);
  const wrong = await fails(client().videos.downloadContent(video.id, { variant: 'poster' }));
  assert.deepEqual([wrong.status, wrong.param], [400, 'variant']);
});

test('a client that leaves a download ends it upstream', async () => {
  const video = await create();
  become(video, 'completed');
  forget(video);
  const before = up.aborted;
  const res = await client().videos.downloadContent(video.id);
  await res.body.cancel();
  await eventually(() => up.aborted > before || one.log.includes('never'), 'the provider to be let go', 5000).catch(() => {});
  assert.equal((await client().videos.retrieve(video.id)).status, 'completed');
});

test('deleting waits for its end, and is for good', async () => {
  const video = await create();
  const early = await fails(client().videos.delete(video.id));
  assert.equal(early.status, 400);
  become(video, 'completed');
  forget(video);
  const there = upstreamId(video);
  assert.deepEqual(await client().videos.delete(video.id), { id: video.id, object: 'video.deleted', deleted: true });
  assert.ok(!jobs.has(there));
  assert.equal((await fails(client(two).videos.retrieve(video.id))).status, 404);
  assert.equal((await fails(client(two).videos.delete(video.id))).status, 404);
});

// --- what fails gives its charge back ---

test('a failure gives the charge back once, with both nodes and many clients learning of it', async () => {
  const before = await funds();
  const video = await create();
  await booked(video);
  assert.equal(await funds(), before - 0.8 * USD);
  become(video, 'failed');
  forget(video);
  due(video);
  const seen = await Promise.all(Array.from({ length: 24 }, (_, i) => client(i % 2 ? one : two).videos.retrieve(video.id)));
  assert.ok(seen.some((v) => v.status === 'failed'));
  await eventually(() => row(video).returned_nano === 0.8 * USD, 'the charge to be given back');
  assert.deepEqual((await client().videos.retrieve(video.id)).error, { code: 'moderation_blocked', message: 'The provider will not make this.' });
  const [back, ...more] = returns(video);
  assert.deepEqual([back.ref, back.amount_nano, back.reason, back.goes_to, more.length], [video.id, 0.8 * USD, `Charge of a failed video: ${video.id}`, 'wallet', 0]);
  assert.equal(await funds(), before);
  assert.equal((await fails(client().videos.downloadContent(video.id))).status, 400);
  assert.deepEqual(findings(), []);
});

test('many that fail at once are given back each once', async () => {
  const before = await funds();
  const videos = await Promise.all(Array.from({ length: 12 }, (_, i) => create({}, client(i % 2 ? one : two))));
  await Promise.all(videos.map(booked));
  for (const video of videos) become(video, 'failed');
  cluster.postgres.psql(`UPDATE video_job SET asked_at = '-infinity', look_at = '-infinity' WHERE call_id IN (${videos.map((v) => `'${call(v)}'`)})`);
  await Promise.all([...videos, ...videos].map((v, i) => client(i % 3 ? one : two).videos.retrieve(v.id)));
  await eventually(() => videos.every((v) => row(v).returned_nano === 0.8 * USD), 'all to be given back');
  assert.ok(videos.every((v) => returns(v).length === 1));
  assert.equal(await funds(), before);
  assert.deepEqual(findings(), []);
});

test('a job that nobody asks after is looked at all the same', async () => {
  const video = await create();
  await booked(video);
  become(video, 'failed');
  due(video);
  await eventually(() => row(video).returned_nano === 0.8 * USD, 'a node to look');
  assert.equal(row(video).look_at, null);
});

test('a charge goes back to the grant that had covered it, and to the budgets', async () => {
  const rich = await cluster.team(10 * USD);
  cluster.postgres.psql(`SELECT set_config('app.scope', 'system', false); SELECT post_grant(${rich}, 'g1', ${0.5 * USD}, 'Welcome', 'for the test', 10, NULL, 'system', NULL, 'test')`);
  const limited = await cluster.key(rich, { budget: '1', budget_window: 'month' });
  await cluster.everywhere(limited.key, 'film');
  const mine = client(one, limited.key);
  const video = await create({}, mine);
  await booked(video);
  const over = await fails(create({}, mine));
  assert.equal(over.status, 402);
  become(video, 'failed');
  due(video);
  await eventually(() => row(video).returned_nano === 0.8 * USD, 'the charge to be given back');
  assert.deepEqual(returns(video).map((t) => [t.goes_to, t.amount_nano]).sort(), [['grant', 0.5 * USD], ['wallet', 0.3 * USD]]);
  assert.equal(await funds(rich), 10.5 * USD);
  assert.equal(cluster.sql(`SELECT count(*)::int AS n FROM live_grant WHERE team_id = ${rich}`)[0].n, 1);
  assert.deepEqual(findings(), []);
  const shown = (await cluster.ask('GET', `/keys/${limited.id}?team=${rich}`)).json;
  assert.deepEqual([shown.spent_month, shown.spent_total], ['0', '0'], JSON.stringify(shown));
  const again = await create({}, mine); // the budget has room, and the grant pays first
  await booked(again);
  assert.equal(cluster.sql(`SELECT count(*)::int AS n FROM live_grant WHERE team_id = ${rich}`)[0].n, 0);
});

test('of a grant that has been ended meanwhile the wallet gets it', async () => {
  const rich = await cluster.team(USD);
  cluster.postgres.psql(`SELECT set_config('app.scope', 'system', false); SELECT post_grant(${rich}, 'g1', ${2 * USD}, 'Welcome', 'for the test', 10, NULL, 'system', NULL, 'test')`);
  const limited = await cluster.key(rich);
  await cluster.everywhere(limited.key, 'film');
  const video = await create({}, client(one, limited.key));
  await booked(video);
  cluster.postgres.psql(`SELECT set_config('app.scope', 'system', false); SELECT grant_end(${rich}, account_id) FROM credit_grant WHERE team_id = ${rich}`);
  become(video, 'failed');
  due(video);
  await eventually(() => row(video).returned_nano === 0.8 * USD, 'the charge to be given back');
  assert.deepEqual(returns(video).map((t) => [t.goes_to, t.amount_nano]), [['wallet', 0.8 * USD]]);
  assert.deepEqual(findings(), []);
});

test('a provider that knows it no more has lost it, but not a moment after it was made', async () => {
  const video = await create();
  await booked(video);
  jobs.delete(upstreamId(video));
  forget(video);
  assert.equal((await client().videos.retrieve(video.id)).status, 'queued');
  aged(video, 1);
  forget(video);
  const lost = await client().videos.retrieve(video.id);
  assert.deepEqual([lost.status, lost.error.code], ['failed', 'video_lost']);
  assert.equal(row(video).returned_nano, 0.8 * USD);
});

test('nobody waits longer than two days', async () => {
  const video = await create();
  await booked(video);
  aged(video, 49);
  due(video);
  await eventually(() => row(video).returned_nano === 0.8 * USD, 'it to be given up');
  assert.equal(row(video).error_code, 'video_lost');
});

test('nor for an account that was removed', async () => {
  const made = await cluster.ask('POST', '/accounts', { kind: 'openai-compatible', name: 'short-lived', base_url: up.url, network: 'private', key: 'sk-short' });
  assert.equal(made.status, 201, made.text);
  await addModel(cluster.operator, { name: 'film-short', kind: 'video', prices: { second: '0.1' }, targets: [{ account: made.json, upstreamModel: 'up-video' }] });
  await cluster.everywhere(key.key, 'film-short');
  const video = await create({ model: 'film-short' });
  await booked(video);
  cluster.postgres.psql(`DELETE FROM target WHERE account_id = ${made.json.id}`);
  const gone = await cluster.ask('DELETE', `/accounts/${made.json.id}`);
  assert.ok(gone.status < 300, gone.text);
  due(video);
  assert.equal((await client().videos.retrieve(video.id)).status, 'queued', 'a node may not have heard of a new account');
  aged(video, 1);
  await eventually(() => { due(video); return row(video).returned_nano === 0.8 * USD; }, 'it to be given up');
  assert.equal(row(video).error_code, 'account_removed');
});

test('an account of a kind that only newer nodes know is not one that was removed', async () => {
  const made = await cluster.ask('POST', '/accounts', { kind: 'openai-compatible', name: 'of-tomorrow', base_url: up.url, network: 'private', key: 'sk-tomorrow' });
  assert.equal(made.status, 201, made.text);
  await addModel(cluster.operator, { name: 'film-tomorrow', kind: 'video', prices: { second: '0.1' }, targets: [{ account: made.json, upstreamModel: 'up-video' }] });
  await cluster.everywhere(key.key, 'film-tomorrow');
  const video = await create({ model: 'film-tomorrow' });
  await booked(video);
  const kind = (name) => cluster.postgres.psql(`UPDATE provider_account SET kind = '${name}' WHERE id = ${made.json.id}; SELECT note_change('catalogue')`);
  kind('tomorrow');
  for (const node of [one, two]) await eventually(async () => !(await client(node).models.list()).data.some((m) => m.id === 'film-tomorrow'), 'the nodes to hear of it');
  aged(video, 1);
  become(video, 'completed');
  forget(video);
  assert.equal((await client().videos.retrieve(video.id)).status, 'queued');
  due(video);
  await eventually(() => row(video).look_at !== '-infinity', 'a chore to look');
  await sleep(500);
  assert.deepEqual([row(video).state, row(video).returned_nano], ['queued', null]);
  kind('openai-compatible');
  await eventually(async () => { forget(video); return (await client().videos.retrieve(video.id)).status === 'completed'; }, 'a node to know it again');
  assert.equal(row(video).returned_nano, null);
});

test('the fee for an account of the team is given back likewise', async () => {
  const owner = await signUp(one);
  await topUp(owner, 5);
  const ask = manage(one, await mintManagementKey(owner));
  assert.equal((await cluster.ask('PATCH', '/installation', { own_fee_bp: 500 })).status, 200);
  const account = await ask('POST', '/own_accounts', { kind: 'openai-compatible', name: 'ours', base_url: 'https://llm.example.org/v1', key: 'sk-own-key-of-the-team' });
  assert.equal(account.status, 201, account.text);
  moveHere(cluster.postgres, account.json.id, up.url);
  const mine = await mintKey(owner);
  await cluster.everywhere(mine, 'film');
  const record = await eventually(async () => {
    const video = await create({}, client(one, mine));
    const found = await booked(video);
    return found.own_fee_bp === 500 && { video, found };
  }, 'the fee to be known');
  assert.deepEqual([record.found.own_key, record.found.charge_nano], [true, 0.04 * USD]);
  become(record.video, 'failed');
  due(record.video);
  await eventually(() => row(record.video).returned_nano === 0.04 * USD, 'the fee to be given back');
});

// --- what stands around it ---

test('a guardrail reads the prompt, of JSON and of a form', async () => {
  const owner = await signUp(one);
  await topUp(owner, 5);
  const ask = manage(one, await mintManagementKey(owner));
  assert.equal((await ask('POST', '/guardrails', { name: 'words', action: 'block', where: ['request'], words: ['xyzzy'] })).status, 201);
  const guarded = await mintKey(owner);
  await served(one, guarded, 'film');
  const made = jobs.size;
  const form = await fails(create({ prompt: 'A xyzzy cat' }, client(one, guarded)));
  assert.deepEqual([form.status, form.code], [400, 'guardrail_blocked']);
  const json = await fetch(`${one.url}/v1/videos`, {
    method: 'POST', headers: { authorization: `Bearer ${guarded}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'film', prompt: 'A xyzzy dog' }),
  });
  assert.deepEqual([json.status, (await json.json()).error.code], [400, 'guardrail_blocked']);
  assert.equal(jobs.size, made);
});

test('the management API shows the job with its call, and the ledger what was given back', async () => {
  const owner = await signUp(one);
  await topUp(owner, 5);
  const ask = manage(one, await mintManagementKey(owner));
  const mine = await mintKey(owner);
  await served(one, mine, 'film');
  const video = await create({ size: '1280x720' }, client(one, mine));
  await booked(video);
  const before = (await ask('GET', `/calls/call_${call(video)}`)).json;
  assert.deepEqual([before.video.id, before.video.status, before.video.seconds, before.video.size, before.video.returned], [video.id, 'queued', 8, '1280x720', '0']);
  become(video, 'failed');
  due(video);
  await eventually(() => row(video).returned_nano === 0.8 * USD, 'the charge to be given back');
  const { video: after, charge } = (await ask('GET', `/calls/call_${call(video)}`)).json;
  assert.deepEqual([after.status, after.error_code, after.returned, charge], ['failed', 'moderation_blocked', '0.8', '0.8']);
  assert.equal(after.returned_transfer_id, returns(video)[0].id);
  const ledger = await owner.get('/billing/ledger');
  assert.match(ledger.text, new RegExp(`Charge of a failed video: ${video.id}`));
  assert.match((await owner.get(`/log/call_${call(video)}`)).text, /Given back[\s\S]*an adjustment/);
  assert.ok((await owner.get(`/billing/ledger/${after.returned_transfer_id}`)).body.includes(`href="/log/call_${call(video)}"`));
  const preview = await owner.get('/billing/preview');
  assert.equal(preview.status, 200);
  assert.match(preview.text, /Charge of a failed video/);
  const chat = await fetch(`${one.url}/v1/chat/completions`, {
    method: 'POST', headers: { authorization: `Bearer ${mine}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'film', messages: [{ role: 'user', content: 'Hello' }] }),
  });
  assert.equal(chat.status, 400);
});

test('a client that is slow slows the provider down', async () => {
  const video = await create();
  become(video, 'completed', { long: true });
  forget(video);
  const res = await client().videos.downloadContent(video.id);
  const reader = res.body.getReader();
  await reader.read();
  const stalled = await eventually(async () => {
    const before = poured;
    await new Promise((go) => setTimeout(go, 300));
    return poured === before && poured > 0 && before;
  }, 'the provider to be held up');
  assert.ok(stalled < 60_000_000, `${stalled} bytes wait`);
  await reader.cancel();
});

// --- the database ---

test('a job that cannot be kept at once is made all the same, and kept with its charge', async () => {
  const before = await funds();
  cluster.postgres.psql('REVOKE EXECUTE ON FUNCTION settle_videos(settled_video[]) FROM tollgate_app');
  const video = await create();
  const early = await eventually(() => fails(client().videos.retrieve(video.id)).then((e) => e.status === 503 && e), 'the settlement to be late');
  assert.match(early.message, /cannot be looked up right now/);
  cluster.postgres.psql('GRANT EXECUTE ON FUNCTION settle_videos(settled_video[]) TO tollgate_app');
  const record = await booked(video);
  assert.deepEqual([record.charge_nano, record.outcome], [0.8 * USD, 'ok']);
  assert.equal((await client(two).videos.retrieve(video.id)).status, 'queued');
  assert.equal(await funds(), before - 0.8 * USD);
});

test('without the database a job is made and told of, and is there when it is back; after ten seconds none is made', async () => {
  const before = await funds();
  const kept = await create();
  await booked(kept);
  await cluster.postgres.stop();
  const video = await create();
  assert.equal(video.status, 'queued');
  assert.equal((await fails(client().videos.retrieve(kept.id))).status, 503);
  await sleep(10_500);
  const made = serial, none = await fails(create());
  assert.equal(none.status, 503);
  assert.match(none.message, /so none is made\. Nothing was charged/);
  assert.equal(serial, made);
  await cluster.postgres.start();
  for (const { id } of [kept, video])
    await eventually(async () => (await client().videos.retrieve(id).catch(() => ({}))).status === 'queued', 'the database to be found again');
  assert.equal((await booked(video)).charge_nano, 0.8 * USD);
  assert.equal((await settled(one, none.headers.get('x-tollgate-request-id'))).charge_nano, 0);
  assert.equal(await funds(), before - 1.6 * USD);
  await eventually(() => create().catch(() => false), 'jobs to be taken again');
});

test('a node that ends lets a download finish', async () => {
  const video = await create();
  become(video, 'completed', { long: true });
  forget(video);
  const reader = (await client(two).videos.downloadContent(video.id)).body.getReader();
  let bytes = (await reader.read()).value.length;
  const ended = two.stop();
  await eventually(async () => (await fetch(`${two.url}/readyz`).catch(() => ({}))).status !== 200, 'the node to drain');
  for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.length;
  assert.equal(bytes, poured);
  assert.ok(bytes >= 200_000_000);
  await ended;
});

test('the books hold', async () => {
  assert.deepEqual(findings(), []);
  const metrics = await (await fetch(`${one.url}/metrics`)).text();
  assert.match(metrics, /tollgate_videos\{state="completed"\} \d+/);
});
