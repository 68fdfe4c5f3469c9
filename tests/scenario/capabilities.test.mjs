// What a request asks for decides which targets of its route may serve it: of two, the first is passed
// over for what it lacks, whatever the client's format; where none is left the client hears which of its
// fields asks for too much, and nothing is charged.
import assert from 'node:assert/strict';
import { test, setup } from '../lib/story.mjs';
import { pixel, citySchema } from '../lib/clients.mjs';
import { startSpeaker } from '../lib/speaker.mjs';
import { startServer } from '../lib/server.mjs';
import { addAccount, addModel, attemptsOf, booksBalance, call, mintKey, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';

let server, speaker, key;

// Each: what a target may lack (a word, or a limit of its own), and how the clients of each format ask for
// it: the path, the body, and the name of the field.
const chat = (more, content = 'Hello') => ({ max_tokens: 100, messages: [{ role: 'user', content }], ...more });
const claude = (more, content = 'Hello') => ({ max_tokens: 100, messages: [{ role: 'user', content }], ...more });
const responses = (more, input = 'Hello') => ({ max_output_tokens: 100, store: false, input, ...more });
const gemini = (config, parts = [{ text: 'Hello' }]) => ({ contents: [{ role: 'user', parts }], generationConfig: { maxOutputTokens: 100, ...config } });
const parameters = { type: 'object', properties: { city: { type: 'string' } } };
const long = 'word '.repeat(60000);
const cases = [
  {
    lacks: 'tools', asks: {
      openai: [chat({ tools: [{ type: 'function', function: { name: 'f', parameters } }] }), 'tools'],
      anthropic: [claude({ tools: [{ name: 'f', input_schema: parameters }] }), 'tools'],
      responses: [responses({ tools: [{ type: 'function', name: 'f', parameters, strict: false }] }), 'tools'],
      gemini: [{ ...gemini({}), tools: [{ functionDeclarations: [{ name: 'f', parameters }] }] }, 'tools'],
    },
  },
  {
    lacks: 'vision', asks: {
      openai: [chat({}, [{ type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } }]), 'messages'],
      anthropic: [claude({}, [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } }]), 'messages'],
      responses: [responses({}, [{ role: 'user', content: [{ type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${pixel}` }] }]), 'input'],
      gemini: [gemini({}, [{ inlineData: { mimeType: 'image/png', data: pixel } }]), 'contents'],
    },
  },
  {
    lacks: 'audio', asks: { openai: [chat({}, [{ type: 'text', text: 'Hello' }, { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }]), 'messages'] },
  },
  {
    lacks: 'files', asks: { openai: [chat({}, [{ type: 'text', text: 'Hello' }, { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } }]), 'messages'] },
  },
  {
    lacks: 'json_schema', asks: {
      openai: [chat({ response_format: { type: 'json_schema', json_schema: { name: 'city', schema: citySchema } } }), 'response_format'],
      anthropic: [claude({ output_config: { format: { type: 'json_schema', schema: citySchema } } }), 'output_config.format'],
      responses: [responses({ text: { format: { type: 'json_schema', name: 'city', schema: citySchema } } }), 'text.format'],
      gemini: [gemini({ responseMimeType: 'application/json', responseJsonSchema: citySchema }), 'generationConfig.responseSchema'],
    },
  },
  {
    lacks: 'reasoning', asks: {
      openai: [chat({ reasoning_effort: 'low' }), 'reasoning_effort'],
      anthropic: [claude({ max_tokens: 2000, thinking: { type: 'enabled', budget_tokens: 1024 } }), 'thinking'],
      responses: [responses({ reasoning: { effort: 'low' } }), 'reasoning.effort'],
      gemini: [gemini({ thinkingConfig: { thinkingBudget: 512 } }), 'generationConfig.thinkingConfig'],
    },
  },
  {
    lacks: 'streaming', asks: {
      openai: [chat({ stream: true }), 'stream'],
      anthropic: [claude({ stream: true }), 'stream'],
      responses: [responses({ stream: true }), 'stream'],
      gemini: [gemini({}), 'model', 'streamGenerateContent'],
    },
  },
  {
    lacks: 'output', fields: { max_output_tokens: '50' }, asks: {
      openai: [chat({}), 'max_tokens'],
      'openai, by the newer name': [{ max_completion_tokens: 100, messages: chat({}).messages }, 'max_completion_tokens'],
      anthropic: [claude({}), 'max_tokens'],
      responses: [responses({}), 'max_output_tokens'],
      gemini: [gemini({}), 'generationConfig.maxOutputTokens'],
    },
  },
  {
    lacks: 'context', fields: { context_tokens: '1000' }, asks: {
      openai: [chat({}, long), 'messages'],
      anthropic: [claude({}, long), 'messages'],
      responses: [responses({}, long), 'input'],
      gemini: [gemini({}, [{ text: long }]), 'contents'],
    },
  },
];
// What a request must not be taken to ask for.
const modest = [
  ['json that has no schema', chat({ max_tokens: 20, response_format: { type: 'json_object' } })],
  ['no reasoning', chat({ max_tokens: 20, reasoning_effort: 'none' })],
  ['a limit that is just so', chat({ max_tokens: 50 })],
  ['no stream', chat({ max_tokens: 20, stream: false })],
];
const lackingAll = { lacks: ['tools', 'vision', 'audio', 'files', 'json_schema', 'reasoning', 'streaming'], max_output_tokens: '50' };

function ask(format, model, body, verb = 'generateContent') {
  if (format.startsWith('openai')) return call(server, key, { model, ...body });
  if (format === 'anthropic') return call(server, key, { model, ...body }, { path: '/v1/messages' });
  if (format === 'responses') return call(server, key, { model, ...body }, { path: '/v1/responses' });
  return call(server, key, body, { path: `/v1beta/models/${model}:${verb}` });
}

setup('for each ability a route of two targets, the first without it, and one that has only such a target', async () => {
  speaker = await startSpeaker();
  server = await startServer();
  const operator = await signInOperator(server);
  const account = await addAccount(operator, speaker, { kind: 'openai-compatible', name: 'scripted', base_url: `http://127.0.0.1:${speaker.port}/v1`, key: 'sk-scripted' });
  const lacking = (c) => ({ account, upstreamModel: 'lacking', priority: 1, fields: c.fields ?? { lacks: [c.lacks] } });
  for (const c of cases) {
    const fields = { max_output_tokens: '5000' };
    await addModel(operator, { name: `two-${c.lacks}`, fields, targets: [lacking(c), { account, upstreamModel: 'able', priority: 2 }] });
    await addModel(operator, { name: `one-${c.lacks}`, fields, targets: [lacking(c)] });
  }
  await addModel(operator, { name: 'modest', targets: [{ account, upstreamModel: 'lacking', fields: lackingAll }] });
  const all = { abilities_known: 'on', abilities: ['tools'], max_output_tokens: '5000' };
  await addModel(operator, { name: 'by-model', fields: all, targets: [{ account, upstreamModel: 'able' }] });
  const owner = await signUp(server);
  await topUp(owner, 20);
  key = await mintKey(owner);
  for (const name of ['modest', 'by-model', ...cases.flatMap((c) => [`two-${c.lacks}`, `one-${c.lacks}`])]) await served(server, key, name);
});

for (const c of cases)
  for (const [format, [body, field, verb]] of Object.entries(c.asks)) {
    test(`${c.lacks}: a target without it is passed over (${format})`, async () => {
      const res = await ask(format, `two-${c.lacks}`, body, verb);
      assert.equal(res.status, 200, res.text);
      const id = res.headers.get('x-tollgate-request-id');
      await settled(server, id);
      const attempts = await attemptsOf(server, id);
      assert.deepEqual(attempts.map((a) => a.upstream_model), ['able']);
    });
    test(`${c.lacks}: where no target has it the field is named (${format})`, async () => {
      const before = speaker.seen.length;
      const res = await ask(format, `one-${c.lacks}`, body, verb);
      assert.equal(res.status, 400, res.text);
      const { message, param } = res.json.error;
      assert.ok(message.startsWith(`\`${field}\`: `), `${field} in ${res.text}`);
      if (param !== undefined) assert.equal(param, field);
      assert.equal(speaker.seen.length, before, 'nobody was asked');
      assert.equal((await settled(server, res.headers.get('x-tollgate-request-id'))).charge_nano, 0);
    });
  }

for (const [what, body] of modest)
  test(`${what} asks for nothing that a modest target lacks`, async () => {
    const res = await call(server, key, { model: 'modest', ...body });
    assert.equal(res.status, 200, res.text);
  });

test('what the whole model lacks is refused too, and what it has is served', async () => {
  const refused = await call(server, key, { model: 'by-model', ...cases.find((c) => c.lacks === 'json_schema').asks.openai[0] });
  assert.equal(refused.status, 400, refused.text);
  assert.equal(refused.json.error.param, 'response_format');
  assert.match(refused.json.error.message, /the model `by-model` does not do structured output/);
  const fine = await call(server, key, { model: 'by-model', ...cases[0].asks.openai[0] });
  assert.equal(fine.status, 200, fine.text);
});

test('a list of models goes on to the one that can', async () => {
  const res = await call(server, key, { model: 'one-json_schema', models: ['two-tools'], ...cases.find((c) => c.lacks === 'json_schema').asks.openai[0] });
  assert.equal(res.status, 200, res.text);
});

test('the books balance', async () => { booksBalance(server); });
