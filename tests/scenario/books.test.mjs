// The books beyond usage, over real HTTP: codes that a hundred redeem at once, payments that are told ten
// times or wrong, money that goes back, grants that end, months that two replicas cut at once, and weeks that
// get their place while somebody reads.
import assert from 'node:assert/strict';
import { setup, test, eventually } from '../lib/story.mjs';
import { psqlMeanwhile } from '../lib/psql.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { addAccount, addModel, call, hello, installationKey, manage, mintKey, mintManagementKey, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';

const CROWD = 100;
const cluster = new Cluster();
let one, operator, owner, key, secret, whole, ask, team;
const nano = (text) => {
  const [, sign, dollars, rest = ''] = text.match(/^(-?)(\d+)(?:\.(\d+))?$/);
  return (sign ? -1n : 1n) * (BigInt(dollars) * 1000000000n + BigInt(rest.padEnd(9, '0')));
};
const balance = async () => (await ask('GET', '/balance')).json;
const sound = () => assert.deepEqual(cluster.sql('SELECT * FROM ledger_findings()'), []);

setup('an installation and a team', async () => {
  await cluster.start();
  one = await cluster.add('one', { POLL_INTERVAL_MS: '200' });
  const upstream = await startUpstream((req, res) => send(res, 200, chat()));
  await eventually(() => /password/.test(one.log), 'the operator account to be told');
  operator = await signInOperator(one);
  const account = await addAccount(operator, upstream);
  await addModel(operator, { name: 'scripted', input: '1000', output: '2000', targets: [{ account, priority: 1 }] });
  owner = await signUp(one);
  await topUp(owner, 20);
  key = await mintKey(owner);
  await served(one, key, 'scripted');
  secret = await installationKey(operator);
  whole = manage(one, secret);
  [{ id: team }] = cluster.sql(`SELECT id FROM team WHERE name = '${owner.team}'`);
  ask = manage(one, await mintManagementKey(owner));
});

test('a grant pays before the wallet does, and the ledger says so', async () => {
  const wish = { amount: '0.02', name: 'Welcome', reason: 'hello', reference: 'g-1', priority: 5, expires_at: '2099-01-01T00:00:00Z' };
  assert.equal((await ask('POST', '/grants', wish)).status, 403);
  for (const body of [{ ...wish, amount: '0.0000000001' }, { ...wish, amount: '-1' }, { ...wish, amount: '99999999999999999999' },
    { ...wish, amount: '1000000.000000001' }, { ...wish, expires_at: '2020-01-01T00:00:00Z' }, { ...wish, priority: 5000 }, { ...wish, name: '' }, { ...wish, colour: 'red' }]) {
    const res = await whole('POST', `/grants?team=${team}`, body);
    assert.equal(res.status, 400, res.text);
    assert.ok(res.json.error.param, res.text);
  }
  assert.equal(cluster.sql(`SELECT FROM credit_grant WHERE team_id = ${team}`).length, 0);
  for (let i = 0; i < 2; i++) assert.equal((await whole('POST', `/grants?team=${team}`, wish)).status, 201);
  assert.equal((await whole('POST', `/grants?team=${team}`, { ...wish, amount: '0.03' })).status, 409);
  const before = await balance();
  assert.deepEqual([before.posted, before.wallet, before.grants], ['20.02', '20', '0.02']);
  const charges = [];
  for (let i = 0; i < 3; i++) charges.push(BigInt((await settled(one, (await call(one, key, hello('scripted'))).headers.get('x-tollgate-request-id'))).charge_nano));
  const charged = charges.reduce((a, b) => a + b, 0n);
  assert.ok(charged > 20000000n, `three calls are to cost more than the grant: ${charged}`);
  const after = await balance();
  assert.equal(after.grants, '0');
  assert.equal(nano(after.wallet), 20020000000n - charged);
  const [grant] = (await ask('GET', '/grants')).json.data;
  assert.deepEqual([grant.name, grant.left, grant.used, grant.live], ['Welcome', '0', '0.02', false]);
  const ledger = await owner.get('/billing/ledger?kind=usage');
  const [, transfer] = ledger.body.match(/\/billing\/ledger\/(\d+)/g).at(-1).match(/(\d+)$/);
  assert.match((await owner.get(`/billing/ledger/${transfer}`)).text, /Covered by grants Welcome/);
  sound();
});

