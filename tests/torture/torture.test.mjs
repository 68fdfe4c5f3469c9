// Torture: in each of these scenarios one call of the node fails: an allocation, a read, a write, a call
// of libpq; then another one, and so on. Whatever the answer is, the node lives, is well again by the next
// request, and its books are right at the end.
//
//   TORTURE_POINTS=N   how many calls fail in each scenario and kind (default 2; all that there are: 0)
//   TORTURE_SEED=N     the same choices again
//   TORTURE_ONLY=TEXT  scenarios whose name has it
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, copyFileSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, setup, sleep, test } from '../lib/story.mjs';
import { nobody, ownDirectory, top } from '../lib/server.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { addModel, installationKey, manage, mintKey, served, signUp, topUp } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const build = join(top, process.env.TOLLGATE_BUILD ?? 'build');
const points = Number(process.env.TORTURE_POINTS ?? 2);
const seed = Number(process.env.TORTURE_SEED ?? Date.now() % 100000);
const only = process.env.TORTURE_ONLY;
const kinds = { memory: 1, read: 2, write: 3, libpq: 4 };
const cluster = new Cluster();
const dir = ownDirectory('tg-torture-');
const file = join(dir, 'control');
let node, upstream, key, owner, operator, api, ids = {}, control, random;

// --- the control file: armed, left, fired, seen[5], each 32 bits ---

const word = (i, value) => {
  const b = Buffer.alloc(4);
  if (value === undefined) {
    readSync(control, b, 0, 4, i * 4);
    return b.readUInt32LE();
  }
  b.writeInt32LE(value);
  return writeSync(control, b, 0, 4, i * 4);
};
const arm = (kind, left) => { word(0, 0); word(2, 0); word(1, left); word(0, kind); };
const disarm = () => { word(0, 0); return word(2) === 1; };
const seen = (kind) => word(3 + kind);

function seeded(n) {
  let a = n;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// --- what is asked ---

// Any answer will do, also none; but one has to come.
async function ask(method, path, { headers = {}, body } = {}) {
  try {
    const res = await fetch(node.url + path, {
      method, body, redirect: 'manual', signal: AbortSignal.timeout(30000),
      headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    });
    await res.text();
    return res.status;
  } catch (error) {
    if (error.name === 'TimeoutError') throw new Error(`${method} ${path}: no answer within 30 s`);
    return 0;
  }
}
const bearer = (secret) => ({ authorization: `Bearer ${secret}` });
const call = (model, more = {}, path = '/v1/chat/completions') => () => ask('POST', path, {
  headers: bearer(key), body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20, ...more }),
});
const cookies = (visitor) => ({ cookie: [...visitor.cookies].map(([k, v]) => `${k}=${v}`).join('; ') });
const page = (path, who = () => owner) => () => ask('GET', typeof path === 'function' ? path() : path, { headers: cookies(who()) });
const operated = (path) => page(path, () => operator);
const managed = (method, path, body) => () => ask(method, `/api/v1${typeof path === 'function' ? path() : path}`,
  { headers: bearer(api), body: body && JSON.stringify(body()) });
let serial = 0;

