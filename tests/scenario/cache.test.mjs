// Kept answers: who gets which again, at what price, and what makes a request another one.
import assert from 'node:assert/strict';
import { test, setup, eventually } from '../lib/story.mjs';
import { send, sse, chat, chunk, startUpstream } from '../lib/upstream.mjs';
import { startSpeaker, upstreams } from '../lib/speaker.mjs';
import { openaiChat, anthropicMessages, googleGenai } from '../lib/clients.mjs';
import { installationOfFormats, call, settled, booksBalance, signUp, topUp, mintKey, mintManagementKey, installationKey, manage, served, addAccount, addModel, hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import { Cluster } from '../lib/cluster.mjs';

const speaking = upstreams;
let it, speaker, up, account, key, ask, team, serial = 0;
const cached = (fields = {}) => mintKey(it.owner, { cache_seconds: '600', ...fields });
const word = (res) => res.headers.get('x-tollgate-cache');
const id = (res) => res.headers.get('x-tollgate-request-id');
// A question that nobody has asked before.
const fresh = (more = {}) => hello('plain', { messages: [{ role: 'user', content: `Question ${++serial}` }], ...more });
const post = (body, { key: by = key, cache, ...options } = {}) => call(it.server, by, body, { ...options, headers: { ...(cache && { 'x-tollgate-cache': cache }), ...options.headers } });
// Asks twice; what came, and how often the upstream was asked for it.
async function twice(body, options) {
  up.seen.length = 0;
  const answers = [await post(body, options), await post(body, options)];
  for (const a of answers) assert.equal(a.status, 200, a.text);
  return { answers, words: answers.map(word), asked: up.seen.length };
}
const usual = (req, res, seen) => (seen.body.stream
  ? sse(res, [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hello ' }), chunk({ content: 'there.' }), chunk({}, 'stop')],
    { usage: seen.body.stream_options?.include_usage ? { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 } : undefined })
  : send(res, 200, chat(`Answer ${up.seen.length} of ${serial}.`)));
// Settings reach the loops by message.
const until = (fn, what) => eventually(fn, what);

setup('a team with a key that keeps answers, before providers of all formats', async () => {
  speaker = await startSpeaker();
  up = await startUpstream(usual);
  it = await installationOfFormats(speaker, speaking, {
    more: async (operator) => {
      account = await addAccount(operator, up, { name: 'plain' });
      await addModel(operator, { name: 'dear', request: '3', targets: [{ account, upstreamModel: 'up-2' }] });
      it = { plain: await addModel(operator, { name: 'plain', targets: [{ account, upstreamModel: 'up-1' }] }) };
    },
  }).then((made) => ({ ...made, plain: it.plain }));
  key = await cached();
  await served(it.server, key, 'plain');
  ask = manage(it.server, await mintManagementKey(it.owner));
  team = (await ask('GET', '/teams')).json.data[0].id;
});

// --- who keeps ---

test('a key keeps nothing unless it says so', async () => {
  for (const cache of [undefined, 'max-age=60', 'no-cache']) {
    const { words, asked } = await twice(fresh(), { key: it.key, cache });
    assert.deepEqual([words, asked], [['none', 'none'], 2]);
  }
});

test('one that does gets the same answer again, and nothing is charged', async () => {
  const { answers: [first, second], words, asked } = await twice(fresh());
  assert.deepEqual([words, asked], [['miss', 'hit'], 1]);
  assert.equal(first.headers.get('x-tollgate-cost'), '0.000015');
  assert.equal(first.headers.get('age'), null);
  assert.match(second.headers.get('age'), /^\d+$/);
  for (const [name, value] of [['cost', '0'], ['attempts', '0'], ['model', 'plain'], ['provider', 'openai-compatible']])
    assert.equal(second.headers.get(`x-tollgate-${name}`), value, name);
  assert.deepEqual(second.json, { ...first.json, usage: { ...first.json.usage, cost: 0 } });
  assert.notEqual(id(first), id(second));
  const [a, b] = [await settled(it.server, id(first)), await settled(it.server, id(second))];
  assert.deepEqual([a.cache, a.charge_nano, a.saved_nano, a.attempts], ['miss', 15000, 0, 1]);
  assert.deepEqual([b.cache, b.charge_nano, b.cost_nano, b.saved_nano, b.attempts, b.hold_nano], ['hit', 0, 0, 15000, 0, 0]);
  assert.deepEqual([b.input_tokens, b.output_tokens, b.requests, b.transfer_id, b.price_id], [0, 0, 0, null, null]);
  for (const same of ['outcome', 'status', 'served_model', 'model_id', 'target_id', 'account_id', 'provider', 'account_name', 'finish_reason'])
    assert.equal(b[same], a[same], same);
});

test('a stream comes again event by event, and a streamed question is not a plain one', async () => {
  const body = fresh({ stream: true, stream_options: { include_usage: true } });
  const { answers: [first, second], words, asked } = await twice(body);
  assert.deepEqual([words, asked], [['miss', 'hit'], 1]);
  assert.match(second.headers.get('content-type'), /^text\/event-stream/);
  const events = (res) => res.text.split('\n\n').filter((e) => e.startsWith('data: '));
  assert.ok(second.text.endsWith('data: [DONE]\n\n'));
  assert.equal(events(first).length, events(second).length);
  const usage = (res) => JSON.parse(events(res).at(-2).slice(6)).usage;
  assert.equal(usage(first).cost, 0.000015);
  assert.deepEqual(usage(second), { ...usage(first), cost: 0 });
  assert.deepEqual(events(second).slice(0, -2), events(first).slice(0, -2));
  const { stream, stream_options, ...plain } = body;
  assert.ok(stream && stream_options);
  assert.equal(word(await post(plain)), 'miss');
  const without = await twice({ ...body, stream_options: undefined });
  assert.deepEqual(without.words, ['miss', 'hit']);
  assert.doesNotMatch(without.answers[1].text, /"usage"|"cost"/);
});

// --- the header ---

test('a request may ask for a younger answer, ask anew, or leave no trace', async () => {
  const body = fresh();
  up.seen.length = 0;
  const words = [];
  for (const cache of ['no-store', undefined, 'no-store', 'max-age=600', 'max-age=0', 'no-cache', undefined]) words.push(word(await post(body, { cache })));
  assert.deepEqual(words, ['none', 'miss', 'none', 'hit', 'miss', 'miss', 'hit']);
  assert.equal(up.seen.length, 5);
  const last = await post(body);
  assert.match(last.json.choices[0].message.content, /^Answer 5 /, 'the newest answer is the one that is kept');
});

test('a header that says something else is refused by name, and nothing is sent or charged', async () => {
  up.seen.length = 0;
  for (const cache of ['max-age=', 'max-age=-1', 'max-age=1.5', 'private', 'no-cache, no-store', 'max-age=99999999999999999999']) {
    const res = await post(fresh(), { cache });
    assert.equal(res.status, 400, cache);
    assert.equal(res.json.error.param, 'x-tollgate-cache');
    assert.match(res.json.error.message, /max-age=SECONDS, no-cache and no-store/);
    assert.equal((await settled(it.server, id(res))).charge_nano, 0);
  }
  assert.equal(up.seen.length, 0);
});

// --- what is the same ---

test('whoever asks for the team gets it, under every name of the model; one word more is another question', async () => {
  const body = fresh({ user: 'one', metadata: { run: '1' } });
  assert.equal(word(await post(body)), 'miss');
  assert.equal(word(await post({ ...body, user: 'two', metadata: { run: '2' } })), 'hit');
  const others = [{ temperature: 0 }, { max_tokens: 21 }, { seed: 1 }, { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] }, { messages: [...body.messages, { role: 'user', content: '' }] }, { provider: { sort: 'price' } }, { unknown_to_all: 1 }];
  for (const more of others) assert.equal(word(await post({ ...body, ...more })), 'miss', JSON.stringify(more));
  assert.equal(word(await post(JSON.stringify(body, null, 1))), 'miss', 'other bytes');
  assert.equal(word(await post(body, { key: await cached() })), 'hit', 'another key of the team');
  assert.equal(word(await post(body, { key: await cached({ cache_own: 'on' }) })), 'miss', 'a key that shares nothing');
  assert.equal(word(await post(body, { path: '/api/v1/chat/completions' })), 'hit', 'the same endpoint elsewhere');
});

test('another team never does', async () => {
  const stranger = await signUp(it.server);
  await topUp(stranger, 5);
  const theirs = await mintKey(stranger, { cache_seconds: '600' });
  const body = fresh();
  assert.equal(word(await post(body)), 'miss');
  const other = await post(body, { key: theirs });
  assert.deepEqual([other.status, word(other)], [200, 'miss']);
  assert.deepEqual([word(await post(body)), word(await post(body, { key: theirs }))], ['hit', 'hit']);
});

test('a key that may not use the model gets no answer of it', async () => {
  const body = fresh();
  assert.equal(word(await post(body)), 'miss');
  const limited = await cached({ models: 'by-openai' });
  assert.equal((await post(body, { key: limited })).status, 403);
});

// --- what is kept ---

test('errors, refusals, torn streams, traces, searches and several answers at once are not kept', async () => {
  const choice = (finish_reason) => ({ ...chat(), choices: [{ ...chat().choices[0], finish_reason }] });
  const cases = [
    ['an error', (req, res) => send(res, 400, { error: { message: 'no', type: 'invalid_request_error', param: null, code: null } }), {}],
    ['an error in a 200', (req, res) => send(res, 200, { error: { message: 'no' } }), {}],
    ['a refusal', (req, res) => send(res, 200, choice('content_filter')), {}],
    ['no end', (req, res) => send(res, 200, choice(null)), {}],
    ['a torn stream', (req, res) => { sse(res, [chunk({ role: 'assistant', content: 'Hel' })], { done: false }); res.destroy(); }, { stream: true }],
    ['an error in a stream', (req, res) => { sse(res, [chunk({ content: 'Hel' }), { error: { message: 'no' } }], { done: false }); res.end(); }, { stream: true }],
    ['a trace', usual, {}, { headers: { 'x-tollgate-trace': '1' } }],
    ['two answers', usual, { n: 2 }],
  ];
  for (const [what, script, more, options] of cases) {
    const body = fresh(more);
    up.script = script;
    const before = (await it.server.metrics()).tollgate_cache_kept_total;
    await post(body, options).catch(() => {});
    const second = await post(body, options).catch(() => undefined);
    up.script = usual;
    assert.notEqual(second && word(second), 'hit', what);
    assert.equal((await it.server.metrics()).tollgate_cache_kept_total, before, what);
  }
});

test('a tool call is kept, and an answer that ended at its limit; a large one is passed on only', async () => {
  const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"cost":1}' } }];
  up.script = (req, res) => send(res, 200, { ...chat(), choices: [{ ...chat().choices[0], message: { role: 'assistant', content: null, tool_calls: calls }, finish_reason: 'tool_calls' }] });
  const tools = await twice(fresh());
  assert.deepEqual(tools.words, ['miss', 'hit']);
  assert.deepEqual(tools.answers[1].json.choices, tools.answers[0].json.choices);
  up.script = (req, res) => send(res, 200, { ...chat(), choices: [{ ...chat().choices[0], finish_reason: 'length' }] });
  assert.deepEqual((await twice(fresh())).words, ['miss', 'hit']);
  up.script = (req, res) => send(res, 200, chat('x'.repeat(1100000)));
  assert.deepEqual((await twice(fresh())).words, ['miss', 'miss']);
  up.script = usual;
});

