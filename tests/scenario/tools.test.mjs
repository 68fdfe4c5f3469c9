// Tools over several turns, where client and provider speak different formats: calls and their results find
// each other again, whoever answers the next turn.
import assert from 'node:assert/strict';
import { test, setup } from '../lib/story.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';
import { standardInstallation, call, booksBalance, addAccount, addModel, served } from '../lib/installation.mjs';

let it, up;
const tools = ['wind', 'tide'].map((name) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } }));
const geminiSays = (parts) => ({ candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', index: 0 }], modelVersion: 'gemini', responseId: 'r1',
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 } });
const streams = (...frames) => (req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end(frames.map((f) => `data: ${JSON.stringify(f)}\r\n\r\n`).join(''));
};
const says = (value) => (req, res) => send(res, 200, value);

setup('an installation with models at Google, Anthropic and Ollama', async () => {
  up = await startUpstream(says({}));
  it = await standardInstallation([up]);
  const google = await addAccount(it.operator, up, { kind: 'google', name: 'google', base_url: `http://127.0.0.1:${up.port}/v1beta`, key: 'secret' });
  const ollama = await addAccount(it.operator, up, { kind: 'ollama-native', name: 'ollama', base_url: `http://127.0.0.1:${up.port}/api` });
  await addModel(it.operator, { name: 'gemini', targets: [{ account: google, upstreamModel: 'gemini-2.5-flash' }] });
  await addModel(it.operator, { name: 'gemini-3', targets: [{ account: google, upstreamModel: 'gemini-3-flash-preview' }] });
  const anthropic = await addAccount(it.operator, up, { kind: 'anthropic', name: 'anthropic', base_url: `http://127.0.0.1:${up.port}/v1`, key: 'secret' });
  await addModel(it.operator, { name: 'claude', targets: [{ account: anthropic, upstreamModel: 'claude' }] });
  await addModel(it.operator, { name: 'ollama', targets: [{ account: ollama, upstreamModel: 'qwen3' }] });
  await served(it.server, it.key, 'ollama');
});

const history = [{ role: 'user', content: 'Sail?' }];
const ask = async (model, more = {}) => {
  const res = await call(it.server, it.key, { model, messages: history, tools, ...more });
  assert.equal(res.status, 200, res.text);
  return res;
};
const callsOf = (res) => res.json.choices[0].message.tool_calls;
const streamedCalls = (res) => [...res.text.matchAll(/^data: (\{.*)$/gm)].flatMap((m) => JSON.parse(m[1]).choices[0]?.delta?.tool_calls ?? []).filter((c) => c.id);
const answered = (message, content) => history.push(message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content });

test('calls that Google and Ollama gave no id have one that no other answer has', async () => {
  const seen = new Set();
  const google = geminiSays([{ functionCall: { name: 'wind', args: {} } }, { functionCall: { name: 'tide', args: {} } }]);
  const message = { role: 'assistant', content: '', tool_calls: [{ function: { name: 'wind', arguments: {} } }, { function: { name: 'tide', arguments: {} } }] };
  const ollama = { model: 'qwen3', message, done: true, done_reason: 'stop', prompt_eval_count: 10, eval_count: 5 };
  for (let turn = 0; turn < 2; turn++) {
    up.script = says(google);
    const made = callsOf(await ask('gemini'));
    up.script = streams(google);
    made.push(...streamedCalls(await ask('gemini', { stream: true })));
    up.script = says(ollama);
    made.push(...callsOf(await ask('ollama')));
    up.script = (req, res) => { res.writeHead(200, { 'content-type': 'application/x-ndjson' }); res.end(`${JSON.stringify(ollama)}\n`); };
    made.push(...streamedCalls(await ask('ollama', { stream: true })));
    assert.equal(made.length, 8);
    for (const { id } of made) {
      assert.match(id, /^[A-Za-z0-9_-]{1,40}$/);
      assert.ok(!seen.has(id), id);
      seen.add(id);
    }
  }
});

test('so that each result of an agent goes to Google under its own function’s name', async () => {
  up.script = says(geminiSays([{ functionCall: { name: 'wind', args: {} } }]));
  answered((await ask('gemini')).json.choices[0].message, '4 knots');
  up.script = says(geminiSays([{ functionCall: { name: 'tide', args: {} } }]));
  answered((await ask('gemini')).json.choices[0].message, 'falling');
  up.script = says(geminiSays([{ text: 'Sail.' }]));
  up.seen.length = 0;
  await ask('gemini');
  assert.deepEqual(up.seen[0].body.contents.flatMap((c) => c.parts).filter((p) => p.functionResponse).map((p) => p.functionResponse.name), ['wind', 'tide']);
});

const sentCalls = () => up.seen[0].body.contents.flatMap((c) => c.parts).filter((p) => p.functionCall);

test('Gemini 3 gets the stand-in for signatures with calls that another model made, Gemini 2.5 does not', async () => {
  for (const [model, signed] of [['gemini-3', true], ['gemini', false]]) {
    up.seen.length = 0;
    await ask(model);
    assert.deepEqual(sentCalls().map((p) => p.functionCall.name), ['wind', 'tide']);
    for (const p of sentCalls()) assert.equal(p.thoughtSignature && Buffer.from(p.thoughtSignature, 'base64').toString(), signed ? 'skip_thought_signature_validator' : undefined);
  }
});

test('an effort is a budget to Gemini 2.5 and a level to Gemini 3', async () => {
  for (const [model, config] of [['gemini', { thinkingBudget: 8192, includeThoughts: true }], ['gemini-3', { thinkingLevel: 'medium', includeThoughts: true }]]) {
    up.seen.length = 0;
    await ask(model, { reasoning_effort: 'medium' });
    assert.deepEqual(up.seen[0].body.generationConfig.thinkingConfig, config);
  }
});

test('a signed thought comes to a streaming client of Google’s API, and goes back whole', async () => {
  const events = [
    { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content: [], usage: { input_tokens: 10, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    ...['The wind ', 'is fair.'].map((thinking) => ({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking } })),
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2lnbmVk' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: 'tide', input: {} } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 9 } },
    { type: 'message_stop' },
  ];
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(events.map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`).join(''));
  };
  const contents = [{ role: 'user', parts: [{ text: 'Sail?' }] }];
  const send = async () => {
    up.seen.length = 0;
    const res = await call(it.server, it.key, { contents }, { path: '/v1beta/models/claude:streamGenerateContent?alt=sse' });
    assert.equal(res.status, 200, res.text);
    return [...res.text.matchAll(/^data: (.*)$/gm)].map((m) => JSON.parse(m[1]).candidates[0].content);
  };
  contents.push(...await send(), { role: 'user', parts: [{ functionResponse: { id: 'toolu_1', name: 'tide', response: { output: 'falling' } } }] });
  await send();
  assert.deepEqual(up.seen[0].body.messages[1].content, [
    { type: 'thinking', thinking: 'The wind is fair.', signature: 'c2lnbmVk' },
    { type: 'tool_use', id: 'toolu_1', name: 'tide', input: {} }]);
});

test('the books balance', async () => { booksBalance(it.server); });