// A form as it stands on a page, sent; the page itself is asked for before, unharmed.
const form = (path, pattern, fields, who = () => owner) => ({
  prepare: async () => {
    const visitor = who();
    let shown; // what failed before may have cost a worker its connection, which one page tells
    const f = await eventually(async () => {
      shown = await visitor.request(typeof path === 'function' ? path() : path);
      return shown.status === 200 && shown.form(pattern);
    }, `the page ${path}`);
    return { visitor, action: new URL(f.action || shown.url, shown.url), fields: { ...f.fields, ...fields() } };
  },
  run: (ready) => ask('POST', ready.action.pathname + ready.action.search, {
    headers: { ...cookies(ready.visitor), origin: node.url, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(ready.fields).toString(),
  }),
});

const scenarios = {
  'a call': call('good'),
  'a streamed call': call('good', { stream: true }),
  'a streamed call with usage': call('good', { stream: true, stream_options: { include_usage: true } }),
  'a call under the other path': call('good', {}, '/api/v1/chat/completions'),
  'a call of 50 KB': call('good', { messages: [{ role: 'user', content: 'x'.repeat(50000) }] }),
  'a call of 1 MB': call('good', { messages: [{ role: 'user', content: 'x'.repeat(1 << 20) }] }),
  'a call that falls back': call('falls-back'),
  'a streamed call that falls back': call('falls-back', { stream: true }),
  'a call that fails': call('fails'),
  'a call whose stream breaks': call('breaks', { stream: true }),
  'a call of a model that is none': call('no-such-model'),
  'a call that is no JSON': () => ask('POST', '/v1/chat/completions', { headers: bearer(key), body: '{"model":' }),
  'a call with a wrong field': call('good', { max_tokens: 'many' }),
  'a call without a key': () => ask('POST', '/v1/chat/completions', { body: '{}' }),
  'a call with a wrong key': () => ask('POST', '/v1/chat/completions', { headers: bearer(`tg-${'x'.repeat(49)}`), body: '{}' }),
  'a call of embeddings': () => ask('POST', '/v1/embeddings', { headers: bearer(key), body: '{"model":"embeds","input":"Hello"}' }),
  'a call in the format of Anthropic': () => ask('POST', '/v1/messages', { headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01' },
    body: '{"model":"good","max_tokens":20,"messages":[{"role":"user","content":"Hello"}]}' }),
  'the models': () => ask('GET', '/v1/models', { headers: bearer(key) }),
  'a model': () => ask('GET', '/v1/models/good', { headers: bearer(key) }),
  'nothing': () => ask('GET', '/nothing'),
  'a method that is not allowed': () => ask('DELETE', '/v1/models', { headers: bearer(key) }),
  metrics: () => ask('GET', '/metrics'),
  readiness: () => ask('GET', '/readyz'),
  'the first page': page('/'),
  'the price list': page('/pricing'),
  'the start for programmers': page('/quickstart'),
  'the overview': page('/overview'),
  'the log': page('/log'),
  'the log searched': page('/log?q=good&status=ok'),
  'the log exported': page('/log/export'),
  'a call in the log': page(() => `/log/${ids.call}`),
  usage: page('/usage'),
  'usage exported': page('/usage/export'),
  billing: page('/billing'),
  'the ledger': page('/billing/ledger'),
  'the next invoice': page('/billing/preview'),
  budgets: page('/budgets'),
  members: page('/members'),
  settings: page('/settings'),
  keys: page('/keys'),
  'a new key\'s form': page('/keys/new'),
  account: page('/account'),
  'signing in, the page': () => ask('GET', '/sign-in'),
  'the operator\'s page': operated('/operator'),
  findings: operated('/operator/findings'),
  incidents: operated('/operator/incidents'),
  accounts: operated('/operator/accounts'),
  'a new account\'s form': operated('/operator/accounts/new'),
  models: operated('/operator/models'),
  'a new model\'s form': operated('/operator/models/new'),
  teams: operated('/operator/teams'),
  users: operated('/operator/users'),
  'all calls': operated('/operator/calls'),
  orders: operated('/operator/orders'),
  codes: operated('/operator/codes'),
  audit: operated('/operator/audit'),
  installation: operated('/operator/installation'),
  'the description of the API': managed('GET', '/openapi.json'),
  'the API\'s teams': managed('GET', '/teams'),
  'the API\'s keys': managed('GET', () => `/keys?team=${ids.team}`),
  'a key minted by the API': managed('POST', () => `/keys?team=${ids.team}`, () => ({ name: `torture ${++serial}` })),
  'a team made by the API': managed('POST', '/teams', () => ({ name: `torture ${++serial}` })),
  'an API call that is wrong': managed('POST', '/teams', () => ({ nme: 'x' })),
  'a key minted on its page': form('/keys/new', /keys/, () => ({ name: `torture ${++serial}` })),
  'a top-up': form('/billing', /top-up/, () => ({ amount: '5', provider: 'sandbox' })),
  'signing up': form('/sign-up', /sign-up/, () => ({ email: `t${++serial}@example.org`, name: 'T', password: 'correct horse battery staple', team_name: `T ${serial}` }),
    () => ({ cookies: new Map(), request: (path) => owner.constructor.prototype.request.call({ base: node.url, cookies: new Map() }, path) })),
  'signing in wrongly': form('/sign-in', /sign-in/, () => ({ email: 'nobody@example.org', password: 'wrong' }),
    () => ({ cookies: new Map(), request: (path) => owner.constructor.prototype.request.call({ base: node.url, cookies: new Map() }, path) })),
};

setup('a node with the library in it', async () => {
  execFileSync('ninja', ['-C', build, 'libtorture.so'], { stdio: 'ignore' });
  copyFileSync(join(build, 'libtorture.so'), join(dir, 'libtorture.so'));
  chmodSync(join(dir, 'libtorture.so'), 0o755);
  writeFileSync(file, Buffer.alloc(4096));
  if (nobody.uid) chownSync(file, nobody.uid, nobody.gid);
  control = openSync(file, 'r+');
  random = seeded(seed);
  upstream = await startUpstream((req, res, asked) => {
    const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
    if (asked.url.includes('embeddings')) return send(res, 200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.1] }], model: 'e', usage: { prompt_tokens: 2, total_tokens: 2 } });
    if (asked.body?.model === 'fails') return send(res, 500, { error: { message: 'no' } });
    if (!asked.body?.stream) return send(res, 200, chat('Hello there.', usage));
    if (asked.body.model !== 'breaks') return sse(res, [chunk({ content: 'Hello' }), chunk({}, 'stop')], { usage });
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(`data: ${JSON.stringify(chunk({ content: 'Hello' }))}\n\n`);
    return setTimeout(() => res.socket.destroy(), 5);
  });
  await cluster.start();
  node = await cluster.add('one', {
    LD_PRELOAD: join(dir, 'libtorture.so'), TORTURE_FILE: file, LOOPS: '1', LOG_LEVEL: 'error',
    // With TOLLGATE_BUILD=build-asan: blocks are the sanitizer's, and the library stands before it.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:verify_asan_link_order=0',
  });
  await cluster.install([upstream]);
  operator = cluster.operator;
  const [account] = cluster.accounts;
  const target = (upstreamModel, priority = 1) => ({ account, upstreamModel, priority });
  await addModel(operator, { name: 'good', request: '0.001', targets: [target('good')] });
  await addModel(operator, { name: 'falls-back', targets: [target('fails', 1), target('good', 2)] });
  await addModel(operator, { name: 'fails', targets: [target('fails')] });
  await addModel(operator, { name: 'breaks', targets: [target('breaks')] });
  await addModel(operator, { name: 'embeds', kind: 'embedding', targets: [target('embeds')] });
  owner = await signUp(node);
  await topUp(owner, 500);
  key = await mintKey(owner);
  api = await installationKey(operator);
  ids.team = (await manage(node, api)('GET', '/teams')).json.data.find((t) => t.name === owner.team).id;
  await served(node, key, 'breaks');
  await scenarios['a call']();
  await eventually(() => { ids.call = cluster.sql('SELECT call_id FROM call LIMIT 1')[0]?.call_id; return ids.call; }, 'a call in the log');
  assert.ok(word(3 + kinds.memory) > 1000 && word(3 + kinds.libpq) > 100, 'the library counts');
});

