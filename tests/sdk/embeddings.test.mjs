// The libraries of OpenAI, Google and Cohere embed texts before each format that upstreams are asked in:
// vectors right to the bit, figures and charges to the nano-dollar, what cannot be said, errors, and a
// malformed answer that another target makes good.
import assert from 'node:assert/strict';
import { GoogleGenAI } from '@google/genai';
import { CohereClientV2 } from 'cohere-ai';
import OpenAI from 'openai';
import { test, setup } from '../lib/story.mjs';
import { base64Of, embedders, startEmbedder, tokens, vectorOf } from '../lib/embedder.mjs';
import { accountAt, addModel, attemptsOf, booksBalance, call, installationOfFormats, served, settled } from '../lib/installation.mjs';

let server, embedder, key, openai, google, cohere;
const nano = 500; // a token: 0.5 dollars the million
const texts = ['What is a tollgate?', 'Ein Schlagbaum – „offen“'];
const floats = (vector) => [...vector].map(Math.fround);
const model = { kind: 'embedding', input: '0.5', output: '0', fields: { max_output_tokens: '' } };

setup('an installation with an account for each format', async () => {
  embedder = await startEmbedder();
  ({ server, key } = await installationOfFormats(embedder, embedders, {
    model,
    more: async (operator, accounts) => {
      for (const u of embedders)
        await addModel(operator, { name: `dropping-${u.format}`, ...model, fields: { ...model.fields, drop_unsupported: 'on' }, targets: [{ account: accounts[u.format], upstreamModel: u.model ?? 'scripted-1' }] });
      // At accounts that no test of errors has made to cool down.
      const [first, second] = ['cohere', 'ollama'].map((f) => embedders.find((u) => u.format === f));
      await addModel(operator, { name: 'both', ...model, targets: [{ account: await accountAt(operator, embedder, first, 'first'), priority: 1 }, { account: await accountAt(operator, embedder, second, 'second'), priority: 2 }] });
    },
  }));
  openai = new OpenAI({ apiKey: key, baseURL: `${server.url}/v1`, maxRetries: 0 });
  google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: server.url } });
  cohere = new CohereClientV2({ token: key, environment: server.url, maxRetries: 0 });
  await served(server, key, 'both');
});

const last = () => embedder.seen.at(-1);
async function charged(response, of = tokens) {
  const row = await settled(server, response.headers.get('x-tollgate-request-id'));
  assert.deepEqual([row.charge_nano, row.input_tokens, row.basis, row.outcome], [of * nano, of, 'provider', 'ok']);
  return row;
}
const ask = (model, body, path = '/v1/embeddings') => call(server, key, path === '/v1/embeddings' || path === '/v2/embed' ? { model, ...body } : body, { path });

for (const u of embedders) {
  const inputs = u.single ? texts.slice(0, 1) : texts;
  const story = (what, fn) => test(`${what} before ${u.format}`, fn);

  story('openai, which asks for base64', async () => {
    const { data: r, response } = await openai.embeddings.create({ model: `by-${u.format}`, input: inputs, dimensions: 5 }).withResponse();
    assert.deepEqual(r.data.map((d) => d.embedding), inputs.map(vectorOf));
    assert.deepEqual(r.data.map((d) => d.index), inputs.map((_, i) => i));
    assert.deepEqual([r.usage.prompt_tokens, r.usage.total_tokens, r.object], [tokens, tokens, 'list']);
    assert.equal(r.usage.cost, tokens * nano / 1e9);
    await charged(response);
    assert.equal(last().url, u.path);
    assert.match(last().raw, /("dimensions"|"output_dimension"|"outputDimensionality"):5/);
  });
  story('openai, of numbers and of base64 as it stands', async () => {
    const numbers = await openai.embeddings.create({ model: `by-${u.format}`, input: inputs[0], encoding_format: 'float' });
    assert.deepEqual(floats(numbers.data[0].embedding), vectorOf(inputs[0]));
    const raw = await ask(`by-${u.format}`, { input: inputs, encoding_format: 'base64' });
    assert.deepEqual(raw.json.data.map((d) => d.embedding), inputs.map(base64Of));
  });
  story('@google/genai', async () => {
    const r = await google.models.embedContent({ model: `by-${u.format}`, contents: inputs });
    assert.deepEqual(r.embeddings.map((e) => floats(e.values)), inputs.map(vectorOf));
    const one = await ask('', { content: { parts: [{ text: inputs[0] }] }, outputDimensionality: 5 }, `/v1beta/models/by-${u.format}:embedContent`);
    if (u.format === 'gemini') return; // embedContent goes there as it is, which the scripted one does not speak
    assert.deepEqual(floats(one.json.embedding.values), vectorOf(inputs[0]));
    assert.equal(one.json.usageMetadata.promptTokenCount, tokens);
    await charged(one);
  });
  story('cohere-ai', async () => {
    const knows = !['openai', 'ollama', 'bedrock-titan'].includes(u.format); // what texts are for
    const r = await cohere.embed({ model: `${knows ? 'by' : 'dropping'}-${u.format}`, texts: inputs, inputType: 'search_query', embeddingTypes: ['float'] });
    assert.deepEqual(r.embeddings.float.map(floats), inputs.map(vectorOf));
    assert.equal(r.meta.billedUnits.inputTokens, tokens);
    assert.equal(/query/i.test(last().raw), knows);
    if (knows) return;
    const refused = await ask(`by-${u.format}`, { texts: inputs, input_type: 'search_query' }, '/v2/embed');
    assert.deepEqual([refused.status, refused.json.error?.param ?? refused.json.message?.match(/`(\w+)`/)?.[1]], [400, 'input_type']);
    const dropped = await ask(`dropping-${u.format}`, { texts: inputs, input_type: 'search_query' }, '/v2/embed');
    assert.equal(dropped.headers.get('x-tollgate-dropped'), 'input_type');
    assert.equal((await settled(server, dropped.headers.get('x-tollgate-request-id'))).dropped, 'input_type');
  });
  story('no figures: the call is counted', async () => {
    const res = await ask(`by-${u.format}`, { input: ['quiet please'] });
    const row = await settled(server, res.headers.get('x-tollgate-request-id'));
    assert.equal(row.basis, 'counted');
    assert.ok(row.input_tokens > 0 && row.charge_nano === row.input_tokens * nano);
    if (!['openai', 'voyage'].includes(u.format)) assert.equal(res.json.usage.prompt_tokens, row.input_tokens);
  });
  story('errors, in the client’s own words and for nothing', async () => {
    const at = () => ask(`by-${u.format}`, { input: 'fail' });
    const refused = await at();
    assert.equal(refused.status, 400);
    assert.match(refused.json.error.message, /scripted refusal/);
    assert.equal((await settled(server, refused.headers.get('x-tollgate-request-id'))).charge_nano, 0);
    await assert.rejects(openai.embeddings.create({ model: `by-${u.format}`, input: 'busy' }), OpenAI.RateLimitError);
    if (['openai', 'voyage'].includes(u.format)) return; // whose vectors pass as they are
    const broken = await ask(`by-${u.format}`, { input: 'broken' });
    assert.equal(broken.status, 502, broken.text);
    const row = await settled(server, broken.headers.get('x-tollgate-request-id'));
    assert.equal(row.charge_nano, 0);
    assert.equal(attemptsOf(server, row.call_id)[0].reason, 'bad_reply');
  });
}

