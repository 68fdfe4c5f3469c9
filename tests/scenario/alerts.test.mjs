// Alerts of balances and budgets: once for each window and threshold, whichever of two nodes judges.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { Cluster } from '../lib/cluster.mjs';
import { call, hello, manage, mintKey, mintManagementKey, served, topUp, signUp } from '../lib/installation.mjs';
import { MailServer } from '../lib/mailserver.mjs';
import { psqlMeanwhile } from '../lib/psql.mjs';
import { stopAtEnd } from '../lib/server.mjs';
import { eventually, setup, test } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';

const CHARGE = 15000; // nano-dollars of a call: 9 x $1 + 3 x $2 per million

let mail, cluster, one, two, owner, team, ask, key, name, project, user, up;
setup('a team with a balance, two nodes and a mail server', async () => {
  up = await startUpstream((req, res) => send(res, 200, chat()));
  mail = await new MailServer().start();
  cluster = await new Cluster().start();
  const env = mail.env({ PRIVATE_WEBHOOKS: 'on', POLL_INTERVAL_MS: '200' });
  one = await cluster.add('one', env);
  two = await cluster.add('two', env);
  await cluster.install([up]);
  await cluster.model({ name: 'scripted' });
  owner = cluster.owner;
  name = owner.team;
  await topUp(owner, 20);
  ask = manage(one, await mintManagementKey(owner));
  key = await mintKey(owner);
  await served(one, key, 'scripted');
  await served(two, key, 'scripted');
  [{ id: team }] = cluster.sql(`SELECT id FROM team WHERE name = '${name}'`);
  [{ id: user }] = cluster.sql(`SELECT id FROM person WHERE email = '${owner.email}'`);
});

const psql = (text) => cluster.postgres.psql(text);
const dollars = (calls) => (calls * CHARGE / 1e9).toFixed(9);
const charged = () => Number(cluster.sql(`SELECT coalesce(sum(charge_nano), 0)::text AS n FROM call WHERE team_id = ${team}`)[0].n);
const raised = (more = 'true') => cluster.sql(`SELECT * FROM alert WHERE team_id = ${team} AND ${more} ORDER BY id`);
const mails = () => mail.to(owner.email).filter((m) => m.subject.startsWith(`${name}: `));

async function spend(calls, secret = key, node = one) {
  const before = charged();
  for (let i = 0; i < calls; i++) assert.equal((await call(node, secret, hello('scripted'))).status, 200);
  await eventually(() => charged() === before + calls * CHARGE, 'the calls to be booked');
}

async function judgedAnew() {
  psql(`UPDATE alert_clock SET judged_at = '-infinity'`);
  await eventually(() => cluster.sql(`SELECT FROM alert_clock WHERE judged_at > '-infinity'`).length, 'a node to judge');
}
// A node judges anew, and what it raised is mailed.
async function judged() {
  await judgedAnew();
  await eventually(() => Number(cluster.sql(`SELECT count(*) AS n FROM outbox WHERE sealed IS NOT NULL`)[0].n) === 0, 'the mails to be sent');
}

const budget = async (fields) => {
  const made = await ask('POST', '/budgets', { scope: 'team', window: 'month', ...fields });
  assert.equal(made.status, 201, made.text);
  return made.json;
};
async function anew() {
  for (const b of (await ask('GET', '/budgets')).json.data) await ask('DELETE', `/budgets/${b.id}`);
  await judged();
  mail.mails.length = 0;
}
const spentCalls = () => charged() / CHARGE;

