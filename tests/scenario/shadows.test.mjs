// Shadow traffic: what a second model is asked, what nobody but operators hears of it, and what it costs.
import assert from 'node:assert/strict';
import { test, setup, eventually, sleep } from '../lib/story.mjs';
import { send, sse, chat, chunk, startUpstream } from '../lib/upstream.mjs';
import { openaiChat, openaiResponses, anthropicMessages } from '../lib/clients.mjs';
import { addAccount, addModel, booksBalance, call, hello, installationKey, manage, mintKey, mintManagementKey, served, settled, signUp, standardInstallation, topUp } from '../lib/installation.mjs';
import { described } from '../lib/openapi.mjs';
import { moveHere } from '../lib/own_account.mjs';
import { sameBooks } from '../lib/shadow.mjs';

let it, first, second, other, candidate, operator, team;
const usual = (req, res, seen) => (seen.body.stream
  ? sse(res, [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hello there.' }), chunk({}, 'stop')],
    { usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 } })
  : send(res, 200, chat()));
// What the candidate answers with in this test, and what lets it go on.
let script = usual, goOn;

const rows = (where = 'true') => it.server.sql(`SELECT * FROM shadow_call WHERE ${where} ORDER BY posted_at, call_id`);
const count = () => Number(it.server.sql('SELECT count(*) AS n FROM shadow_call')[0].n);
const id = (res) => res.headers.get('x-tollgate-request-id');
const plain = (uuid) => uuid.replaceAll('-', '');
async function figures() {
  const text = await (await fetch(`${it.server.url}/metrics`)).text();
  const all = {};
  for (const [, name, label, value] of text.matchAll(/^tollgate_shadow_(\w+?)(?:\{\w+="(\w+)"\})? ([\d.]+)$/gm)) all[label ? `${name}.${label}` : name] = Number(value);
  return all;
}
const dropped = async (reason) => (await figures())[`dropped_total.${reason}`];
// One more is dropped for that reason while fn runs, and none is asked.
async function dropsFor(reason, fn) {
  const before = await dropped(reason), asked = other.seen.length;
  const answer = await fn();
  await eventually(async () => (await dropped(reason)) === before + 1, `one more dropped as ${reason}`);
  assert.equal(other.seen.length, asked, 'nothing was asked');
  return answer;
}
// The shadow that fn's call has; what fn answers.
async function shadowOf(fn) {
  const before = count();
  const answer = await fn();
  await eventually(() => count() === before + 1, 'the shadow');
  return { answer, row: rows().at(-1) };
}
const rule = (body) => operator('PUT', `/routes/${it.model.id}/shadow`, body);
// The rule reaches the loops by message: probed with a call each until one is as wanted.
async function shadowed(body = {}) {
  const answer = await rule({ to_model: 'candidate', share_permille: 1000, ...body });
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  await eventually(async () => {
    const { total } = await tried();
    return total;
  }, 'the rule to be known');
  await it.server.allSettled();
}
// How many shadows have come to their end, whichever: asked and answered, or dropped.
const fates = async () => Object.entries(await figures()).filter(([k]) => /^(calls|dropped)_total/.test(k)).reduce((a, [, v]) => a + v, 0);
async function tried() {
  const before = await fates();
  assert.equal((await ask()).status, 200);
  for (let i = 0; i < 20; i++) {
    await sleep(25);
    if ((await fates()) > before) return { total: true };
  }
  return { total: false };
}
// A call of which a shadow is to be made, to the end of that: what comes later is not of this call.
async function toItsFate(more, options) {
  const before = await fates();
  const answer = await ask(more, options);
  if (answer.status === 200) await eventually(async () => (await fates()) > before, 'what becomes of its shadow');
  return answer;
}
const holds = (method, status, body, more = '') => described(operator)(method, `/api/v1/routes/{id}/shadow${more.split('?')[0]}`, status, body, `/api/v1/routes/${it.model.id}/shadow${more}`);
const ask = (more = {}, options) => call(it.server, options?.key ?? it.key, hello('scripted', more), options);

