// Signing in with a second factor: set up on the account's page, asked for at every node, no code twice,
// few tries; recovery codes once each; what a reset link does not stand for; who may take it away.
import assert from 'node:assert/strict';
import { Cluster } from '../lib/cluster.mjs';
import { password, signInOperator, signUp } from '../lib/installation.mjs';
import { setup, test } from '../lib/story.mjs';
import { code, secretBytes } from '../lib/totp.mjs';
import { Visitor } from '../lib/visitor.mjs';

let cluster, one, two;
setup('two nodes', async () => {
  cluster = await new Cluster().start();
  one = await cluster.add('one');
  two = await cluster.add('two');
});

const wrong = (typed) => {
  const near = [-2, -1, 0, 1, 2].map((n) => code(typed, n));
  return ['111111', '222222', '333333', '444444', '555555', '666666'].find((c) => !near.includes(c));
};
const psql = (text) => cluster.postgres.psql(text);
// What was tried, and which step was taken last, are of the past: the clock of a test does not move on.
const later = () => psql(`DELETE FROM login_attempt; UPDATE second_factor SET last_step = 0`);

const begin = (visitor, factorPassword = password) => visitor.submit('/account', /\/second-factor$/, { factor_password: factorPassword });
const secretOf = (page) => page.body.match(/<code id="typed">([A-Z2-7 ]{39})<\/code>/)?.[1];
const codesOf = (page) => page.body.match(/<code id="secret">([\s\S]*?)<\/code>/)[1].split('\n');
// A button of the account's form for codes that sends it elsewhere.
async function post(visitor, path, fields) {
  const { csrf } = (await visitor.get('/account')).form(/\/account$/).fields;
  return visitor.request(path, { method: 'POST', body: new URLSearchParams({ csrf, ...fields }), headers: { origin: visitor.base } });
}
async function setUp(visitor) {
  const page = await begin(visitor);
  const secret = secretOf(page);
  const done = await visitor.submit(page, /confirm$/, { code: code(secret) });
  assert.equal(done.status, 200, done.text);
  return { secret, codes: codesOf(done) };
}
const firstStep = (who, node = one) => {
  const visitor = new Visitor(node.url);
  return visitor.submit('/sign-in', /sign-in$/, { email: who.email, password }).then((page) => ({ visitor, page }));
};
const secondStep = ({ visitor, page }, given) => visitor.submit(page, /sign-in\/code$/, { code: given });
const isIn = async (visitor) => (await visitor.get('/account')).url.endsWith('/account');

// A person's row on the page of the members.
const listed = async (visitor) => (await visitor.get('/members')).body.split('<tr').find((row) => row.includes(visitor.email));

let ada;
test('nothing is asked for until the app has shown that it knows the secret', async () => {
  ada = await signUp(one);
  assert.match((await ada.get('/account')).text, /Second factor Off\./);
  assert.match(await listed(ada), />off</);
  const refused = await begin(ada, 'not her password at all');
  assert.equal(refused.status, 422);
  assert.match(refused.text, /This is not your password/);
  const page = await begin(ada);
  const secret = secretOf(page);
  assert.ok(secret, page.text);
  assert.match(page.text, new RegExp(`otpauth://totp/Tollgate%20127\\.0\\.0\\.1%3A\\d+:${ada.email}\\?secret=${secret.replaceAll(' ', '')}&issuer=Tollgate%20127`));
  const { visitor } = await firstStep(ada);
  assert.ok(await isIn(visitor));
  const again = await ada.submit(page, /confirm$/, { code: wrong(secret) });
  assert.equal(again.status, 422);
  assert.match(again.text, /This code is not right/);
  assert.equal(secretOf(again), secret);
  const rows = cluster.sql(`SELECT encode(sealed_secret, 'hex') AS sealed, confirmed_at FROM second_factor`);
  assert.equal(rows.length, 1);
  assert.equal(rows[0].confirmed_at, null);
  assert.ok(!rows[0].sealed.includes(secretBytes(secret).toString('hex')));
});

test('a new secret takes the place of one that was not confirmed; ten codes are shown once', async () => {
  const before = cluster.sql('SELECT sealed_secret AS s FROM second_factor')[0].s;
  later();
  const { codes } = Object.assign(ada, await setUp(ada));
  assert.notEqual(cluster.sql('SELECT sealed_secret AS s FROM second_factor')[0].s, before);
  assert.equal(new Set(codes).size, 10);
  assert.ok(codes.every((c) => /^[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}$/.test(c)), codes.join());
  const page = await ada.get('/account');
  assert.match(page.text, /On since .*10 recovery codes left/);
  assert.match(await listed(ada), />On</);
  assert.ok(!codes.some((c) => page.body.includes(c)) && !page.body.includes(ada.secret.replaceAll(' ', '')));
  assert.ok(!JSON.stringify(cluster.sql('SELECT * FROM recovery_code, second_factor')).includes(codes[0]));
  assert.match((await post(ada, '/account/second-factor', { factor_password: password })).text, /is on already/);
  assert.equal((await post(ada, '/account/second-factor/confirm', { code: code(ada.secret, 1) })).status, 404);
});

