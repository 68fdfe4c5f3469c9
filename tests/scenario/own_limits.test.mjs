// What holds of calls that a team's own key at a provider serves: limits and budgets, kept answers, the invoice, and
// what the installation allows.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { moveHere } from '../lib/own_account.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import { booksBalance, call, hello, installationKey, manage, mintKey, mintManagementKey, settled, signUp, standardInstallation } from '../lib/installation.mjs';

const KIND = 'openai-compatible', FEE_BP = 500;
const FEE = 750; // nano-dollars of a call: 5 % of 9 at $1 and 3 at $2 a million
let it, ours, theirs, whole, ask, poor, poorAsk, spare, team, project, user, usage, text = 'Hello there.';

const add = async (by, name, more = {}) => {
  const made = await by('POST', '/own_accounts', { kind: KIND, name, base_url: 'https://llm.example.org/v1', key: 'sk-own-0123456789', ...more });
  assert.equal(made.status, 201, made.text);
  moveHere(it.server, made.json.id, theirs.url);
  return made.json.id;
};
const id = (res) => res.headers.get('x-tollgate-request-id');
const setFee = async (own_fee_bp) => {
  assert.equal((await whole('PATCH', '/installation', { own_fee_bp })).json.own_fee_bp, own_fee_bp);
  await eventually(async () => (await settled(it.server, id(await call(it.server, it.key, hello('scripted'))))).own_fee_bp === own_fee_bp, 'the fee to be known');
};

setup('a team with an own key and a balance, one with an own key alone', async () => {
  ours = await startUpstream((req, res) => send(res, 200, chat()));
  theirs = await startUpstream((req, res) => send(res, 200, chat(text, usage)));
  it = await standardInstallation([ours]);
  whole = manage(it.server, await installationKey(it.operator));
  ask = manage(it.server, await mintManagementKey(it.owner));
  poor = await signUp(it.server);
  poorAsk = manage(it.server, await mintManagementKey(poor));
  await it.owner.submit('/settings', /\/settings\/projects$/, { name: 'web' });
  [{ id: team }] = it.server.sql(`SELECT id FROM team WHERE name = '${it.owner.team}'`);
  [{ id: project }] = it.server.sql(`SELECT id FROM project WHERE name = 'web'`);
  [{ id: user }] = it.server.sql(`SELECT id FROM person WHERE email = '${it.owner.email}'`);
  await add(ask, 'mine');
  await add(poorAsk, 'mine', { own_only: true });
  await setFee(0);
});

test('a key\'s limit by the minute holds where nothing is charged and the balance is empty', async () => {
  const key = await mintKey(poor, { rpm: '2' });
  await eventually(async () => (await call(it.server, await mintKey(poor), hello('scripted'))).status === 200, 'the own key');
  const all = [];
  for (let i = 0; i < 5; i++) all.push(await call(it.server, key, hello('scripted')));
  // At most one minute ends on the way.
  assert.ok(all.filter((r) => r.status === 429).length >= 1, all.map((r) => r.status).join());
  assert.ok(all.filter((r) => r.status === 200).length <= 4);
  const over = all.find((r) => r.status === 429);
  assert.equal(over.json.tollgate.quota_source, 'key_rate_limit', over.text);
});

test('budgets of key, project, member and team count the fee, and let through what costs nothing', async () => {
  const budget = (to, amount) => it.owner.submit('/budgets', /\/budgets$/, { for: to, amount, window: 'month' });
  const tight = '0.000000001'; // less than any fee
  const of = {
    app_key: { key: await mintKey(it.owner, { budget: tight }), code: 'key_limit_exceeded' },
    project_budget: { key: await mintKey(it.owner, { project: String(project) }), code: 'budget_exceeded', to: `project:${project}` },
    user_budget: { key: await mintKey(it.owner), code: 'budget_exceeded', to: `user:${user}` },
    team_budget: { key: await mintKey(it.owner), code: 'budget_exceeded', to: `team:${team}` },
  };
  for (const [source, { key, code, to }] of Object.entries(of)) {
    if (to) await budget(to, tight);
    await until(key, 200, `${source} without a fee`);
    await whole('PATCH', '/installation', { own_fee_bp: FEE_BP });
    const over = await until(key, 402, `${source} with one`);
    assert.deepEqual([over.json.error.code, over.json.tollgate.quota_source], [code, source]);
    for (const { id: one } of (await ask('GET', '/budgets')).json.data) assert.equal((await ask('DELETE', `/budgets/${one}`)).status, 200);
    await setFee(0);
  }
});
// The first answer of that status: what is changed reaches a node's loops one after another.
const until = (key, status, what) => eventually(async () => {
  const res = await call(it.server, key, hello('scripted'));
  return res.status === status && res;
}, what);