setup('a model before two accounts, and a candidate at a third', async () => {
  [first, second] = [await startUpstream(usual), await startUpstream(usual)];
  other = await startUpstream((...all) => script(...all));
  it = await standardInstallation([first, second]);
  const account = await addAccount(it.operator, other, { name: 'other' });
  candidate = await addModel(it.operator, { name: 'candidate', input: '3', output: '5', targets: [{ account, upstreamModel: 'up-new' }] });
  it.other = account;
  operator = manage(it.server, await installationKey(it.operator));
  team = manage(it.server, await mintManagementKey(it.owner));
  await served(it.server, it.key, 'candidate');
});

// --- the rule ---

test('a rule says by which model and how many; what makes none is told by its field', async () => {
  const none = await operator('GET', `/routes/${it.model.id}/shadow`);
  assert.deepEqual([none.status, none.json.to_model, none.json.share_permille, none.json.comparison], [200, null, 0, null]);
  for (const [body, field] of [
    [{ to_model: 'scripted', share_permille: 10 }, 'to_model'],
    [{ to_model: 'nowhere', share_permille: 10 }, 'to_model'],
    [{ to_model: 'candidate', share_permille: 0 }, 'share_permille'],
    [{ to_model: 'candidate', share_permille: 1001 }, 'share_permille'],
    [{ to_model: 'candidate' }, 'share_permille'],
    [{ to_model: 'candidate', share_permille: 10, day_ceiling: '-1' }, 'day_ceiling'],
  ]) {
    const refused = await rule(body);
    assert.equal(refused.status, 400, JSON.stringify(body));
    assert.equal(refused.json.error.param, field, JSON.stringify(refused.json));
  }
  const set = await rule({ to_model: 'candidate', share_permille: 125, day_ceiling: '2.50' });
  assert.deepEqual([set.status, set.json.to_model, set.json.share_permille, set.json.day_ceiling], [200, 'candidate', 125, '2.5']);
  await holds('PUT', 200, { to_model: 'candidate', share_permille: 125, day_ceiling: '2.50' });
  await holds('DELETE', 200);
  await holds('DELETE', 404);
  const entries = it.server.sql("SELECT action, before->>'permille' AS was, after->>'permille' AS is FROM audit WHERE action IN ('model.shadow', 'model.unshadow') ORDER BY id");
  assert.deepEqual(entries.map((e) => [e.action, e.was, e.is]), [['model.shadow', null, '125'], ['model.shadow', '125', '125'], ['model.unshadow', '125', null]]);
});

test('a team cannot see or set it', async () => {
  for (const [method, path] of [['GET', 'shadow'], ['PUT', 'shadow'], ['DELETE', 'shadow'], ['GET', 'shadow/pairs']])
    assert.equal((await team(method, `/routes/${it.model.id}/${path}`, method === 'PUT' ? { to_model: 'candidate', share_permille: 1 } : undefined)).status, 403, `${method} ${path}`);
});

// --- what is asked ---

test('a call is asked of the other model too, as it was, and costs the operator what that costs', async () => {
  await shadowed();
  const { answer, row } = await shadowOf(() => ask({ temperature: 0.5 }));
  assert.equal(answer.headers.get('x-tollgate-cost'), '0.000015');
  const seen = other.seen.at(-1);
  assert.equal(seen.url, '/v1/chat/completions');
  assert.deepEqual(seen.body, { ...hello('up-new'), temperature: 0.5 });
  assert.equal(seen.headers.authorization, 'Bearer sk-upstream-secret');
  assert.deepEqual([plain(row.shadow_of), row.requested_model, row.served_model, row.outcome, row.status, row.stream],
    [plain(id(answer).replace(/^call_/, '')), 'candidate', 'candidate', 'ok', 200, false]);
  assert.deepEqual([row.input_tokens, row.output_tokens, row.charge_nano, row.cost_nano, row.hold_nano, row.transfer_id, row.finish_reason],
    [9, 3, 0, 42000, 0, null, 'stop']);
  assert.ok(row.ttfb_us > 0 && row.latency_us >= row.ttfb_us);
  assert.deepEqual([row.client_address, row.user_agent, row.tags, row.user_id], [null, null, null, null]);
  const [day] = it.server.sql('SELECT calls, cost_nano, taken_nano FROM shadow_day');
  assert.deepEqual([day.calls, day.cost_nano, day.taken_nano], [count(), 42000 * count(), 0]);
});

