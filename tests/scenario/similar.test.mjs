// Kept answers for questions that are alike: what is compared, by whom, at what price, and what never is.
import assert from 'node:assert/strict';
import { test, setup, eventually } from '../lib/story.mjs';
import { send, sse, chat, chunk, startUpstream } from '../lib/upstream.mjs';
import OpenAI from 'openai';
import { standardInstallation, call, settled, booksBalance, signUp, topUp, mintKey, mintManagementKey, installationKey, manage, addAccount, addModel, hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

let it, up, embedder, key, ask, operator, team, serial = 0;
const word = (res) => res.headers.get('x-tollgate-cache');
const id = (res) => res.headers.get('x-tollgate-request-id');
const alike = (fields = {}) => mintKey(it.owner, { cache_seconds: '600', cache_similarity: '0.95', ...fields });
const vectors = new Map();
const letters = (n) => [...String(n)].map((d) => 'abcdefghij'[d]).join('');
// A subject that nobody has asked about before, in a system text of its own: what is asked there is alone.
const subject = () => `Topic ${letters(++serial)}`;
const question = (system, text, more = {}) => hello('scripted', { messages: [{ role: 'system', content: system }, { role: 'user', content: text }], ...more });
const post = (body, { key: by = key, cache, ...options } = {}) => call(it.server, by, body, { ...options, headers: { ...(cache && { 'x-tollgate-cache': cache }), ...options.headers } });
// The text's vector: at that cosine to those of cosine 1.
const place = (text, cosine) => { vectors.set(text, [cosine, Math.sqrt(1 - cosine * cosine), 0, 0]); return text; };
const vectorOf = (text) => vectors.get(text) ?? [0, 0, 0, 1];
const embedded = (res, { input, encoding_format }) => {
  const floats = Float32Array.from(vectorOf(input));
  send(res, 200, { object: 'list', model: 'e', usage: { prompt_tokens: 7, total_tokens: 7 },
    data: [{ object: 'embedding', index: 0, embedding: encoding_format === 'base64' ? Buffer.from(floats.buffer).toString('base64') : [...floats] }] });
};
const embeds = (req, res, seen) => embedded(res, seen.body);
const usual = (req, res, seen) => (seen.body.stream
  ? sse(res, [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hello ' }), chunk({ content: 'there.' }), chunk({}, 'stop')])
  : send(res, 200, chat(`Answer ${up.seen.length}.`)));
const embedding = async (of) => {
  const row = await settled(it.server, of);
  return eventually(() => it.server.sql(`SELECT * FROM call WHERE for_call_id = '${row.call_id}'`)[0], 'the call that embeds');
};
const name = (row) => `call_${row.call_id.replaceAll('-', '')}`;
// What the page of a request says of the call that embedded its question; null: nothing.
const embeddedBy = async (who, path) => (await who.get(path)).body.match(/<dt>Question embedded<\/dt><dd>(.*?)<\/dd>/s)?.[1] ?? null;
const pairs = (seen) => seen.map((s) => s.body.input);
// Until so many questions can be compared: an answer's vector may come after it.
const known = (n) => eventually(async () => (await it.server.metrics()).tollgate_cache_vectors >= n, `${n} questions to be known`);
// Asks, and waits until the answer can be found by likeness.
async function kept(body, options) {
  const before = (await it.server.metrics()).tollgate_cache_vectors, res = await post(body, options);
  assert.deepEqual([res.status, word(res)], [200, 'miss'], res.text);
  await known(before + 1);
  return res;
}

setup('a team whose key takes answers to questions that are alike, and an embedder with known vectors', async () => {
  up = await startUpstream(usual);
  embedder = await startUpstream(embeds);
  it = await standardInstallation([up]);
  const account = await addAccount(it.operator, embedder, { name: 'embedder' });
  await addModel(it.operator, { name: 'compares', kind: 'embedding', input: '10', output: '0', targets: [{ account, upstreamModel: 'e-1' }] });
  operator = manage(it.server, await installationKey(it.operator));
  ask = manage(it.server, await mintManagementKey(it.owner));
  team = (await ask('GET', '/teams')).json.data[0].id;
});

test('without a model that compares the option is not offered, and is refused', async () => {
  assert.doesNotMatch((await it.owner.get('/keys/new')).body, /cache_similarity/);
  const res = await ask('POST', '/keys', { name: 'early', cache_seconds: 60, cache_similarity: 0.95 });
  assert.equal(res.status, 400, res.text);
  assert.match(res.json.error.message, /names no model that compares/);
});

test('an operator names the model, which has to be one that embeds', async () => {
  for (const wrong of ['scripted', 'nobody']) {
    const res = await operator('PATCH', '/installation', { similarity_model: wrong });
    assert.deepEqual([res.status, res.json.error.param], [400, 'similarity_model'], res.text);
  }
  const set = await operator('PATCH', '/installation', { similarity_model: 'compares' });
  assert.deepEqual([set.status, set.json.similarity_model], [200, 'compares']);
  assert.equal((await operator('PATCH', '/installation', { own_fee_bp: 0 })).json.similarity_model, 'compares');
  await eventually(async () => /cache_similarity/.test((await it.owner.get('/keys/new')).body), 'the option to be offered');
  key = await alike();
});

test('a question that is alike gets the answer, which says how near it was', async () => {
  const s = subject(), first = place('How do I reset my password?', 1), other = place('How can I reset the password I have?', 0.97);
  embedder.seen.length = 0;
  const a = await kept(question(s, first));
  assert.deepEqual(pairs(embedder.seen), [first], 'embedded once it was kept');
  const b = await post(question(s, other));
  assert.deepEqual([b.status, word(b), b.headers.get('x-tollgate-similarity'), b.headers.get('x-tollgate-cost')], [200, 'similar', '0.9700', '0']);
  assert.deepEqual(b.json.choices, a.json.choices);
  assert.match(b.headers.get('age'), /^\d+$/);
  assert.deepEqual(pairs(embedder.seen), [first, other]);
  const same = await post(question(s, first));
  assert.deepEqual([word(same), same.headers.get('x-tollgate-similarity')], ['hit', null], 'the very same needs no comparison');
  assert.equal(embedder.seen.length, 2);
  const row = await settled(it.server, id(b));
  assert.deepEqual([row.cache, row.similarity_bp, row.charge_nano, row.saved_nano, row.attempts, row.for_call_id], ['hit', 9700, 0, 15000, 0, null]);
  assert.equal((await settled(it.server, id(same))).similarity_bp, null);
  const made = await embedding(id(b));
  assert.match(await embeddedBy(it.owner, `/log/${id(b)}`), new RegExp(`by <a href="/log/${name(made)}">another request</a>, for <.*>0\\.00007 USD<`));
  assert.equal(await embeddedBy(it.owner, `/log/${id(same)}`), null, 'nothing was embedded for it');
});

// --- money ---

test('the question is embedded by a call of its own, on the log with whom it was for, and charged', async () => {
  const tagged = await alike({ tags: 'customer=acme' }), s = subject();
  const a = await kept(question(s, place('Where is my parcel?', 1)), { key: tagged, headers: { 'x-tollgate-tags': 'run=one' } });
  const own = await settled(it.server, id(a)), made = await embedding(id(a));
  assert.deepEqual([made.endpoint, made.requested_model, made.outcome, made.status, made.input_tokens, made.charge_nano, made.key_id, made.cache],
    ['embeddings', 'compares', 'ok', 200, 7, 70000, own.key_id, null]);
  assert.deepEqual(made.tags, { customer: 'acme', run: 'one' });
  const told = await ask('GET', `/calls/${made.call_id}`);
  assert.equal(told.json.for_call_id, id(a));
  assert.match((await it.owner.get(`/log/${made.call_id}`)).body, new RegExp(`href="/log/${id(a)}">another request`));
  assert.match(await embeddedBy(it.owner, `/log/${id(a)}`), new RegExp(`^by <a href="/log/${name(made)}">another request</a>, for <.*>0\\.00007 USD<`));
  assert.equal(await embeddedBy(it.owner, `/log/${name(made)}`), null);
  assert.match(await embeddedBy(it.operator, `/operator/calls/${id(a)}`),
    new RegExp(`^by <a href="/operator/calls/${name(made)}">another request</a>, for <.*>0\\.00007 USD<.*, provider cost <.* USD<`, 's'));
  assert.match((await it.operator.get(`/operator/calls/${name(made)}`)).body, new RegExp(`href="/operator/calls/${id(a)}">another request`));
  assert.equal((await ask('GET', `/calls/${id(a)}`)).json.for_call_id, null);
});

test('it counts neither as a request nor as a call at the same time', async () => {
  const narrow = await alike({ rpm: '3', concurrency: '1' }), s = subject();
  await kept(question(s, place('What does it weigh?', 1)), { key: narrow });
  assert.equal(word(await post(question(s, place('How heavy is it?', 0.98)), { key: narrow })), 'similar');
  assert.equal(word(await post(question(s, place('How heavy would it be?', 0.98)), { key: narrow })), 'similar');
  assert.equal((await post(question(s, 'How heavy is this?'), { key: narrow })).status, 429);
});

test('what cannot be paid for is not compared, and the request goes on', async () => {
  // The hold of the client's call is nearly all that the budget has, and it counts again once it has ended.
  const s = subject(), poor = await alike({ budget: '0.0001', budget_window: 'lifetime' });
  const asked = question(s, place('May I pay later?', 1), { max_tokens: 4 });
  embedder.seen.length = 0;
  const a = await post(asked, { key: poor });
  assert.deepEqual([a.status, word(a)], [200, 'miss'], a.text);
  const refused = await embedding(id(a));
  assert.deepEqual([refused.status, refused.outcome, refused.quota_source, refused.charge_nano], [402, 'blocked', 'app_key', 0]);
  assert.match(await embeddedBy(it.owner, `/log/${id(a)}`), /another request<\/a>, in vain, for /);
  assert.equal(embedder.seen.length, 0);
  assert.equal(word(await post(asked, { key: poor })), 'hit', 'it is kept all the same');
});

// --- what is near ---

test('the threshold is the key’s, to the fourth decimal, and the nearest answer is given', async () => {
  const s = subject();
  await kept(question(s, place('Which size should I order?', 1)));
  for (const [text, cosine, expected] of [['Which size do I want?', 0.9498, 'miss'], ['Which size do I need?', 0.95001, 'similar'], ['What size would it be?', 0.3, 'miss']]) {
    const before = (await it.server.metrics()).tollgate_cache_vectors, res = await post(question(s, place(text, cosine)));
    assert.equal(word(res), expected, `${text} ${cosine}`);
    if (expected === 'miss') await known(before + 1);
  }
  const other = await alike({ cache_similarity: '0.6' });
  const near = await post(question(s, place('Is there a size that fits?', 0.35)), { key: other });
  assert.deepEqual([word(near), near.headers.get('x-tollgate-similarity') >= '0.9900'], ['similar', true], 'the one of 0.3 is nearer than that of 1');
  const strict = await alike({ cache_similarity: '1' });
  assert.equal(word(await post(question(s, place('Which size, please?', 0.9996)), { key: strict })), 'miss');
  assert.equal(word(await post(question(s, place('which size should I order', 1)), { key: strict })), 'similar');
});

test('numbers, quotes, words of polarity and the order of words are no matter of likeness', async () => {
  const pairs = [
    ['Convert 100 euros for me', 'Convert 200 euros for me'], ['What happened on 2024-03-01?', 'What happened on 2025-03-01?'],
    ['Is version v2.1 supported?', 'Is version v2.2 supported?'], ['How do I turn dark mode on?', 'How do I turn dark mode off?'],
    ['How can I enable alerts?', 'How can I disable alerts?'], ['Can I eat this?', "Can't I eat this?"], ['Translate "good morning"', 'Translate "good evening"'],
    ['What does `ls` do?', 'What does `rm` do?'], ['Convert dollars to euros', 'Convert euros to dollars'], ['Tell me about ٣ of them', 'Tell me about ٤ of them'],
  ];
  for (const [first, second] of pairs) {
    const s = subject();
    await kept(question(s, place(first, 1)));
    assert.equal(word(await post(question(s, place(second, 1)))), 'miss', `${first} / ${second}`);
    assert.equal(word(await post(question(s, place(`So: ${first}`, 1)))), 'similar', first);
  }
});

test('everything but the last text of the user has to be the same', async () => {
  const s = subject(), first = place('What should I read next?', 1), second = place('What might I read next?', 0.99);
  const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
  const earlier = (text) => ({ messages: [{ role: 'system', content: s }, { role: 'user', content: text }, { role: 'assistant', content: 'Yes.' }, { role: 'user', content: second }] });
  await kept(question(s, first, { temperature: 0 }));
  await kept(question(s, first, earlier('One')));
  const others = [[`${s}!`, {}], [s, { temperature: 1 }], [s, { temperature: 0, tools }], [s, { temperature: 0, max_tokens: 21 }], [s, { temperature: 0, seed: 1 }],
    [s, { temperature: 0, stream: true }], [s, { temperature: 0, response_format: { type: 'json_object' } }], [s, earlier('Another')], [s, { temperature: 0, messages: [{ role: 'user', content: second }] }]];
  for (const [system, more] of others) {
    const res = await post(question(system, second, more));
    assert.deepEqual([res.status, word(res)], [200, 'miss'], JSON.stringify(more) + res.text);
  }
  await kept(question(s, first, { temperature: 0, user: 'one', metadata: { run: 'x' } }));
  assert.equal(word(await post(question(s, second, { temperature: 0, user: 'two', metadata: { run: 'y' } }))), 'similar', 'who asks is no part of it');
});

test('another team never gets it, nor a key that keeps to itself, nor one that wants the same question', async () => {
  const s = subject(), first = place('How long is the warranty?', 1), second = place('How long would the warranty be?', 0.99);
  await kept(question(s, first));
  const stranger = await signUp(it.server);
  await topUp(stranger, 5);
  const theirs = await mintKey(stranger, { cache_seconds: '600', cache_similarity: '0.95' });
  const exact = await mintKey(it.owner, { cache_seconds: '600' });
  for (const [by, what] of [[theirs, 'another team'], [await alike({ cache_own: 'on' }), 'its own']]) {
    const res = await post(question(s, second), { key: by });
    assert.deepEqual([res.status, word(res)], [200, 'miss'], what);
  }
  const unlike = place('For how long is the warranty?', 0.99);
  assert.equal(word(await post(question(s, unlike), { key: exact })), 'miss');
  assert.equal(word(await post(question(s, first), { key: exact })), 'hit');
  assert.equal(word(await post(question(s, second), { key: await alike() })), 'similar', 'another key of the team');
  assert.ok(!pairs(embedder.seen).includes(unlike), 'nothing is embedded for a key that wants the same');
});

test('what is no single text of the user is not compared', async () => {
  const s = subject();
  const last = [
    [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }] }],
    [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'text', text: 'And that?' }] }],
    [{ role: 'user', content: 'Go on' }, { role: 'assistant', content: 'So' }],
    [{ role: 'user', content: 'Go on' }, { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'c', content: 'done' }],
    [{ role: 'user', content: 'word '.repeat(2000) }],
  ];
  embedder.seen.length = 0;
  for (const messages of last) assert.equal((await post(question(s, '', { messages: [{ role: 'system', content: s }, ...messages] }))).status, 200);
  assert.equal((await post(question(s, 'With wishes', { provider: { sort: 'price' } }))).status, 200);
  assert.equal((await post(question(s, 'Never kept'), { cache: 'no-store' })).status, 200);
  await post(question(s, place('But this is', 1)));
  await eventually(() => embedder.seen.length > 0, 'the one that is compared');
  assert.deepEqual(pairs(embedder.seen), ['But this is']);
  const part = (text) => question(s, '', { messages: [{ role: 'system', content: s }, { role: 'user', content: [{ type: 'text', text }] }] });
  await kept(part(place('In a part of its own', 1)));
  assert.equal(word(await post(part(place('In one part of its own', 0.99)))), 'similar');
});

