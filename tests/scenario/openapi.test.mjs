// admin/openapi.json against the route table and against what is really answered.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, setup, test } from '../lib/story.mjs';
import { described, document, isNamed, schemaOf } from '../lib/openapi.mjs';
import { top } from '../lib/server.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { installationKey, standardInstallation, mintManagementKey, manage, call, hello, settled } from '../lib/installation.mjs';

const methods = ['get', 'post', 'patch', 'put', 'delete'];

test('the document and the route table name the same', () => {
  const table = readFileSync(join(top, 'server/routes.c'), 'utf8');
  const served = [...table.matchAll(/MANAGE(?:_\w+)?\((\w+),\s*"(\/api\/v1[^"]*)"/g)].map(([, m, path]) => `${m} ${path}`).sort();
  const described = Object.entries(document.paths).flatMap(([path, item]) => methods.filter((m) => m in item).map((m) => `${m.toUpperCase()} ${path}`)).sort();
  assert.ok(served.length > 15);
  assert.deepEqual(described, served);
});

test('every schema compiles', () => {
  for (const name of Object.keys(document.components.schemas)) assert.ok(schemaOf(name), name);
});

// Fields of bodies and answers, within each other.
function* fieldsOf(schema, at) {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield [`${at}.${name}`, field];
    yield* fieldsOf(field.items ?? field, `${at}.${name}`);
  }
}

test('every field says what it is', () => {
  const fields = Object.entries(document.components.schemas).flatMap(([name, schema]) => [...fieldsOf(schema, name)]);
  assert.ok(fields.length > 500);
  assert.deepEqual(fields.filter(([, field]) => !field.$ref && !(field.description?.length > 3)).map(([at]) => at), []);
});

let it, ask, id, key;
setup('a team with a past', async () => {
  const up = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([up]);
  ask = manage(it.server, await mintManagementKey(it.owner));
  id = (await call(it.server, it.key, hello('scripted'))).headers.get('x-tollgate-request-id');
  await settled(it.server, id);
});

const holds = (method, path, status, body, asker = ask, address = path) => described(asker)(method, path, status, body, address);

test('answers are what the document says', async () => {
  key = await holds('POST', '/api/v1/keys', 201, { name: 'described', expires_at: '2099-01-01T00:00:00Z', addresses: ['127.0.0.1'] });
  await holds('GET', '/api/v1/keys', 200);
  await holds('GET', '/api/v1/keys/{id}', 200, undefined, ask, `/api/v1/keys/${key.id}`);
  await holds('PATCH', '/api/v1/keys/{id}', 200, { rpm: 5 }, ask, `/api/v1/keys/${key.id}`);
  await holds('POST', '/api/v1/keys/{id}/rotate', 200, {}, ask, `/api/v1/keys/${key.id}`.concat('/rotate'));
  await holds('GET', '/api/v1/teams', 200);
  const budget = await holds('POST', '/api/v1/budgets', 201, { scope: 'team', amount: '50', window: 'month' });
  await holds('GET', '/api/v1/budgets', 200);
  const rule = await holds('POST', '/api/v1/guardrails', 201, { name: 'described', action: 'log', where: ['request', 'answer'], finds: ['email'], words: ['falcon'], patterns: ['EMP-\\d+'], key_id: key.id });
  await holds('GET', '/api/v1/guardrails', 200);
  await holds('PATCH', '/api/v1/guardrails/{id}', 200, { disabled: true, words: null, key_id: null }, ask, `/api/v1/guardrails/${rule.id}`);
  await holds('PATCH', '/api/v1/guardrails/{id}', 404, { disabled: true }, ask, '/api/v1/guardrails/999999');
  await holds('DELETE', '/api/v1/guardrails/{id}', 200, undefined, ask, `/api/v1/guardrails/${rule.id}`);
  await holds('GET', '/api/v1/alerts', 200);
  await holds('GET', '/api/v1/alerts/settings', 200);
  await holds('PATCH', '/api/v1/alerts/settings', 200, { balance_below: '5', budget_percents: [50], recipients: [] });
  await holds('POST', '/api/v1/alerts/webhook', 201, { url: 'https://127.0.0.1/tollgate' });
  await holds('POST', '/api/v1/alerts/webhook/test', 200);
  await holds('DELETE', '/api/v1/alerts/webhook', 200);
  await holds('POST', '/api/v1/alerts/webhook/test', 404);
  await holds('DELETE', '/api/v1/budgets/{id}', 200, undefined, ask, `/api/v1/budgets/${budget.id}`);
  await holds('GET', '/api/v1/calls', 200);
  await holds('GET', '/api/v1/calls/{id}', 200, undefined, ask, `/api/v1/calls/${id}`);
  for (const by of ['day', 'model', 'key', 'project', 'provider']) await holds('GET', '/api/v1/usage', 200, undefined, ask, `/api/v1/usage?by=${by}`);
  await holds('GET', '/api/v1/balance', 200);
  await holds('GET', '/api/v1/invoices', 200);
  await holds('GET', '/api/v1/credit_notes', 200);
  await holds('GET', '/api/v1/pricing', 200);
  const holder = manage(it.server, it.key);
  await holds('GET', '/api/v1/key', 200, undefined, holder);
  await holds('GET', '/api/v1/credits', 200, undefined, holder);
  await holds('GET', '/api/v1/generation', 200, undefined, holder, `/api/v1/generation?id=${id}`);
  await holds('DELETE', '/api/v1/keys/{id}', 200, undefined, ask, `/api/v1/keys/${key.id}`);
});

