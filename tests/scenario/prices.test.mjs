// What a call costs: every class of usage at its own price, by the provider's figures or in spite of
// them, from the answer over the record to the pages, the API and the exports.
import assert from 'node:assert/strict';
import { eventually, setup, test } from '../lib/story.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { standardInstallation, addModel, call, hello, manage, mintManagementKey, settled, served, booksBalance } from '../lib/installation.mjs';

let it, up, ask, model, answer;
const usageOf = (usage, more = {}) => (req, res) => send(res, 200, { ...chat('Hello there.', usage), ...more });
const price = {
  charge_input: '1', charge_cached_input: '0.1', charge_cache_write_5m: '1.25', charge_output: '2', charge_reasoning: '3',
  charge_audio_input: '10', charge_audio_output: '20', charge_request: '0.000001',
  charge_input_above_1000: '5',
  charge_priority_input: '4', charge_priority_output: '8',
};
const PROMPT = ['input_tokens', 'cached_input_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens', 'audio_input_tokens', 'image_input_tokens'];
const OUTPUT = ['output_tokens', 'reasoning_tokens', 'audio_output_tokens', 'image_output_tokens'];
const sum = (row, names) => names.reduce((n, name) => n + row[name], 0);
const listed = async () => (await (await fetch(`${it.server.url}/api/v1/pricing`)).json()).data
  .filter((r) => r.model === 'priced').map((r) => [r.service_tier, r.above_input_tokens, r.unit, r.price].join(' '));
const versions = () => it.server.sql(`SELECT count(*)::int AS n FROM price WHERE model_id = ${model.id}`)[0].n;

async function asked(script, more = {}) {
  up.script = script;
  answer = await call(it.server, it.key, hello('priced', more));
  assert.equal(answer.status, 200, answer.text);
  const row = await settled(it.server, answer.headers.get('x-tollgate-request-id'));
  booksBalance(it.server);
  return row;
}

setup('a model with a price for everything', async () => {
  up = await startUpstream(usageOf());
  it = await standardInstallation([up]);
  ask = manage(it.server, await mintManagementKey(it.owner));
  model = await addModel(it.operator, { name: 'priced', targets: [{ account: it.accounts[0] }] });
  // A line that the form does not show yet is asked for.
  const form = await it.operator.get(`/operator/models/${model.id}/prices/new?tier=priority&above=1000`);
  assert.match(form.text, /Priority/);
  const page = await it.operator.submit(`/operator/models/${model.id}/prices/new`, /prices$/, price);
  assert.equal(page.status, 200, page.text);
  await served(it.server, it.key, 'priced');
  await eventually(async () => (await listed()).includes('priority 0 output 8'), 'the new price to be in force');
});

test('every class is charged once, at its own price', async () => {
  const row = await asked(usageOf({
    prompt_tokens: 100, completion_tokens: 50, total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 60, audio_tokens: 10, cache_write_tokens: 8 },
    completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 5, accepted_prediction_tokens: 4, rejected_prediction_tokens: 6 },
  }));
  assert.deepEqual(PROMPT.map((c) => row[c]), [22, 60, 8, 0, 10, 0]);
  assert.deepEqual(OUTPUT.map((c) => row[c]), [25, 20, 5, 0]);
  assert.equal(sum(row, PROMPT), 100);
  assert.equal(sum(row, OUTPUT), 50);
  assert.equal(row.requests, 1);
  assert.equal(row.service_tier, 'standard');
  assert.equal(row.basis, 'provider');
  assert.equal(row.charge_nano, 22 * 1000 + 60 * 100 + 8 * 1250 + 10 * 10000 + 25 * 2000 + 20 * 3000 + 5 * 20000 + 1000);
  assert.equal(Number(answer.headers.get('x-tollgate-cost')) * 1e9, row.charge_nano);
});

test('its page, the API and the exports say the same', async () => {
  const id = answer.headers.get('x-tollgate-request-id');
  const page = await it.owner.get(`/log/${id}`);
  for (const fact of ['Input tokens 22 $1.00', 'Cached input tokens 60 $0.10', 'Whole prompt 100', 'Reasoning tokens 20 $3.00', 'Audio output tokens 5 $20.00', 'Whole answer 50', 'Requests 1 $0.000001 each', '0.000349'])
    assert.ok(page.text.includes(fact), `${fact}: ${page.text}`);
  const { json } = await ask('GET', `/calls/${id}`);
  assert.deepEqual([json.input_tokens, json.cached_input_tokens, json.reasoning_tokens, json.prompt_tokens, json.completion_tokens, json.charge], [22, 60, 20, 100, 50, '0.000349']);
  assert.deepEqual([json.attempts[0].prompt_tokens, json.attempts[0].completion_tokens], [100, 50]);
  const csv = (await it.owner.raw('/log/export')).bytes.toString().trim().split(/\r?\n/).map((l) => l.split(','));
  const line = Object.fromEntries(csv[0].map((name, i) => [name, csv.find((l) => l[0] === id)[i]]));
  assert.equal(sum(Object.fromEntries(PROMPT.map((c) => [c, Number(line[c])])), PROMPT), Number(line.prompt_tokens));
  assert.equal(line.charge_usd, '0.000349');
});

