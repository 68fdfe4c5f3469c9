// Which target is asked first: by the route's strategy, by what the request says, and by what may become of the data.
import assert from 'node:assert/strict';
import { eventually, setup, sleep, test } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { standardInstallation, addModel, call, hello, installationKey, manage, served, settled, attemptsOf, booksBalance } from '../lib/installation.mjs';

let it, whole, slow, fast;
setup('a model at a slow provider and a fast one', async () => {
  slow = await startUpstream(async (req, res) => { await sleep(800); send(res, 200, chat()); });
  fast = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([slow, fast]);
  whole = manage(it.server, await installationKey(it.operator));
});

const provider = async (body) => {
  const res = await call(it.server, it.key, { ...hello('scripted'), ...body });
  assert.equal(res.status, 200, res.text);
  return which();
};
const which = () => {
  const names = [...slow.seen.map(() => 'slow'), ...fast.seen.map(() => 'fast')];
  slow.seen.length = fast.seen.length = 0;
  assert.equal(names.length, 1, names.join());
  return names[0];
};

test('by priority the first is asked, however slow', async () => {
  slow.seen.length = fast.seen.length = 0;
  for (let i = 0; i < 3; i++) assert.equal(await provider({}), 'slow');
});

test('a request that wants the fastest gets it, once both are known', async () => {
  assert.equal(await provider({ provider: { only: ['upstream-2'] } }), 'fast');
  for (const sort of ['latency', 'throughput', { by: 'latency' }]) assert.equal(await provider({ provider: { sort } }), 'fast');
  assert.equal(await provider({}), 'slow');
});

test('a route that goes by speed does so without being asked', async () => {
  const id = it.model.id;
  const changed = await whole('PATCH', `/routes/${id}`, { strategy: 'fastest' });
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.json.strategy, 'fastest');
  await eventually(async () => (await provider({})) === 'fast', 'the change to be known');
  for (let i = 0; i < 3; i++) assert.equal(await provider({}), 'fast');
  assert.equal((await whole('PATCH', `/routes/${id}`, { strategy: 'nicest' })).status, 400);
  const page = await it.operator.submit(`/operator/models/${id}`, /\/operator\/models\/\d+$/, { strategy: 'priority' });
  assert.equal(page.status, 200, page.text.slice(0, 300));
  await eventually(async () => (await provider({})) === 'slow', 'the change back');
});

test('the cheapest of several prices is asked where the request wants that, and the log has its price', async () => {
  const model = await addModel(it.operator, { name: 'two-prices', input: '5', output: '5', targets: it.accounts.map((account, i) => ({ account, priority: i + 1 })) });
  const [, second] = (await whole('GET', `/routes/${model.id}`)).json.targets;
  const price = await whole('POST', `/routes/${model.id}/prices`, { target_id: second.id, figures: [
    { unit: 'input', price: '1' }, { unit: 'output', price: '1' }] });
  assert.equal(price.status, 201, price.text);
  await served(it.server, it.key, 'two-prices');
  assert.equal(await provider({ model: 'two-prices' }), 'slow');
  await eventually(async () => (await provider({ model: 'two-prices', provider: { sort: 'price' } })) === 'fast', 'the price to be known');
  const res = await call(it.server, it.key, { ...hello('two-prices'), provider: { sort: 'price' } });
  assert.equal(which(), 'fast');
  assert.equal(res.json.usage.cost, 0.000012); // 12 tokens at $1 a million
});

test('what a provider tells is judged by what its own target can use, not by the first one that was asked', async () => {
  const model = await addModel(it.operator, { name: 'two-painters', kind: 'image', prices: { image: '0.01' }, fields: { max_output_tokens: '50000' },
    targets: it.accounts.map((account, i) => ({ account, priority: i + 1 })) });
  const [, second] = (await whole('GET', `/routes/${model.id}`)).json.targets;
  const price = await whole('POST', `/routes/${model.id}/prices`, { target_id: second.id, figures: [
    { unit: 'input', price: '1' }, { unit: 'image_output', price: '1' }, { unit: 'output', price: '1' }] });
  assert.equal(price.status, 201, price.text);
  await served(it.server, it.key, 'two-painters');
  const scripts = [slow.script, fast.script];
  slow.script = (req, res) => send(res, 503, { error: { message: 'not now' } });
  fast.script = (req, res) => send(res, 200, { created: 1700000000, data: Array.from({ length: 10 }, () => ({ b64_json: 'AAAA' })),
    usage: { input_tokens: 9, input_tokens_details: { text_tokens: 9, image_tokens: 0 }, output_tokens: 300000, total_tokens: 300009 } });
  const ask = () => call(it.server, it.key, { model: 'two-painters', prompt: 'ten cats', n: 10 }, { path: '/v1/images/generations' });
  const row = await eventually(async () => {
    const res = await ask();
    assert.equal(res.status, 200, res.text);
    const found = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    return found.images === 0 && found;
  }, 'the price to be known');
  assert.deepEqual([row.basis, row.image_output_tokens, row.charge_nano], ['provider', 300000, 300_009_000]);
  [slow.script, fast.script] = scripts;
  slow.seen.length = fast.seen.length = 0;
});

