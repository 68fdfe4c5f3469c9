// Providers that tell their figures from a stream's first event on: what is whole, what is cut, and
// what either costs, for clients of the same format and of another.
import assert from 'node:assert/strict';
import { test, setup } from '../lib/story.mjs';
import { startUpstream } from '../lib/upstream.mjs';
import { standardInstallation, call, settled, booksBalance, addAccount, addModel, served } from '../lib/installation.mjs';

let it, up;
const event = (e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`;
const start = event({ type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content: [], stop_reason: null, usage: { input_tokens: 100, cache_read_input_tokens: 40, cache_creation_input_tokens: 7, cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 5 }, output_tokens: 1 } } });
const words = event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
  + event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'forty bytes of text which are ten tokens' } });
const end = event({ type: 'content_block_stop', index: 0 })
  + event({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { input_tokens: 100, cache_read_input_tokens: 40, cache_creation_input_tokens: 7, output_tokens: 30 } });
const stop = event({ type: 'message_stop' });
const chunk = (more, usage) => `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'forty bytes of text which are ten tokens' }], role: 'model' }, index: 0, ...more }], usageMetadata: { promptTokenCount: 100, ...usage }, modelVersion: 'gemini', responseId: 'r1' })}\r\n\r\n`;
const plays = (...parts) => (req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end(parts.join(''));
};

const hello = [{ role: 'user', content: 'Hello' }];
const clients = {
  'Anthropic’s client': (model) => call(it.server, it.key, { model, max_tokens: 50, stream: true, messages: hello }, { path: '/v1/messages', headers: { 'anthropic-version': '2023-06-01' } }),
  'OpenAI’s client': (model) => call(it.server, it.key, { model, max_tokens: 50, stream: true, stream_options: { include_usage: true }, messages: hello }),
  'Google’s client': (model) => call(it.server, it.key, { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }], generationConfig: { maxOutputTokens: 50 } }, { path: `/v1beta/models/${model}:streamGenerateContent?alt=sse` }),
};

setup('an installation with an account of Anthropic and one of Google', async () => {
  up = await startUpstream(plays(start, words, end, stop));
  it = await standardInstallation([up]);
  for (const [kind, base] of [['anthropic', '/v1'], ['google', '/v1beta']]) {
    const account = await addAccount(it.operator, up, { kind, name: kind, base_url: `${up.url}${base}`, key: 'secret' });
    await addModel(it.operator, { name: `by-${kind}`, targets: [{ account, upstreamModel: kind }] });
  }
  up.script = plays(start, words, end, stop);
  await served(it.server, it.key, 'by-anthropic');
});

for (const [who, ask] of Object.entries(clients)) {
  test(`${who}: the end's figures count, and writes to the cache stay told apart`, async () => {
    up.script = plays(start, words, end, stop);
    const res = await ask('by-anthropic');
    assert.equal(res.status, 200, res.text);
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    assert.equal(row.basis, 'provider');
    assert.equal(row.outcome, 'ok');
    assert.deepEqual([row.input_tokens, row.cached_input_tokens, row.cache_write_5m_tokens, row.cache_write_1h_tokens, row.output_tokens], [100, 40, 2, 5, 30]);
  });

  test(`${who}: without its end mark, but with a stop reason, it is whole`, async () => {
    up.script = plays(start, words, end);
    const res = await ask('by-anthropic');
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    assert.equal(row.outcome, 'ok');
    assert.equal(row.output_tokens, 30);
  });

  test(`${who}: figures without an end are no end: the stream is cut, its output counted`, async () => {
    up.script = plays(start, words);
    const res = await ask('by-anthropic');
    assert.match(res.text, /broke off/);
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    assert.equal(row.outcome, 'cut');
    assert.equal(row.basis, 'counted');
    assert.equal(row.input_tokens, 100);
    assert.equal(row.output_tokens, 10);
  });

  test(`${who}: the same of Google's, which tells the prompt in every chunk`, async () => {
    up.script = plays(chunk({}, { totalTokenCount: 100 }));
    const cut = await ask('by-google');
    assert.match(cut.text, /broke off/);
    const row = await settled(it.server, cut.headers.get('x-tollgate-request-id'));
    assert.deepEqual([row.outcome, row.basis, row.input_tokens, row.output_tokens], ['cut', 'counted', 100, 10]);
    up.script = plays(chunk({}, { totalTokenCount: 100 }), chunk({ finishReason: 'STOP' }, { candidatesTokenCount: 25, thoughtsTokenCount: 5, totalTokenCount: 130 }));
    const whole = await settled(it.server, (await ask('by-google')).headers.get('x-tollgate-request-id'));
    assert.deepEqual([whole.outcome, whole.basis, whole.output_tokens, whole.reasoning_tokens], ['ok', 'provider', 25, 5]);
  });
}

test('the books balance', async () => { booksBalance(it.server); });
