// Rules of a model: which of its calls another model serves, what that costs, and what clients and the log are told.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { test, setup, eventually } from '../lib/story.mjs';
import { described } from '../lib/openapi.mjs';
import { send, sse, chat, chunk, startUpstream } from '../lib/upstream.mjs';
import { standardInstallation, addModel, call, settled, booksBalance, signUp, topUp, mintKey, mintManagementKey, installationKey, manage, served, hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

let it, up, whole, auto;
const id = (res) => res.headers.get('x-tollgate-request-id');
const rule = (res) => res.headers.get('x-tollgate-rule');
const model = (res) => res.headers.get('x-tollgate-model');
const tagged = (tags) => ({ headers: { 'x-tollgate-tags': tags } });
const ask = (body = {}, options = {}, key = it.key) => call(it.server, key, { ...hello('auto'), ...body }, options);
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }];

// The rules of `auto`, and nothing else, each known to the gateway.
async function rulesAre(...rules) {
  for (const old of (await whole('GET', `/routes/${auto.id}`)).json.rules) assert.equal((await whole('DELETE', `/rules/${old.id}`)).status, 200);
  let made;
  for (const one of rules) {
    const res = await whole('POST', `/routes/${auto.id}/rules`, one);
    assert.equal(res.status, 201, res.text);
    made = res.json;
  }
  await known();
  return made?.rules ?? [];
}
// There is one loop: once it knows an alias that was made behind a change, it knows the change.
let serial = 0;
async function known() {
  const alias = `known-${++serial}`;
  assert.equal((await whole('PATCH', `/routes/${auto.id}`, { aliases: [alias] })).status, 200);
  await eventually(async () => (await ask({ model: alias, max_tokens: 99999 })).status !== 404, 'the change to be known');
}