test('by whatever library and format: streams as streams, and what the client sees is its own call', async () => {
  for (const client of [openaiChat, openaiResponses, anthropicMessages]) {
    const it2 = client(it.server.url, it.key, 'scripted');
    for (const way of ['text', 'stream']) {
      const { answer, row } = await shadowOf(() => it2[way]('Hello'));
      assert.equal(answer.text, 'Hello there.', `${client.name} ${way}`);
      assert.deepEqual(answer.usage, { input: 9, output: 3 });
      assert.deepEqual([row.outcome, row.stream, row.input_tokens, row.output_tokens, row.cost_nano],
        ['ok', way === 'stream', 9, 3, 42000], `${client.name} ${way}`);
      assert.equal(!!other.seen.at(-1).body.stream, way === 'stream');
    }
  }
});

test('the team sees and pays nothing of it', async () => {
  const { answer, row } = await shadowOf(() => ask());
  const own = await settled(it.server, answer.headers.get('x-tollgate-request-id'));
  assert.deepEqual([own.charge_nano, own.cost_nano, own.attempts], [15000, 15000, 1]);
  assert.equal((await team('GET', `/calls/call_${plain(row.call_id)}`)).status, 404);
  assert.equal((await team('GET', `/calls/${id(answer)}`)).status, 200);
  const calls = (await team('GET', '/calls')).json.data;
  assert.ok(calls.length && calls.every((c) => c.served_model === 'scripted'));
  const usage = (await team('GET', '/usage?by=model')).json.data;
  assert.deepEqual(usage.map((u) => u.model), ['scripted']);
  for (const path of ['/log', '/usage', '/overview', '/log/export', '/usage/export'])
    assert.ok(!(await it.owner.get(path)).body.includes('candidate'), path);
  assert.equal((await it.owner.get(`/operator/models/${it.model.id}/shadow`)).status, 403);
  assert.equal((await it.owner.get(`/log/call_${plain(row.call_id)}`)).status, 404);
  // As the application's role, in the team's scope, there is none.
  const seen = (scope) => Number(it.server.psql(`SET ROLE tollgate_app; SET app.scope = '${scope}'; SET app.team = '${row.team_id}';
    SELECT count(*) FROM shadow_call`).trim().split('\n').at(-1));
  assert.deepEqual([seen('team'), seen('operator')], [0, count()]);
});

// --- what it does to the client ---

for (const [what, does] of [
  ['is slow', async (req, res, seen) => { await new Promise((done) => { goOn = done; }); usual(req, res, seen); }],
  ['answers 500', (req, res) => send(res, 500, { error: { message: 'broken' } })],
  ['hangs up', (req, res) => res.destroy()],
  ['answers nonsense', (req, res) => send(res, 200, 'nonsense')],
]) {
  test(`a shadow that ${what} does nothing to the client`, async () => {
    script = does;
    for (const stream of [false, true]) {
      let answered;
      const before = count(), began = Date.now();
      const answer = await ask({ stream });
      answered = count();
      assert.equal(answer.status, 200);
      assert.ok(answer.text.includes('Hello there.'));
      if (what === 'is slow') {
        assert.equal(answered, before, 'the answer did not wait for the shadow');
        await eventually(() => goOn, 'the shadow to be asked');
        goOn();
        goOn = undefined;
      }
      await eventually(() => count() === before + 1, 'the shadow');
      const row = rows().at(-1);
      assert.equal(row.outcome, what === 'is slow' ? 'ok' : 'upstream_error', `${Date.now() - began} ms`);
      if (what !== 'is slow') assert.deepEqual([row.cost_nano, row.charge_nano], [0, 0]);
    }
    script = usual;
  });
}