test('a suffix of the name asks for the cheapest or the fastest, a model whose own name ends so is that model', async () => {
  for (const suffix of [':floor', ':nitro']) {
    const res = await call(it.server, it.key, hello(`two-prices${suffix}`));
    assert.equal(res.status, 200, res.text);
    assert.deepEqual([which(), res.headers.get('x-tollgate-model')], ['fast', 'two-prices'], suffix);
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    assert.deepEqual([row.requested_model, row.served_model], [`two-prices${suffix}`, 'two-prices']);
  }
  assert.equal(await provider({ model: 'two-prices' }), 'slow');
  assert.equal(await provider({ model: 'two-prices:nitro', provider: { sort: 'price' } }), 'fast');
  assert.equal(await provider({ model: undefined, models: ['two-prices:floor'] }), 'fast');
  await addModel(it.operator, { name: 'two-prices:floor', targets: [{ account: it.accounts[0] }] });
  await eventually(async () => { // it is known before its target is
    const { status } = await call(it.server, it.key, hello('two-prices:floor'));
    return status === 200 && which() === 'slow';
  }, 'the model of that name');
});

test('a free variant is no model, and the answer says why', async () => {
  for (const [model, says] of [['two-prices:free', true], ['nothing:free', true], ['two-prices:cheap', false]]) {
    const res = await call(it.server, it.key, hello(model));
    assert.equal(res.status, 404);
    assert.equal(res.json.error.param, 'model');
    assert.equal(/`:free` is no suffix here/.test(res.json.error.message), says, res.text);
  }
  assert.equal(slow.seen.length + fast.seen.length, 0);
  await addModel(it.operator, { name: 'gift:free', targets: [{ account: it.accounts[0] }] });
  await served(it.server, it.key, 'gift:free');
});

test('who may learn from the data is not asked by a request that forbids it', async () => {
  slow.seen.length = fast.seen.length = 0;
  const refused = await call(it.server, it.key, { ...hello('scripted'), provider: { data_collection: 'deny' } });
  assert.equal(refused.status, 400, refused.text);
  assert.match(refused.json.error.message, /preferences leave no provider/);
  assert.equal(slow.seen.length + fast.seen.length, 0);
  const changed = await whole('PATCH', `/accounts/${it.accounts[1].id}`, { data_policy: 'no_training' });
  assert.equal(changed.json.data_policy, 'no_training', changed.text);
  await eventually(async () => (await call(it.server, it.key, { ...hello('scripted'), provider: { data_collection: 'deny' } })).status === 200, 'the policy to be known');
  slow.seen.length = fast.seen.length = 0;
  assert.equal(await provider({ provider: { data_collection: 'deny' } }), 'fast');
  assert.equal(await provider({ provider: { data_collection: 'allow' } }), 'slow');
  assert.equal((await call(it.server, it.key, { ...hello('scripted'), provider: { zdr: true } })).status, 400);
  const page = await it.operator.submit(`/operator/accounts/${it.accounts[0].id}`, /\/operator\/accounts\/\d+$/, { data_policy: 'no_retention' });
  assert.equal(page.status, 200, page.text.slice(0, 300));
  await eventually(async () => (await call(it.server, it.key, { ...hello('scripted'), provider: { zdr: true } })).status === 200, 'the policy to be known');
  assert.equal((await whole('PATCH', `/accounts/${it.accounts[0].id}`, { data_policy: 'hearsay' })).status, 400);
});

