// Recorded embeddings, replayed through the gateway: the request reaches the provider as it was but
// for the model, the answer comes out as recorded (usage.cost taken out), and the log has its usage.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, setup, needsPath } from '../lib/story.mjs';
import { startUpstream } from '../lib/upstream.mjs';
import { top } from '../lib/server.mjs';
import { standardInstallation, addModel, served, settled, booksBalance } from '../lib/installation.mjs';

const root = join(top, '../shared/recordings');
const needs = needsPath(root, '../shared/recordings');
let it, up, now;

const all = ['openai', 'voyage'].flatMap((provider) => (existsSync(join(root, provider, 'index.jsonl'))
  ? readFileSync(join(root, provider, 'index.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l)).filter((e) => e.api === 'embeddings')
  : []).map((e) => ({ ...e, provider })));
const models = [...new Set(all.map((e) => e.model))];

setup('an installation whose upstream replays', async () => {
  up = await startUpstream((req, res) => {
    res.writeHead(now.status, { 'content-type': 'application/json' });
    res.end(readFileSync(join(root, now.provider, now.res)));
  });
  it = await standardInstallation([up], { balance: 50 });
  for (const name of models) await addModel(it.operator, { name: `replay/${name}`, kind: 'embedding', input: '0.1', output: '0', targets: [{ account: it.accounts[0], upstreamModel: name }] });
  await served(it.server, it.key, `replay/${models.at(-1)}`);
}, { needs });

for (const e of all)
  test(`${e.provider}/${e.res.replace(/^embeddings\//, '')}`, async () => {
    now = e;
    const request = readFileSync(join(root, e.provider, e.req), 'utf8');
    const recorded = JSON.parse(readFileSync(join(root, e.provider, e.res), 'utf8'));
    const name = JSON.parse(request).model;
    const res = await fetch(`${it.server.url}/v1/embeddings`, {
      method: 'POST', headers: { authorization: `Bearer ${it.key}`, 'content-type': 'application/json' },
      body: request.replace(JSON.stringify(name), JSON.stringify(`replay/${name}`)),
    });
    const answer = await res.json();
    assert.equal(res.status, e.status);
    assert.equal(up.seen.at(-1).raw, request, 'the provider gets the client’s bytes');
    delete answer.usage.cost;
    assert.deepEqual(answer, recorded);
    const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
    const told = recorded.usage.prompt_tokens ?? recorded.usage.total_tokens;
    // A figure of nothing for an embedding of something is not believed: it is counted here.
    if (told) assert.deepEqual([row.input_tokens, row.basis], [told, 'provider']);
    else assert.equal(row.basis, 'counted');
    assert.equal(row.charge_nano, row.input_tokens * 100);
  }, { needs });

test('the books balance after all replays', () => booksBalance(it.server), { needs });
