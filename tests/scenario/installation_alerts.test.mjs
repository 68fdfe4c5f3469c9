// What operators are told of the installation: each cause once, whichever of two nodes sees it, and that it is over.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { Cluster } from '../lib/cluster.mjs';
import { addModel, call, hello, installationKey, manage, mintKey, mintManagementKey, served, signUp, topUp } from '../lib/installation.mjs';
import { MailServer } from '../lib/mailserver.mjs';
import { stopAtEnd } from '../lib/server.mjs';
import { eventually, setup, test } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';

let mail, cluster, one, two, operator, owner, ask, key, up, answers, email;
const at = '/installation/alerts';

// A program that takes webhooks.
const posts = [];
let hook, hookAnswers = () => 204, secret;
async function startHook() {
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c)).on('end', () => {
      const body = Buffer.concat(chunks).toString();
      posts.push({ headers: req.headers, body, json: JSON.parse(body) });
      res.writeHead(hookAnswers()).end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  stopAtEnd({ stop: () => { server.closeAllConnections(); server.close(); } });
  return `http://127.0.0.1:${server.address().port}/alerts`;
}
const signed = ({ headers, body }) => {
  const [, t, v1] = headers['x-tollgate-signature'].match(/^t=(\d+),v1=([0-9a-f]{64})$/);
  return v1 === createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
};

setup('an installation on two nodes, with a mail server and a program that takes webhooks', async () => {
  answers = (req, res) => send(res, 200, chat());
  up = await startUpstream((req, res, body) => (req.url.endsWith('/models') ? send(res, 200, { object: 'list', data: [] }) : answers(req, res, body)));
  mail = await new MailServer().start();
  hook = await startHook();
  cluster = await new Cluster().start();
  const env = mail.env({ PRIVATE_WEBHOOKS: 'on', POLL_INTERVAL_MS: '200' });
  one = await cluster.add('one', env);
  two = await cluster.add('two', env);
  await cluster.install([up]);
  ({ operator, owner } = cluster);
  ({ email } = one.operator);
  await cluster.model({ name: 'scripted' });
  await topUp(owner, 20);
  ask = manage(one, await installationKey(operator));
  key = await mintKey(owner);
  await served(one, key, 'scripted');
  await served(two, key, 'scripted');
});

const psql = (text) => cluster.postgres.psql(text);
const alarms = (kind) => cluster.sql(`SELECT * FROM alarm WHERE kind = '${kind}' ORDER BY id`);
const mails = (what) => mail.to(email).filter((m) => m.subject.includes(what));
const events = (kind) => posts.filter((p) => p.json.data.kind === kind).map((p) => p.json.type);
const sent = () => eventually(() => Number(cluster.sql('SELECT count(*) AS n FROM outbox WHERE sealed IS NOT NULL')[0].n) === 0, 'all to be sent');
const raised = (kind, n = 1) => eventually(() => alarms(kind).length === n, `${n} of ${kind} to be raised`);
const over = (kind) => eventually(() => alarms(kind).every((a) => a.ended_at), `${kind} to be over`);
// Many judge at once, and nothing more comes of it.
async function judgedAnew() {
  for (let round = 0; round < 3; round++) {
    psql(`UPDATE alarm_clock SET judged_at = '-infinity'`);
    await eventually(() => cluster.sql(`SELECT FROM alarm_clock WHERE judged_at > '-infinity'`).length, 'a node to judge');
  }
  await sent();
}
// One mail and one event when it is raised, and one each when it is over.
async function toldOnce(kind, title, overNow) {
  await raised(kind);
  await judgedAnew();
  assert.deepEqual(mails(title).map((m) => m.subject), [`127.0.0.1: ${title}`]);
  assert.deepEqual(events(kind), ['alarm.raised']);
  assert.equal(mails(title)[0].link?.endsWith('/operator/alerts'), true);
  assert.match((await operator.get('/operator/alerts')).text, new RegExp(`${title} Stands`));
  await overNow();
  await over(kind);
  await judgedAnew();
  assert.deepEqual(mails(title).map((m) => m.subject), [`127.0.0.1: ${title}`, `127.0.0.1: over: ${title}`]);
  assert.deepEqual(events(kind), ['alarm.raised', 'alarm.ended']);
  assert.equal(alarms(kind).length, 1);
  assert.match((await operator.get('/operator/alerts')).text, new RegExp(`${title} Over`));
}

test('the page: all kinds are told to all operators until somebody chooses; a webhook is set, its secret shown once', async () => {
  const page = await operator.get('/operator/alerts');
  assert.match(page.text, /None was raised so far/);
  const { fields } = page.form(/\/operator\/alerts$/);
  assert.deepEqual([fields.kinds.length, fields.recipients, fields.account_after_seconds], [6, '1', '60']);
  const set = await operator.submit(page, /\/operator\/alerts\/webhook$/, { url: hook });
  secret = set.body.match(/\btgwh-[A-Za-z0-9]{49}\b/)?.[0];
  assert.ok(secret, set.text);
  assert.ok(!(await operator.get('/operator/alerts')).body.includes(secret));
  assert.ok(!JSON.stringify(cluster.sql('SELECT * FROM alarm_webhook')).includes(secret));
  const saved = await operator.submit('/operator/alerts', /\/operator\/alerts$/, { account_after_seconds: '2' });
  assert.match(saved.text, /The alerts are as you wish/);
});

test('a test of the webhook and of mail says what the server answered, on the page and by the API', async () => {
  let page = await operator.submit('/operator/alerts', /\/operator\/alerts\/webhook\/test$/);
  assert.match(page.text, /has arrived\. The answer: HTTP 204/);
  assert.deepEqual([posts[0].json.type, posts[0].json.team_id, signed(posts[0])], ['test', null, true]);
  hookAnswers = () => 500;
  page = await operator.submit('/operator/alerts', /\/operator\/alerts\/webhook\/test$/);
  assert.match(page.text, /has not arrived\. The answer: HTTP 500/);
  assert.match(page.text, /Test of the webhook Given up/);
  hookAnswers = () => 204;
  page = await operator.submit('/operator/alerts', /\/operator\/alerts\/mail\/test$/);
  assert.match(page.text, /has arrived\. The answer: 250 .*taken/);
  assert.match((await mail.got(email, /^Test of mail/)).text, /This is a test/);
  mail.refusals[email] = { code: 550, times: 1, says: 'no such box' };
  const said = await ask('POST', `${at}/mail/test`, { user_id: 1 });
  assert.deepEqual([said.status, said.json.delivered, said.json.to], [200, false, email]);
  assert.match(said.json.answer, /^550 .*no such box/);
  await mail.stop();
  assert.equal((await ask('POST', `${at}/mail/test`, { user_id: 1 })).json.delivered, false);
  await mail.start();
  const { json } = await ask('GET', `${at}/deliveries`);
  assert.deepEqual(json.data.slice(0, 3).map((d) => [d.channel, d.state]), [['mail', 'given_up'], ['mail', 'given_up'], ['mail', 'sent']]);
  posts.length = 0;
});

test('a credential that is refused is told at once, and over once the account works again', async () => {
  answers = (req, res) => send(res, 401, { error: { message: 'no such key' } });
  await call(one, key, hello('scripted'));
  const { id, name } = cluster.accounts[0];
  await toldOnce('account', `Provider account ${name} fails`, async () => {
    assert.match(alarms('account')[0].detail, /refuses our credential/);
    answers = (req, res) => send(res, 200, chat());
    await operator.submit(`/operator/accounts/${id}`, /\/test$/);
  });
  psql(`DELETE FROM alarm WHERE kind = 'account'`);
});

test('an account that fails on both nodes is told of once, when it has failed for longer than a while', async () => {
  posts.length = mail.mails.length = 0;
  answers = (req, res) => send(res, 500, { error: { message: 'down' } });
  const fail = () => Promise.all([one, two].map((node) => call(node, key, hello('scripted'))));
  await fail();
  await eventually(async () => { await fail(); return alarms('account').length; }, 'it to be told');
  const [first] = alarms('account');
  assert.match(first.detail, /does not answer as it should/);
  await eventually(async () => { await fail(); return cluster.sql(`SELECT FROM alarm_report WHERE kind = 'account'`).length === 2; }, 'both nodes to see it');
  answers = (req, res) => send(res, 200, chat());
  await toldOnce('account', `Provider account ${first.name} fails`, () => eventually(async () => {
    for (const node of [one, two]) await call(node, key, hello('scripted'));
    return cluster.sql(`SELECT FROM alarm_report WHERE kind = 'account'`).length === 0;
  }, 'both nodes to see it answer'));
});

test('a model without a price that is asked for, until it has one', async () => {
  const model = await addModel(operator, { name: 'unpriced', input: null, targets: [{ account: cluster.accounts[0] }] });
  await eventually(async () => (await call(two, key, hello('unpriced'))).json.error.code === 'model_without_price', 'the model to be refused for its price');
  // Calls are read from time to time; this one may not be booked yet.
  await eventually(() => { psql(`UPDATE alarm_clock SET calls_at = '-infinity'`); return alarms('price').length; }, 'the call to be read');
  await toldOnce('price', 'Model unpriced has no price and is asked for', () => operator.submit(`/operator/models/${model.id}/prices/new`, /prices/, { charge_input: '1', cost_input: '1', charge_output: '1', cost_output: '1' }));
  await served(one, key, 'unpriced');
});

test('a finding of the books, until a person closes it', async () => {
  psql(`INSERT INTO recon_finding (form, invariant, subject, detail) VALUES ('node', 'for the test', 'something', 'is not as it should be')`);
  await toldOnce('books', 'The books do not agree: for the test', async () => {
    assert.match(mails('for the test')[0].text, /something: is not as it should be/);
    const page = await operator.submit('/operator/findings', /\/close$/, { reason: 'It was the test itself' });
    assert.match(page.text, /The finding is closed/);
  });
});

test('calls that the database refuses, until a person has taken them away', async () => {
  const file = join(two.dataDir, 'journal', 'refused');
  writeFileSync(file, 'bytes of a call', { mode: 0o644 });
  await toldOnce('journal', 'Node two cannot record or settle calls', () => {
    assert.match(alarms('journal')[0].detail, /15 bytes/);
    rmSync(file);
  });
});

test('mail that waits is posted at once, and mailed when mail goes again', async () => {
  await sent();
  await mail.stop();
  await owner.submit('/members', /\/members\/invites$/, { email: 'waits@example.org', role: 'viewer' });
  await eventually(() => cluster.sql(`SELECT FROM outbox WHERE recipient = 'waits@example.org' AND outcome <> ''`).length, 'a try to mail it');
  assert.equal(alarms('mail').length, 0);
  psql(`UPDATE outbox SET created_at = created_at - interval '11 minutes' WHERE recipient = 'waits@example.org'`);
  await raised('mail');
  await eventually(() => events('mail').length === 1, 'the post');
  assert.match(posts.at(-1).json.data.detail, /^1 mail has waited for more than ten minutes; the last answer was: .{5}/);
  await mail.start();
  const again = () => psql(`UPDATE outbox SET next_at = now() WHERE channel = 'mail' AND sealed IS NOT NULL`);
  await eventually(() => { again(); return alarms('mail')[0].ended_at; }, 'it to be over');
  // What a node is just sending another may take as well, now: it has the same Message-ID.
  await eventually(() => { again(); return new Set(mails('Mail cannot be sent').map((m) => m.id)).size === 2; }, 'both mails');
  await eventually(() => events('mail').length === 2, 'both posts');
  assert.deepEqual(events('mail'), ['alarm.raised', 'alarm.ended']);
});

test('an address that refuses alerts for good is told of once, and over when something reaches it', async () => {
  await sent();
  posts.length = mail.mails.length = 0;
  const at = owner.email, title = `Alerts cannot be mailed to ${at}`;
  mail.refusals[at] = { code: 550, times: 2, says: 'no such box' };
  const team = manage(one, await mintManagementKey(owner));
  const below = (balance_below) => team('PATCH', '/alerts/settings', { balance_below });
  const alerted = async () => {
    psql(`UPDATE alert_clock SET judged_at = '-infinity'`);
    await eventually(() => cluster.sql(`SELECT FROM alert_clock WHERE judged_at > '-infinity'`).length, 'the team to be judged');
    await sent();
  };
  for (const amount of ['25', '26']) { // both are refused
    assert.equal((await below(amount)).status, 200);
    await alerted();
    await below(null);
    await alerted();
  }
  await eventually(() => alarms('mail').length === 2, 'it to be raised');
  await judgedAnew();
  const [, raisedNow] = alarms('mail');
  assert.deepEqual([raisedNow.subject, raisedNow.ended_at], [`address:${at}`, null]);
  assert.match(raisedNow.detail, /the last answer was: 550 .*no such box/);
  assert.deepEqual([mails(title).map((m) => m.subject), events('mail')], [[`127.0.0.1: ${title}`], ['alarm.raised']]);
  assert.equal((await below('27')).status, 200); // this one is taken
  await alerted();
  await over('mail');
  await judgedAnew();
  assert.deepEqual([mails(title).length, events('mail')], [2, ['alarm.raised', 'alarm.ended']]);
});

test('a database that is away is told of at once by one node, and once that it is back', async () => {
  await sent();
  posts.length = mail.mails.length = 0;
  await eventually(() => one.sql('SELECT 1 AS n').length, 'the database');
  await cluster.postgres.stop();
  await eventually(() => mails('The database is away').length, 'the mail while it is away', 120000);
  assert.match(mails('The database is away')[0].text, /Node one has not reached it for 30 seconds/);
  await eventually(() => posts.length, 'the post while it is away');
  assert.deepEqual(posts.map((p) => [p.json.type, p.json.data.kind, signed(p)]), [['alarm.raised', 'database', true]]);
  await cluster.postgres.start();
  await eventually(() => mails('over: The database is away').length, 'the mail that it is back', 120000);
  await eventually(() => posts.length === 2, 'the post');
  // Both nodes have come back by now, and have said what they saw.
  await eventually(() => ['one', 'two'].every((name) => cluster.sql(`SELECT FROM node_session WHERE node_name = '${name}' AND state = 'live' AND seen_at > now() - interval '6 seconds'`).length), 'both nodes');
  await judgedAnew();
  assert.deepEqual(mails('The database is away').map((m) => m.subject), ['127.0.0.1: The database is away', '127.0.0.1: over: The database is away']);
  assert.deepEqual(posts.map((p) => p.json.type), ['alarm.raised', 'alarm.ended']);
  assert.equal(alarms('database').length, 1);
});

test('an operator who refuses alerts is told of to the others, and not again because of that', async () => {
  posts.length = mail.mails.length = 0;
  mail.refusals[email] = { code: 550, times: 9, says: 'no such box' };
  psql(`INSERT INTO recon_finding (form, invariant, subject, detail) VALUES ('node', 'refused', 'x', 'y')`);
  await eventually(() => alarms('mail').length === 3, 'it to be raised');
  await judgedAnew();
  assert.equal(alarms('mail').length, 3);
  assert.deepEqual([mail.to(email).length, events('mail'), events('books')], [0, ['alarm.raised'], ['alarm.raised']]);
  // Whoever is no recipient any more refuses nothing.
  delete mail.refusals[email];
  assert.equal((await ask('PATCH', `${at}/settings`, { recipients: [] })).status, 200);
  await over('mail');
  assert.equal((await ask('PATCH', `${at}/settings`, { recipients: [1] })).status, 200);
  psql(`DELETE FROM outbox WHERE recipient = '${email}' AND given_up_at IS NOT NULL`);
  await operator.submit('/operator/findings', /\/close$/, { reason: 'It was the test itself' });
  await over('books');
  await judgedAnew();
  psql(`DELETE FROM alarm WHERE kind = 'books' AND name = 'refused'`);
});

test('what is not chosen stands on the page and is not told; nobody who is not named is mailed', async () => {
  posts.length = mail.mails.length = 0;
  assert.equal((await ask('PATCH', `${at}/settings`, { kinds: ['account'], recipients: [] })).status, 200);
  psql(`INSERT INTO recon_finding (form, invariant, subject, detail) VALUES ('node', 'another', 'x', 'y')`);
  await raised('books', 2);
  await judgedAnew();
  assert.deepEqual([mail.mails.length, posts.length], [0, 0]);
  assert.match((await operator.get('/operator/alerts')).text, /The books do not agree: another Stands/);
  assert.equal((await ask('PATCH', `${at}/settings`, { kinds: ['books'] })).status, 200);
  await operator.submit('/operator/findings', /\/close$/, { reason: 'It was the test itself' });
  await over('books');
  await judgedAnew();
  assert.deepEqual([mail.mails.length, posts.length], [0, 1], 'a webhook is told, and no operator is named');
  const [change] = cluster.sql(`SELECT before, after FROM audit WHERE action = 'alarms.change' ORDER BY id DESC LIMIT 1`);
  assert.deepEqual([change.before.kinds, change.after.kinds, change.after.recipients], [['account'], ['books'], []]);
});

test('nodes look as often as the setting says, not every five seconds as they beat', async () => {
  // The database counts, however seldom this process comes to ask it.
  psql(`CREATE SEQUENCE judged; GRANT USAGE ON SEQUENCE judged TO tollgate_app;
    CREATE FUNCTION count_judged() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$ BEGIN PERFORM nextval('judged'); RETURN NULL; END $$;
    CREATE TRIGGER count_judged AFTER UPDATE ON alarm_clock FOR EACH ROW EXECUTE FUNCTION count_judged()`);
  const judged = () => Number(psql(`SELECT last_value FROM judged`));
  const beat = () => cluster.sql(`SELECT max(seen_at) AS at FROM node_session WHERE node_name = 'one'`)[0].at;
  const nextBeat = async () => {
    const from = beat();
    await eventually(() => beat() !== from, 'a beat');
  };
  await nextBeat();
  const before = judged();
  await nextBeat();
  assert.ok(judged() > before + 3, `judged ${judged() - before} times`);
  psql('DROP FUNCTION count_judged CASCADE; DROP SEQUENCE judged');
});

for (const [what, body, param] of [
  ['a kind that there is not', { kinds: ['weather'] }, 'kinds'],
  ['kinds that are no list', { kinds: 'books' }, 'kinds'],
  ['somebody who is no operator', { recipients: [999999] }, 'recipients'],
  ['a recipient that is no id', { recipients: ['ada@example.org'] }, 'recipients'],
  ['a time below 0', { account_after_seconds: -1 }, 'account_after_seconds'],
  ['a time beyond a day', { account_after_seconds: 86401 }, 'account_after_seconds'],
  ['an unknown field', { colour: 'red' }, 'colour'],
]) {
  test(`${what} is refused, and nothing is changed`, async () => {
    const before = (await ask('GET', `${at}/settings`)).json;
    const refused = await ask('PATCH', `${at}/settings`, body);
    assert.equal(refused.status, 400, refused.text);
    assert.match(JSON.stringify(refused.json.error.param), new RegExp(param));
    assert.deepEqual((await ask('GET', `${at}/settings`)).json, before);
  });
}

test('no team sees or changes any of it', async () => {
  const team = manage(one, await mintManagementKey(owner));
  for (const [method, path, body] of [['GET', ''], ['GET', '/settings'], ['GET', '/deliveries'], ['PATCH', '/settings', {}], ['POST', '/webhook', { url: hook }], ['DELETE', '/webhook'], ['POST', '/webhook/test'], ['POST', '/mail/test', { user_id: 1 }]])
    assert.equal((await team(method, at + path, body)).status, 403, `${method} ${path}`);
  const stranger = await signUp(two);
  assert.ok((await stranger.get('/operator/alerts')).status >= 400);
  assert.equal((await ask('POST', `${at}/mail/test`, { user_id: 2 })).json.error.param, 'user_id', 'mail goes to operators only');
});