test('a malformed answer is made good by the next target', async () => {
  embedder.spoil = /v2.embed/;
  const good = await ask('both', { input: texts, encoding_format: 'base64' });
  embedder.spoil = undefined;
  assert.deepEqual(good.json.data.map((d) => d.embedding), texts.map(base64Of));
  const row = await charged(good);
  assert.deepEqual(attemptsOf(server, row.call_id).map((a) => a.reason), ['bad_reply', 'ok']);
});

test('what cannot be said is named and asks nobody', async () => {
  const before = embedder.seen.length;
  const cases = [
    ['by-bedrock-titan', { input: texts }, 'input[1]'],
    ['dropping-bedrock-titan', { input: texts }, 'input[1]'],
    ['by-gemini', { input: [1, 2, 3] }, 'input'],
    ['dropping-cohere', { input: [[1, 2], [3]] }, 'input[0]'],
    ['by-ollama', { input: 'a', user: 'u-1' }, 'user'],
    ['by-gemini', { input: 'a', encoding_format: 'int8' }, 'encoding_format'],
    ['by-cohere', { input: 'a', input_type: 'poem' }, 'input_type'],
    ['by-cohere', { input: 'a', output_dtype: 'int8' }, 'output_dtype'],
    ['by-ollama', { input: [] }, 'input'],
  ];
  for (const [model, body, param] of cases) {
    const res = await ask(model, body);
    assert.deepEqual([res.status, res.json.error.param], [400, param], res.text);
    assert.equal((await settled(server, res.headers.get('x-tollgate-request-id'))).charge_nano, 0);
  }
  assert.equal(embedder.seen.length, before);
});

test('what vectors are for reaches providers that know it', async () => {
  for (const [model, word] of [['by-voyage', '"input_type":"document"'], ['by-gemini', '"taskType":"RETRIEVAL_DOCUMENT"'], ['by-cohere', '"input_type":"search_document"']]) {
    const r = await google.models.embedContent({ model, contents: texts, config: { taskType: 'RETRIEVAL_DOCUMENT' } });
    assert.equal(r.embeddings.length, 2);
    assert.ok(last().raw.includes(word), last().raw);
  }
  await ask('by-gemini', { input: 'a', input_type: 'query' });
  assert.match(last().raw, /"taskType":"RETRIEVAL_QUERY"/);
});

test('an answer of many numbers is translated whole', async () => {
  const many = Array.from({ length: 1500 }, (_, i) => `text ${i} ${'x'.repeat(i % 50)}`);
  embedder.wide = 200;
  const res = await ask('by-ollama', { input: many, encoding_format: 'base64' });
  embedder.wide = 1;
  assert.equal(res.status, 200, res.text.slice(0, 300));
  assert.equal(res.json.data.length, many.length);
  assert.equal(Buffer.from(res.json.data[1499].embedding, 'base64').length, 4 * 5 * 200);
  await charged(res);
});

test('the books balance', () => booksBalance(server));