// --- other formats, official libraries ---

test('official clients of three formats get kept answers of every provider, whole and streamed', async () => {
  const clients = { openaiChat, anthropicMessages, googleGenai };
  for (const [name, make] of Object.entries(clients))
    for (const u of speaking) {
      const client = make(it.server.url, key, `by-${u.format}`);
      for (const how of ['text', 'stream']) {
        speaker.seen.length = 0;
        const [first, second] = [await client[how]('Hello'), await client[how]('Hello')];
        assert.deepEqual(second, first, `${name} of ${u.format}, ${how}`);
        assert.match(first.text, /Hello there/);
        assert.equal(speaker.seen.length, 1, `${name} of ${u.format}, ${how}`);
      }
    }
});

test('a stream that is one JSON array comes again as one, and as events to who asks for those', async () => {
  const body = { contents: [{ role: 'user', parts: [{ text: `Hello ${++serial}` }] }] };
  const stream = (query = '') => post(body, { path: `/v1beta/models/by-anthropic:streamGenerateContent${query}` });
  const [first, second, events] = [await stream(), await stream(), await stream('?alt=sse')];
  assert.deepEqual([first, second, events].map(word), ['miss', 'hit', 'hit']);
  const said = (list) => list.map((e) => e.candidates?.[0]?.content?.parts?.[0]?.text ?? '').join('');
  assert.equal(said(first.json), 'Hello there.');
  assert.equal(said(second.json), 'Hello there.');
  assert.equal(second.json.length, first.json.length);
  assert.equal(said(events.text.split(/\r?\n\r?\n/).filter(Boolean).map((e) => JSON.parse(e.replace(/^data: /, '')))), 'Hello there.');
  for (const e of second.json) if (e.usageMetadata && 'cost' in e.usageMetadata) assert.equal(e.usageMetadata.cost, 0);
});