test('a budget at 80 and at 100 percent: the owner is mailed once each', async () => {
  await budget({ amount: dollars(100) });
  await spend(79);
  await judged();
  assert.deepEqual([raised().length, mails().length], [0, 0]);
  await spend(1);
  await judged();
  await judged();
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Budget of the team: 80 % spent`]);
  assert.match(mails()[0].text, /\$0\.0012 of \$0\.0015 a month are spent/);
  assert.ok([one, two].some((node) => mails()[0].link === `${node.url}/alerts`), mails()[0].link);
  // What the other node has leased and does not use comes back first.
  await eventually(async () => (await call(one, key, hello('scripted'))).status === 402 && spentCalls() >= 90, 'a call that it does not cover');
  await judged();
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Budget of the team: 80 % spent`, `${name}: Budget of the team: used up`]);
  assert.ok(spentCalls() < 100);
  const page = await owner.get('/alerts');
  assert.match(page.text, /Budget of the team: used up .*Stands/);
  assert.equal(page.form(/\/alerts$/).fields.balance_below, '', 'no amount was chosen');
  assert.match(page.text, new RegExp(`${owner.email} .*Sent`));
});

test('a restart of all nodes raises nothing again', async () => {
  const before = raised().length;
  await Promise.all([one, two].map((node) => node.stop('SIGKILL')));
  await Promise.all([one.revive(), two.revive()]);
  psql('UPDATE alert_watch SET seen_nano = -1'); // and is judged
  await judged();
  assert.deepEqual([raised().length, mails().length], [before, 2]);
});

test('many who judge at once raise it once', async () => {
  await anew();
  await spend(1, key, two);
  const before = raised().length;
  await budget({ amount: dollars(spentCalls() * 1.1) });
  for (let round = 0; round < 10; round++) {
    psql('UPDATE alert_watch SET seen_nano = -1');
    await judgedAnew();
  }
  await judged();
  assert.equal(raised().length, before + 1);
  assert.equal(mails().length, 1);
});

test('a budget that passes several thresholds at once is told of once, at the highest', async () => {
  await anew();
  await ask('PATCH', '/alerts/settings', { budget_percents: [50, 80, 100], recipients: [user] });
  await budget({ amount: dollars(spentCalls()) });
  await judged();
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Budget of the team: used up`]);
  assert.deepEqual(raised('ended_at IS NULL').map((a) => a.mark), [50, 80, 100]);
});

test('a budget that is raised ends what stood, and has thresholds of its own', async () => {
  mail.mails.length = 0;
  await budget({ amount: dollars(spentCalls() * 2) });
  await judged();
  assert.deepEqual(raised('ended_at IS NULL').map((a) => a.mark), [50]);
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Budget of the team: 50 % spent`]);
  await anew();
  assert.equal(raised('ended_at IS NULL').length, 0);
});

test('budgets of a project, of a member and of a key say whose they are; one letter tells of all', async () => {
  await anew();
  await owner.submit('/settings', /\/settings\/projects$/, { name: 'web <b>' });
  [{ id: project }] = cluster.sql(`SELECT id FROM project WHERE name = 'web <b>'`);
  const made = await ask('POST', '/keys', { name: 'batch', project_id: project });
  assert.equal(made.status, 201, made.text);
  const [{ id }] = cluster.sql(`SELECT id FROM api_key WHERE name = 'batch'`);
  psql(`UPDATE api_key SET owner_user_id = ${user} WHERE id = ${id}`);
  await served(one, made.json.key, 'scripted');
  await spend(4, made.json.key);
  await budget({ scope: 'project', scope_id: project, amount: dollars(5) });
  await budget({ scope: 'user', scope_id: user, amount: dollars(spentCalls() * 1.1) });
  const changed = await ask('PATCH', `/keys/${id}`, { budget: dollars(5), budget_window: 'day' });
  assert.equal(changed.status, 200, changed.text);
  await judged();
  const [letter, ...others] = mails();
  assert.deepEqual([letter.subject, others.length], [`${name}: 3 alerts`, 0]);
  for (const line of ['Budget of project web <b>: 80 % spent', 'Budget of the keys of Ada Owner: 80 % spent', 'Budget of key batch: 80 % spent'])
    assert.ok(letter.text.includes(line), letter.text);
  assert.match(letter.text, /\$0\.00006 of \$0\.000075 a day/);
  assert.ok(!letter.html.includes('<b>'));
  assert.match((await owner.get('/overview')).text, /Budget of key batch: 80 % spent/);
  await ask('DELETE', `/keys/${id}`);
  await anew();
  assert.equal(raised('ended_at IS NULL').length, 0);
});