// A minute may turn between two calls: then the limit is there twice.
test('an account\'s own limit sends what is above it to the next target, and the trace shows that', async () => {
  const [first, second] = it.accounts;
  assert.equal((await whole('PATCH', `/accounts/${first.id}`, { rpm: 2 })).json.rpm, 2);
  slow.seen.length = fast.seen.length = 0;
  let over;
  await eventually(async () => {
    const res = await call(it.server, it.key, hello('scripted'));
    assert.equal(res.status, 200, res.text);
    over = fast.seen.length ? res : undefined;
    return over;
  }, 'the limit to be used up');
  assert.ok(slow.seen.length >= 2);
  const row = await settled(it.server, over.headers.get('x-tollgate-request-id'));
  assert.equal(row.account_name, 'upstream-2');
  assert.deepEqual(attemptsOf(it.server, over.headers.get('x-tollgate-request-id')).map((a) => [a.account_name, a.reason]), [['upstream-1', 'skipped: account_rate_limit'], ['upstream-2', 'ok']]);

  assert.equal((await whole('PATCH', `/accounts/${second.id}`, { tpm: 1 })).json.tpm, 1);
  await eventually(async () => {
    over = await call(it.server, it.key, hello('scripted'));
    return over.status !== 200;
  }, 'both limits to be used up');
  assert.equal(over.status, 429, over.text);
  assert.deepEqual([over.json.error.code, over.json.tollgate.quota_source], ['upstream_rate_limited', 'provider_rate_limit']);
  const wait = Number(over.headers.get('retry-after'));
  assert.ok(wait >= 1 && wait <= 60, `${wait}`);
  const blocked = await settled(it.server, over.headers.get('x-tollgate-request-id'));
  assert.deepEqual([blocked.outcome, blocked.quota_source, Number(blocked.charge_nano)], ['blocked', 'provider_rate_limit', 0]);
  for (const { id } of it.accounts) await whole('PATCH', `/accounts/${id}`, { rpm: null, tpm: null });
  await eventually(async () => (await call(it.server, it.key, hello('scripted'))).status === 200, 'no limit');
  booksBalance(it.server);
});

test('a prompt too long for one goes to a longer context, and what its rules refuse only where the route says so', async () => {
  const error = (message, code) => (req, res) => send(res, 400, { error: { message, type: 'invalid_request_error', param: null, code } });
  const too_long = error('This model\'s maximum context length is 100 tokens. However, your messages resulted in 120 tokens.', 'context_length_exceeded');
  const script = slow.script;
  const model = await addModel(it.operator, { name: 'two-contexts', targets: it.accounts.map((account, i) => ({ account, priority: i + 1 })) });
  const [first] = (await whole('GET', `/routes/${model.id}`)).json.targets;
  await served(it.server, it.key, 'two-contexts');
  slow.script = too_long;
  slow.seen.length = fast.seen.length = 0;
  // Both are known to be as long: the second is not asked in vain.
  const back = await call(it.server, it.key, hello('two-contexts'));
  assert.equal(back.status, 400, back.text);
  assert.equal(back.json.error.code, 'context_length_exceeded');
  assert.deepEqual([slow.seen.length, fast.seen.length], [1, 0]);
  assert.equal((await settled(it.server, back.headers.get('x-tollgate-request-id'))).outcome, 'client_error');
  const shorter = await whole('PATCH', `/targets/${first.id}`, { context_tokens: 5000 });
  assert.equal(shorter.status, 200, shorter.text);
  let res;
  await eventually(async () => (res = await call(it.server, it.key, hello('two-contexts'))).status === 200, 'the longer context to be asked');
  const id = res.headers.get('x-tollgate-request-id');
  await settled(it.server, id);
  assert.deepEqual(attemptsOf(it.server, id).map((a) => [a.reason, a.status]), [['context_length', 400], ['ok', 200]]);

  slow.script = error('Your request was rejected as a result of our safety system.', 'content_policy_violation');
  assert.equal((await call(it.server, it.key, hello('two-contexts'))).status, 400);
  const { triggers } = (await whole('GET', `/routes/${model.id}`)).json;
  assert.ok(triggers.includes('context_length') && !triggers.includes('content_policy'), triggers.join());
  assert.equal((await whole('PATCH', `/routes/${model.id}`, { triggers: [...triggers, 'content_policy'] })).status, 200);
  await eventually(async () => (await call(it.server, it.key, hello('two-contexts'))).status === 200, 'the other rules to be asked');
  slow.script = error('Unknown parameter.', 'unknown_parameter');
  assert.equal((await call(it.server, it.key, hello('two-contexts'))).status, 400);
  slow.script = script;
});

for (const [name, said, param] of [
  ['an unknown sort', { sort: 'beauty' }, 'provider.sort'],
  ['a data_collection that is neither', { data_collection: 'maybe' }, 'provider.data_collection'],
  ['a zdr that is no boolean', { zdr: 'yes' }, 'provider.zdr'],
]) {
  test(`${name} is a 400 that names it`, async () => {
    const res = await call(it.server, it.key, { ...hello('scripted'), provider: said });
    assert.equal(res.status, 400);
    assert.equal(res.json.error.param, param);
  });
}
