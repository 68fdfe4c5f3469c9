// What operators do by program: accounts, routes with their targets, prices, and the switches of an
// incident; and that what is answered is what openapi.json says.
import assert from 'node:assert/strict';
import { setup, test, eventually } from '../lib/story.mjs';
import { described } from '../lib/openapi.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { startServer } from '../lib/server.mjs';
import { call, hello, installationKey, manage, mintKey, mintManagementKey, served, signInOperator, signUp, topUp } from '../lib/installation.mjs';

const SECRET = 'sk-operate-secret-1234';
let server, ask, team, holds, key, up, other;

setup('an installation that nobody has clicked in', async () => {
  up = await startUpstream((req, res) => send(res, 200, chat()));
  other = await startUpstream((req, res) => send(res, 200, chat('from the other')));
  server = await startServer();
  const operator = await signInOperator(server);
  ask = manage(server, await installationKey(operator));
  const owner = await signUp(server);
  await topUp(owner, 20);
  key = await mintKey(owner);
  team = manage(server, await mintManagementKey(owner));
  holds = described(ask);
});

const account = (upstream, more = {}) => ({ kind: 'openai-compatible', name: 'By program', base_url: upstream.url, network: 'private', key: SECRET, ...more });
const figures = (input, output) => [{ unit: 'input', price: input, cost: '0.5' }, { unit: 'output', price: output }];
let first, second, route;

test('an account is added, and its credential never comes back', async () => {
  first = await holds('POST', '/api/v1/accounts', 201, account(up));
  assert.deepEqual([first.region, first.last_error, first.team_id], [null, null, null]);
  assert.deepEqual([first.has_credential, first.credential_last4, first.network, first.weight], [true, '1234', 'private', 100]);
  second = await holds('POST', '/api/v1/accounts', 201, account(other, { name: 'The other', extra_headers: { 'x-project': 'gateway' }, rpm: 100 }));
  assert.deepEqual([second.extra_headers, second.rpm], [{ 'x-project': 'gateway' }, 100]);
  const list = await holds('GET', '/api/v1/accounts', 200);
  assert.deepEqual(list.data.map((a) => a.id).filter((id) => [first.id, second.id].includes(id)).length, 2);
  assert.ok(!JSON.stringify(list).includes(SECRET));
});

test('what an account cannot be is said by field', async () => {
  const wrong = async (body, param) => assert.equal((await holds('POST', '/api/v1/accounts', 400, body)).error.param, param);
  await wrong(account(up, { kind: 'nobody' }), 'kind');
  await wrong(account(up, { network: 'public' }), 'base_url');
  await wrong(account(up, { network: 'both' }), 'network');
  await wrong(account(up, { weight: 0 }), 'weight');
  await wrong(account(up, { extra_headers: { 'content-length': '3' } }), 'extra_headers');
  await wrong(account(up, { surprise: 1 }), 'surprise');
  await wrong({ kind: 'bedrock', name: 'No region', access_key_id: 'AKIAEXAMPLE', secret_access_key: 'x' }, 'region');
  assert.equal((await team('GET', '/accounts')).status, 403);
  assert.equal((await manage(server, key)('GET', '/routes')).status, 403);
});

test('what is absent stays, and null clears', async () => {
  const at = `/api/v1/accounts/${second.id}`;
  const changed = await holds('PATCH', '/api/v1/accounts/{id}', 200, { priority: 3 }, at);
  assert.deepEqual({ ...changed, priority: second.priority }, { ...second, last_ok_at: changed.last_ok_at });
  assert.equal((await holds('PATCH', '/api/v1/accounts/{id}', 200, { rpm: null, extra_headers: null }, at)).rpm, null);
  assert.deepEqual((await holds('GET', '/api/v1/accounts/{id}', 200, undefined, at)).extra_headers, {});
  assert.equal((await holds('PATCH', '/api/v1/accounts/{id}', 400, { base_url: 'http://127.0.0.1:1' }, at)).error.param, 'base_url');
  assert.equal((await holds('DELETE', '/api/v1/accounts/{id}/credential', 200, undefined, `${at}/credential`)).credential_last4, null);
  assert.equal((await holds('POST', '/api/v1/accounts/{id}/credential', 400, {}, `${at}/credential`)).error.param, 'key');
  const again = await holds('POST', '/api/v1/accounts/{id}/credential', 200, { key: 'sk-another-secret-5678' }, `${at}/credential`);
  assert.equal(again.credential_last4, '5678');
});