test('a window that is over ends its alerts; the next one has its own', async () => {
  await anew();
  await budget({ amount: dollars(1), window: 'day' });
  await judged();
  const [standing] = raised(`ended_at IS NULL AND mark = 100`);
  assert.ok(standing, 'what was spent today is beyond it');
  mail.mails.length = 0;
  // As if all that had been yesterday.
  psql(`UPDATE alert SET window_start = window_start - interval '1 day', window_end = now() WHERE budget_window = 'day' AND ended_at IS NULL`);
  await judged();
  assert.equal(raised('ended_at IS NULL').length, 0);
  assert.equal(mails().length, 0);
  psql('UPDATE alert_watch SET seen_nano = -1');
  await judged();
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Budget of the team: used up`]);
});

test('a balance below the amount is told of once, and again after it was filled', async () => {
  await anew();
  const page = await owner.submit('/alerts', /\/alerts$/, { balance_below: '25' });
  assert.equal(page.status, 200);
  assert.match(page.text, /The alerts are as you wish/);
  await judged();
  await spend(1);
  await judged();
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Balance below $25.00`]);
  assert.match(mails()[0].text, /The balance is \$19\.99/);
  assert.match((await owner.get('/overview')).text, /Balance below \$25\.00/);
  await topUp(owner, 20);
  await judged();
  assert.equal(raised(`kind = 'balance' AND ended_at IS NULL`).length, 0);
  assert.doesNotMatch((await owner.get('/overview')).text, /Balance below/);
  await ask('PATCH', '/alerts/settings', { balance_below: '39.99' });
  await spend(5);
  await judged();
  assert.equal(mails().length, 1);
  await ask('PATCH', '/alerts/settings', { balance_below: '50' });
  await judged();
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Balance below $25.00`, `${name}: Balance below $50.00`]);
  const { json } = await ask('GET', '/alerts');
  assert.deepEqual([json.data[0].kind, json.data[0].amount, json.data[0].percent, json.data[0].ended_at], ['balance', '50', null, null]);
  await ask('PATCH', '/alerts/settings', { balance_below: null });
  await judged();
  assert.equal(raised(`kind = 'balance' AND ended_at IS NULL`).length, 0);
});

test('those who are named are mailed, and nobody who has left', async () => {
  await anew();
  const link = (await owner.submit('/members', /invites$/, { role: 'viewer' })).body.match(/\/invite\/([\w-]{20,})/)[1];
  const guest = await signUp(one);
  await guest.submit(`/invite/${link}`, /\/invite\//);
  const [{ id }] = cluster.sql(`SELECT id FROM person WHERE email = '${guest.email}'`);
  assert.equal((await ask('PATCH', '/alerts/settings', { recipients: [id] })).status, 200);
  await budget({ amount: dollars(1) });
  await judged();
  assert.deepEqual([mail.to(owner.email).length, mail.to(guest.email).length], [0, 1]);
  await owner.submit('/members', new RegExp(`/members/${id}/remove`));
  assert.deepEqual((await ask('GET', '/alerts/settings')).json.recipients, []);
  await budget({ amount: dollars(2) });
  await judged();
  assert.equal(mail.to(guest.email).length, 1);
  assert.ok(raised('ended_at IS NULL').length > 0);
  await ask('PATCH', '/alerts/settings', { recipients: [user] });
});

test('what cannot be written to be sent is not raised, and is once it can', async () => {
  await anew();
  psql(`CREATE FUNCTION refuse_alerts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'for the test'; END $$;
    CREATE TRIGGER refuse_alerts BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.kind = 'alert') EXECUTE FUNCTION refuse_alerts()`);
  await budget({ amount: dollars(3) });
  const before = raised().length;
  psql(`UPDATE alert_clock SET judged_at = '-infinity'`);
  await eventually(() => [one, two].some((node) => /chore_failed chore=alerts/.test(node.log)), 'a node to fail');
  assert.equal(raised().length, before);
  psql('DROP TRIGGER refuse_alerts ON outbox');
  await judged();
  assert.ok(raised().length > before);
  assert.deepEqual(mails().map((m) => m.subject), [`${name}: Budget of the team: used up`]);
});

test('the calls are looked at for budgets that are nearly spent only', async () => {
  await anew();
  const looks = () => Number(psql(`BEGIN; DO $$ BEGIN PERFORM FROM budget_states(ARRAY[${team}], clock_timestamp()); END $$;
    SELECT sum(pg_stat_get_xact_numscans(x.oid)) FROM pg_inherits h LEFT JOIN pg_index i ON i.indrelid = h.inhrelid
     CROSS JOIN LATERAL (VALUES (h.inhrelid), (i.indexrelid)) AS x(oid) WHERE h.inhparent = 'call'::regclass`));
  const made = await ask('POST', '/keys', { name: 'unused', budget: '1000' });
  assert.equal(made.status, 201, made.text);
  await budget({ amount: dollars(spentCalls() * 3) });
  assert.equal(looks(), 0);
  await anew();
  await budget({ amount: dollars(spentCalls() * 1.05) });
  assert.ok(looks() > 0);
});

// Judging reads each budget of each team that has spent, and may take long: here as long as the table is locked.
test('a key is given a budget while budgets are judged, and that is judged next', async () => {
  await anew();
  const minted = async (fields) => {
    const made = await ask('POST', '/keys', fields);
    assert.equal(made.status, 201, made.text);
    return made.json;
  };
  const { id, key: spending } = await minted({ name: 'spending', budget: '1000' });
  await spend(2, spending);
  const holding = psqlMeanwhile(cluster.postgres.psqlArguments, 'BEGIN; LOCK TABLE budget; SELECT pg_sleep(600)').catch(() => {});
  try {
    await eventually(() => cluster.sql(`SELECT FROM pg_locks WHERE relation = 'budget'::regclass AND mode = 'AccessExclusiveLock' AND granted`).length, 'the lock');
    psql(`UPDATE alert_clock SET judged_at = '-infinity'`);
    await eventually(() => cluster.sql(`SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%alerts_judge%' AND wait_event_type = 'Lock'`).length, 'a node to judge');
    psql('SELECT FROM alert_watch FOR UPDATE NOWAIT'); // whoever judges does not hold what they want
    await minted({ name: 'another', budget: '1000' });
    const set = await ask('PATCH', `/keys/${id}`, { budget: dollars(1) });
    assert.equal(set.status, 200, set.text);
  } finally {
    psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE budget; SELECT pg_sleep%' AND pid <> pg_backend_pid()`);
    await holding;
  }
  await judged();
  await judged();
  assert.equal(raised(`scope = 'key' AND scope_id = ${id} AND mark = 100`).length, 1);
  assert.equal(cluster.sql('SELECT FROM alert_watch WHERE seen_wishes <> wishes').length, 0);
});