test('the sums of a day are those of its calls', async () => {
  const { json } = await ask('GET', '/usage?by=model');
  const day = json.data.find((r) => r.model === 'priced');
  const [calls] = it.server.sql(`SELECT ${[...PROMPT, ...OUTPUT, 'requests'].map((c) => `coalesce(sum(${c}), 0)::int AS ${c}`).join(', ')} FROM call WHERE served_model = 'priced'`);
  for (const c of Object.keys(calls)) assert.equal(day[c], calls[c], c);
  assert.equal(day.prompt_tokens, sum(calls, PROMPT));
  assert.equal(day.completion_tokens, sum(calls, OUTPUT));
  const csv = (await it.owner.raw('/usage/export?by=model')).bytes.toString().trim().split(/\r?\n/).map((l) => l.split(','));
  const line = Object.fromEntries(csv[0].map((name, i) => [name, csv.find((l) => l[0] === 'priced')[i]]));
  assert.equal(Number(line.reasoning_tokens), calls.reasoning_tokens);
  assert.equal(line.charge_usd, day.charge);
});

test('a cost of zero that the provider states is not believed', async () => {
  const row = await asked(usageOf({ prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, cost: 0, cost_details: { upstream_inference_cost: 0 } }));
  assert.equal(row.charge_nano, 9 * 1000 + 3 * 2000 + 1000);
  assert.match(answer.text, /"cost":0\.000016\b/);
});

test('the last figure of a stream counts, and a side it leaves out stays', async () => {
  const parts = [chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop')];
  parts[0].usage = { prompt_tokens: 50, completion_tokens: 1 };
  parts[1].usage = { prompt_tokens: 40, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 30 } };
  let row = await asked((req, res) => sse(res, parts, { usage: { prompt_tokens: 10, completion_tokens: 2 } }), { stream: true });
  assert.deepEqual([row.input_tokens, row.cached_input_tokens, row.output_tokens, row.basis], [10, 0, 2, 'provider']);
  row = await asked((req, res) => sse(res, parts, { usage: { completion_tokens: 9 } }), { stream: true });
  assert.deepEqual([row.input_tokens, row.cached_input_tokens, row.output_tokens, row.basis], [10, 30, 9, 'provider']);
});

for (const [name, usage, expected] of [
  ['a negative prompt', { prompt_tokens: -5, completion_tokens: 3 }, { output_tokens: 3, basis: 'counted' }],
  ['a prompt of 2^63', '{"prompt_tokens":9223372036854775808,"completion_tokens":3}', { output_tokens: 3, basis: 'counted' }],
  ['a fraction', { prompt_tokens: 7, completion_tokens: 2.5 }, { input_tokens: 7, basis: 'counted' }],
  ['no output', { prompt_tokens: 7 }, { input_tokens: 7, basis: 'counted' }],
  ['more cached than there was', { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 99 } }, { input_tokens: 0, cached_input_tokens: 7, output_tokens: 3, basis: 'provider' }],
  ['a negative part', { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached_tokens: -9 } }, { input_tokens: 7, cached_input_tokens: 0, basis: 'provider' }],
  ['an output far beyond what was allowed', { prompt_tokens: 7, completion_tokens: 2147483647 }, { input_tokens: 7, basis: 'counted' }],
  ['a prompt far beyond what was sent', { prompt_tokens: 2147483647, completion_tokens: 3 }, { output_tokens: 3, basis: 'counted' }],
  ['a total far beyond its parts', { prompt_tokens: 7, completion_tokens: 3, total_tokens: 2147483647 }, { input_tokens: 7, basis: 'counted' }],
  ['only a total', { total_tokens: 9 }, { input_tokens: 9, output_tokens: 3, basis: 'counted' }],
]) {
  test(`${name} in the provider's figures`, async () => {
    const row = await asked((req, res) => send(res, 200, JSON.stringify(chat('Hello there.', 'USAGE')).replace('"USAGE"', typeof usage === 'string' ? usage : JSON.stringify(usage))));
    for (const [column, value] of Object.entries(expected)) assert.equal(row[column], value, column);
    assert.ok(sum(row, PROMPT) < 100 && sum(row, OUTPUT) < 100);
    assert.ok(row.charge_nano > 0 && row.charge_nano <= row.hold_nano, `${row.charge_nano} of ${row.hold_nano}`);
  });
}