test('an account is tested', async () => {
  await eventually(async () => (await ask('POST', `/accounts/${first.id}/test`)).status === 200, 'the account in the catalogue');
  const told = await holds('POST', '/api/v1/accounts/{id}/test', 200, undefined, `/api/v1/accounts/${first.id}/test`);
  assert.deepEqual([told.ok, told.status], [true, 200]);
  await holds('POST', '/api/v1/accounts/{id}/adopt', 200, undefined, `/api/v1/accounts/${first.id}/adopt`);
});

test('a route is made, with targets and a price, and serves', async () => {
  route = await holds('POST', '/api/v1/routes', 201, { model: 'by-program', vendor: 'scripted', context_tokens: 100000, max_output_tokens: 1000, aliases: ['programmed'], abilities: ['tools'], triggers: ['server_error'] });
  assert.deepEqual([route.kind, route.enabled, route.aliases, route.abilities, route.triggers, route.priced], ['chat', true, ['programmed'], ['tools'], ['server_error'], false]);
  const targets = `/api/v1/routes/${route.id}/targets`;
  await holds('POST', '/api/v1/routes/{id}/targets', 201, { account_id: first.id, upstream_model: 'up-1', priority: 1 }, targets);
  route = await holds('POST', '/api/v1/routes/{id}/targets', 201, { account_id: second.id, upstream_model: 'up-2', priority: 2 }, targets);
  assert.deepEqual(route.targets.map((t) => [t.account, t.upstream_model, t.priority]), [['By program', 'up-1', 1], ['The other', 'up-2', 2]]);
  const prices = await holds('POST', '/api/v1/routes/{id}/prices', 201, { note: 'the first', figures: figures('1', '2.000000001') }, `/api/v1/routes/${route.id}/prices`);
  assert.deepEqual([prices.data[0].state, prices.data[0].figures[1].price, prices.data[0].figures[0].cost], ['current', '2.000000001', '0.5']);
  await served(server, key, 'by-program');
  assert.equal((await call(server, key, hello('programmed'))).status, 200);
});

test('prices are refused with the path of what is wrong', async () => {
  const at = `/api/v1/routes/${route.id}/prices`;
  const wrong = async (body, param) => assert.equal((await holds('POST', '/api/v1/routes/{id}/prices', 400, body, at)).error.param, param);
  await wrong({ figures: [] }, 'figures');
  await wrong({ figures: [{ unit: 'input' }] }, 'figures[0].price');
  await wrong({ figures: [...figures('1', '2'), { unit: 'smile', price: '1' }] }, 'figures[2].unit');
  await wrong({ figures: [...figures('1', '2'), { unit: 'page', image_kind: '1x1', price: '1' }] }, 'figures[2].image_kind');
  await wrong({ figures: [...figures('1', '2'), { unit: 'second', image_kind: 'hd', price: '1' }] }, 'figures[2].image_kind');
  await wrong({ figures: figures('99999999', '2') }, 'figures[0].price');
  await wrong({ figures: figures('1', '2'), target_id: 999999 }, 'target_id');
  await wrong({ figures: figures('1', '2'), effective_from: '2001-01-01T00:00:00Z' }, 'effective_from');
  assert.equal((await holds('GET', '/api/v1/routes/{id}/prices', 200, undefined, at)).data.length, 1);
  const later = await holds('POST', '/api/v1/routes/{id}/prices', 201, { provider: 'openai-compatible', effective_from: '2099-01-01T00:00:00Z', figures: figures('3', '4') }, at);
  assert.deepEqual(later.data.map((p) => p.state).sort(), ['current', 'scheduled']);
});

