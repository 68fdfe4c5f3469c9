// Recorded exchanges in the formats of Anthropic, Google and OpenAI's Responses, replayed through the
// gateway with a client of the same format: the provider gets what was recorded, the client gets what was
// recorded (the cost taken out), and the log has the recorded usage.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, setup, needsPath } from '../lib/story.mjs';
import { startUpstream } from '../lib/upstream.mjs';
import { top, startServer } from '../lib/server.mjs';
import { addAccount, addModel, booksBalance, mintKey, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';

const root = join(top, '../shared/recordings');
const needs = needsPath(root, '../shared/recordings');
const sum = (row, names) => names.reduce((n, name) => n + row[name], 0);
const promptOf = (row) => sum(row, ['input_tokens', 'cached_input_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens', 'audio_input_tokens', 'image_input_tokens']);
const outputOf = (row) => sum(row, ['output_tokens', 'reasoning_tokens', 'audio_output_tokens', 'image_output_tokens']);

// adds: what a later figure of a stream leaves out, an earlier one has told.
const families = [
  {
    name: 'anthropic', kind: 'anthropic', base: '/v1', folders: ['anthropic'], apis: ['messages'],
    adds: true, path: () => '/v1/messages', rename: (body, model) => ({ ...body, model }), usageOf: (v) => v.usage ?? v.message?.usage,
    check: (row, u) => {
      assert.equal(promptOf(row), u.input_tokens + (u.cache_creation_input_tokens ?? 0) + (u.cache_read_input_tokens ?? 0));
      assert.equal(outputOf(row), u.output_tokens);
      assert.equal(row.cached_input_tokens, u.cache_read_input_tokens ?? 0);
    },
  },
  {
    name: 'gemini', kind: 'google', base: '/v1beta', folders: ['gemini'], apis: ['generateContent', 'streamGenerateContent'],
    path: (e, model) => `/v1beta/models/${model}:${e.api}${e.api.startsWith('stream') ? '?alt=sse' : ''}`, rename: (body) => body, usageOf: (v) => v.usageMetadata,
    check: (row, u) => {
      assert.equal(promptOf(row), (u.promptTokenCount ?? 0) + (u.toolUsePromptTokenCount ?? 0));
      assert.equal(outputOf(row), (u.candidatesTokenCount ?? 0) + (u.thoughtsTokenCount ?? 0));
      assert.equal(row.cached_input_tokens, u.cachedContentTokenCount ?? 0);
    },
  },
  {
    name: 'embeddings', kind: 'google', base: '/v1beta', folders: ['gemini'], apis: ['batchEmbedContents'], model: { kind: 'embedding' },
    path: (e, model) => `/v1beta/models/${model}:${e.api}`, rename: (body) => body, usageOf: (v) => v.usageMetadata, check: (row, u) => assert.equal(promptOf(row), u.promptTokenCount),
  },
  {
    name: 'responses', kind: 'openai', base: '/v1', folders: ['openai', 'azure', 'openrouter'], apis: ['responses'],
    path: () => '/v1/responses', rename: (body, model) => ({ ...body, model }), usageOf: (v) => v.usage ?? v.response?.usage,
    check: (row, u) => {
      assert.equal(promptOf(row), u.input_tokens);
      assert.equal(outputOf(row), u.output_tokens);
      assert.equal(row.cached_input_tokens, u.input_tokens_details?.cached_tokens ?? 0);
      assert.equal(row.reasoning_tokens, u.output_tokens_details?.reasoning_tokens ?? 0);
    },
  },
];

const exchanges = (family) => family.folders.filter((f) => existsSync(join(root, f, 'index.jsonl'))).flatMap((folder) =>
  readFileSync(join(root, folder, 'index.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l))
    .filter((e) => family.apis.includes(e.api) && (e.model || e.api.includes('ontent'))).map((e) => ({ ...e, folder, family, model: e.model.replace(/^models\//, '') })));
const all = families.flatMap(exchanges);
let server, key, up, now;

setup('an installation whose upstream replays each format', async () => {
  up = await startUpstream((req, res) => {
    const type = now.res_headers['content-type'] ?? (now.res.endsWith('.sse') ? 'text/event-stream' : 'application/json');
    res.writeHead(now.status, { 'content-type': type });
    res.end(readFileSync(join(root, now.folder, now.res)));
  });
  server = await startServer();
  const operator = await signInOperator(server);
  let last;
  for (const family of families) {
    const account = await addAccount(operator, up, { kind: family.kind, name: family.name, base_url: `http://127.0.0.1:${up.port}${family.base}`, key: 'a-key' });
    for (const model of new Set(all.filter((e) => e.family === family).map((e) => e.model)))
      last = await addModel(operator, { name: `replay-${family.name}/${model}`, ...(family.model ? { input: '0.1', ...family.model } : { prices: { input: '0.1', output: '0.2', search: '0.01' } }), fields: { max_output_tokens: '200000', context_tokens: '2000000' }, targets: [{ account, upstreamModel: model }] });
  }
  const owner = await signUp(server);
  await topUp(owner, 500);
  key = await mintKey(owner);
  await served(server, key, last.name);
}, { needs });

const events = (text) => text.replace(/^﻿/, '').split(/\r?\n\r?\n/).map((e) => e.split(/\r?\n/).filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim()).join('\n')).filter(Boolean);
function withoutCost(v) {
  for (const u of [v.usage, v.message?.usage, v.usageMetadata, v.response?.usage]) if (u) delete u.cost;
  return v;
}
const parsed = (text) => events(text).map((d) => (d.startsWith('{') ? withoutCost(JSON.parse(d)) : d));
const sentenceOf = (v) => v.error?.message ?? v.message ?? v.detail;

for (const e of all)
  test(`${e.folder}/${e.res}`, async () => {
    now = e;
    const request = JSON.parse(readFileSync(join(root, e.folder, e.req), 'utf8'));
    // Wishes about providers mean the same here, where those do not exist; and only the standard tier is sold.
    delete request.provider;
    delete request.service_tier;
    const model = `replay-${e.family.name}/${e.model}`;
    const recorded = readFileSync(join(root, e.folder, e.res), 'utf8');
    const seen = up.seen.length;
    const res = await fetch(server.url + e.family.path(e, model), {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...(e.req_headers['anthropic-version'] && { 'anthropic-version': e.req_headers['anthropic-version'] }) },
      body: JSON.stringify(e.family.rename(request, model)),
    });
    const text = await res.text();
    // What points to a provider's own store is not for another's: refused, and nothing is sent.
    if (request.previous_response_id || request.conversation || request.background) {
      assert.equal(res.status, 400, text.slice(0, 300));
      return;
    }
    assert.equal(up.seen.length, seen + 1, `the upstream was not asked: ${res.status} ${text.slice(0, 300)}`);
    const sent = up.seen.at(-1).body;
    for (const limit of ['max_tokens', 'max_output_tokens']) if (!(limit in request)) delete sent[limit];
    if (!request.generationConfig?.maxOutputTokens && sent.generationConfig) {
      delete sent.generationConfig.maxOutputTokens;
      if (!request.generationConfig) delete sent.generationConfig;
    }
    delete sent.store; // what is kept is kept here
    delete request.store;
    assert.deepEqual(sent, request);
    if (e.status === 404) {
      assert.equal(res.status, 502);
      return;
    }
    assert.equal(res.status, e.status, text.slice(0, 500));
    if (e.status >= 400) {
      assert.equal(sentenceOf(JSON.parse(text)), sentenceOf(JSON.parse(recorded)));
      return;
    }
    const streamed = e.res.endsWith('.sse');
    if (streamed) assert.deepEqual(parsed(text), parsed(recorded));
    else assert.deepEqual(withoutCost(JSON.parse(text)), withoutCost(JSON.parse(recorded)));
    const usage = streamed
      ? events(recorded).filter((d) => d.startsWith('{')).map((d) => e.family.usageOf(JSON.parse(d))).filter(Boolean).reduce((u, v) => (e.family.adds ? { ...u, ...v } : v), undefined)
      : e.family.usageOf(JSON.parse(recorded));
    const row = await settled(server, res.headers.get('x-tollgate-request-id'));
    const told = usage && Object.values(usage).some((n) => n > 0); // zeros for an answer are not believed
    if (told) e.family.check(row, usage);
    else assert.equal(row.basis, 'counted');
  }, { needs });

test('the books balance after all replays', () => booksBalance(server), { needs });