async function revive(what) {
  console.log(`   it ended (${JSON.stringify(node.exit)}): ${what}\n${node.log.slice(-3000)}`);
  await node.revive();
}

// The node does what it should: a good call, within the time that broken things take to mend themselves.
async function isWell(what) {
  await eventually(async () => {
    if (node.exit) return true;
    return await scenarios['a call']() === 200 && await scenarios.settings() === 200;
  }, `a good call and a page after ${what}; the log: ${node.log.slice(-2000)}`);
}

// How many calls of each kind a scenario makes, by the third time, when caches are warm.
async function counted(run, prepare) {
  for (let i = 0; i < 2; i++) await run(await prepare?.());
  const ready = await prepare?.();
  const before = Object.values(kinds).map(seen);
  await run(ready);
  return Object.values(kinds).map((k, i) => seen(k) - before[i]);
}

let fired = 0;
const picked = (n) => (points === 0 || points >= n
  ? Array.from({ length: n }, (_, i) => i + 1)
  : Array.from({ length: points }, () => 1 + Math.floor(random() * n)));

for (const [name, how] of Object.entries(scenarios)) {
  if (only && !name.includes(only)) continue;
  const run = how.run ?? how;
  const { prepare } = how;

  test(name, async () => {
    const counts = await counted(run, prepare);
    let ended = 0;
    for (const [i, [kind, number]] of Object.entries(kinds).entries())
      for (const n of picked(counts[i])) {
        const what = `${name}: ${kind} ${n} of ${counts[i]}, seed ${seed}`;
        const ready = await prepare?.();
        arm(number, n);
        await run(ready);
        fired += disarm();
        if (node.exit) {
          ended++;
          await revive(what);
        }
      }
    await isWell(name);
    if (node.exit) { // its end came to be known late
      ended++;
      await revive(name);
    }
    assert.equal(ended, 0, `the node ended ${ended} times`);
  });
}

test('calls have failed, and nothing has been lost by it', async () => {
  console.log(`   ${fired} calls failed in ${Object.keys(scenarios).length} scenarios, seed ${seed}`);
  assert.ok(only || fired > Object.keys(scenarios).length);
  let now;
  await eventually(async () => {
    now = await node.metrics();
    return now.tollgate_settle_waiting === 0 && now.tollgate_calls_in_flight === 0;
  }, 'the calls to be settled').catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(now, (k, v) => (v === 0 || k.includes('bucket') ? undefined : v))}\n${node.log.slice(-4000)}`);
  });
  await sleep(500);
  sameBooks(cluster);
  closeSync(control);
});
