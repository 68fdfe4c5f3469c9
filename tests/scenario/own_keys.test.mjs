// A team's own keys at providers: whose key is asked, what that costs the team, and who learns of it.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { moveHere } from '../lib/own_account.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import { booksBalance, call, hello, installationKey, manage, mintKey, mintManagementKey, settled, signUp, standardInstallation } from '../lib/installation.mjs';

const SECRET = 'sk-own-0123456789abcdef-WXYZ';
const KIND = 'openai-compatible';
let it, ours, theirs, whole, ask, other, otherKey, account, revoked = false;

const asked = () => {
  const n = [ours.seen.length, theirs.seen.length];
  ours.seen.length = theirs.seen.length = 0;
  return n;
};
const ask1 = async (key = it.key) => {
  const res = await call(it.server, key, hello('scripted'));
  return { res, asked: asked() };
};

setup('an installation with a key of its own, and two teams', async () => {
  ours = await startUpstream((req, res) => send(res, 200, chat()));
  theirs = await startUpstream((req, res) => (revoked ? send(res, 401, { error: { message: 'Incorrect API key provided' } }) : send(res, 200, chat())));
  it = await standardInstallation([ours]);
  whole = manage(it.server, await installationKey(it.operator));
  ask = manage(it.server, await mintManagementKey(it.owner));
  const stranger = await signUp(it.server);
  otherKey = await mintKey(stranger);
  other = manage(it.server, await mintManagementKey(stranger));
});

test('what cannot be is refused, and names what is wrong', async () => {
  const wish = { kind: KIND, name: 'mine', base_url: 'https://llm.example.org/v1', key: SECRET };
  const wrong = async (body, param) => {
    const res = await ask('POST', '/own_accounts', { ...wish, ...body });
    assert.equal(res.status, 400, res.text);
    assert.equal(res.json.error.param, param, res.text);
    assert.ok(!res.text.includes(SECRET));
  };
  await wrong({ base_url: theirs.url }, 'base_url');
  await wrong({ base_url: 'http://llm.example.org' }, 'base_url');
  await wrong({ kind: 'nobody' }, 'kind');
  await wrong({ kind: 'demo', base_url: '' }, 'kind');
  await wrong({ kind: 'vertex', base_url: '', region: 'europe-west1', project: 'p' }, 'kind');
  await wrong({ network: 'private' }, 'network');
  await wrong({ models: ['unknown'] }, 'models');
  assert.equal((await ask('GET', '/own_accounts')).json.data.length, 0);
});

test('a team adds its key, which is never shown, to that team alone', async () => {
  const made = await ask('POST', '/own_accounts', { kind: KIND, name: 'mine', base_url: 'https://llm.example.org/v1', key: SECRET });
  assert.equal(made.status, 201, made.text);
  account = made.json;
  assert.deepEqual(account.models, ['scripted']);
  assert.equal(account.credential_last4, 'WXYZ');
  for (const text of [made.text, (await ask('GET', `/own_accounts/${account.id}`)).text, (await ask('GET', '/own_accounts')).text,
    (await whole('GET', '/accounts')).text, JSON.stringify(it.server.sql('SELECT * FROM audit')), it.server.log])
    assert.ok(!text.includes(SECRET));
  for (const [method, path] of [['GET', ''], ['PATCH', ''], ['DELETE', ''], ['POST', '/credential'], ['POST', '/test']])
    assert.equal((await other(method, `/own_accounts/${account.id}${path}`, method === 'PATCH' ? { enabled: false } : path === '/credential' ? { key: 'x' } : undefined)).status, 404, method + path);
  assert.equal((await other('GET', '/own_accounts')).json.data.length, 0);
  const viewer = manage(it.server, await mintManagementKey(it.owner, 'viewer'));
  const seen = await viewer('GET', '/own_accounts');
  assert.equal(seen.json.data.length, 1, seen.text);
  assert.ok(!seen.text.includes(SECRET));
  assert.equal((await viewer('DELETE', `/own_accounts/${account.id}`)).status, 403);
  const page = await it.owner.submit(`/provider-keys/${account.id}`, /\/key$/, { key: 'sk-own-another-secret-0123456789' });
  assert.match(page.url, /provider-keys\/\d+$/);
  assert.ok(!page.body.includes('sk-own-another'));
  assert.equal((await ask('GET', `/own_accounts/${account.id}`)).json.credential_last4, '6789');
});