test('the password alone does not sign in at any node; a code does, once', async () => {
  later();
  const first = await firstStep(ada, two);
  assert.match(first.page.text, /One more step/);
  assert.ok(!await isIn(first.visitor));
  const bad = await secondStep(first, wrong(ada.secret));
  assert.equal(bad.status, 422);
  assert.match(bad.text, /This code is not right, or was used before/);
  const good = code(ada.secret);
  const inside = await secondStep(first, `${good.slice(0, 3)} ${good.slice(3)}`);
  assert.match(inside.url, /\/overview$/);
  assert.ok(await isIn(first.visitor));
  const replay = await firstStep(ada);
  assert.match((await secondStep(replay, good)).text, /was used before/);
  assert.ok(!await isIn(replay.visitor));
});

test('of many who bring one code at once one is let in', async () => {
  later();
  const steps = [await firstStep(ada), await firstStep(ada, two), await firstStep(ada), await firstStep(ada, two)];
  const good = code(ada.secret);
  await Promise.all(steps.map((s) => secondStep(s, good)));
  const inside = await Promise.all(steps.map(({ visitor }) => isIn(visitor)));
  assert.equal(inside.filter(Boolean).length, 1);
});

test('an app whose clock is a step off is let in; one that is two off, or older than the last code, is not', async () => {
  // As far from a step's end as it takes to send a form.
  const settled = () => new Promise((go) => setTimeout(go, Date.now() % 30000 > 22000 ? 30500 - Date.now() % 30000 : 0));
  for (const [steps, lets] of [[-2, false], [2, false], [-1, true], [1, true], [0, false]]) {
    if (steps !== 0) later(); // the last one comes after that of the step ahead
    const tried = await firstStep(ada);
    await settled();
    await secondStep(tried, code(ada.secret, steps));
    assert.equal(await isIn(tried.visitor), lets, `${steps} steps`);
  }
});

test('five wrong codes are the limit, from everywhere, and stand in the audit log; the password is still looked at', async () => {
  later();
  const audited = () => cluster.sql(`SELECT actor_name, address FROM audit WHERE action = 'user.wrong_code' ORDER BY id`);
  const before = audited().length;
  const steps = [await firstStep(ada), await firstStep(ada, two)];
  for (let i = 0; i < 5; i++) assert.equal((await secondStep(steps[i % 2], wrong(ada.secret))).status, 422);
  const limited = await secondStep(steps[0], code(ada.secret));
  assert.equal(limited.status, 429);
  assert.deepEqual(audited().slice(before), Array(5).fill({ actor_name: ada.email, address: '127.0.0.1' }));
  assert.ok(Number(limited.headers.get('retry-after')) > 60);
  assert.match((await firstStep(ada)).page.text, /One more step/);
  const there = await ada.submit('/account', /\/codes$/, { code: code(ada.secret) });
  assert.match(there.text, /Too many/i);
  assert.ok(Number(there.headers.get('retry-after')) > 60);
});

test('whoever tries too often on other pages is told as well when the next try may be made', async () => {
  later();
  const eve = await signUp(one), operator = await signInOperator(one);
  const { body } = await operator.submit(`/operator/users?q=${eve.email}`, /\/reset$/);
  const waits = (page) => [page.status, Number(page.headers.get('retry-after')) > 0];
  for (let i = 0; i < 5; i++) assert.equal((await begin(eve, 'not this one at all')).status, 422);
  assert.deepEqual(waits(await begin(eve)), [429, true], 'turning it on');
  assert.deepEqual(waits(await eve.submit('/account', /\/password$/, { current_password: password, password: 'a quite different phrase' })), [429, true], 'a new password');
  const stranger = new Visitor(one.url), wish = { name: 'Eve', email: eve.email, password: 'a quite different phrase' };
  let page;
  for (let i = 0; i < 21 && page?.status !== 429; i++) page = await stranger.submit('/sign-up', /sign-up$/, wish);
  assert.deepEqual(waits(page), [429, true], 'signing up');
  assert.deepEqual(waits(await stranger.submit(body.match(/\/reset\/[\w-]{20,}/)[0], /reset/, { password: 'a quite different phrase' })), [429, true], 'a link to a new password');
});

test('a ticket is of its person, its password and its time', async () => {
  later();
  const { visitor, page } = await firstStep(ada);
  const { ticket } = page.form(/sign-in\/code$/).fields;
  const [user, attempt, until, mac] = ticket.split('.');
  const changed = [`${Number(user) + 1}.${attempt}.${until}.${mac}`, `${user}.${attempt}.${Number(until) + 60}.${mac}`, `${user}.${attempt}.${until}.${'0'.repeat(64)}`, `${user}.${attempt}`, ''];
  for (const forged of changed) {
    const answer = await visitor.submit(page, /sign-in\/code$/, { ticket: forged, code: code(ada.secret) });
    assert.match(answer.url, /\/sign-in$/, forged);
    assert.ok(!await isIn(visitor));
  }
  assert.equal(cluster.sql(`SELECT count(*)::int AS n FROM login_attempt WHERE account LIKE 'code:%'`)[0].n, 0);
});