test('a route is pinned and switched off in an incident, and back', async () => {
  const at = `/api/v1/routes/${route.id}`;
  const turn = (body) => holds('PATCH', '/api/v1/routes/{id}', 200, body, at);
  const answer = async () => {
    const res = await call(server, key, hello('by-program'));
    return res.status === 200 ? res.json.choices[0].message.content : `${res.status} ${res.json.error.message}`;
  };
  const until = (what) => eventually(async () => (await answer()).includes(what), `an answer with “${what}”`);
  assert.equal((await turn({ pinned_target_id: route.targets[1].id })).pinned_target_id, route.targets[1].id);
  await until('from the other');
  assert.equal((await holds('PATCH', '/api/v1/routes/{id}', 400, { pinned_target_id: 999999 }, at)).error.param, 'pinned_target_id');
  await turn({ off_reason: 'It answers nonsense' });
  await until('It answers nonsense');
  const back = await turn({ off_reason: null, pinned_target_id: null });
  assert.deepEqual([back.off_reason, back.pinned_target_id], [null, null]);
  await eventually(async () => !(await answer()).includes('nonsense'), 'the route on again');
  const words = server.sql(`SELECT action FROM audit WHERE object = 'model:${route.id}' ORDER BY id`).map((r) => r.action);
  assert.deepEqual(words.filter((w) => /pin|switch|edit/.test(w)), ['model.pin', 'model.switch_off', 'model.unpin', 'model.switch_on']);
});

test('targets and routes are changed, and accounts leave with their targets', async () => {
  const target = `/api/v1/targets/${route.targets[0].id}`;
  const less = await holds('PATCH', '/api/v1/targets/{id}', 200, { lacks: ['vision'], context_tokens: 8000 }, target);
  assert.deepEqual([less.targets[0].lacks, less.targets[0].context_tokens, less.targets[0].max_output_tokens], [['vision'], 8000, null]);
  const off = await holds('PATCH', '/api/v1/targets/{id}', 200, { enabled: false, context_tokens: null }, target);
  assert.deepEqual([off.targets[0].enabled, off.targets[0].lacks, off.targets[0].context_tokens], [false, ['vision'], null]);
  assert.equal((await holds('PATCH', '/api/v1/targets/{id}', 400, { lacks: ['wings'] }, target)).error.param, 'lacks');
  assert.equal((await holds('DELETE', '/api/v1/targets/{id}', 200, undefined, target)).targets.length, 1);
  await holds('DELETE', '/api/v1/targets/{id}', 404, undefined, target);
  const at = `/api/v1/routes/${route.id}`;
  const changed = await holds('PATCH', '/api/v1/routes/{id}', 200, { aliases: ['renamed'], abilities: null, total_timeout_ms: 5000 }, at);
  assert.deepEqual([changed.aliases, changed.abilities, changed.total_timeout_ms], [['renamed'], null, 5000]);
  assert.equal((await holds('PATCH', '/api/v1/routes/{id}', 400, { triggers: ['boredom'] }, at)).error.param, 'triggers');
  assert.equal((await holds('POST', '/api/v1/routes', 400, { model: 'by-program', vendor: 'scripted' })).error.param, 'model');
  await holds('DELETE', '/api/v1/accounts/{id}', 200, undefined, `/api/v1/accounts/${second.id}`);
  assert.deepEqual((await holds('GET', '/api/v1/routes/{id}', 200, undefined, at)).targets, []);
  const list = await holds('GET', '/api/v1/routes', 200, undefined, '/api/v1/routes?q=by-prog');
  assert.deepEqual(list.data.map((r) => [r.model, r.targets_enabled]), [['by-program', 0]]);
});