test('an alias asks for the same', async () => {
  it.server.psql(`INSERT INTO model_alias (alias, model_id) VALUES ('also-plain', ${it.plain.id}); SELECT note_change('catalogue')`);
  const body = fresh();
  await until(async () => (await post({ ...body, model: 'also-plain' }, { cache: 'no-store' })).status === 200, 'the alias');
  assert.equal(word(await post(body)), 'miss');
  const again = await post({ ...body, model: 'also-plain' });
  assert.deepEqual([word(again), again.headers.get('x-tollgate-model')], ['hit', 'plain']);
});

// --- money and limits ---

test('with an empty balance kept answers still come, and requests are still counted', async () => {
  const poor = await signUp(it.server);
  await topUp(poor, 5);
  const theirs = await mintKey(poor, { cache_seconds: '600', rpm: '5' });
  const body = fresh({ model: 'dear', max_tokens: 4 });
  assert.equal(word(await post(body, { key: theirs })), 'miss');
  const other = await post(fresh({ model: 'dear', max_tokens: 4 }), { key: theirs });
  assert.deepEqual([other.status, other.json.error.code], [402, 'insufficient_balance']);
  const words = [];
  for (let i = 0; i < 5; i++) words.push(await post(body, { key: theirs }));
  assert.deepEqual([words[0], words[1]].map(word), ['hit', 'hit']);
  assert.equal(words.at(-1).status, 429);
  assert.equal(words.at(-1).json.error.code, 'rate_limit_exceeded');
  assert.equal((await settled(it.server, id(words.at(-1)))).cache, null);
});