test('one without an end is cut at what it may use', async () => {
  script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const more = setInterval(() => res.write(`data: ${JSON.stringify(chunk({ content: 'and on '.repeat(100) }))}\n\n`), 5);
    res.on('close', () => clearInterval(more));
  };
  const aborted = other.aborted;
  const { answer, row } = await shadowOf(() => ask({ stream: true }));
  assert.equal(answer.status, 200);
  assert.deepEqual([row.outcome, row.error_code, row.charge_nano], ['cut', 'balance_exhausted', 0]);
  assert.ok(row.cost_nano > 0);
  await eventually(() => other.aborted > aborted, 'the upstream to be closed');
  script = usual;
});

// --- what is not asked ---

test('what a request says of its provider holds for its shadow', async () => {
  await dropsFor('no_route', () => ask({ provider: { only: ['upstream-1'] } }));
  await dropsFor('no_route', () => ask({ provider: { ignore: ['other'] } }));
  await dropsFor('no_route', () => ask({ provider: { max_price: { prompt: 2 } } }));
  const { row } = await shadowOf(() => ask({ provider: { only: ['upstream-1', 'other'] }, models: ['candidate'] }));
  assert.equal(row.outcome, 'ok');
});

test('data collection: a model that may train on prompts is not asked where the request forbids it', async () => {
  // Both accounts of the model promise it, the candidate's says nothing.
  for (const a of it.accounts)
    assert.equal((await operator('PATCH', `/accounts/${a.id}`, { data_policy: 'no_retention' })).status, 200);
  await eventually(async () => (await toItsFate({ provider: { zdr: true } })).status === 200, 'the policy to be known');
  const asked = other.seen.length, before = await dropped('no_route');
  await ask({ provider: { data_collection: 'deny' } });
  await eventually(async () => (await dropped('no_route')) === before + 1, 'the drop');
  assert.equal(other.seen.length, asked);
  const { row } = await shadowOf(() => ask());
  assert.equal(row.outcome, 'ok');
});

test('a key that may not use the other model has no shadow', async () => {
  const key = await mintKey(it.owner, { models: 'scripted' });
  await served(it.server, key, 'scripted');
  await dropsFor('no_route', () => ask({}, { key }));
});

test('a team that refuses it has none, and says so on its page', async () => {
  const strict = await signUp(it.server);
  await topUp(strict, 5);
  const key = await mintKey(strict);
  await served(it.server, key, 'scripted');
  await shadowOf(() => ask({}, { key }));
  let page = await strict.submit('/settings', /\/settings\/shadows$/, { shadow_opt_out: 'on' });
  assert.match(page.body, /name="shadow_opt_out" value="on" checked/);
  await eventually(async () => {
    const before = await dropped('refused');
    await toItsFate({}, { key });
    return (await dropped('refused')) > before;
  }, 'the refusal to be known');
  await it.server.allSettled();
  await dropsFor('refused', () => ask({}, { key }));
  const api = manage(it.server, await mintManagementKey(strict));
  const { id, shadow_opt_out } = (await api('GET', '/teams')).json.data[0];
  assert.equal(shadow_opt_out, true);
  assert.equal((await api('PATCH', `/teams/${id}`, { shadow_opt_out: false })).json.shadow_opt_out, false);
  page = await strict.get('/settings');
  assert.doesNotMatch(page.body, /name="shadow_opt_out" value="on" checked/);
});

test('a team that could be served by a key of its own has none, whoever served it', async () => {
  const own = await signUp(it.server);
  await topUp(own, 5);
  const key = await mintKey(own), api = manage(it.server, await mintManagementKey(own));
  await served(it.server, key, 'scripted');
  const made = await api('POST', '/own_accounts', { kind: 'openai-compatible', name: 'mine', base_url: 'https://llm.example.org/v1', key: 'sk-own-0123456789' });
  assert.equal(made.status, 201, made.text);
  const theirs = await startUpstream((req, res) => send(res, 500, { error: { message: 'broken' } }));
  moveHere(it.server, made.json.id, theirs.url);
  await eventually(async () => {
    await toItsFate({}, { key });
    return theirs.seen.length;
  }, 'their own account to be asked');
  await it.server.allSettled();
  await dropsFor('own_key', () => ask({}, { key }));
});