test('a budget admits as many fees as it holds', async () => {
  await setFee(FEE_BP);
  assert.match((await it.owner.get('/provider-keys')).text, /it costs 5% of the list price here/);
  const key = await mintKey(it.owner, { budget: '0.000010' });
  let good = 0;
  for (let i = 0; i < 30 && (await call(it.server, key, hello('scripted'))).status === 200; i++) good++;
  assert.ok(good >= 2 && good <= 13, `${good} of $0.00001 at ${FEE} nano-dollars`); // the hold is for more than is used
});

test('an answer that an own key made is kept for its team alone and costs nothing again', async () => {
  const key = await mintKey(it.owner, { cache_seconds: '600' }), theirKey = await mintKey(poor, { cache_seconds: '600' });
  const body = hello('scripted', { seed: 4711 });
  const first = await call(it.server, key, body), row = await settled(it.server, id(first));
  assert.deepEqual([first.headers.get('x-tollgate-cache'), row.own_key, Number(row.charge_nano)], ['miss', true, FEE]);
  const seen = theirs.seen.length;
  await setFee(0); // so that the other team may ask
  theirs.seen.length = 0;
  const other = await call(it.server, theirKey, body);
  assert.deepEqual([other.status, other.headers.get('x-tollgate-cache'), theirs.seen.length], [200, 'miss', 1], other.text);
  // What the other team does to its account empties nothing here.
  const [{ id: account }] = (await poorAsk('GET', '/own_accounts')).json.data;
  const made = await poorAsk('POST', '/own_accounts', { kind: KIND, name: 'spare', base_url: 'https://llm.example.org/v1', key: 'sk-2', enabled: false });
  assert.equal(made.status, 201, made.text);
  spare = made.json.id;
  it.server.psql(`UPDATE provider_account SET name = 'renamed' WHERE id = ${account}; SELECT note_change('catalogue')`);
  await eventually(async () => (await settled(it.server, id(await call(it.server, await mintKey(poor), hello('scripted'))))).account_name === 'renamed', 'the new name');
  theirs.seen.length = 0;
  const again = await call(it.server, key, body), hit = await settled(it.server, id(again));
  assert.deepEqual([again.headers.get('x-tollgate-cache'), theirs.seen.length], ['hit', 0], `${seen} ${again.text}`);
  assert.deepEqual([Number(hit.charge_nano), Number(hit.saved_nano), again.json.usage.cost], [0, FEE, 0]);
});

test('a server of the team\'s own that tells too little is not believed where there is a fee', async () => {
  const long = hello('scripted', { messages: [{ role: 'user', content: 'All that has been said. '.repeat(200) }] }); // 4,800 bytes
  text = 'And answered at length. '.repeat(20); // 480 bytes
  const asked = async () => settled(it.server, id(await call(it.server, it.key, long)));
  usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  await setFee(0);
  let row = await asked();
  assert.deepEqual([row.basis, Number(row.charge_nano)], ['provider', 0]);
  await setFee(FEE_BP);
  row = await asked();
  const [input, output] = [Number(row.input_tokens), Number(row.output_tokens)]; // four bytes a token
  assert.ok(row.basis === 'counted' && input >= 1200 && input < 1250 && output === 120, JSON.stringify(row));
  assert.equal(Number(row.charge_nano), Math.ceil((input * 1000 + output * 2000) * 0.05));
  usage = { prompt_tokens: 900, completion_tokens: 90, total_tokens: 990 };
  row = await asked();
  assert.deepEqual([row.basis, Number(row.charge_nano)], ['provider', Math.ceil((900 * 1000 + 90 * 2000) * 0.05)]);
  usage = undefined;
  text = 'Hello there.';
});