test('codes that are made at the same time stand beside their own rows', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `Batch ${i}`);
  const made = await Promise.all(names.map((name) => whole('POST', '/codes', { amount: '1', name, count: 60 })));
  for (const [i, res] of made.entries()) {
    assert.deepEqual([res.status, res.json.data.length], [201, 60], res.text.slice(0, 400));
    for (const row of res.json.data) assert.deepEqual([row.name, row.last4], [names[i], row.code.slice(-4)]);
  }
});

test('a grant that has ended is moved back by itself', async () => {
  assert.equal((await whole('POST', `/grants?team=${team}`, { amount: '3', name: 'Short', reason: 'ends soon', reference: 'g-2', expires_at: new Date(Date.now() + 3000).toISOString() })).status, 201);
  assert.equal((await balance()).grants, '3');
  await eventually(async () => (await balance()).grants === '0', 'the grant to be moved back');
  const short = (await ask('GET', '/grants')).json.data.find((g) => g.name === 'Short');
  assert.deepEqual([short.expired, short.left, short.live], ['3', '0', false]);
  assert.equal(cluster.sql(`SELECT FROM transfer WHERE team_id = ${team} AND code = 'GRANT_EXPIRE'`).length, 1);
  assert.match((await owner.get('/billing')).text, /Short Ended/);
  sound();
});

test(`${CROWD} people redeem one single-use code at once: one wins`, async () => {
  const crowd = [];
  for (let i = 0; i < CROWD; i++) {
    if (i % 15 === 0) cluster.postgres.psql('DELETE FROM login_attempt'); // twenty sign-ups a minute and address
    crowd.push(await signUp(one));
  }
  const [code] = (await whole('POST', '/codes', { amount: '7', name: 'Fair credit', grant_days: 30 })).json.data;
  assert.match(code.code, /^[2-9A-Z]{4}(-[2-9A-Z]{4}){3}$/);
  assert.ok(!(await whole('GET', '/codes')).text.includes(code.code));
  const pages = await Promise.all(crowd.map((visitor) => visitor.get('/billing')));
  const answers = await Promise.all(crowd.map((visitor, i) => visitor.submit(pages[i], /redeem/, { code: code.code })));
  const won = answers.filter((a) => a.status === 200);
  assert.equal(won.length, 1);
  assert.match(won[0].text, /\$7\.00 of credit is yours: Fair credit\./);
  for (const a of answers.filter((x) => x !== won[0])) {
    assert.equal(a.status, 422, a.text.slice(0, 300));
    assert.match(a.text, /redeemed by others/);
  }
  assert.deepEqual(cluster.sql(`SELECT used, uses FROM redeem_code WHERE id = ${code.id}`), [{ used: 1, uses: 1 }]);
  assert.equal(cluster.sql(`SELECT FROM redemption WHERE code_id = ${code.id}`).length, 1);
  assert.equal(cluster.postgres.psql(`SELECT count(*) FROM transfer WHERE code = 'GRANT' AND ref = 'code/${code.id}'`).trim(), '1');
  sound();
});

test('wrong codes are told beside the field, ten of them and then no more', async () => {
  cluster.postgres.psql('DELETE FROM login_attempt');
  const visitor = await signUp(one);
  for (let i = 0; i < 10; i++) {
    const page = await visitor.submit('/billing', /redeem/, { code: 'AAAA-BBBB-CCCC-DDDD' });
    assert.equal(page.status, 422);
    assert.match(page.text, /There is no such code/);
  }
  const page = await visitor.submit('/billing', /redeem/, { code: 'AAAA-BBBB-CCCC-DDDD' });
  assert.equal(page.status, 429);
  assert.match(page.text, /Too many wrong codes\. Try again in \d+ minutes?\./);
  const waits = (res) => Number(res.headers.get('retry-after'));
  assert.ok(waits(page) > 0 && waits(page) <= 900, page.headers.get('retry-after'));
  for (let i = 0; i < 10; i++) assert.equal((await ask('POST', '/redeem', { code: 'AAAA-BBBB-CCCC-DDDD' })).status, 400);
  const limited = await ask('POST', '/redeem', { code: 'AAAA-BBBB-CCCC-DDDD' });
  assert.deepEqual([limited.status, limited.json.error.code], [429, 'too_many_attempts']);
  assert.ok(waits(limited) > 0 && waits(limited) <= 900, limited.headers.get('retry-after'));
  const api = await ask('POST', '/redeem', { code: 'nonsense' });
  assert.deepEqual([api.status, api.json.error.param], [400, 'code']);
});