setup('a model with a dear and a cheap one beside it', async () => {
  up = await startUpstream((req, res, seen) => (seen.body.stream
    ? sse(res, [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hello.' }), chunk({}, 'stop')], { usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } })
    : send(res, 200, chat('Hello.', { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 }))));
  it = await standardInstallation([up], { env: { LOOPS: '1' } });
  whole = manage(it.server, await installationKey(it.operator));
  const [account] = it.accounts;
  auto = await addModel(it.operator, { name: 'auto', input: '10', output: '10', targets: [{ account, upstreamModel: 'up-auto' }] });
  await addModel(it.operator, { name: 'cheap', input: '1', output: '1', targets: [{ account, upstreamModel: 'up-cheap' }] });
  await addModel(it.operator, { name: 'strong', input: '100', output: '100', targets: [{ account, upstreamModel: 'up-strong' }] });
  await served(it.server, it.key, 'strong');
});

test('without a rule that holds a call is as ever: no header, no rule on the record', async () => {
  await rulesAre({ name: 'free-plan', serves: 'cheap', tags: ['plan=free'] });
  const res = await ask();
  assert.deepEqual([res.status, model(res), rule(res), res.json.usage.cost], [200, 'auto', null, 0.00012]);
  const row = await settled(it.server, id(res));
  assert.deepEqual([row.requested_model, row.served_model, row.rule], ['auto', 'auto', null]);
});

test('the model that a rule chooses is asked, priced, logged and told to the client', async () => {
  up.seen.length = 0;
  const res = await ask({}, tagged('plan=free, workflow=x'));
  assert.deepEqual([res.status, model(res), rule(res), res.json.usage.cost], [200, 'cheap', 'free-plan', 0.000012]);
  assert.deepEqual(up.seen.map((s) => s.body.model), ['up-cheap']);
  const row = await settled(it.server, id(res));
  assert.deepEqual([row.requested_model, row.served_model, row.rule, row.charge_nano], ['auto', 'cheap', 'free-plan', 12000]);
  const prices = it.server.sql(`SELECT m.name FROM price p JOIN model m ON m.id = p.model_id WHERE p.id = ${row.price_id}`);
  assert.equal(prices[0].name, 'cheap');
  const { json } = await whole('GET', '/calls?rule=free-plan');
  assert.deepEqual(json.data.map((c) => [c.call_id, c.rule, c.requested_model]), [[id(res), 'free-plan', 'auto']]);
  assert.equal((await whole('GET', '/calls?rule=free')).json.data.length, 0);
  const page = await it.owner.get(`/log?rule=free-plan`);
  assert.match(page.text, /rule is\s+free-plan/);
  assert.match((await it.owner.get(`/log/${id(res)}`)).text, /Chosen by rule\s+free-plan/);
  const csv = (await it.owner.get('/log/export?rule=free-plan')).body;
  assert.match(csv.split('\n')[0], /,rule/);
  assert.match(csv, /free-plan/);
});

test('the tags of the key count as those of the request do, and the key\'s go before', async () => {
  await rulesAre({ name: 'free-plan', serves: 'cheap', tags: ['plan=free', 'plan=trial'] });
  const key = await mintKey(it.owner, { tags: 'plan=trial' });
  assert.equal(rule(await ask({}, {}, key)), 'free-plan');
  assert.equal(rule(await ask({}, tagged('plan=pro'), key)), 'free-plan');
  assert.equal(rule(await ask({}, tagged('plan=pro'))), null);
});

test('simple prompts go to the cheap model and hard ones to the strong one, with OpenAI\'s and Anthropic\'s clients, plain and streamed', async () => {
  await rulesAre(
    { name: 'long', serves: 'strong', min_input_tokens: 500 },
    { name: 'tools', serves: 'strong', asks: ['tools'] },
    { name: 'simple', serves: 'cheap', max_input_tokens: 100, asks_not: ['tools', 'vision', 'reasoning'] });
  const openai = new OpenAI({ apiKey: it.key, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
  const anthropic = new Anthropic({ apiKey: it.key, baseURL: it.server.url, maxRetries: 0 });
  const user = (content) => [{ role: 'user', content }];
  const middle = 'word '.repeat(200), long = 'word '.repeat(600);
  for (const [content, more, name, by] of [
    ['Hello', {}, 'simple', 'cheap'], [middle, {}, null, 'auto'], [long, {}, 'long', 'strong'], ['Hello', { tools }, 'tools', 'strong']]) {
    const made = await openai.chat.completions.create({ model: 'auto', messages: user(content), ...more }).withResponse();
    assert.deepEqual([rule(made.response), model(made.response)], [name, by], content.slice(0, 10));
    const streamed = await openai.chat.completions.create({ model: 'auto', messages: user(content), stream: true, ...more }).withResponse();
    for await (const part of streamed.data) void part;
    assert.deepEqual([rule(streamed.response), model(streamed.response)], [name, by]);
    assert.equal((await settled(it.server, id(streamed.response))).rule, name);
    const message = await anthropic.messages.create({
      model: 'auto', max_tokens: 20, messages: user(content), ...(more.tools ? { tools: [{ name: 'f', input_schema: { type: 'object' } }] } : {}) }).withResponse();
    assert.deepEqual([rule(message.response), model(message.response)], [name, by]);
    const { response } = await openai.responses.create({ model: 'auto', input: content, ...(more.tools ? { tools: [{ type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false }] } : {}) }).withResponse();
    assert.deepEqual([rule(response), model(response)], [name, by]);
  }
});

test('the first that holds wins, and what is moved or switched off is asked in its new place or not at all', async () => {
  const [first, second] = await rulesAre({ name: 'a', serves: 'cheap' }, { name: 'b', serves: 'strong' });
  assert.equal(rule(await ask()), 'a');
  const moved = await whole('PATCH', `/rules/${second.id}`, { position: 1 });
  assert.deepEqual(moved.json.rules.map((r) => [r.name, r.position]), [['b', 1], ['a', 2]]);
  await known();
  assert.deepEqual([rule(await ask()), model(await ask())], ['b', 'strong']);
  await whole('PATCH', `/rules/${second.id}`, { enabled: false });
  await known();
  assert.equal(rule(await ask()), 'a');
  await whole('PATCH', `/rules/${first.id}`, { tags: ['no=body'] });
  await known();
  assert.equal(rule(await ask()), null);
});

test('rules of the model that was chosen are not asked, nor those of other models of a list', async () => {
  await rulesAre({ name: 'down', serves: 'cheap', tags: ['down=1'] });
  const models = (await whole('GET', '/routes?q=cheap')).json.data;
  const back = await whole('POST', `/routes/${models[0].id}/rules`, { name: 'back', serves: 'auto' });
  assert.equal(back.status, 201, back.text);
  await known();
  const down = await ask({}, tagged('down=1'));
  assert.deepEqual([rule(down), model(down)], ['down', 'cheap']);
  const other = await ask({ model: 'cheap' });
  assert.deepEqual([rule(other), model(other)], ['back', 'auto']);
  const listed = await ask({ model: 'strong', models: ['cheap'] });
  assert.deepEqual([rule(listed), model(listed)], [null, 'strong']);
  const byList = await ask({ model: undefined, models: ['auto', 'strong'] }, tagged('down=1'));
  assert.deepEqual([rule(byList), model(byList)], ['down', 'cheap']);
  await whole('DELETE', `/rules/${back.json.rules[0].id}`);
});

test('an alias and a suffix of the name are the model\'s, whose rules hold', async () => {
  await rulesAre({ name: 'all', serves: 'cheap' });
  await whole('PATCH', `/routes/${auto.id}`, { aliases: ['auto-latest'] });
  await eventually(async () => (await ask({ model: 'auto-latest' })).status === 200, 'the alias');
  for (const name of ['auto-latest', 'auto:floor', 'auto:nitro']) {
    const res = await ask({ model: name });
    assert.deepEqual([rule(res), model(res)], ['all', 'cheap'], name);
    assert.equal((await settled(it.server, id(res))).requested_model, name);
  }
});

test('a key that may not use the model passes the rule over; one that may not use the asked-for model is refused', async () => {
  await rulesAre({ name: 'all', serves: 'cheap' });
  const only = await mintKey(it.owner, { models: 'auto' });
  const res = await ask({}, {}, only);
  assert.deepEqual([res.status, rule(res), model(res)], [200, null, 'auto']);
  const other = await ask({}, {}, await mintKey(it.owner, { models: 'cheap' }));
  assert.deepEqual([other.status, other.json.error.code, rule(other)], [403, 'model_not_allowed', null]);
});

test('a rule is for teams, projects and keys that it names', async () => {
  const stranger = await signUp(it.server);
  await topUp(stranger, 5);
  const theirs = await mintKey(stranger);
  const [team] = it.server.sql(`SELECT team_id AS id FROM api_key ORDER BY id DESC LIMIT 1`);
  const own_team = manage(it.server, await mintManagementKey(it.owner));
  await it.owner.submit('/settings', /\/settings\/projects$/, { name: 'nightly' });
  const [{ id: project }] = it.server.sql(`SELECT id FROM project WHERE name = 'nightly'`);
  const inProject = (await own_team('POST', '/keys', { name: 'batch', project_id: project })).json.key;
  const own = await settled(it.server, id(await ask()));
  await rulesAre({ name: 'theirs', serves: 'cheap', team_ids: [team.id] });
  assert.equal(rule(await ask({}, {}, theirs)), 'theirs');
  assert.equal(rule(await ask()), null);
  await rulesAre({ name: 'one-key', serves: 'cheap', key_ids: [own.key_id], team_ids: [own.team_id, team.id] });
  assert.equal(rule(await ask()), 'one-key');
  assert.equal(rule(await ask({}, {}, theirs)), null);
  await rulesAre({ name: 'nightly', serves: 'cheap', project_ids: [project] });
  assert.equal(rule(await ask({}, {}, inProject)), 'nightly');
  assert.equal(rule(await ask()), null);
});

test('a share by a tag keeps whoever calls on one side, and is about as large as said', async () => {
  await rulesAre({ name: 'half', serves: 'cheap', share_percent: 50, share_tag: 'user' });
  const sides = [];
  for (let user = 0; user < 40; user++) {
    const all = [];
    for (let i = 0; i < 3; i++) all.push(rule(await ask({}, tagged(`user=u${user}`))));
    assert.equal(new Set(all).size, 1, all.join());
    sides.push(all[0]);
  }
  const taken = sides.filter((s) => s === 'half').length;
  assert.ok(taken > 5 && taken < 35, `${taken} of 40`);
});

test('switches of either model hold: what is off is refused with its reason, a disabled one is passed over', async () => {
  await rulesAre({ name: 'free', serves: 'cheap', tags: ['plan=free'] });
  const [{ id: cheap }] = (await whole('GET', '/routes?q=cheap')).json.data;
  await whole('PATCH', `/routes/${cheap}`, { off_reason: 'It lies.' });
  await known();
  const off = await ask({}, tagged('plan=free'));
  assert.deepEqual([off.status, rule(off)], [503, 'free'], off.text);
  assert.match(off.json.error.message, /It lies/);
  const row = await settled(it.server, id(off));
  assert.deepEqual([row.rule, row.charge_nano, row.attempts], ['free', 0, 0]);
  assert.equal((await ask()).status, 200);
  await whole('PATCH', `/routes/${cheap}`, { off_reason: null, enabled: false });
  await known();
  const passed = await ask({}, tagged('plan=free'));
  assert.deepEqual([passed.status, rule(passed), model(passed)], [200, null, 'auto']);
  await whole('PATCH', `/routes/${cheap}`, { enabled: true });
  await whole('PATCH', `/routes/${auto.id}`, { off_reason: 'Its maker is down.' });
  await eventually(async () => (await ask()).status === 503, 'the switch');
  const both = await ask({}, tagged('plan=free'));
  assert.deepEqual([both.status, rule(both)], [503, null]);
  await whole('PATCH', `/routes/${auto.id}`, { off_reason: null });
});

test('the limits and abilities of the chosen model hold, and the refusal names it and the rule', async () => {
  await rulesAre({ name: 'all', serves: 'cheap' });
  const res = await ask({ max_tokens: 5000 });
  assert.deepEqual([res.status, rule(res)], [400, 'all']);
  assert.match(res.json.error.message, /`cheap` writes at most 1000/);
});

test('a model that has rules and no target of its own is listed and served by what they choose', async () => {
  const router = await addModel(it.operator, { name: 'router', input: null });
  const made = await whole('POST', `/routes/${router.id}/rules`, { name: 'all-but-tools', serves: 'cheap', asks_not: ['tools'] });
  assert.equal(made.status, 201, made.text);
  await served(it.server, it.key, 'router');
  const res = await ask({ model: 'router' });
  assert.deepEqual([res.status, model(res), rule(res)], [200, 'cheap', 'all-but-tools']);
  assert.equal((await ask({ model: 'router', tools })).status, 503);
  const anthropic = new Anthropic({ apiKey: it.key, baseURL: it.server.url, maxRetries: 0 });
  const counted = await anthropic.messages.countTokens({ model: 'router', messages: [{ role: 'user', content: 'Hello there, router.' }] });
  assert.ok(counted.input_tokens > 0);
  const kept = await mintKey(it.owner, { models: 'router' });
  const list = await fetch(`${it.server.url}/v1/models`, { headers: { authorization: `Bearer ${kept}` } });
  assert.deepEqual((await list.json()).data, [], 'no rule of it is for this key');
});

test('an answer that was kept is given again only by the model that made it', async () => {
  await rulesAre({ name: 'free', serves: 'cheap', tags: ['plan=free'] });
  const key = await mintKey(it.owner, { cache_seconds: '60' });
  const cache = (res) => [res.headers.get('x-tollgate-cache'), model(res), rule(res)];
  const body = { messages: [{ role: 'user', content: 'Kept?' }] };
  assert.deepEqual(cache(await ask(body, {}, key)), ['miss', 'auto', null]);
  assert.deepEqual(cache(await ask(body, tagged('plan=free'), key)), ['miss', 'cheap', 'free']);
  assert.deepEqual(cache(await ask(body, tagged('plan=free'), key)), ['hit', 'cheap', 'free']);
  assert.deepEqual(cache(await ask(body, {}, key)), ['hit', 'auto', null]);
});

test('what is wrong is named, and nothing changes', async () => {
  const [made] = await rulesAre({ name: 'one', serves: 'cheap' });
  const embedding = await addModel(it.operator, { name: 'vectors', kind: 'embedding', targets: [{ account: it.accounts[0] }] });
  assert.ok(embedding.id);
  for (const [body, param] of [
    [{ name: 'two', serves: 'nothing' }, 'serves'], [{ name: 'two', serves: 'auto' }, 'serves'], [{ name: 'two', serves: 'vectors' }, 'serves'],
    [{ name: 'ONE', serves: 'cheap' }, 'name'], [{ name: 'a b', serves: 'cheap' }, 'name'],
    [{ name: 'two', serves: 'cheap', tags: ['plan'] }, 'tags'], [{ name: 'two', serves: 'cheap', asks: ['magic'] }, 'asks'],
    [{ name: 'two', serves: 'cheap', asks: ['tools'], asks_not: ['tools'] }, 'asks_not'],
    [{ name: 'two', serves: 'cheap', team_ids: [424242] }, 'team_ids'], [{ name: 'two', serves: 'cheap', key_ids: ['x'] }, 'key_ids'],
    [{ name: 'two', serves: 'cheap', project_ids: 3 }, 'project_ids'], [{ name: 'two', serves: 'cheap', share_tag: 'user' }, 'share_tag'],
    [{ name: 'two', serves: 'cheap', share_percent: 100 }, 'share_percent'],
    [{ name: 'two', serves: 'cheap', min_input_tokens: 9, max_input_tokens: 8 }, 'max_input_tokens']]) {
    const res = await whole('POST', `/routes/${auto.id}/rules`, body);
    assert.deepEqual([res.status, res.json.error.param], [400, param], `${JSON.stringify(body)} ${res.text}`);
  }
  assert.equal((await whole('PATCH', `/rules/${made.id}`, { serves: 'nothing' })).status, 400);
  assert.equal((await whole('PATCH', '/rules/424242', { enabled: false })).status, 404);
  assert.equal((await manage(it.server, await mintManagementKey(it.owner))('DELETE', `/rules/${made.id}`)).status, 403);
  assert.deepEqual((await whole('GET', `/routes/${auto.id}`)).json.rules, [made]);
});

test('rules that are made, moved and deleted at once stand in one order without gaps', async () => {
  await rulesAre();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const made = await Promise.all(names.map((name) => whole('POST', `/routes/${auto.id}/rules`, { name, serves: 'cheap', position: 1 })));
  assert.deepEqual(made.map((m) => m.status), names.map(() => 201));
  const rules = async () => (await whole('GET', `/routes/${auto.id}`)).json.rules;
  const before = await rules();
  assert.deepEqual(before.map((r) => r.position), [1, 2, 3, 4, 5, 6]);
  const done = await Promise.all([...before.slice(0, 3).map((r) => whole('PATCH', `/rules/${r.id}`, { position: 6 })), ...before.slice(3).map((r) => whole('DELETE', `/rules/${r.id}`))]);
  assert.deepEqual(done.map((m) => m.status), names.map(() => 200), done.map((m) => m.text).join());
  assert.deepEqual((await rules()).map((r) => r.position), [1, 2, 3]);
});

test('a try tells which rules a request would meet', async () => {
  await rulesAre({ name: 'some', serves: 'strong', share_percent: 10 }, { name: 'free', serves: 'cheap', tags: ['plan=free'] });
  const tried = async (body) => (await whole('POST', `/routes/${auto.id}/rules/try`, body)).json.data.map((o) => [o.rule, o.serves, o.share_percent]);
  assert.deepEqual(await tried({ tags: ['plan=free'] }), [['some', 'strong', 10], ['free', 'cheap', null]]);
  assert.deepEqual(await tried({}), [['some', 'strong', 10], [null, 'auto', null]]);
  assert.equal((await whole('POST', `/routes/${auto.id}/rules/try`, { tags: ['plan'] })).status, 400);
});

test('answers of the management API are what its document says', async () => {
  const holds = described(whole), at = `/api/v1/routes/${auto.id}/rules`;
  const [, { id: made }] = (await holds('POST', '/api/v1/routes/{id}/rules', 201, {
    name: 'whole', serves: 'cheap', enabled: false, position: 2, team_ids: [1], tags: ['plan=free'], asks: ['tools'], asks_not: ['vision'],
    min_input_tokens: 1, max_input_tokens: 9, share_percent: 5, share_tag: 'user' }, at)).rules;
  const cleared = await holds('PATCH', '/api/v1/rules/{id}', 200, {
    team_ids: null, tags: [], asks: null, asks_not: null, min_input_tokens: null, max_input_tokens: null, share_percent: null, share_tag: null }, `/api/v1/rules/${made}`);
  assert.deepEqual(cleared.rules[1], { object: 'rule', id: made, position: 2, name: 'whole', serves: 'cheap', enabled: false, team_ids: [], project_ids: [],
    key_ids: [], tags: [], asks: [], asks_not: [], min_input_tokens: null, max_input_tokens: null, share_percent: null, share_tag: null });
  await holds('PATCH', '/api/v1/rules/{id}', 400, { position: 51 }, `/api/v1/rules/${made}`);
  await holds('POST', '/api/v1/routes/{id}/rules/try', 200, { team_id: 1, input_tokens: 3, asks: ['tools'] }, `${at}/try`);
  await holds('DELETE', '/api/v1/rules/{id}', 200, undefined, `/api/v1/rules/${made}`);
  await holds('DELETE', '/api/v1/rules/{id}', 404, undefined, `/api/v1/rules/${made}`);
});

test('every change stands in the audit log with what was before', async () => {
  const [made] = await rulesAre({ name: 'audited', serves: 'cheap' });
  await whole('PATCH', `/rules/${made.id}`, { share_percent: 5 });
  await whole('DELETE', `/rules/${made.id}`);
  const rows = it.server.sql(`SELECT action, before->>'share_percent' AS before, after->>'share_percent' AS after FROM audit WHERE object = 'rule:${made.id}' ORDER BY id`);
  assert.deepEqual(rows.map((r) => [r.action, r.before, r.after]), [['rule.add', null, null], ['rule.edit', null, '5'], ['rule.delete', '5', null]]);
});

test('the books balance', async () => {
  await it.server.allSettled();
  booksBalance(it.server);
  sameBooks(it.server);
});