// --- what ends it ---

test('a price that changes, a model that is switched off, a key that is revoked', async () => {
  const body = fresh();
  assert.deepEqual((await twice(body)).words, ['miss', 'hit']);
  const page = await it.operator.submit(`/operator/models/${it.plain.id}/prices/new`, /prices$/, { charge_input: '2', cost_input: '2', charge_output: '4', cost_output: '4' });
  assert.equal(page.status, 200);
  await until(async () => word(await post(body)) === 'miss', 'the new price');
  const dear = await post(body, { cache: 'no-cache' });
  assert.equal(dear.headers.get('x-tollgate-cost'), '0.00003');
  assert.equal((await settled(it.server, id(await post(body)))).saved_nano, 30000);
  const revoked = await cached(), [{ id: kid }] = it.server.sql('SELECT id FROM api_key ORDER BY id DESC LIMIT 1');
  assert.equal(word(await post(body, { key: revoked })), 'hit');
  assert.equal((await ask('PATCH', `/keys/${kid}`, { disabled: true })).status, 200);
  await until(async () => (await post(body, { key: revoked })).status === 401, 'the key to be refused');
});

// Nodes hear of changes in their order: where the last has arrived, those before it have.
test('a setting of the team, another model, and another team with its own key at a provider leave them where they are', async () => {
  const stranger = await signUp(it.server), body = fresh(), limited = await cached(), [before] = it.server.sql('SELECT epoch::int AS n FROM change_epoch');
  assert.deepEqual((await twice(body)).words, ['miss', 'hit']);
  assert.equal((await ask('PATCH', `/teams/${team}`, { legal_name: 'Another Ltd' })).status, 200);
  it.server.psql(`WITH of AS (INSERT INTO provider_account (team_id, kind, name, base_url, key_last4) SELECT max(id), 'openai-compatible', 'theirs', '${up.url}', '' FROM team RETURNING id)
    INSERT INTO target (model_id, account_id, upstream_model) SELECT ${it.plain.id}, id, 'up-1' FROM of; SELECT note_change('catalogue')`);
  await addModel(it.operator, { name: 'beside', targets: [{ account, upstreamModel: 'up-9' }] });
  await until(async () => (await post(hello('beside'), { cache: 'no-store' })).status === 200, 'the other model');
  assert.ok(it.server.sql('SELECT epoch::int AS n FROM change_epoch')[0].n >= before.n + 3, 'nodes were told of all three');
  assert.ok(stranger);
  assert.equal(word(await post(body)), 'hit');
  assert.equal(word(await post(body, { key: limited })), 'hit');
});