test('ten presses of one checkout at once credit once', async () => {
  const before = nano((await balance()).posted);
  const page = await owner.submit('/billing', /top-up/, { amount: '5', provider: 'sandbox' });
  await Promise.all(Array.from({ length: 10 }, () => owner.submit(page, /value="succeed"/, { play: 'succeed' })));
  assert.equal(nano((await balance()).posted) - before, 5000000000n);
  sound();
});

test('top-ups that are no amounts change nothing', async () => {
  const orders = () => cluster.postgres.psql('SELECT count(*) FROM topup_order').trim();
  const before = orders();
  for (const amount of ['-5', '0', '0.5', '5.0000000001', '1e3', '99999999999999999999', '1000001', '', 'much']) {
    const page = await owner.submit('/billing', /top-up/, { amount, provider: 'manual' });
    assert.equal(page.status, 422, `${amount}: ${page.status}`);
    assert.match(page.body, /id="e-amount"/);
  }
  assert.equal(orders(), before);
});

let payment, paidOrder;
test('a wrong amount or currency waits for an operator, and the customer sees it', async () => {
  for (const [arrived, currency, decided] of [['29', 'USD', 'paid'], ['30', 'EUR', 'canceled']]) {
    const before = nano((await balance()).posted);
    const made = await owner.submit('/billing', /top-up/, { amount: '30', provider: 'manual' });
    const order = Number(made.url.match(/\/billing\/orders\/(\d+)/)[1]);
    const confirmed = await operator.submit('/operator/orders', new RegExp(`/operator/orders/${order}/confirm`), { amount: arrived, currency, bank_reference: `BANK-${currency}` });
    assert.equal(confirmed.status, 200, confirmed.text.slice(0, 300));
    const seen = await owner.get(`/billing/orders/${order}`);
    assert.match(seen.text, /In review/);
    assert.match(seen.text, /Nothing is credited until an operator has looked at it/);
    assert.equal(nano((await balance()).posted), before);
    const review = (await whole('GET', '/payments/review')).json.data.find((p) => p.order_id === order);
    assert.deepEqual([review.amount, review.currency], [arrived, currency]);
    const resolve = (accept, note) => whole('POST', `/payments/${review.id}/resolve`, { accept, note });
    assert.equal((await resolve(true, '')).status, 400);
    if (currency === 'EUR') assert.equal((await resolve(true, 'as dollars')).status, 400);
    const done = await resolve(decided === 'paid', 'the bank kept a fee');
    assert.equal(done.json.state, decided, done.text);
    assert.equal(nano((await balance()).posted) - before, decided === 'paid' ? 29000000000n : 0n);
    if (decided === 'paid') [payment, paidOrder] = [done.json.payments[0].id, order];
  }
  sound();
});

