// Kept answers for questions that are alike: what is compared, by whom, at what price, and what never is.
import assert from 'node:assert/strict';
import { test, setup, eventually } from '../lib/story.mjs';
import { send, sse, chat, chunk, startUpstream } from '../lib/upstream.mjs';
import { openaiChat } from '../lib/clients.mjs';
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
});
