// The management API as programs use it, and what one team's key sees of another's.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { standardInstallation, signUp, mintKey, mintManagementKey, installationKey, manage, call, hello, settled } from '../lib/installation.mjs';

let it, ask, other, strangers, whole, team;

setup('two teams with management keys', async () => {
  const up = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([up]);
  ask = manage(it.server, await mintManagementKey(it.owner));
  other = await signUp(it.server);
  strangers = manage(it.server, await mintManagementKey(other));
  whole = manage(it.server, await installationKey(it.operator));
  [{ team_id: team }] = it.server.sql(`SELECT team_id FROM call LIMIT 1`).concat(it.server.sql(`SELECT id AS team_id FROM team WHERE name = '${it.owner.team}'`));
});

let minted;
test('mints a key that works, with its limits', async () => {
  const res = await ask('POST', '/keys', { name: 'by program', models: ['scripted'], rpm: 50, budget: '1.5', budget_window: 'month', tags: { app: 'billing' } });
  assert.equal(res.status, 201, res.text);
  minted = res.json;
  assert.match(minted.secret ?? minted.key, /^tg-[A-Za-z0-9]{49}$/);
  assert.deepEqual([minted.rpm, minted.budget, minted.budget_window], [50, '1.5', 'month']);
  assert.equal((await call(it.server, minted.secret ?? minted.key, hello('scripted'))).status, 200);
  const read = await ask('GET', `/keys/${minted.id}`);
  assert.equal(read.json.name, 'by program');
  assert.ok(!read.text.includes(minted.secret ?? minted.key));
});

test('changes what is named; null clears', async () => {
  const res = await ask('PATCH', `/keys/${minted.id}`, { rpm: null, budget: null, budget_window: null, name: 'renamed' });
  assert.equal(res.status, 200, res.text);
  assert.deepEqual([res.json.rpm, res.json.budget, res.json.name], [null, null, 'renamed']);
  assert.deepEqual(res.json.models, ['scripted']);
});

test('a request\'s own tags stand beside the key\'s, and find it in the log', async () => {
  const tagged = { headers: { 'x-tollgate-tags': 'customer=acme-7, workflow=support, app=mine' } };
  const res = await call(it.server, minted.key, hello('scripted'), tagged);
  assert.equal(res.status, 200, res.text);
  const id = res.headers.get('x-tollgate-request-id');
  assert.deepEqual((await settled(it.server, id)).tags, { app: 'billing', customer: 'acme-7', workflow: 'support' });
  assert.deepEqual((await ask('GET', '/calls?tag=acme-7')).json.data.map((c) => c.call_id), [id]);
  assert.deepEqual((await ask('GET', '/calls?tag=mine')).json.data, []);
  assert.match((await it.owner.get('/log?tag=acme-7')).body, new RegExp(id));
  assert.match((await it.owner.get('/log/export?tag=acme-7')).body, /acme-7/);
  for (const said of ['customer', 'bad name=x', 'a=']) {
    const refused = await call(it.server, minted.key, hello('scripted'), { headers: { 'x-tollgate-tags': said } });
    assert.equal(refused.status, 400, said);
    assert.equal(refused.json.error.param, 'x-tollgate-tags');
    const row = await settled(it.server, refused.headers.get('x-tollgate-request-id'));
    assert.deepEqual([row.outcome, row.tags, Number(row.charge_nano)], ['client_error', { app: 'billing' }, 0]);
  }
});

for (const [name, body] of [
  ['an unknown field', { name: 'x', colour: 'red' }],
  ['a wrong type', { name: 5 }],
  ['no name', {}],
  ['a budget that is no amount', { name: 'x', budget: 'much', budget_window: 'day' }],
  ['an address that is none', { name: 'x', addresses: ['300.1.1.1'] }],
  ['malformed JSON', '{"name":'],
]) {
  test(`${name} is a 400 that says where`, async () => {
    const before = (await ask('GET', '/keys')).json.data.length;
    const res = await ask('POST', '/keys', body);
    assert.equal(res.status, 400, res.text);
    assert.equal(typeof res.json.error.message, 'string');
    assert.equal((await ask('GET', '/keys')).json.data.length, before);
  });
}

test('limits of a key may be as high as its team can set them anywhere', async () => {
  const most = 1000000000000;
  const made = await ask('POST', '/keys', { name: 'fast', rpm: most, tpm: most, concurrency: most, budget: '1000000000', budget_window: 'month' });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual([made.json.rpm, made.json.tpm, made.json.concurrency, made.json.budget], [most, most, most, '1000000000']);
  assert.equal((await call(it.server, made.json.secret ?? made.json.key, hello('scripted'))).status, 200);
  for (const field of ['rpm', 'tpm', 'concurrency']) {
    const more = await ask('PATCH', `/keys/${made.json.id}`, { [field]: most + 1 });
    assert.deepEqual([more.status, more.json.error.param], [400, field]);
  }
  assert.equal((await ask('DELETE', `/keys/${made.json.id}`)).status, 200);
});