test('money goes back: refunded once per reference, charged back after a freeze, and reversed', async () => {
  const before = nano((await balance()).posted);
  const wish = { amount: '9', reason: 'asked for', reference: 'rf-1' };
  assert.equal((await ask('POST', `/payments/${payment}/refunds`, wish)).status, 403);
  for (const amount of ['-9', '0', '9.0000000001', '29.01', '99999999999999999999'])
    assert.equal((await whole('POST', `/payments/${payment}/refunds`, { ...wish, amount })).status, 400, amount);
  const twice = await Promise.all([1, 2, 3].map(() => whole('POST', `/payments/${payment}/refunds`, wish)));
  for (const res of twice) assert.equal(res.status, 201, res.text);
  assert.equal(before - nano((await balance()).posted), 9000000000n);
  assert.equal(twice[0].json.state, 'part_refunded');
  assert.equal((await whole('POST', `/payments/${payment}/refunds`, { ...wish, amount: '8' })).status, 409);
  assert.match((await owner.get(`/billing/orders/${paidOrder}`)).text, /Refunded in part/);

  const back = await whole('POST', `/payments/${payment}/chargebacks`, { amount: '20', reason: 'the bank took it', reference: 'case-1' });
  assert.deepEqual([back.status, back.json.state], [201, 'charged_back'], back.text);
  assert.equal(before - nano((await balance()).posted), 29000000000n);
  await eventually(async () => (await call(one, key, hello('scripted'))).status === 403, 'the key to be refused');
  const chargeback = back.json.returns.find((r) => r.object === 'chargeback');
  const reversed = await whole('POST', `/chargebacks/${chargeback.id}/reversal`, { reason: 'we won', reference: 'case-1' });
  assert.deepEqual([reversed.status, reversed.json.state], [201, 'part_refunded'], reversed.text);
  assert.equal(before - nano((await balance()).posted), 9000000000n);
  assert.equal((await call(one, key, hello('scripted'))).status, 403); // an operator unfreezes, nothing else does
  assert.equal((await whole('PATCH', `/teams/${team}`, { frozen: false })).status, 200);
  await eventually(async () => (await call(one, key, hello('scripted'))).status === 200, 'the key to work again');
  const actions = cluster.sql(`SELECT action FROM audit WHERE team_id = ${team} AND action LIKE 'payment.%' ORDER BY id`).map((a) => a.action);
  assert.deepEqual(actions.filter((a) => a !== 'payment.accept' && a !== 'payment.dismiss'), ['payment.refund', 'payment.chargeback', 'payment.chargeback_reversed']);
  sound();
});

let month;
test('two replicas that start when a month has ended issue each invoice once', async () => {
  const id = (await call(one, key, hello('scripted'))).headers.get('x-tollgate-request-id');
  await settled(one, id);
  await one.stop();
  // What was booked was booked a month ago, by forty more teams, too.
  cluster.postgres.psql(`
    WITH made AS (INSERT INTO team (name, time_zone) SELECT 'Many', 'UTC' FROM generate_series(1, 40) RETURNING id) SELECT open_team_books(id) FROM made;
    SELECT set_config('app.scope', 'system', false);
    SELECT post_topup(id, 'many', 1000000000 + id, 'Top-up', 'system', NULL, 'system') FROM team WHERE name = 'Many';
    ALTER TABLE transfer DISABLE TRIGGER append_only; ALTER TABLE call DISABLE TRIGGER append_only;
    DELETE FROM invoice_cut;
    UPDATE team SET time_zone = 'UTC', created_at = created_at - interval '1 month';
    UPDATE transfer SET posted_at = posted_at - interval '1 month';
    UPDATE call SET posted_at = posted_at - interval '1 month';
    UPDATE usage_day SET day = (day - interval '1 month')::date;
    UPDATE payment SET at = at - interval '1 month';
    ALTER TABLE transfer ENABLE TRIGGER append_only; ALTER TABLE call ENABLE TRIGGER append_only`);
  const moved = Number(cluster.postgres.psql('SELECT count(DISTINCT team_id) FROM transfer'));
  const [two, three] = await Promise.all([cluster.add('two'), cluster.add('three')]);
  const issued = () => Number(cluster.postgres.psql('SELECT count(*) FROM invoice'));
  await eventually(() => issued() >= moved, 'the invoices');
  assert.equal(issued(), moved);
  const told = [two, three].map((r) => [...r.log.matchAll(/invoices_issued count=(\d+)/g)].reduce((n, m) => n + Number(m[1]), 0));
  await eventually(() => [two, three].every((r) => !/chore_failed/.test(r.log)), 'no chore to fail');
  const [series] = cluster.sql('SELECT count(*) AS n, max(serial) AS last, count(DISTINCT serial) AS different, count(DISTINCT (team_id, month)) AS months FROM invoice');
  assert.deepEqual([series.n, series.last, series.different, series.months], [moved, moved, moved, moved], `${told}`);
  const [row] = cluster.sql(`SELECT to_char(month, 'YYYY-MM') AS month, usage_nano::text AS usage FROM invoice WHERE team_id = ${team}`);
  assert.equal(BigInt(row.usage), BigInt(cluster.postgres.psql(`SELECT sum(charge_nano) FROM call WHERE team_id = ${team}`)));
  month = row.month;
  one = two;
  whole = manage(one, secret);
});

