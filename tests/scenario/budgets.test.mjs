// Budgets of what is more than one key: the team, a project, the keys of a member.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { standardInstallation, call, hello, settled, mintKey, mintManagementKey, manage, booksBalance } from '../lib/installation.mjs';

const CHARGE = 15000; // nano-dollars of a call: 9 x $1 + 3 x $2 per million

let it, ask, team, project, user;
setup('a team with a project', async () => {
  const up = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([up]);
  ask = manage(it.server, await mintManagementKey(it.owner));
  await it.owner.submit('/settings', /\/settings\/projects$/, { name: 'web' });
  [{ id: team }] = it.server.sql(`SELECT id FROM team WHERE name = '${it.owner.team}'`);
  [{ id: project }] = it.server.sql(`SELECT id FROM project WHERE name = 'web'`);
  [{ id: user }] = it.server.sql(`SELECT id FROM person WHERE email = '${it.owner.email}'`);
});

const set = (to, amount) => it.owner.submit('/budgets', /\/budgets$/, { for: to, amount, window: 'month' });
const programsKey = async () => (await ask('POST', '/keys', { name: 'a program\'s' })).json.key; // nobody owns it
const listed = async () => (await ask('GET', '/budgets')).json.data;
const drop = async () => {
  for (const budget of await listed()) assert.equal((await ask('DELETE', `/budgets/${budget.id}`)).status, 200);
};
const spent = () => it.server.sql(`SELECT coalesce(sum(charge_nano), 0) AS n FROM call`)[0].n;
const dollars = (nano) => (Number(nano) / 1e9).toFixed(9);
const quiet = () => eventually(async () => (await it.server.metrics()).tollgate_settle_waiting === 0, 'every call to be booked');

// Calls with these keys in turn, many at a time, until all are refused.
async function spendWith(keys) {
  const all = [];
  for (let round = 0; round < 8; round++)
    all.push(...await Promise.all(Array.from({ length: 6 }, (_, i) => call(it.server, keys[i % keys.length], hello('scripted')))));
  const good = all.filter((r) => r.status === 200);
  const over = all.filter((r) => r.status === 402);
  assert.equal(good.length + over.length, all.length, all.map((r) => r.status).join());
  return { good: good.length, over };
}

async function holdsTogether(to, source, scope, id, keys) {
  await quiet();
  await set(to, dollars(Number(await spentIn(to)) + 200000));
  const { good, over } = await spendWith(keys);
  assert.ok(good > 0 && over.length > 0, `${good} good, ${over.length} refused`);
  assert.ok(good * CHARGE <= 200000, `${good} calls`);
  assert.equal(over[0].json.error.code, 'budget_exceeded');
  const { tollgate } = over[0].json;
  assert.deepEqual([tollgate.quota_source, tollgate.scope, tollgate.id], [source, scope, String(id)]);
  assert.ok(Date.parse(tollgate.resets_at) > Date.now(), JSON.stringify(tollgate));
  const row = await settled(it.server, over[0].headers.get('x-tollgate-request-id'));
  assert.deepEqual([row.outcome, row.quota_source, Number(row.charge_nano)], ['blocked', source, 0]);
  await quiet();
  const [budget] = await listed();
  const [purse] = it.server.sql(`SELECT used, capacity FROM purse WHERE kind = 'budget' AND scope = '${scope}'`);
  assert.equal(Number(purse.used), await spentIn(to));
  assert.ok(Number(purse.used) <= Number(purse.capacity));
  assert.equal(Math.round(Number(budget.spent) * 1e9), Number(purse.used));
  booksBalance(it.server);
}

async function spentIn(to) {
  const [scope, id] = to.split(':');
  const of = { team: `team_id = ${id}`, project: `project_id = ${id}`, user: `user_id = ${id}` }[scope];
  return Number(it.server.sql(`SELECT coalesce(sum(charge_nano), 0) AS n FROM call WHERE ${of}`)[0].n);
}