test('rotates with an overlap: both secrets work', async () => {
  const res = await ask('POST', `/keys/${minted.id}/rotate`, { overlap_hours: 1 });
  assert.equal(res.status, 200, res.text);
  const fresh = res.json.secret ?? res.json.key;
  const old = minted.secret ?? minted.key;
  assert.notEqual(fresh, old);
  for (const secret of [fresh, old]) assert.equal((await call(it.server, secret, hello('scripted'))).status, 200);
});

test('reads calls, usage and the balance, which agree', async () => {
  const res = await call(it.server, it.key, hello('scripted'));
  const id = res.headers.get('x-tollgate-request-id');
  await settled(it.server, id);
  const one = await ask('GET', `/calls/${id}`);
  assert.equal(one.status, 200, one.text);
  assert.equal(one.json.charge, '0.000015');
  assert.equal(one.json.attempts.length, 1);
  const list = await ask('GET', '/calls?limit=2');
  assert.equal(list.json.data.length, 2);
  assert.equal(list.json.has_more, true);
  const next = await ask('GET', `/calls?limit=2&cursor=${encodeURIComponent(list.json.next_cursor)}`);
  assert.ok(next.json.data.every((c) => !list.json.data.some((d) => d.call_id === c.call_id)));
  const usage = (await ask('GET', '/usage?by=model')).json;
  const balance = (await ask('GET', '/balance')).json;
  assert.equal(usage.total.charge, balance.debits);
  assert.equal((await ask('GET', '/invoices')).status, 200);
  assert.equal((await ask('GET', '/calls?colour=red')).status, 400);
});

test('what the provider takes is told to the installation only', async () => {
  const res = await call(it.server, it.key, hello('scripted'));
  const id = res.headers.get('x-tollgate-request-id');
  assert.ok((await settled(it.server, id)).cost_nano > 0);
  const ours = (await ask('GET', `/calls/${id}`)).json, theirs = (await whole('GET', `/calls/${id}?team=${team}`)).json;
  assert.deepEqual([ours.cost, ours.attempts[0].cost], [undefined, undefined]);
  assert.equal(ours.charge, theirs.charge);
  assert.deepEqual([theirs.cost, theirs.attempts[0].cost], ['0.000015', '0.000015']);
  const [listed] = (await ask('GET', '/calls?limit=1')).json.data, [seen] = (await whole('GET', `/calls?limit=1&team=${team}`)).json.data;
  assert.deepEqual([listed.call_id, listed.cost, seen.call_id, seen.cost], [id, undefined, id, '0.000015']);
  const [head] = (await it.owner.get('/log/export')).body.split(/\r?\n/);
  assert.match(head, /,charge_usd,/);
  assert.doesNotMatch(head, /cost/);
});

test('usage by tag is what the log has of each, on the page, in the CSV and by the API', async () => {
  for (const tags of ['customer=acme, step=one', 'customer=acme, step=two', 'customer=other', '']) {
    const res = await call(it.server, it.key, hello('scripted'), { headers: { 'x-tollgate-tags': tags } });
    await settled(it.server, res.headers.get('x-tollgate-request-id'));
  }
  const all = (await ask('GET', '/usage?by=model')).json.total, { data, total } = (await ask('GET', '/usage?by=tag')).json;
  const { model, ...whole } = all, { tag, ...tagged } = total;
  assert.deepEqual(tagged, whole, 'the total is of the calls, not of the rows');
  assert.deepEqual([model, tag], ['total', 'total']);
  const calls = Object.fromEntries(data.map((row) => [row.tag, row.calls]));
  assert.deepEqual([calls['customer=acme'], calls['customer=other'], calls['step=one']], [2, 1, 1]);
  assert.ok(calls[''] >= 1);
  for (const row of data.filter((r) => r.tag)) {
    const log = (await ask('GET', `/calls?limit=200&tag=${encodeURIComponent(row.tag)}`)).json.data;
    assert.equal(log.length, row.calls, row.tag);
    assert.equal((await ask('GET', `/usage?by=day&tag=${encodeURIComponent(row.tag)}`)).json.total.charge, row.charge, row.tag);
  }
  assert.equal((await ask('GET', '/usage?tag=acme')).json.total.calls, 2);
  assert.equal((await ask('GET', '/usage?tag=cust')).json.total.calls, 0);
  const page = await it.owner.get('/usage?by=tag');
  assert.match(page.body, /<a class="row-link" href="\/log\?[^"]*tag=customer%3Dacme[^"]*">customer=acme<\/a>/);
  assert.match(page.text, /No tag/);
  assert.match((await it.owner.get('/usage?by=key&tag=customer%3Dacme')).body, /name="tag" value="customer=acme"/);
  const csv = (await it.owner.get('/usage/export?by=tag')).body.trim().split(/\r?\n/);
  assert.match(csv[0], /^tag,calls,/);
  assert.ok(csv.some((line) => line.startsWith('customer=acme,2,')), csv.join('\n'));
  assert.equal(csv.length, data.length + 1);
  assert.match((await it.owner.get('/usage/export?by=day&tag=step%3Done')).body.trim().split(/\r?\n/)[1], /^\d{4}-\d\d-\d\d,1,/);
  assert.equal((await ask('GET', '/usage?by=colour')).status, 400);
  // More than can be summed is said, and nothing else is.
  const [{ id: team }] = it.server.sql('SELECT min(team_id) AS id FROM usage_day WHERE calls > 0');
  it.server.psql(`INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, calls) SELECT DISTINCT team_id, current_date - 1, 'many', 0, 0, '', 0, 1000001 FROM usage_day WHERE team_id >= ${team}`);
  try {
    const refused = await ask('GET', '/usage?by=tag');
    assert.deepEqual([refused.status, refused.json.error.param], [400, 'from']);
    assert.match((await it.owner.get('/usage?by=tag&span=7d')).text, /too many to be summed by tag/);
    assert.equal((await it.owner.get('/usage/export?by=tag&span=7d')).status, 400);
  } finally {
    it.server.psql("DELETE FROM usage_day WHERE model = 'many'");
  }
});