test('usage that settles after the cut is on the next invoice; a credit note corrects the one issued', async () => {
  // A call like the last one, which began in the month that is cut.
  cluster.postgres.psql(`SELECT set_config('app.scope', 'system', false);
    WITH late AS (SELECT c, gen_random_uuid() AS id FROM call c WHERE team_id = ${team} AND charge_nano > 0 ORDER BY call_id DESC LIMIT 1)
    SELECT settle_batch(session_open('late', ''),
      ARRAY[json_populate_record(NULL::settled_call, (to_jsonb(c) || jsonb_build_object('call_id', id, 'started_at', now() - interval '1 month'))::json)],
      '{}') FROM late`);
  const late = cluster.postgres.psql(`SELECT charge_nano FROM call WHERE team_id = ${team} ORDER BY posted_at DESC LIMIT 1`).trim();
  const preview = (await whole('GET', `/invoices/preview?team=${team}`)).json;
  assert.equal(nano(preview.usage), BigInt(late));
  const [invoice] = (await whole('GET', `/invoices?team=${team}`)).json.data;
  assert.equal(invoice.month, month);
  const wish = { amount: invoice.usage, reason: 'it was down', reference: 'cn-1' };
  assert.equal((await whole('POST', `/invoices/${invoice.id}/credit_notes?team=${team}`, { ...wish, amount: '1000' })).status, 400);
  const twice = await Promise.all([1, 2].map(() => whole('POST', `/invoices/${invoice.id}/credit_notes?team=${team}`, wish)));
  for (const res of twice) assert.equal(res.status, 201, res.text);
  assert.equal(twice[0].json.id, twice[1].json.id);
  assert.match(twice[0].json.number, /^TG-CN-\d{4}-000001$/);
  assert.equal((await whole('POST', `/invoices/${invoice.id}/credit_notes?team=${team}`, { ...wish, amount: '0.01', reference: 'cn-2' })).status, 400);
  const list = (await whole('GET', `/credit_notes?team=${team}`)).json.data;
  assert.equal(list.length, 1);
  const now = (await whole('GET', `/invoices/preview?team=${team}`)).json;
  assert.equal(now.adjustments, invoice.usage);
  assert.ok(now.lines.some((l) => l.kind === 'credit_note' && l.text.includes(list[0].number)));
});

// Whoever asked for the lock would keep out all who come to read, for as long as the one reads who is there.
test('the place of a week to come is not waited for while somebody reads long', async () => {
  const [{ week }] = cluster.sql(`SELECT call_partition('call', now() + interval '56 days') AS week`);
  const ensure = () => Number(cluster.postgres.psql('SELECT ensure_call_partitions()'));
  cluster.postgres.psql(`DROP TABLE ${week}`);
  const reading = psqlMeanwhile(cluster.postgres.psqlArguments, 'BEGIN; SELECT count(*) FROM call_default; SELECT pg_sleep(600)').catch(() => {});
  const reader = `FROM pg_stat_activity WHERE query LIKE '%FROM call_default; SELECT pg_sleep%' AND pid <> pg_backend_pid()`;
  try {
    await eventually(() => cluster.sql(`SELECT 1 ${reader} AND wait_event = 'PgSleep'`).length, 'somebody to read');
    assert.equal(ensure(), 0);
    assert.equal(cluster.sql(`SELECT to_regclass('${week}') AS made`)[0].made, null);
  } finally {
    cluster.postgres.psql(`SELECT pg_terminate_backend(pid) ${reader}`);
    await reading;
  }
  assert.equal(ensure(), 1);
});