test('an admin clears them on the settings page, or by the API', async () => {
  for (const clear of [() => it.owner.submit('/settings', /\/settings\/cache\/clear$/), () => ask('DELETE', `/teams/${team}/cache`)]) {
    const body = fresh();
    assert.deepEqual((await twice(body)).words, ['miss', 'hit']);
    const done = await clear();
    assert.equal(done.status, 200);
    await until(async () => word(await post(body)) === 'miss', 'the cache to be cleared');
  }
  assert.equal(it.server.sql(`SELECT count(*)::int AS n FROM audit WHERE action = 'team.clear_cache' AND team_id = ${team}`)[0].n, 2);
});

test('only admins say which keys keep answers', async () => {
  const developer = manage(it.server, await mintManagementKey(it.owner, 'developer'));
  assert.equal((await developer('POST', '/keys', { name: 'one', cache_seconds: 60 })).status, 403);
  assert.equal((await ask('POST', '/keys', { name: 'one', cache_seconds: 604801 })).status, 400);
  const made = (await ask('POST', '/keys', { name: 'one', cache_seconds: 60, cache_own: true })).json;
  assert.deepEqual([made.cache_seconds, made.cache_own], [60, true]);
  assert.equal((await developer('PATCH', `/keys/${made.id}`, { cache_seconds: 61 })).status, 403);
  assert.equal((await developer('PATCH', `/keys/${made.id}`, { rpm: 5, cache_seconds: 60 })).status, 200);
  assert.deepEqual((await ask('PATCH', `/keys/${made.id}`, { cache_seconds: null })).json.cache_seconds, 0);
});

test('nor does a developer on the page, who may change all else of a key that keeps answers', async () => {
  const dev = await signUp(it.server), theirs = await mintKey(dev, { cache_seconds: '60' });
  assert.ok(theirs);
  const [{ id: kid, team_id }] = it.server.sql('SELECT id, team_id FROM api_key ORDER BY id DESC LIMIT 1');
  it.server.psql(`UPDATE member SET role = 'developer' WHERE team_id = ${team_id}`);
  const seconds = () => it.server.sql(`SELECT cache_seconds, rpm FROM api_key WHERE id = ${kid}`)[0];
  const change = (fields) => dev.submit(`/keys/${kid}`, new RegExp(`/keys/${kid}$`), fields);
  const refused = await change({ cache_seconds: '61' });
  assert.equal(refused.status, 422);
  assert.match(refused.text, /An owner or admin can change this/);
  assert.deepEqual(seconds(), { cache_seconds: 60, rpm: null });
  assert.equal((await change({ rpm: '7' })).status, 200);
  assert.deepEqual(seconds(), { cache_seconds: 60, rpm: 7 });
});

// --- the figures ---