// --- the rules of kept answers ---

test('no-store, no-cache and max-age, and a team that clears its answers', async () => {
  const s = subject(), first = place('Do you ship abroad?', 1), second = place('Do you deliver abroad?', 0.99);
  await kept(question(s, first));
  const words = [];
  for (const cache of ['no-store', 'max-age=0', 'no-cache']) words.push(word(await post(question(s, place(`Do you ship abroad, ${cache.slice(0, 4)}${letters(words.length)}`, 0.99)), { cache })));
  assert.deepEqual(words, ['none', 'miss', 'miss']);
  assert.equal(word(await post(question(s, second), { cache: 'max-age=600' })), 'similar');
  assert.equal((await ask('DELETE', `/teams/${team}/cache`)).status, 200);
  await eventually(async () => word(await post(question(s, place(`Do you deliver there, ${letters(++serial)}`, 0.99)), { cache: 'max-age=600' })) === 'miss', 'the cache to be cleared');
});

test('a similar answer comes as a stream, too, and by the SDK', async () => {
  const s = subject(), client = new OpenAI({ apiKey: key, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
  const ask = async (text) => {
    const stream = await client.chat.completions.create({ ...question(s, text), stream: true }).withResponse();
    let said = '';
    for await (const part of stream.data) said += part.choices[0]?.delta?.content ?? '';
    return [said, stream.response.headers.get('x-tollgate-cache')];
  };
  const before = (await it.server.metrics()).tollgate_cache_vectors;
  assert.deepEqual(await ask(place('Who wrote that book?', 1)), ['Hello there.', 'miss']);
  await known(before + 1);
  assert.deepEqual(await ask(place('Who is it that wrote that book?', 0.97)), ['Hello there.', 'similar']);
});

test('in the other formats as well, each for itself', async () => {
  const first = place('Is it open tomorrow?', 1), second = place('Is it open on the morrow?', 0.97);
  const s = subject();
  const asks = {
    '/v1/messages': (text) => ({ model: 'scripted', max_tokens: 20, system: s, messages: [{ role: 'user', content: text }] }),
    '/v1/responses': (input) => ({ model: 'scripted', instructions: s, input, store: false }),
    '/v1beta/models/scripted:generateContent': (text) => ({ systemInstruction: { parts: [{ text: s }] }, contents: [{ role: 'user', parts: [{ text }] }] }),
  };
  for (const [path, body] of Object.entries(asks)) {
    await kept(body(first), { path });
    const res = await post(body(second), { path });
    assert.deepEqual([res.status, word(res), res.headers.get('x-tollgate-similarity')], [200, 'similar', '0.9700'], path);
  }
});

// --- the embedder fails ---

test('an embedder that is down, late, or says nonsense costs a request nothing but its likeness', async () => {
  const s = subject(), first = place('Can I change my plan?', 1);
  await kept(question(s, first));
  const parked = [];
  const scripts = {
    down: (req, res) => send(res, 500, { error: { message: 'down' } }),
    nonsense: (req, res) => send(res, 200, { data: [{ embedding: ['a'] }] }),
    zero: (req, res) => send(res, 200, { data: [{ embedding: [0, 0, 0] }] }),
    late: (req, res, seen) => parked.push(() => embedded(res, seen.body)),
  };
  for (const [name, script] of Object.entries(scripts)) {
    embedder.script = script;
    const res = await post(question(s, place(`Might I change the plan? ${name}`, 0.99)));
    assert.deepEqual([res.status, word(res)], [200, 'miss'], `${name} ${res.text}`);
  }
  embedder.script = embeds;
  const before = (await it.server.metrics()).tollgate_cache_vectors;
  assert.equal(parked.length, 1);
  parked[0]();
  await known(before + 1); // what came too late for the request is good for the answer
  await eventually(async () => word(await post(question(s, place(`May I change my plan, ${letters(++serial)}`, 0.99)))) === 'similar', 'the embedder to be asked again');
});

test('many at once: each is answered, and each is booked', async () => {
  const s = subject();
  await kept(question(s, place('What is for lunch?', 1)));
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => post(question(s, place(`What is there for lunch, ${letters(i)}?`, i % 2 ? 0.99 : 0.5)))));
  assert.deepEqual(all.map((r) => r.status), Array(40).fill(200));
  const alone = all.filter((r, i) => i % 2 && word(r) !== 'similar');
  assert.ok(alone.length <= 20, 'those that had to wait too long went on without');
  await eventually(async () => (await it.server.metrics()).tollgate_settle_waiting === 0, 'the calls to be booked');
  booksBalance(it.server);
});