test('a long prompt moves the whole call to its step', async () => {
  let row = await asked(usageOf({ prompt_tokens: 1000, completion_tokens: 1 }));
  assert.equal(row.charge_nano, 1000 * 1000 + 2000 + 1000);
  row = await asked(usageOf({ prompt_tokens: 1001, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } }));
  assert.equal(row.charge_nano, 1000 * 5000 + 100 + 2000 + 1000);
});

test('another service tier is charged to who asked for it and got it', async () => {
  const usage = { prompt_tokens: 10, completion_tokens: 10 };
  let row = await asked(usageOf(usage, { service_tier: 'priority' }), { service_tier: 'priority' });
  assert.deepEqual([row.service_tier, row.charge_nano], ['priority', 10 * 4000 + 10 * 8000 + 1000]);
  assert.equal(up.seen.at(-1).body.service_tier, 'priority');
  const { hold_nano: dear } = row;
  row = await asked(usageOf(usage, { service_tier: 'default' }), { service_tier: 'priority' });
  assert.deepEqual([row.service_tier, row.charge_nano], ['standard', 10 * 1000 + 10 * 2000 + 1000]);
  row = await asked(usageOf(usage, { service_tier: 'priority' }));
  assert.deepEqual([row.service_tier, row.charge_nano], ['standard', 10 * 1000 + 10 * 2000 + 1000]);
  assert.ok(dear > row.hold_nano);
});

for (const [tier, says] of [['flex', /not sold at this service tier/], ['performance', /must be auto, default, flex or priority/]]) {
  test(`the service tier ${tier} is refused, and nothing is charged`, async () => {
    const before = up.seen.length;
    const res = await call(it.server, it.key, hello('priced', { service_tier: tier }));
    assert.equal(res.status, 400, res.text);
    assert.equal(res.json.error.param, 'service_tier');
    assert.match(res.json.error.message, says);
    assert.equal(up.seen.length, before);
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    assert.equal(row.charge_nano, 0);
    assert.equal(row.hold_nano, 0);
  });
}

test('n choices are held n times', async () => {
  const one = await asked(usageOf({ prompt_tokens: 9, completion_tokens: 3 }));
  const four = await asked(usageOf({ prompt_tokens: 9, completion_tokens: 12 }), { n: 4 });
  assert.ok(four.hold_nano - one.hold_nano >= 3 * 20 * 3000, `${one.hold_nano} ${four.hold_nano}`);
  assert.ok(four.hold_nano - one.hold_nano < 3 * 20 * 3000 + 100 * 5000);
});

for (const [name, fields, field, says] of [
  ['ten decimals', { charge_input: '1.0000000001' }, 'charge_input', /At most nine decimals/],
  ['no number', { charge_output: '2,50' }, 'charge_output', /An amount in dollars/],
  ['a negative price', { charge_output: '-1' }, 'charge_output', /below zero/],
  ['a price beyond the ceiling', { charge_input: '10000.01' }, 'charge_input', /above \$10,000/],
  ['a price beyond the ceiling of a step', { charge_input_above_1000: '10000.01' }, 'charge_input_above_1000', /above \$10,000/],
  ['an absurd price', { charge_input: '1000001', override: 'on' }, 'charge_input', /absurd/],
  ['an overflowing price', { charge_request: '9999999999999999' }, 'charge_request', /absurd|An amount in dollars/],
  ['a number of 2^64', { charge_input: '18446744073709551616' }, 'charge_input', /An amount in dollars|absurd/],
  ['a service tier without output', { charge_flex_input: '1' }, 'charge_flex_output', /flex price of output tokens is needed/],
  ['no input', { charge_input: '' }, 'charge_input', /needed|What is charged/],
]) {
  test(`a price form with ${name} is refused beside the field`, async () => {
    const before = versions();
    const page = await it.operator.submit(`/operator/models/${model.id}/prices/new`, /prices$/, fields);
    assert.equal(page.status, 422, page.text);
    const row = page.body.split('<tr>').find((r) => r.includes(`id="e-${field}"`));
    assert.ok(row, `no fault beside ${field}: ${page.text}`);
    assert.match(row.replace(/&#39;|&#x27;/g, "'"), says);
    if (fields[field]) assert.ok(row.includes(`value="${fields[field]}"`), 'what was typed is kept');
    assert.equal(versions(), before);
  });
}

test('the price list says what is charged', async () => {
  assert.deepEqual(await listed(), [
    'standard 0 input 1', 'standard 0 cached_input 0.1', 'standard 0 cache_write_5m 1.25', 'standard 0 output 2', 'standard 0 reasoning 3',
    'standard 0 audio_input 10', 'standard 0 audio_output 20', 'standard 0 request 1', 'standard 1000 input 5',
    'priority 0 input 4', 'priority 0 output 8',
  ]);
  const page = await it.owner.get('/pricing');
  for (const fact of ['priced', 'Priority', 'above 1,000 input tokens', '$20.00 audio output tokens', '$0.000001 per request'])
    assert.ok(page.text.includes(fact), `${fact}: ${page.text}`);
});

test('images in a prompt are charged apiece where they have a price', async () => {
  const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'Hello' }, picture, picture] }];
  const usage = { prompt_tokens: 9, completion_tokens: 3 };
  let row = await asked(usageOf(usage), { messages });
  assert.deepEqual([row.images, row.charge_nano], [0, 9 * 1000 + 3 * 2000 + 1000]);
  const seer = await addModel(it.operator, { name: 'seer', targets: [{ account: it.accounts[0] }] });
  const form = await it.operator.get(`/operator/models/${seer.id}/prices/new?unit=image`);
  const page = await it.operator.submit(form, /prices$/, { charge_image: '0.002' });
  assert.equal(page.status, 200, page.text);
  await served(it.server, it.key, 'seer');
  row = await eventually(async () => {
    const made = await asked(usageOf(usage), { model: 'seer', messages });
    return made.images && made;
  }, 'the price of images');
  assert.deepEqual([row.images, row.charge_nano], [2, 9 * 1000 + 3 * 2000 + 2 * 2000000]);
  assert.ok(row.hold_nano >= row.charge_nano);
});