test('what has been over for 90 days is forgotten', async () => {
  await anew();
  const [recent, old] = raised('ended_at IS NOT NULL');
  psql(`UPDATE alert SET ended_at = now() - interval '89 days' WHERE id = ${recent.id};
    UPDATE alert SET ended_at = now() - interval '91 days' WHERE id = ${old.id}`);
  await judged();
  assert.deepEqual(raised(`id IN (${recent.id}, ${old.id})`).map((a) => a.id), [recent.id]);
});

// A program that takes webhooks, and answers each as it is told.
const posts = [];
let hook, answers = () => ({ status: 204 }), secret;
async function startHook() {
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c)).on('end', () => {
      const body = Buffer.concat(chunks).toString();
      posts.push({ path: req.url, headers: req.headers, body, json: JSON.parse(body) });
      const { status, headers = {} } = answers(posts.at(-1)) ?? {};
      if (status) res.writeHead(status, headers).end('so be it');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  stopAtEnd({ stop: () => { server.closeAllConnections(); server.close(); } });
  return `http://127.0.0.1:${server.address().port}`;
}
const signed = ({ headers, body }) => {
  const [, t, v1] = headers['x-tollgate-signature'].match(/^t=(\d+),v1=([0-9a-f]{64})$/);
  assert.ok(Math.abs(Date.now() / 1000 - t) < 300, t);
  return v1 === createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
};
const delivery = () => cluster.sql(`SELECT * FROM outbox WHERE channel = 'webhook' ORDER BY id DESC LIMIT 1`)[0];
const tried = (n = 1) => eventually(() => { const d = delivery(); return (d.tries >= n && d.outcome) || d.sent_at || d.given_up_at; }, 'a try');
// Now, on the page; or the way that alerts go, by setting the URL, which leaves a test in the outbox.
const test1 = () => owner.submit('/alerts', /\/alerts\/webhook\/test$/);
async function sendTest(url = `${hook}/events`) {
  const set = await ask('POST', '/alerts/webhook', { url });
  assert.equal(set.status, 201, set.text);
  ({ secret } = set.json);
}

test('a webhook is set on the page, its secret shown once, and a test arrives with its signature', async () => {
  await anew();
  hook = await startHook();
  const page = await owner.submit('/alerts', /\/alerts\/webhook$/, { url: `${hook}/events` });
  secret = page.body.match(/\btgwh-[A-Za-z0-9]{49}\b/)?.[0];
  assert.ok(secret, page.text);
  assert.ok(!(await owner.get('/alerts')).body.includes(secret));
  const tested = await test1();
  assert.match(tested.text, /\/events has arrived\. The answer: HTTP 204/);
  assert.equal(posts.length, 1);
  assert.deepEqual([posts[0].path, posts[0].json.type, posts[0].json.team_id, posts[0].headers['content-type']], ['/events', 'test', team, 'application/json']);
  assert.ok(signed(posts[0]));
  await eventually(() => delivery().sent_at, 'what came of it');
  assert.match((await owner.get('/alerts')).text, /Test of the webhook Sent \S+\/events .* HTTP 204/);
  assert.ok(!cluster.sql('SELECT * FROM alert_webhook').some((row) => JSON.stringify(row).includes(secret)));
});

test('an alert is posted, again after a refusal, under the same id', async () => {
  posts.length = 0;
  answers = () => ({ status: posts.length === 1 ? 500 : 200 });
  await budget({ amount: dollars(spentCalls()) });
  psql(`UPDATE alert_clock SET judged_at = '-infinity'`);
  await eventually(() => posts.length === 1, 'the alert');
  await tried();
  assert.equal(delivery().outcome, 'HTTP 500');
  psql(`UPDATE outbox SET next_at = now() WHERE channel = 'webhook' AND sealed IS NOT NULL`);
  await eventually(() => delivery().sent_at, 'it to be taken');
  assert.equal(posts.length, 2);
  assert.deepEqual(posts[0].json, posts[1].json);
  assert.ok(posts.every(signed));
  const { type, data } = posts[0].json;
  assert.deepEqual([type, data.kind, data.scope, data.percent, data.amount, data.window], ['alert.raised', 'budget', 'team', 100, String(spentCalls() * CHARGE / 1e9), 'month']);
});

test('a redirection is not followed', async () => {
  posts.length = 0;
  answers = () => ({ status: 302, headers: { location: `${hook}/elsewhere` } });
  await sendTest();
  await tried();
  assert.deepEqual([delivery().outcome, delivery().sent_at, posts.map((p) => p.path).join()], ['HTTP 302', null, '/events']);
});

test('one that says nothing is left after a while, and mail goes out meanwhile', async () => {
  answers = () => undefined;
  posts.length = 0;
  await sendTest();
  await eventually(() => posts.length === 1, 'the post');
  await owner.submit('/members', /\/members\/invites$/, { email: 'meanwhile@example.org', role: 'viewer' });
  await mail.got('meanwhile@example.org');
  assert.equal(delivery().outcome, '');
  await tried();
  assert.match(delivery().outcome, /^timeout_/);
  answers = () => ({ status: 200 });
});

test('receivers that hang hold up nobody else\'s', async () => {
  // More teams than a node has workers for anything, each with an address that takes the post and says nothing.
  const quick = await signUp(one), slow = [];
  answers = ({ path }) => (path.startsWith('/hangs') ? undefined : { status: 204 });
  posts.length = 0;
  const set = async (who, path) => assert.equal((await who.submit('/alerts', /\/alerts\/webhook$/, { url: `${hook}${path}` })).status, 200);
  for (let i = 0; i < 6; i++) {
    slow.push(await signUp(one));
    await set(slow[i], `/hangs/${i}`);
  }
  await set(quick, '/quick');
  const of = (path) => cluster.sql(`SELECT id, team_id, outcome, sent_at, tries FROM outbox WHERE channel = 'webhook' AND recipient = '${hook}${path}'`);
  const keys = [];
  for (const who of slow) keys.push(manage(one, await mintManagementKey(who)));
  const quickly = manage(one, await mintManagementKey(quick));
  // Setting it by the API posts a test, by the way that alerts go.
  for (const [i, ask1] of keys.entries()) assert.equal((await ask1('POST', '/alerts/webhook', { url: `${hook}/hangs/${i}` })).status, 201);
  await eventually(() => posts.filter((p) => p.path.startsWith('/hangs')).length === 6, 'all six to be asked at once');
  assert.ok(slow.every((_, i) => of(`/hangs/${i}`)[0].outcome === ''), 'and all to hang');
  assert.equal((await quickly('POST', '/alerts/webhook', { url: `${hook}/quick` })).status, 201);
  await eventually(() => of('/quick')[0]?.sent_at, 'the seventh to be served');
  assert.ok(slow.some((_, i) => of(`/hangs/${i}`)[0].outcome === ''), 'while others still hang');
  await eventually(() => slow.every((_, i) => /^timeout_/.test(of(`/hangs/${i}`)[0].outcome)), 'each to be left');
  // They are not tried again by the tests below.
  psql(`UPDATE outbox SET given_up_at = now(), sealed = NULL WHERE recipient LIKE '${hook}/hangs%'`);
  answers = () => ({ status: 200 });
});

test('one that is down is tried again; one that was taken away is not', async () => {
  await sendTest('http://127.0.0.1:9/');
  await tried();
  assert.deepEqual([delivery().outcome, delivery().given_up_at], ['connect', null]);
  await owner.submit('/alerts', /\/alerts\/webhook\/drop$/);
  psql(`UPDATE outbox SET next_at = now() WHERE channel = 'webhook' AND sealed IS NOT NULL`);
  await eventually(() => delivery().given_up_at, 'it to be given up');
  assert.match(delivery().outcome, /changed meanwhile/);
});

test('a test by the API says what was answered, and is not tried again', async () => {
  assert.equal((await ask('POST', '/alerts/webhook/test')).status, 404, 'there is no webhook');
  await owner.submit('/alerts', /\/alerts\/webhook$/, { url: `${hook}/events` });
  answers = () => ({ status: 503 });
  const said = await ask('POST', '/alerts/webhook/test');
  assert.deepEqual([said.status, said.json], [200, { object: 'alert_test', channel: 'webhook', to: `${hook}/events`, delivered: false, answer: 'HTTP 503' }]);
  assert.ok(delivery().given_up_at);
  answers = () => ({ status: 200 });
  assert.equal((await ask('POST', '/alerts/webhook/test')).json.delivered, true);
  assert.equal((await manage(one, await mintManagementKey(owner, 'viewer'))('POST', '/alerts/webhook/test')).status, 403);
});

test('an address that is forbidden to everybody is not asked; no log repeats what may be a secret of the URL', async () => {
  await owner.submit('/alerts', /\/alerts\/webhook$/, { url: 'http://169.254.169.254/hooks/T0P-S3CRET?key=S3CRET' });
  assert.match((await test1()).text, /has not arrived\. The answer: blocked/);
  await sendTest('http://169.254.169.254/hooks/T0P-S3CRET?key=S3CRET');
  await eventually(() => delivery().given_up_at, 'it to be given up');
  assert.equal(delivery().outcome, 'blocked');
  await eventually(() => [one, two].some((node) => /notice_given_up .*to="?http:\/\/169\.254\.169\.254"? /.test(node.log)), 'a line in the log');
  assert.ok([one, two].every((node) => !node.log.includes('S3CRET')));
  assert.match((await cluster.operator.get('/operator')).text, /Mail and webhooks: \d+ messages? waits?, \d+ were given up within a day/);
});

for (const url of ['ftp://example.org/', 'https://user:word@example.org/', 'nonsense', 'https://example.org/../x'])
  test(`${url} is no URL for a webhook`, async () => {
    const refused = await ask('POST', '/alerts/webhook', { url });
    assert.deepEqual([refused.status, refused.json.error.param], [400, 'url']);
  });

for (const [what, body, param] of [
  ['a percentage that there is not', { budget_percents: [70] }, 'budget_percents'],
  ['percentages that are no list', { budget_percents: 80 }, 'budget_percents'],
  ['somebody who is no member', { recipients: [999999] }, 'recipients'],
  ['a recipient that is no id', { recipients: ['ada@example.org'] }, 'recipients'],
  ['an amount below 0', { balance_below: '-1' }, 'balance_below'],
  ['an unknown field', { colour: 'red' }, 'colour'],
]) {
  test(`${what} is refused, and nothing is changed`, async () => {
    const before = (await ask('GET', '/alerts/settings')).json;
    const refused = await ask('PATCH', '/alerts/settings', body);
    assert.equal(refused.status, 400, refused.text);
    assert.match(JSON.stringify(refused.json.error.param), new RegExp(param));
    assert.deepEqual((await ask('GET', '/alerts/settings')).json, before);
  });
}

test('a viewer sees the alerts and changes nothing; each change is in the audit log', async () => {
  const viewer = manage(one, await mintManagementKey(owner, 'viewer'));
  assert.equal((await viewer('GET', '/alerts')).status, 200);
  assert.equal((await viewer('PATCH', '/alerts/settings', { recipients: [] })).status, 403);
  const rows = cluster.sql(`SELECT before, after FROM audit WHERE action = 'alerts.change' AND team_id = ${team} ORDER BY id`);
  assert.ok(rows.length > 3);
  assert.deepEqual(rows.at(-1).after.recipients, [user]);
});

test('another team hears nothing of it', async () => {
  const stranger = await signUp(two);
  const page = await stranger.get('/alerts');
  assert.match(page.text, /None was raised so far/);
  assert.ok(!page.text.includes(owner.email));
});

test('without the operator\'s leave webhooks go to public addresses by https only', async () => {
  await Promise.all([one, two].map((node) => node.stop()));
  await one.revive({ PRIVATE_WEBHOOKS: '' });
  owner.base = one.url;
  posts.length = 0;
  const refused = await ask('POST', '/alerts/webhook', { url: `${hook}/events` });
  assert.deepEqual([refused.status, refused.json.error.param], [400, 'url']);
  assert.equal((await ask('POST', '/alerts/webhook', { url: 'https://127.0.0.1/events' })).status, 201);
  await eventually(() => delivery().given_up_at, 'the test to be given up');
  assert.equal(delivery().outcome, 'blocked');
  assert.equal(posts.length, 0);
});