// --- who says so ---

test('a key says how near, an admin sets it, and nonsense is refused by name', async () => {
  for (const wrong of [0.4999, 1.1, 0.95001, 'near', -1]) {
    const res = await ask('POST', '/keys', { name: 'one', cache_seconds: 60, cache_similarity: wrong });
    assert.equal(res.status, 400, `${wrong} ${res.text}`);
    assert.match(res.text, /cache_similarity/);
  }
  const developer = manage(it.server, await mintManagementKey(it.owner, 'developer'));
  assert.equal((await developer('POST', '/keys', { name: 'one', cache_similarity: 0.9 })).status, 403);
  const made = (await ask('POST', '/keys', { name: 'one', cache_seconds: 60, cache_similarity: 0.925 })).json;
  assert.equal(made.cache_similarity, 0.925);
  assert.equal((await ask('PATCH', `/keys/${made.id}`, { rpm: 5 })).json.cache_similarity, 0.925);
  assert.equal((await ask('PATCH', `/keys/${made.id}`, { cache_similarity: null })).json.cache_similarity, null);
  const page = await it.owner.submit(`/keys/${made.id}`, new RegExp(`/keys/${made.id}$`), { name: 'one', cache_seconds: '60', cache_similarity: '95' });
  assert.equal(page.status, 422);
  assert.match(page.text, /From 0.5 to 1/);
});