test('a team\'s budget holds over all of its keys', async () => {
  const keys = [await mintKey(it.owner), await mintKey(it.owner), await programsKey()];
  await holdsTogether(`team:${team}`, 'team_budget', 'team', team, keys);
  const page = await it.owner.get('/budgets');
  assert.match(page.text, new RegExp(`${it.owner.team} Team Has room \\$0\\.000\\d+ a month`));
  const figure = Number(await spentIn(`team:${team}`));
  const overview = async (amount) => {
    await set(`team:${team}`, amount);
    return (await it.owner.get('/overview')).text;
  };
  assert.match(await overview(dollars(figure)), /The budget of .* is used up/);
  assert.match(await overview(dollars(figure + figure / 5)), /The budget of .* is nearly used up/);
  assert.doesNotMatch(await overview(dollars(figure * 2)), /The budget of/);
  await drop();
  await eventually(async () => (await call(it.server, keys[0], hello('scripted'))).status === 200, 'calls to go on');
});

test('a project\'s budget holds over its keys, and no others', async () => {
  const inside = [await mintKey(it.owner, { project: String(project) }), await mintKey(it.owner, { project: String(project) })];
  const outside = await mintKey(it.owner);
  await holdsTogether(`project:${project}`, 'project_budget', 'project', project, inside);
  assert.equal((await call(it.server, outside, hello('scripted'))).status, 200);
  await drop();
});

test('a member\'s budget holds over the keys that the member owns', async () => {
  const own = [await mintKey(it.owner), await mintKey(it.owner)];
  const nobodys = await programsKey();
  await holdsTogether(`user:${user}`, 'user_budget', 'user', user, own);
  assert.equal((await call(it.server, nobodys, hello('scripted'))).status, 200);
  await drop();
});

test('what was spent while a budget was away counts when it is set again', async () => {
  const key = await mintKey(it.owner);
  const amount = dollars(Number(spent()) + 10_000_000);
  const made = await ask('POST', '/budgets', { scope: 'team', amount, window: 'month' });
  assert.equal(made.status, 201, made.text);
  await eventually(async () => (await call(it.server, key, hello('scripted'))).status === 200 && it.server.sql(`SELECT FROM lease l JOIN purse p ON p.id = l.purse_id WHERE p.scope = 'team' AND p.kind = 'budget'`).length, 'a call that draws on it');
  await drop();
  await quiet();
  const used = () => Number(it.server.sql(`SELECT used FROM purse WHERE kind = 'budget' AND scope = 'team'`)[0].used);
  const before = used();
  await eventually(async () => {
    await call(it.server, key, hello('scripted'));
    await quiet();
    return Number(spent()) > before;
  }, 'a call that does not');
  assert.equal((await ask('POST', '/budgets', { scope: 'team', amount, window: 'month' })).status, 201);
  assert.equal(used(), Number(spent()));
  await drop();
});

for (const [name, body, param] of [
  ['an unknown scope', { scope: 'planet', amount: '1', window: 'day' }, 'scope'],
  ['a project that is not there', { scope: 'project', scope_id: 999999, amount: '1', window: 'day' }, 'scope_id'],
  ['a project that is not named', { scope: 'project', amount: '1', window: 'day' }, 'scope_id'],
  ['a team with an id', { scope: 'team', scope_id: 1, amount: '1', window: 'day' }, 'scope_id'],
  ['nothing', { scope: 'team', amount: '0', window: 'day' }, 'amount'],
  ['an unknown window', { scope: 'team', amount: '1', window: 'fortnight' }, 'window'],
  ['an unknown field', { scope: 'team', amount: '1', window: 'day', colour: 'red' }, 'colour'],
]) {
  test(`a budget for ${name} is a 400 that names it`, async () => {
    const res = await ask('POST', '/budgets', body);
    assert.equal(res.status, 400, res.text);
    assert.equal(res.json.error.param, param, res.text);
    assert.deepEqual(await listed(), []);
  });
}

test('only admins set budgets, and another team\'s are not there', async () => {
  const viewer = manage(it.server, await mintManagementKey(it.owner, 'viewer'));
  assert.equal((await viewer('POST', '/budgets', { scope: 'team', amount: '1', window: 'day' })).status, 403);
  assert.equal((await viewer('DELETE', '/budgets/1')).status, 403);
  assert.equal((await ask('DELETE', '/budgets/999999')).status, 404);
  const page = await it.owner.submit('/budgets', /\/budgets$/, { for: `team:${team}`, amount: 'much', window: 'day' });
  assert.equal(page.status, 422);
  const actions = it.server.sql(`SELECT DISTINCT action FROM audit WHERE action LIKE 'budget.%' ORDER BY 1`).map((r) => r.action);
  assert.deepEqual(actions, ['budget.drop', 'budget.set']);
});