test('a recovery code signs in once, however it is typed, and stands in the audit log', async () => {
  later();
  const [used] = ada.codes;
  const first = await firstStep(ada);
  await secondStep(first, used.toLowerCase().replace('-', ' '));
  assert.ok(await isIn(first.visitor));
  assert.match((await ada.get('/account')).text, /9 recovery codes left/);
  const again = await firstStep(ada);
  assert.equal((await secondStep(again, used)).status, 422);
  assert.ok(!await isIn(again.visitor));
  assert.equal(cluster.sql(`SELECT FROM audit WHERE action = 'user.use_recovery_code'`).length, 1);
});

test('new codes end those before', async () => {
  later();
  const page = await ada.submit('/account', /\/codes$/, { code: code(ada.secret) });
  const fresh = codesOf(page);
  assert.equal(fresh.length, 10);
  later();
  const tried = await firstStep(ada);
  assert.equal((await secondStep(tried, ada.codes[1])).status, 422);
  await secondStep(tried, fresh[1]);
  assert.ok(await isIn(tried.visitor));
  ada.codes = fresh;
});

test('a link to a new password does not stand for a code', async () => {
  later();
  const operator = await signInOperator(one);
  const link = (await operator.submit(`/operator/users?q=${ada.email}`, /\/reset$/)).body.match(/\/reset\/[\w-]{20,}/)[0];
  const visitor = new Visitor(two.url);
  const before = await firstStep(ada);
  const done = await visitor.submit(link, /reset/, { password: 'a quite different phrase' });
  assert.match(done.url, /\/sign-in$/);
  assert.match(done.text, /Your new password is set\. Sign in with it/);
  assert.ok(!await isIn(visitor));
  assert.match((await secondStep(before, code(ada.secret))).url, /\/sign-in$/);
  const page = await visitor.submit('/sign-in', /sign-in$/, { email: ada.email, password: 'a quite different phrase' });
  await secondStep({ visitor, page }, code(ada.secret));
  assert.ok(await isIn(visitor));
  ada = Object.assign(visitor, { email: ada.email, secret: ada.secret, codes: ada.codes });
});

test('it is turned off by a code only, and then the password is enough', async () => {
  later();
  assert.match((await ada.submit('/account', /\/codes$/, { code: wrong(ada.secret) })).text, /This code is not right/);
  const end = (given) => post(ada, '/account/second-factor/end', { code: given });
  assert.match((await ada.get('/account')).body, /formaction="\/account\/second-factor\/end"/);
  assert.equal((await end('000')).status, 422);
  assert.match((await end(ada.codes[3])).text, /The second factor is off/);
  const visitor = new Visitor(one.url);
  await visitor.submit('/sign-in', /sign-in$/, { email: ada.email, password: 'a quite different phrase' });
  assert.ok(await isIn(visitor));
  assert.equal(cluster.sql('SELECT FROM recovery_code').length, 0);
});

test('an operator takes it away, with an entry in the audit log, and nobody else does', async () => {
  later();
  const bob = await signUp(two);
  const { csrf } = (await bob.get('/account')).form(/\/account$/).fields;
  await setUp(bob);
  const operator = await signInOperator(one);
  const [{ id }] = cluster.sql(`SELECT id FROM person WHERE email = '${bob.email}'`);
  const path = `/operator/users/${id}/second-factor`;
  assert.equal((await post(bob, path, { csrf })).status, 403);
  assert.match((await operator.submit(`/operator/users?q=${bob.email}`, /second-factor$/)).text, /The password alone signs in now/);
  assert.ok(!(await operator.get(`/operator/users?q=${bob.email}`)).body.includes(path));
  assert.ok(await isIn((await firstStep(bob)).visitor));
  const entries = cluster.sql(`SELECT actor_kind, object FROM audit WHERE action = 'user.second_factor_removed'`);
  assert.deepEqual(entries, [{ actor_kind: 'operator', object: `user:${id}` }]);
});

test('operators have one, too; a command takes it away where nobody is left who could', async () => {
  const operator = await signInOperator(one);
  const page = await operator.submit('/account', /\/second-factor$/, { factor_password: one.operator.password });
  await operator.submit(page, /confirm$/, { code: code(secretOf(page)) });
  const visitor = await signInOperator(one);
  assert.ok(!await isIn(visitor));
  assert.match(await one.beside('remove-second-factor', one.operator.email), /The password alone signs operator@localhost in now/);
  await assert.rejects(one.beside('remove-second-factor', one.operator.email), /nobody with this e-mail address has a second factor/);
  assert.ok(await isIn(await signInOperator(one)));
});