test('usage of hundreds of models adds up on the page, in the CSV and by the API', async () => {
  it.server.psql(`INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, calls, charge_nano) SELECT ${team}, current_date, 'model-' || i, 0, 0, '', 0, 1, i FROM generate_series(1, 450) i`);
  try {
    const nano = (text) => BigInt(Math.round(Number(text) * 1e9)), add = (list) => list.reduce((sum, v) => sum + v, 0n);
    const { data, total, others, has_more } = (await ask('GET', '/usage?by=model')).json;
    assert.deepEqual([data.filter((r) => r.model.startsWith('model-')).length, others, has_more], [450, null, false]);
    assert.equal(add(data.map((r) => nano(r.charge))), nano(total.charge));
    const csv = (await it.owner.get('/usage/export?by=model&span=month')).body.trim().split(/\r?\n/).map((line) => line.split(','));
    assert.equal(csv.length, data.length + 1);
    assert.equal(add(csv.slice(1).map((line) => nano(line[csv[0].indexOf('charge_usd')]))), nano(total.charge));
    const page = (await it.owner.get('/usage?by=model')).body, rest = data.length - 400;
    const shown = [...page.matchAll(/<td class="num"><span class="money"[^>]*title="([0-9.]+) USD"/g)].map((m) => nano(m[1]));
    assert.match(page, new RegExp(`<span class="faint">${rest} others</span>`));
    assert.equal(shown.length, 402, 'the rows, the others and the total');
    assert.equal(add(shown.slice(0, -1)), shown.at(-1));
  } finally {
    it.server.psql("DELETE FROM usage_day WHERE model LIKE 'model-%'");
  }
});

test('a key of another team sees nothing of these', async () => {
  const [{ call_id: id }] = (await ask('GET', '/calls?limit=1')).json.data;
  for (const [method, path, body] of [
    ['GET', `/keys/${minted.id}`], ['PATCH', `/keys/${minted.id}`, { name: 'mine' }], ['DELETE', `/keys/${minted.id}`],
    ['POST', `/keys/${minted.id}/rotate`, {}], ['GET', `/calls/${id}`], ['GET', `/teams/${team}`],
    ['PATCH', `/teams/${team}`, { name: 'mine' }], ['GET', `/balance?team=${team}`], ['GET', `/keys?team=${team}`],
  ]) {
    const res = await strangers(method, path, body);
    assert.ok(res.status === 404 || res.status === 403, `${method} ${path}: ${res.status} ${res.text}`);
  }
  assert.deepEqual((await strangers('GET', '/keys')).json.data, []);
  assert.deepEqual((await strangers('GET', '/calls')).json.data, []);
  assert.ok((await strangers('GET', '/teams')).json.data.every((t) => t.id !== team));
});

test('virtual keys, no key and made-up keys are refused', async () => {
  for (const key of [undefined, it.key, 'tgm-made-up', `tgm-${'a'.repeat(49)}`]) {
    for (const path of ['/keys', '/balance', '/calls', '/teams']) {
      const res = await manage(it.server, key)('GET', path);
      assert.ok(res.status === 401 || res.status === 403, `${path}: ${res.status}`);
      assert.equal(typeof res.json.error.message, 'string');
    }
  }
});