test('an installation may take keys for providers\' usual addresses only', async () => {
  assert.equal((await whole('PATCH', '/installation', { own_base_urls: false })).json.own_base_urls, false);
  const refused = await ask('POST', '/own_accounts', { kind: KIND, name: 'another', base_url: 'https://llm.example.org/v1', key: 'sk-1' });
  assert.deepEqual([refused.status, refused.json.error.param], [400, 'base_url'], refused.text);
  const served = async () => (await settled(it.server, id(await call(it.server, it.key, hello('scripted'))))).own_key;
  await eventually(async () => !(await served()), 'the installation\'s own');
  assert.doesNotMatch((await it.owner.get('/provider-keys')).text, /OpenAI-compatible Any server/);
  assert.equal((await whole('PATCH', '/installation', { own_base_urls: true })).json.own_fee_bp, FEE_BP); // what is absent stays
  await eventually(served, 'the team\'s');
  assert.match((await it.owner.get('/provider-keys')).text, /OpenAI-compatible Any server/);
});

test('the month\'s invoice is what the log has, own keys and others', async () => {
  await it.server.allSettled();
  const [{ own, all }] = it.server.sql(`SELECT coalesce(sum(charge_nano) FILTER (WHERE own_key), 0)::text AS own, sum(charge_nano)::text AS all FROM call WHERE team_id = ${team}`);
  assert.ok(Number(own) > 0 && Number(own) < Number(all));
  const preview = (await ask('GET', '/invoices/preview')).json;
  assert.equal(Math.round(Number(preview.usage) * 1e9), Number(all), JSON.stringify(preview));
  // Each line can be summed again from the log: own keys and others apart, and each fee from the next.
  const lines = it.server.sql(`SELECT k.name || ' …' || k.last4 AS key, own_key, own_fee_bp / 100.0 AS fee, count(*)::int AS calls, sum(charge_nano)::text AS nano
    FROM call c JOIN api_key k ON k.id = c.key_id WHERE c.team_id = ${team} AND charge_nano > 0 GROUP BY k.id, 1, 2, 3`);
  const told = (key, text, calls, nano) => `${key} ${text}: ${calls} for ${nano}`;
  assert.ok(lines.some((l) => l.own_key) && lines.some((l) => !l.own_key));
  assert.deepEqual(preview.lines.filter((l) => l.kind === 'usage').map((l) => told(l.key, l.text, l.calls, Math.round(-Number(l.amount) * 1e9))).sort(),
    lines.map((l) => told(l.key, l.own_key ? `own key, fee ${l.fee}%` : '', l.calls, l.nano)).sort());
  assert.match((await it.owner.get('/billing/preview')).text, /scripted ?own key, fee 5%/);
  const total = (await ask('GET', '/usage')).json;
  assert.match(JSON.stringify(total), new RegExp((Number(all) / 1e9).toFixed(9).replace('.', '\\.').replace(/0+$/, '')));
});

test('a team changes its keys so often and no more', async () => {
  let res, n = 0;
  do res = await poorAsk('PATCH', `/own_accounts/${spare}`, { name: `renamed ${++n}` });
  while (res.status === 200 && n < 70);
  assert.equal(res.status, 429, res.text);
  assert.equal(res.json.error.code, 'too_many_attempts');
  assert.ok(Number(res.headers.get('retry-after')) >= 1 && Number(res.headers.get('retry-after')) <= 600);
  assert.equal((await poorAsk('GET', `/own_accounts/${spare}`)).json.name, `renamed ${n - 1}`);
  const tried = await poorAsk('POST', `/own_accounts/${spare}/test`);
  assert.equal(tried.status, 429, tried.text);
  assert.equal((await poor.submit(`/provider-keys/${spare}`, /\/enable$/)).status, 429);
  assert.equal((await poorAsk('GET', `/own_accounts/${spare}`)).json.enabled, false);
  const mine = await ask('POST', '/own_accounts', { kind: KIND, name: 'spare', base_url: 'https://llm.example.org/v1', key: 'sk-3' });
  assert.equal(mine.status, 201, mine.text); // another team may
  assert.equal((await ask('DELETE', `/own_accounts/${mine.json.id}`)).status, 200);
  await it.server.allSettled();
  booksBalance(it.server);
  sameBooks(it.server);
});