test('seconds of a video have prices by its size, and those of nothing else', async () => {
  const director = await addModel(it.operator, { name: 'director', kind: 'video', input: null, targets: [{ account: it.accounts[0] }] });
  const at = `/operator/models/${director.id}/prices/new`;
  const form = await it.operator.get(`${at}?image_kind=1024x1792`);
  assert.match(form.text, /seconds 1024x1792 each/);
  let page = await it.operator.submit(form, /prices$/, { charge_request: '1' });
  assert.equal(page.status, 422);
  assert.match(page.text, /The price of a second is needed\./);
  page = await it.operator.submit(form, /prices$/, { charge_second: '0.3', 'charge_second:1024x1792': '0.5' });
  assert.equal(page.status, 200, page.text);
  await served(it.server, it.key, 'director');
  const lines = async () => (await (await fetch(`${it.server.url}/api/v1/pricing`)).json()).data
    .filter((r) => r.model === 'director').map((r) => [r.unit, r.image_kind, Number(r.price) / 1e6].join(' '));
  assert.deepEqual(await eventually(async () => (await lines()).length && lines(), 'its price to be listed'), ['second  0.3', 'second 1024x1792 0.5']);
  for (const fact of ['$0.30 per second', '$0.50 per second 1024x1792'])
    assert.ok((await it.owner.get('/pricing')).text.includes(fact), fact);
  page = await it.operator.submit(`/operator/models/${model.id}/prices/new`, /prices$/, { ...price, 'charge_second:1024x1792': '0.5' });
  assert.equal(page.status, 422);
  assert.match(page.text, /Only the seconds of videos have prices by size\./);
});

test('a call that could cost more than any may is refused before the upstream is asked', async () => {
  await addModel(it.operator, { name: 'ruinous', input: '10000', output: '10000', fields: { max_output_tokens: '1000000' }, targets: [{ account: it.accounts[0] }] });
  await served(it.server, it.key, 'ruinous');
  const before = up.seen.length;
  for (const more of [{ max_tokens: 1000000 }, { max_tokens: 1000000, n: 128 }]) {
    const res = await call(it.server, it.key, hello('ruinous', more));
    assert.equal(res.status, 400, res.text);
    assert.equal(res.json.error.code, 'price_limit');
    assert.equal((await settled(it.server, res.headers.get('x-tollgate-request-id'))).charge_nano, 0);
  }
  assert.equal(up.seen.length, before);
});

test('figures that no call can cost are not believed', async () => {
  await addModel(it.operator, { name: 'dear', input: '9999', output: '1', targets: [{ account: it.accounts[0] }] });
  await served(it.server, it.key, 'dear');
  const row = await asked(usageOf({ prompt_tokens: 2000000, completion_tokens: 3 }), { model: 'dear', max_tokens: 1 });
  assert.equal(row.basis, 'counted');
  assert.ok(row.input_tokens < 100 && row.charge_nano <= row.hold_nano, JSON.stringify(row));
});