test('answers about alerts of the installation are what the document says', async () => {
  const whole = manage(it.server, await installationKey(it.operator));
  const at = '/api/v1/installation/alerts';
  await holds('PATCH', `${at}/settings`, 200, { kinds: ['price'], account_after_seconds: 5, recipients: [1] }, whole);
  await holds('GET', `${at}/settings`, 200, undefined, whole);
  await holds('POST', `${at}/webhook`, 201, { url: 'https://127.0.0.1/tollgate' }, whole);
  const tried = await holds('POST', `${at}/webhook/test`, 200, undefined, whole);
  assert.deepEqual([tried.delivered, tried.answer], [false, 'blocked'], 'an address that may not be reached');
  await holds('GET', `${at}/deliveries`, 200, undefined, whole);
  await holds('DELETE', `${at}/webhook`, 200, undefined, whole);
  await holds('POST', `${at}/webhook/test`, 404, undefined, whole);
  await holds('POST', `${at}/mail/test`, 404, { user_id: 1 }, whole); // no mail server is set
  await holds('POST', `${at}/mail/test`, 400, { user_id: 999999 }, whole);
  it.server.psql(`INSERT INTO alarm (kind, subject, name, detail, raised_at, seen_at) VALUES ('account', 'account:1', 'x', 'y', now(), now())`);
  assert.equal((await holds('GET', at, 200, undefined, whole)).data.length, 1);
});

test('calls that no model served are found by that', async () => {
  const { status } = await call(it.server, it.key, hello('there-is-no-such-model'));
  assert.equal(status, 404);
  await eventually(async () => (await holds('GET', '/api/v1/calls', 200, undefined, ask, '/api/v1/calls?served=false')).data.length, 'the refused call');
  const [served, not, unasked] = await Promise.all(['served=true', 'served=false', 'provider=none'].map(async (by) => (await holds('GET', '/api/v1/calls', 200, undefined, ask, `/api/v1/calls?${by}`)).data));
  assert.deepEqual(served.map((c) => c.served_model), ['scripted']);
  assert.deepEqual(not.map((c) => [c.requested_model, c.served_model, c.provider]), [['there-is-no-such-model', null, null]]);
  assert.deepEqual(unasked, not);
  await holds('GET', '/api/v1/calls', 400, undefined, ask, '/api/v1/calls?served=perhaps');
});

