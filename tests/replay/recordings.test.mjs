// Recorded exchanges with providers, replayed through the gateway: what the client gets equals what
// was recorded (usage.cost taken out), and the log has the recorded usage.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, setup, needsPath } from '../lib/story.mjs';
import { startUpstream } from '../lib/upstream.mjs';
import { top } from '../lib/server.mjs';
import { standardInstallation, addModel, mintKey, served, settled, booksBalance } from '../lib/installation.mjs';

const root = join(top, '../shared/recordings');
const needs = needsPath(root, '../shared/recordings');
const providers = ['openai', 'groq', 'mistral', 'openrouter'];
let it, up, now;

const exchanges = (provider) => (existsSync(join(root, provider, 'index.jsonl'))
  ? readFileSync(join(root, provider, 'index.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l)).filter((e) => e.api === 'chat')
  : []).map((e) => ({ ...e, provider }));

const all = providers.flatMap(exchanges);
const models = [...new Set(all.map((e) => e.model).filter(Boolean))];

setup('an installation whose upstream replays', async () => {
  up = await startUpstream((req, res) => {
    const bytes = readFileSync(join(root, now.provider, now.res));
    const type = now.res_headers['content-type'] ?? (now.res.endsWith('.sse') ? 'text/event-stream' : 'application/json');
    res.writeHead(now.status, { 'content-type': type });
    res.end(bytes);
  });
  it = await standardInstallation([up], { balance: 500 });
  for (const name of models) await addModel(it.operator, { name: `replay/${name}`, input: '0.1', output: '0.2', fields: { max_output_tokens: '200000', context_tokens: '2000000' }, targets: [{ account: it.accounts[0], upstreamModel: name }] });
  await served(it.server, it.key, `replay/${models.at(-1)}`);
}, { needs });

const events = (text) => text.split(/\r?\n\r?\n/).map((e) => e.split(/\r?\n/).filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim()).join('\n')).filter(Boolean);

const withoutCost = (v) => {
  delete v.usage?.cost;
  return v;
};
const parsed = (text) => events(text).map((d) => (d.startsWith('{') ? withoutCost(JSON.parse(d)) : d));
const sentenceOf = (v) => v.error?.message ?? v.message ?? v.detail ?? v.error;

function recordedUsage(e, bytes) {
  if (!e.res.endsWith('.sse')) return JSON.parse(bytes).usage;
  return events(bytes).filter((d) => d.startsWith('{')).map((d) => JSON.parse(d)).map((d) => d.usage ?? d.x_groq?.usage).filter(Boolean).at(-1);
}

function usageEqual(row, u, label) {
  const sum = (names) => names.reduce((n, name) => n + row[name], 0);
  assert.equal(sum(['input_tokens', 'cached_input_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens', 'audio_input_tokens', 'image_input_tokens']), u.prompt_tokens, `${label}: prompt tokens`);
  assert.equal(sum(['output_tokens', 'reasoning_tokens', 'audio_output_tokens', 'image_output_tokens']), u.completion_tokens, `${label}: completion tokens`);
  assert.equal(row.cached_input_tokens, u.prompt_tokens_details?.cached_tokens ?? u.num_cached_tokens ?? 0, `${label}: cached tokens`);
  assert.equal(row.reasoning_tokens, u.completion_tokens_details?.reasoning_tokens ?? 0, `${label}: reasoning tokens`);
}

for (const e of all) {
  test(`${e.provider}/${e.res.replace(/^chat\//, '')}`, async () => {
    now = e;
    const request = JSON.parse(readFileSync(join(root, e.provider, e.req), 'utf8'));
    // OpenRouter's wishes about providers mean the same here, where those providers do not exist.
    delete request.provider;
    const asked = { ...request, model: `replay/${request.model}` };
    const recorded = readFileSync(join(root, e.provider, e.res), 'utf8');
    const seen = up.seen.length;
    const res = await fetch(`${it.server.url}/v1/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${it.key}`, 'content-type': 'application/json' }, body: JSON.stringify(asked),
    });
    const text = await res.text();
    assert.equal(up.seen.length, seen + 1, `the upstream was not asked: ${res.status} ${text.slice(0, 300)}`);
    const sent = up.seen.at(-1).body;
    if (request.stream && !request.stream_options) delete sent.stream_options;
    // The answer's limit goes out under the name that the target knows.
    if ('max_completion_tokens' in request) request.max_tokens = request.max_completion_tokens;
    else if (!('max_tokens' in request)) delete sent.max_tokens;
    delete request.max_completion_tokens;
    if (request.stream && request.stream_options) sent.stream_options = request.stream_options;
    delete sent.models;
    delete request.models;
    assert.deepEqual(sent, request);
    if (e.status === 404) {
      // The upstream does not know our name for its model: the operator's fault, not the client's.
      assert.equal(res.status, 502);
      assert.equal(JSON.parse(text).tollgate.attempts[0].status, 404);
      return;
    }
    assert.equal(res.status, e.status, text.slice(0, 500));
    if (e.status >= 400) {
      assert.equal(JSON.parse(text).error.message, sentenceOf(JSON.parse(recorded)));
      return;
    }
    if (e.res.endsWith('.sse')) {
      const asksUsage = request.stream_options?.include_usage === true;
      const wanted = (v) => asksUsage || !(v.usage && v.choices?.length === 0);
      assert.deepEqual(parsed(text), parsed(recorded).filter(wanted));
    } else {
      assert.deepEqual(withoutCost(JSON.parse(text)), withoutCost(JSON.parse(recorded)));
    }
    const usage = recordedUsage(e, recorded);
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    if (usage) usageEqual(row, usage, e.res);
  }, { needs });
}

test('the books balance after all replays', () => booksBalance(it.server), { needs });