test('adjusts a balance once per reference, as the installation only', async () => {
  const before = (await ask('GET', '/balance')).json;
  const wish = { amount: '-1.25', reason: 'credited twice by mistake', reference: 'case-17' };
  assert.equal((await ask('POST', '/balance/adjustments', wish)).status, 403);
  for (let i = 0; i < 3; i++) {
    const res = await whole('POST', `/balance/adjustments?team=${team}`, wish);
    assert.ok(res.status === 201 || res.status === 200, res.text);
  }
  const after = (await ask('GET', '/balance')).json;
  const nano = (s) => BigInt(Math.round(Number(s) * 1e9));
  assert.equal(nano(before.available) - nano(after.available), 1250000000n);
  assert.equal((await whole('POST', `/balance/adjustments?team=${team}`, { amount: '1' })).status, 400);
});

test('makes, lists and changes teams as the installation', async () => {
  const made = await whole('POST', '/teams', { name: 'By program', time_zone: 'Europe/Berlin' });
  assert.equal(made.status, 201, made.text);
  const changed = await whole('PATCH', `/teams/${made.json.id}`, { legal_name: 'By Program Ltd', tax_id: null });
  assert.equal(changed.json.legal_name, 'By Program Ltd', changed.text);
  assert.ok((await whole('GET', '/teams')).json.data.some((t) => t.id === made.json.id));
  assert.equal((await whole('PATCH', `/teams/${made.json.id}`, { time_zone: 'Mars/Base' })).status, 400);
});

test('prices are public', async () => {
  const res = await manage(it.server)('GET', '/pricing');
  assert.equal(res.status, 200, res.text);
  assert.ok(res.json.data.some((row) => row.model === 'scripted'), res.text.slice(0, 400));
});

test('deletes a key, which stops as soon as the loops hear of it', async () => {
  assert.equal((await ask('DELETE', `/keys/${minted.id}`)).status, 200);
  await eventually(async () => (await call(it.server, minted.secret ?? minted.key, hello('scripted'))).status === 401, 'the deleted key is refused');
  assert.equal((await ask('GET', `/keys/${minted.id}`)).status, 404);
});

test('a key of the installation acts for every team, one of a team for none but its own', async () => {
  const [{ id: theirs }] = it.server.sql(`SELECT id FROM team WHERE name = '${other.team}'`);
  for (const path of ['/keys', '/calls', '/usage', '/balance', '/invoices', '/keys'])
    for (const id of [team, theirs]) {
      const res = await whole('GET', `${path}?team=${id}`);
      assert.equal(res.status, 200, `${path} of ${id}: ${res.text}`);
    }
  const made = await whole('POST', `/keys?team=${theirs}`, { name: 'for them' });
  assert.equal(made.status, 201, made.text);
  assert.ok((await strangers('GET', '/keys')).json.data.some((k) => k.name === 'for them'));
  assert.equal((await ask('GET', `/keys?team=${theirs}`)).status, 403);
  const names = (await whole('GET', '/teams')).json.data.map((t) => t.name);
  assert.ok(names.includes(it.owner.team) && names.includes(other.team));
  const [entry] = it.server.sql(`SELECT * FROM audit WHERE action = 'key.mint' ORDER BY id DESC LIMIT 1`);
  assert.equal(Number(entry.team_id), Number(theirs));
});

test('a revoked key of the installation stops, an ended one is shown as such', async () => {
  const key = await installationKey(it.operator);
  assert.equal((await manage(it.server, key)('GET', '/teams')).status, 200);
  const [{ id }] = it.server.sql('SELECT max(id) AS id FROM management_key WHERE team_id IS NULL');
  await it.operator.submit('/operator/management-keys', new RegExp(`/${id}/revoke$`));
  assert.equal((await manage(it.server, key)('GET', '/teams')).status, 401);
  // Only operators have the page.
  assert.equal((await it.owner.get('/operator/management-keys')).status, 403);
});

test('the command line mints one beside the running installation', async () => {
  const text = await it.server.beside('create-management-key', 'from a script');
  const key = text.match(/^tgm-\S+$/m)[0];
  const res = await manage(it.server, key)('GET', '/teams');
  assert.equal(res.status, 200, res.text);
  assert.ok(res.json.data.some((t) => t.name === other.team));
  const [row] = it.server.sql(`SELECT * FROM management_key WHERE name = 'from a script'`);
  assert.deepEqual([row.team_id, row.role, row.created_by], [null, 'operator', null]);
  await assert.rejects(it.server.beside('create-management-key', ''), /the key's name: This is needed/);
});