test('the log is filtered by it, and the export has it', async () => {
  const found = (await ask('GET', '/calls?cache=similar&limit=100')).json.data;
  assert.ok(found.length >= 5);
  assert.ok(found.every((c) => c.cache === 'hit' && c.similarity_bp >= 6000));
  const page = await it.owner.get('/log?cache=similar');
  assert.match(page.body, /of a similar question/);
  const one = await it.owner.get(`/log/${found[0].call_id}`);
  assert.match(one.text, /Similarity[\s\S]*to the question that was answered/);
  const csv = (await it.owner.raw('/log/export?cache=similar')).bytes.toString().split('\n');
  assert.ok(csv[0].includes('similarity_bp') && csv[0].includes('for_call_id'), csv[0]);
});

test('without the model nothing is compared any more, and the rest of the cache stays', async () => {
  const s = subject(), first = place('Is there a discount?', 1);
  await kept(question(s, first));
  assert.equal((await operator('PATCH', '/installation', { similarity_model: null })).json.similarity_model, null);
  await eventually(async () => word(await post(question(s, place(`Are there discounts, ${letters(++serial)}`, 0.99)))) === 'miss', 'the catalogue');
  embedder.seen.length = 0;
  assert.equal(word(await post(question(s, place('Is there any discount?', 0.99)))), 'miss');
  assert.equal(embedder.seen.length, 0);
  assert.equal(word(await post(question(s, first))), 'hit');
  await eventually(async () => (await it.server.metrics()).tollgate_settle_waiting === 0, 'the calls to be booked');
  sameBooks(it.server);
});