test('answers about money are what the document says', async () => {
  const whole = manage(it.server, await installationKey(it.operator));
  const [{ id: team }] = it.server.sql(`SELECT id FROM team WHERE name = '${it.owner.team}'`);
  const of = (path) => `${path}?team=${team}`;
  const grants = await holds('POST', '/api/v1/grants', 201, { amount: '1', name: 'Described', reason: 'for the test', reference: 'g1', expires_at: '2099-01-01T00:00:00Z' }, whole, of('/api/v1/grants'));
  await holds('GET', '/api/v1/grants', 200);
  await holds('DELETE', '/api/v1/grants/{id}', 200, undefined, whole, of(`/api/v1/grants/${grants.data[0].id}`));
  const codes = await holds('POST', '/api/v1/codes', 201, { amount: '1', name: 'Described', count: 2, grant_days: 3 }, whole);
  await holds('POST', '/api/v1/redeem', 201, { code: codes.data[0].code });
  await holds('POST', '/api/v1/redeem', 400, { code: codes.data[0].code });
  await holds('GET', '/api/v1/codes', 200, undefined, whole);
  await holds('DELETE', '/api/v1/codes/{id}', 200, undefined, whole, `/api/v1/codes/${codes.data[1].id}`);
  const orders = await holds('GET', '/api/v1/orders', 200);
  const one = await holds('GET', '/api/v1/orders/{id}', 200, undefined, ask, `/api/v1/orders/${orders.data[0].id}`);
  await holds('GET', '/api/v1/payments/review', 200, undefined, whole);
  const payment = `/api/v1/payments/${one.payments[0].id}`;
  await holds('POST', '/api/v1/payments/{id}/refunds', 201, { amount: '1', reason: 'asked for', reference: 'r1' }, whole, `${payment}/refunds`);
  const back = await holds('POST', '/api/v1/payments/{id}/chargebacks', 201, { amount: '1', reason: 'the bank', reference: 'c1' }, whole, `${payment}/chargebacks`);
  await holds('POST', '/api/v1/chargebacks/{id}/reversal', 201, { reason: 'we won', reference: 'c1' }, whole, `/api/v1/chargebacks/${back.returns[1].id}/reversal`);
  await holds('POST', '/api/v1/payments/{id}/resolve', 404, { accept: true, note: 'not in review' }, whole, `${payment}/resolve`);
  await holds('POST', '/api/v1/invoices/{id}/credit_notes', 404, { amount: '1', reason: 'no such one', reference: 'n1' }, whole, of('/api/v1/invoices/999999/credit_notes'));
  await holds('GET', '/api/v1/codes', 403);
});

test('refusals are what the document says', async () => {
  await holds('GET', '/api/v1/keys/{id}', 404, undefined, ask, '/api/v1/keys/999999');
  await holds('POST', '/api/v1/keys', 400, { name: 'x', unknown: true });
  await holds('GET', '/api/v1/keys', 401, undefined, manage(it.server, 'tgm-nothing'));
});

test('who may call is what the document says', async () => {
  const covers = { viewer: ['viewer'], developer: ['viewer', 'developer'], billing: ['viewer', 'billing'], admin: ['viewer', 'developer', 'billing', 'admin'] };
  const [{ id: team }] = it.server.sql(`SELECT id FROM team WHERE name = '${it.owner.team}'`);
  const whole = manage(it.server, await installationKey(it.operator));
  const askers = {};
  for (const role of Object.keys(covers)) askers[role] = manage(it.server, await mintManagementKey(it.owner, role));
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods.filter((m) => item[m]?.security[0]?.management)) {
      const [role] = item[method].security[0].management;
      // Nothing has such an id but the team, which its own keys may ask for; a body of nothing changes nothing.
      const address = path.replace('/api/v1', '').replace('{id}', path.startsWith('/api/v1/teams') ? team : '999999');
      const body = item[method].requestBody ? {} : undefined;
      for (const [name, asks] of Object.entries(askers)) {
        const { status } = await asks(method.toUpperCase(), address, body);
        assert.equal(status === 403, !covers[name].includes(role), `${method} ${path} as ${name}: ${status}`);
        assert.ok(isNamed(path, method, status), `${method} ${path} does not tell of ${status}`);
      }
      if (role === 'installation' && method === 'get') assert.notEqual((await whole('GET', `${address}?team=${team}`)).status, 403, path);
    }
  }
});

test('the server hands the document out', async () => {
  assert.deepEqual((await manage(it.server)('GET', '/openapi.json')).json, document);
});