test('every sum is still every other, and tells what was saved', async () => {
  await until(async () => (await it.server.metrics()).tollgate_settle_waiting === 0, 'the calls to be booked');
  booksBalance(it.server);
  sameBooks(it.server);
  const [{ hits, saved, misses }] = it.server.sql(`SELECT count(*) FILTER (WHERE cache = 'hit')::int AS hits, sum(saved_nano)::bigint AS saved,
    count(*) FILTER (WHERE cache = 'miss')::int AS misses FROM call WHERE team_id = ${team}`);
  const { json } = await ask('GET', '/usage?by=model');
  const sum = (field) => json.data.reduce((n, row) => n + Number(row[field]), 0);
  assert.ok(hits > 10 && misses > 10 && saved > 0);
  assert.equal(sum('cache_hits'), hits);
  assert.equal(Math.round(sum('saved') * 1e9), Number(saved));
  const found = await ask('GET', '/calls?cache=hit&limit=200');
  assert.equal(found.status, 200, JSON.stringify(found.json));
  const listed = found.json.data;
  assert.equal(listed.length, hits);
  assert.ok(listed.every((c) => c.cache === 'hit' && Number(c.charge) === 0 && Number(c.saved) > 0));
  assert.match((await it.owner.get('/usage?by=day')).text, new RegExp(`saved by ${hits} kept answers`));
  assert.match((await it.owner.get(`/log/${listed[0].call_id ?? listed[0].id}`)).text, /Cache\s*hit/);
  assert.match((await it.owner.get('/log?cache=hit')).text, /cache is/);
  const m = await it.server.metrics();
  assert.ok(m.tollgate_cache_hits_total >= hits && m.tollgate_cache_entries > 0);
  assert.ok(m.tollgate_cache_bytes <= m.tollgate_cache_max_bytes);
});

test('the system page says what is kept here', async () => {
  assert.match((await it.operator.get('/operator')).text, /Cached answers \d+, [\d.]+ \S+ of 6[47][.\d]* \S+; [\d.]+ ?% of look-ups found one/);
});

test('embeddings, rankings and the Responses API are kept, the latter where the client keeps none itself', async () => {
  up.script = (req, res, seen) => {
    if (seen.url.endsWith('/embeddings')) return send(res, 200, { object: 'list', model: 'e', data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }], usage: { prompt_tokens: 2, total_tokens: 2 } });
    return usual(req, res, seen);
  };
  await addModel(it.operator, { name: 'vectors', kind: 'embedding', output: '1', targets: [{ account, upstreamModel: 'up-3' }] });
  await served(it.server, key, 'vectors');
  const words = await twice({ model: 'vectors', input: 'Hello' }, { path: '/v1/embeddings' });
  assert.deepEqual([words.words, words.asked], [['miss', 'hit'], 1]);
  assert.deepEqual(words.answers[1].json.data, words.answers[0].json.data);
  const respond = (more) => twice({ model: 'by-openai', input: `Hello ${++serial}`, max_output_tokens: 50, ...more }, { path: '/v1/responses' });
  assert.deepEqual((await respond()).words, ['miss', 'hit']);
  assert.deepEqual((await respond({ stream: true })).words, ['miss', 'hit']);
  await it.owner.submit('/settings', /\/settings\/responses$/, { response_days: '1' });
  await until(async () => word(await post({ model: 'by-openai', input: `Hello ${++serial}`, max_output_tokens: 50, store: true }, { path: '/v1/responses' })) === 'none', 'responses to be kept for the client');
  assert.deepEqual((await respond()).words, ['none', 'none']);
  assert.deepEqual((await respond({ store: false })).words, ['miss', 'hit']);
  up.script = usual;
});

test('each replica keeps its own, and what is cleared is cleared on all; 0 bytes keep nothing', async () => {
  const cluster = await new Cluster().start();
  const env = { DEMO: 'off', LOOPS: '1' };
  const [one, two, none] = [await cluster.add('one', env), await cluster.add('two', env), await cluster.add('none', { ...env, CACHE_BYTES: '0' })];
  await cluster.install([up]);
  await cluster.model({ name: 'plain' });
  const who = await cluster.team(20e9);
  const { key: secret } = await cluster.key(who, { cache_seconds: 600 });
  await cluster.everywhere(secret, 'plain');
  const body = fresh(), at = async (node) => word(await call(node, secret, body));
  const words = [];
  for (const node of [one, one, two, two, none, none]) words.push(await at(node));
  assert.deepEqual(words, ['miss', 'hit', 'miss', 'hit', 'none', 'none']);
  assert.equal((await cluster.ask('DELETE', `/teams/${who}/cache`)).status, 200);
  for (const node of [one, two]) await until(async () => (await at(node)) === 'miss', 'the replica to hear of it');
  await until(async () => (await one.metrics()).tollgate_settle_waiting + (await two.metrics()).tollgate_settle_waiting + (await none.metrics()).tollgate_settle_waiting === 0, 'the calls to be booked');
  sameBooks(cluster);
});