test('refused calls have none, nor do answers from the cache', async () => {
  const asked = other.seen.length, before = count();
  assert.equal((await ask({ max_tokens: -1 })).status, 400);
  const key = await mintKey(it.owner, { cache_seconds: '600' });
  await served(it.server, key, 'scripted');
  const body = { messages: [{ role: 'user', content: 'the same again' }] };
  const { answer } = await shadowOf(() => ask(body, { key }));
  assert.equal(answer.headers.get('x-tollgate-cache'), 'miss');
  const hit = await ask(body, { key });
  assert.equal(hit.headers.get('x-tollgate-cache'), 'hit');
  await it.server.allSettled();
  await sleep(200);
  assert.deepEqual([count(), other.seen.length], [before + 1, asked + 1]);
});

test('guardrails come first: what they redact the other model does not see, what they block it is not asked', async () => {
  for (const [name, action, words] of [['hide', 'redact', ['swordfish']], ['stop', 'block', ['verboten']]])
    assert.equal((await team('POST', '/guardrails', { name, action, words, where: ['request'] })).status, 201);
  await eventually(async () => (await toItsFate({ messages: [{ role: 'user', content: 'verboten' }] })).status === 400, 'the guardrails to be known');
  await it.server.allSettled();
  await shadowOf(() => ask({ messages: [{ role: 'user', content: 'the word is swordfish' }] }));
  assert.ok(!other.seen.at(-1).raw.includes('swordfish'), other.seen.at(-1).raw);
  const asked = other.seen.length;
  assert.equal((await ask({ messages: [{ role: 'user', content: 'verboten' }] })).status, 400);
  await sleep(200);
  assert.equal(other.seen.length, asked);
  for (const g of (await team('GET', '/guardrails')).json.data) await team('DELETE', `/guardrails/${g.id}`);
});

test('a body beyond a mebibyte is not asked again', async () => {
  await dropsFor('too_large', () => ask({ messages: [{ role: 'user', content: 'a'.repeat(1100000) }], max_tokens: 5 }));
});

test('an account with a limit leaves half of it to clients', async () => {
  assert.equal((await operator('PATCH', `/accounts/${it.other.id}`, { rpm: 4 })).status, 200);
  const before = await dropped('not_sent');
  await eventually(async () => {
    await toItsFate();
    return (await dropped('not_sent')) > before;
  }, 'the limit to be met');
  assert.equal((await operator('PATCH', `/accounts/${it.other.id}`, { rpm: null })).status, 200);
  await eventually(async () => {
    const n = count();
    await toItsFate();
    await it.server.allSettled();
    return count() > n;
  }, 'the limit to be gone');
});

// --- the day's ceiling ---

test('a day costs no more than its ceiling, however many ask at once', async () => {
  await it.server.allSettled();
  const spent = () => it.server.sql('SELECT cost_nano, taken_nano FROM shadow_day')[0];
  // Room for five more calls of at most hold each: 9 input tokens and 20 of output are 42,000 in the end.
  const hold = 200000, ceiling = spent().cost_nano + 5 * hold;
  await shadowed({ day_ceiling: (ceiling / 1e9).toFixed(9) });
  script = async (req, res, seen) => { await sleep(150); usual(req, res, seen); };
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all(Array.from({ length: 25 }, () => ask()));
    assert.ok(answers.every((a) => a.status === 200));
    await it.server.allSettled();
    const { cost_nano, taken_nano } = spent();
    assert.ok(cost_nano + taken_nano <= ceiling, `${cost_nano} + ${taken_nano} of ${ceiling}`);
  }
  script = usual;
  await eventually(() => spent().taken_nano === 0, 'nothing is held any more');
  assert.ok((await dropped('day_ceiling')) > 0);
  assert.ok(rows('hold_nano > 0').every((r) => r.cost_nano <= r.hold_nano));
  await shadowed();
});