test('operators find it with its team and not among the installation\'s', async () => {
  const [{ id: team }] = it.server.sql(`SELECT team_id AS id FROM provider_account WHERE id = ${account.id}`);
  const page = await it.operator.get(`/operator/teams/${team}`);
  assert.match(page.text, /Provider keys of its own .* mine OpenAI-compatible In use this key first 1 model/);
  assert.match(page.body, new RegExp(`href="/operator/accounts/${account.id}"`));
  assert.match((await it.operator.get(`/operator/accounts/${account.id}`)).text, /mine/);
  assert.ok((await whole('GET', '/accounts')).json.data.every((a) => a.id !== account.id));
  assert.equal((await whole('GET', `/own_accounts?team=${team}`)).json.data[0].id, account.id);
});

test('an address that leads to this machine is not reached', async () => {
  it.server.psql(`UPDATE provider_account SET base_url = '${theirs.url}' WHERE id = ${account.id}; SELECT note_change('catalogue')`);
  await eventually(async () => (await ask('POST', `/own_accounts/${account.id}/test`)).json?.ok === false, 'the refusal');
  const { res, asked: n } = await ask1();
  assert.equal(res.status, 200, res.text); // the installation's stands behind it
  assert.deepEqual(n, [1, 0]);
});

test('the own key goes first and costs nothing where no fee is set', async () => {
  moveHere(it.server, account.id, theirs.url);
  let got;
  await eventually(async () => (got = await ask1()).asked[1] === 1, 'the own key to be asked');
  assert.deepEqual(got.asked, [0, 1]);
  const row = await settled(it.server, got.res.json.id ? got.res.headers.get('x-request-id') : '');
  assert.equal(row.own_key, true);
  assert.equal(Number(row.charge_nano), 0);
  assert.equal(Number(row.cost_nano), 0);
  assert.equal(row.account_name, 'mine');
  const log = await ask('GET', `/calls/${got.res.headers.get('x-request-id')}`);
  assert.equal(log.json.own_key, true, log.text);
});

test('a team without money may use its own key, but not the installation\'s', async () => {
  const refused = await ask1(otherKey);
  assert.equal(refused.res.status, 402, refused.res.text);
  const made = await other('POST', '/own_accounts', { kind: KIND, name: 'ours', base_url: 'https://llm.example.org/v1', key: SECRET, own_only: true });
  assert.equal(made.status, 201, made.text);
  moveHere(it.server, made.json.id, theirs.url);
  await eventually(async () => (await ask1(otherKey)).res.status === 200, 'the own key to be asked');
  const { res, asked: n } = await ask1(otherKey);
  assert.equal(res.status, 200, res.text);
  assert.deepEqual(n, [0, 1]);
});

test('a fee is its part of the list charge, to the nano-dollar', async () => {
  const set = await whole('PATCH', '/installation', { own_fee_bp: 500 });
  assert.equal(set.status, 200, set.text);
  assert.equal((await whole('PATCH', '/installation', { own_fee_bp: 10001 })).status, 400);
  assert.equal((await ask('PATCH', '/installation', { own_fee_bp: 0 })).status, 403);
  let row;
  await eventually(async () => {
    const { res } = await ask1();
    row = await settled(it.server, res.headers.get('x-request-id'));
    return row.own_fee_bp === 500;
  }, 'the fee to be known');
  assert.equal(Number(row.charge_nano), 750); // 9 at $1 and 3 at $2 a million are 15,000 nano-dollars
  assert.equal(Number(row.cost_nano), 0);
  assert.equal((await ask1(otherKey)).res.status, 402); // now the wallet is needed
});

test('a key that the provider no longer takes gives way, unless the team wants its own alone', async () => {
  revoked = true;
  const fallen = await ask1();
  assert.equal(fallen.res.status, 200, fallen.res.text);
  assert.deepEqual(fallen.asked, [1, 1]);
  const row = await settled(it.server, fallen.res.headers.get('x-request-id'));
  assert.equal(row.own_key, false);
  assert.equal(Number(row.charge_nano), 15000);
  const own = await ask('PATCH', `/own_accounts/${account.id}`, { own_only: true, base_url: theirs.url });
  assert.equal(own.status, 400, own.text); // nor by a change
  it.server.psql(`UPDATE provider_account SET own_only = true WHERE id = ${account.id}; SELECT note_change('catalogue')`);
  await eventually(async () => (await ask1()).asked[0] === 0, 'the change');
  const alone = await ask1();
  assert.ok(alone.res.status >= 400, alone.res.text);
  assert.equal(alone.asked[0], 0);
  assert.ok(!alone.res.text.includes(SECRET));
});

test('what is deleted is used no more, and all books agree', async () => {
  assert.equal((await ask('DELETE', `/own_accounts/${account.id}`)).status, 200);
  await eventually(async () => (await ask1()).asked[0] === 1, 'the installation\'s to be asked');
  assert.equal(it.server.sql(`SELECT key_sealed FROM provider_account WHERE id = ${account.id}`)[0].key_sealed, null);
  await it.server.allSettled();
  booksBalance(it.server);
  sameBooks(it.server);
});
