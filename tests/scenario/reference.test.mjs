// The page that shows the API to people: all that the document has stands there, its commands work as they are
// copied, and what it says of endpoints and headers is what is answered.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setup, test } from '../lib/story.mjs';
import { document, exampleFaults } from '../lib/openapi.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { call, hello, installationKey, mintKey, mintManagementKey, standardInstallation } from '../lib/installation.mjs';

const run = promisify(execFile);
const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item)
  .filter(([method]) => method !== 'parameters').map(([method, operation]) => ({ method, path, ...operation })));
const anchorOf = ({ method, path }) => `${method}-${path.replace('/api/v1/', '').replace(/\//g, '-').replace(/[{}.]/g, '')}`;
const unescaped = (html) => html.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, '\'').replace(/&amp;/g, '&');
let it, page;

setup('the page, as anybody sees it', async () => {
  const up = await startUpstream((req, res) => send(res, 200, chat()));
  it = await standardInstallation([up]);
  const res = await fetch(`${it.server.url}/reference`);
  assert.equal(res.status, 200);
  page = await res.text();
});

test('every operation and every object has its place, and every link leads to one', () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, 'an id twice');
  assert.ok(operations.length > 50);
  for (const operation of operations) assert.ok(ids.includes(anchorOf(operation)), `${operation.method} ${operation.path}`);
  for (const [, id] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(id), `a link to #${id}`);
  for (const name of ['Key', 'CallWithAttempts', 'Error']) assert.ok(ids.includes(`object-${name}`));
});

test('operations, parameters and fields stand there as the document has them', () => {
  for (const operation of operations) {
    const part = page.split(`<article class="operation" id="${anchorOf(operation)}">`)[1].split('</article>')[0];
    const text = unescaped(part);
    assert.ok(text.includes(operation.summary), operation.summary);
    assert.ok(text.includes(`<code>${operation.path}</code>`), operation.path);
    const names = [...text.matchAll(/<code class="field-name">([^<]+)</g)].map(([, name]) => name);
    for (const { name } of [...document.paths[operation.path].parameters ?? [], ...operation.parameters ?? []]) assert.ok(names.includes(name), `${operation.path}: ${name}`);
    const ref = operation.requestBody?.content['application/json'].schema.$ref;
    for (const name of Object.keys(ref ? document.components.schemas[ref.split('/').pop()].properties : {})) assert.ok(names.includes(name), `${operation.path}: ${name}`);
  }
});

test('each operation tells of its own errors', () => {
  const { responses: shared } = document.components;
  let told = 0;
  for (const operation of operations) {
    const text = unescaped(page.split(`<article class="operation" id="${anchorOf(operation)}">`)[1].split('</article>')[0]);
    for (const [status, { $ref }] of Object.entries(operation.responses).filter(([, answer]) => answer.$ref)) {
      assert.ok(text.includes(`<strong>${status}</strong> ${shared[$ref.split('/').pop()].description}`), `${operation.method} ${operation.path}: ${status}`);
      told++;
    }
  }
  assert.ok(told > 200);
});

test('what a body looks like is what the document says of it', () => {
  const bodies = operations.filter((operation) => operation.requestBody);
  assert.ok(bodies.length > 15);
  for (const operation of bodies) assert.deepEqual(exampleFaults(operation), [], `${operation.method} ${operation.path}`);
});

test('fields beyond the formats are read', async () => {
  const part = page.split('id="fields"')[1].split('</section>')[0];
  const names = [...part.matchAll(/class="field-name">((?:models|provider)[\w.]*)</g)].map(([, name]) => name);
  assert.equal(names.length, 10, names.join());
  for (const name of names) {
    const [first, second] = name.split('.');
    const { status, json } = await call(it.server, it.key, hello('scripted', { [first]: second ? { [second]: 7 } : 7 }));
    assert.equal(status, 400, name);
    assert.equal(json.error.param, name);
  }
});

test('headers that are answered with stand there', async () => {
  const key = await mintKey(it.owner, { rpm: '100', tpm: '100000' });
  const res = await call(it.server, key, hello('scripted'));
  const ours = [...res.headers.keys()].filter((name) => /^x-(tollgate|ratelimit|request)-/.test(name));
  assert.ok(ours.length > 10, ours.join());
  const part = page.split('id="headers"')[1].split('</section>')[0];
  for (const name of ours) assert.ok(part.includes(`>${name}<`), `${name} is not on the page`);
});

test('commands work as they are copied', async () => {
  const secrets = { installation: await installationKey(it.operator), team: await mintManagementKey(it.owner), virtual: it.key };
  const dir = mkdtempSync(join(tmpdir(), 'reference-'));
  for (const operation of operations) {
    const id = `curl-${anchorOf(operation)}`;
    const command = unescaped(page.match(new RegExp(`id="${id}"><code>([^]*?)</code>`))?.[1] ?? '');
    assert.ok(command.startsWith('curl '), id);
    assert.ok(command.includes(it.server.url), `${id}: the address is another one`);
    const { management } = operation.security[0] ?? {};
    const TOLLGATE_KEY = management ? secrets[management[0] === 'installation' ? 'installation' : 'team'] : secrets.virtual;
    const { stdout } = await run('bash', ['-c', `${command} -w '\\n%{http_code}'`], { cwd: dir, env: { PATH: process.env.PATH, TOLLGATE_KEY } });
    const status = Number(stdout.split('\n').pop());
    // Ids are made up: there may be no such thing, or one that does not allow it any more.
    const wanted = status === 404 || status === 409 || (status >= 200 && status < 300);
    const unknownCode = operation.path === '/api/v1/redeem' && status === 400 && stdout.includes('"param":"code"');
    assert.ok(wanted || unknownCode, `${command}\n${stdout}`);
  }
  rmSync(dir, { recursive: true });
});

test('endpoints each have a sentence, and are there', async () => {
  const part = page.split('id="endpoints"')[1].split('</section>')[0];
  const rows = [...part.matchAll(/<span class="method">(\w+)<\/span> <code class="field-name">([^<]+)<\/code><\/div><div>([^<]*)</g)];
  assert.ok(rows.length > 25, `${rows.length} endpoints`);
  for (const [, method, path, what] of rows) {
    assert.ok(what, `${method} ${path} says nothing of itself`);
    const res = await fetch(it.server.url + path.replace(/{\w+}/g, 'some'), { method, ...(method === 'POST' ? { body: '{}' } : {}) });
    assert.equal(res.status, 401, `${method} ${path}`);
  }
});