// --- what came of it ---

test('operators compare both, and see each pair', async () => {
  const { comparison: c } = await holds('GET', 200);
  assert.equal(c.to_model, 'candidate');
  assert.equal(c.original.calls, c.shadow.calls);
  assert.equal(c.shadow.calls, count());
  assert.equal(c.original.ok, c.original.calls);
  assert.ok(c.shadow.ok < c.shadow.calls && c.shadow.ok > 0);
  assert.ok(c.original.ttfb_us_p50 > 0 && c.original.ttfb_us_p95 >= c.original.ttfb_us_p50);
  assert.equal(c.finish_reasons_equal, c.finish_reasons_told);
  assert.deepEqual(c.finish_reasons.map((f) => f.finish_reason), ['stop']);
  assert.ok(c.errors.some((e) => e.error === 'balance_exhausted' && e.shadow === 1 && e.original === 0), JSON.stringify(c.errors));
  const { data } = await holds('GET', 200, undefined, '/pairs?limit=200');
  await holds('GET', 400, undefined, '/pairs?limit=201');
  await holds('GET', 200, undefined, '?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z&model=candidate');
  const { answer, row } = await shadowOf(() => ask());
  assert.equal(data.length, Math.min(200, count() - 1));
  const [latest] = (await operator('GET', `/routes/${it.model.id}/shadow/pairs?limit=1`)).json.data;
  assert.equal(latest.original.id, id(answer));
  assert.deepEqual([latest.original.model, latest.shadow.model, latest.original.cost, latest.shadow.cost], ['scripted', 'candidate', '0.000015', '0.000042']);
  const page = await it.operator.get(`/operator/models/${it.model.id}/shadow`);
  assert.equal(page.status, 200);
  assert.match(page.text, /scripted and candidate/);
  for (const either of [`call_${plain(row.call_id)}`, id(answer)]) {
    const pair = await it.operator.get(`/operator/models/${it.model.id}/shadow/${either}`);
    assert.equal(pair.status, 200, pair.text.slice(0, 300));
    assert.match(pair.text, /A call and its shadow/);
  }
});

test('the form starts, changes and stops it', async () => {
  const where = `/operator/models/${it.model.id}/shadow`;
  let page = await it.operator.submit(where, /\/shadow$/, { to_model: String(candidate.id), share: '101', day_ceiling: '' });
  assert.equal(page.status, 422);
  assert.match(page.text, /A share from 0.1 to 100 percent/);
  page = await it.operator.submit(where, /\/shadow$/, { to_model: String(candidate.id), share: '12.5', day_ceiling: '3' });
  assert.equal(page.status, 200);
  assert.match(page.text, /12\.5% of the calls/);
  const { json } = await operator('GET', `/routes/${it.model.id}/shadow`);
  assert.deepEqual([json.share_permille, json.day_ceiling], [125, '3']);
  page = await it.operator.submit(where, /\/shadow\/end$/, {});
  assert.match(page.text, /No more calls are shadowed/);
  assert.equal((await operator('GET', `/routes/${it.model.id}/shadow`)).json.share_permille, 0);
});

test('the books are right, and the days of shadows are the shadows', async () => {
  await it.server.allSettled();
  booksBalance(it.server);
  sameBooks(it.server);
  // The same shadows settled again are settled once.
  const known = [count(), it.server.sql('SELECT * FROM shadow_day')];
  it.server.psql('SELECT settle_shadows(ARRAY(SELECT s FROM shadow_call s))');
  assert.deepEqual([count(), it.server.sql('SELECT * FROM shadow_day')], known);
  const [sums] = it.server.sql('SELECT (SELECT sum(cost_nano)::bigint FROM shadow_call) AS rows, (SELECT sum(cost_nano)::bigint FROM shadow_day) AS days');
  assert.equal(sums.rows, sums.days);
  const cost = (await figures())['cost_usd_total'];
  assert.equal(Math.round(cost * 1e9), sums.rows);
});
