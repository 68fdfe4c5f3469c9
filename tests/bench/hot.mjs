// hot.mjs: the hot path beside nginx, with everything on: a key with its limits and budget, the hold, the
// journal, settling into PostgreSQL, two candidates for each model. Prints lines for tests/bench/run.
//
//   node tests/bench/hot.mjs [--short] [--only PART,...] [--rounds N] [--soak MINUTES] [--keys N]
//
// Rounds are interleaved: each asks everybody once, and a ratio is one to nginx in the same round; what
// is printed is the median of them. Processor time (of the loop's thread, as the scheduler counts it) is
// the figure that holds on a busy machine; rates do not. Only a broken run fails.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Cluster } from '../lib/cluster.mjs';
import { addAccount, addModel, served } from '../lib/installation.mjs';
import { stopEverything } from '../lib/server.mjs';
import { eventually, sleep } from '../lib/story.mjs';
import * as bench from './bench.mjs';
import { counted, countedEnv, counts } from './counts.mjs';
import { profile } from './profile.mjs';
import { rivals } from './rivals.mjs';

const args = process.argv.slice(2);
const short = args.includes('--short');
const value = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const only = value('--only')?.split(',');
const rounds = Number(value('--rounds') ?? (short ? 1 : 5));
const seconds = short ? 0.3 : 2;
const kinds = ['plain', 'burst', 'first', 'paced', 'hold'];
let who;
let mock;
let cluster;
let group = '';

const say = (name, v, digits, unit = '', goal = '') => console.log([group, name, Number.isFinite(v) ? v.toFixed(digits) : '-', unit, goal].join('\t'));

// --- who is measured ---

async function start() {
  mock = await bench.serve('mock');
  const nginx = await bench.nginx(mock);
  const plain = await bench.serve('plain', `http://127.0.0.1:${mock.port}`);
  const env = {
    LOOPS: '1', LOG_LEVEL: 'warn', MAX_CONNECTIONS: '20000', MAX_CONNECTIONS_PER_ADDRESS: '20000', DEMO: 'off',
  };
  cluster = await new Cluster().start({ settings: { fsync: 'on' } });
  const one = await cluster.add('one', env);
  const two = await cluster.add('two', { ...env, LOOPS: '2' });
  await cluster.install(kinds.flatMap((kind) => [1, 2].map(() => ({ url: `http://127.0.0.1:${mock.port}/${kind}/v1` }))));
  const accounts = cluster.accounts;
  for (const [i, kind] of kinds.entries()) {
    cluster.accounts = accounts.slice(2 * i, 2 * i + 2);
    await cluster.model({ name: `bench-${kind}` });
  }
  const events = await addAccount(cluster.operator, { url: `http://127.0.0.1:${mock.port}/events/v1` }, { kind: 'anthropic', name: 'events' });
  await addModel(cluster.operator, { name: 'bench-events', targets: [{ account: events }] });
  const { key: secret } = await mint(await cluster.team(1e15));
  for (const node of [one, two]) await served(node, secret, 'bench-hold');
  bench.pin(bench.others, mock.pid);
  bench.pin(bench.others, cluster.postgres.child.pid, ...bench.children(cluster.postgres.child.pid));
  bench.pin(bench.measured, nginx.pid, plain.pid);
  bench.pin(bench.others, one.child.pid);
  bench.pinThreads(bench.measured, ...bench.threads(one.child.pid).filter((t) => t.name === 'loop').map((t) => t.id));
  const tollgate = (name, node) => ({ name, pid: node.child.pid, port: node.port, thread: 'loop', key: secret, path: '/v1/chat/completions', node });
  const by = (kind) => `/${kind}/v1/chat/completions`;
  who = {
    direct: (kind) => ({ name: 'direct', port: mock.port, path: by(kind) }),
    nginx: (kind) => ({ name: 'nginx', pid: nginx.pid, port: nginx.port, path: by(kind) }),
    plain: (kind) => ({ name: 'plain', pid: plain.pid, port: plain.port, path: by(kind) }),
    one: () => tollgate('one', one),
    two: () => tollgate('two', two),
  };
}

const mint = (team) => cluster.key(team, {
  rpm: 2147483647, tpm: 1e12, concurrency: 100000, budget: '1000000', budget_window: 'month',
});

// Processor time of PostgreSQL, and of a node beside its loops.
const beside = (node) => ({
  postgres: [cluster.postgres.child.pid, ...bench.children(cluster.postgres.child.pid)].reduce((sum, pid) => sum + bench.processorNs(pid), 0),
  rest: bench.processorNs(node.child.pid) - bench.processorNs(node.child.pid, 'loop'),
});

// --- measuring ---

// Everybody in turn, rounds of them: { name: [figures of each round] }.
async function measure(mode, names, kind, options) {
  const all = Object.fromEntries(names.map((n) => [n, []]));
  for (let round = 0; round < rounds; round++)
    for (const name of names) {
      const target = who[name](kind);
      all[name].push(await bench.load(mode, target, { ...options, file: bench.body(`bench-${kind}`, options.bytes, { stream: mode === 'stream' }) }));
      if (target.node) await target.node.allSettled();
    }
  return all;
}
const ratio = (all, a, b, of) => bench.median(all[a].map((f, i) => of(f) / of(all[b][i])));
const typical = (all, name, of) => bench.median(all[name].map(of));

async function saturation(bytes, title, goals) {
  const names = ['nginx', 'plain', 'one', ...(bytes === 1000 ? ['direct', 'two'] : [])];
  const all = await measure('sat', names, 'plain', { connections: bytes > 500000 ? 8 : 32, seconds, bytes });
  group = title;
  say('nginx', typical(all, 'nginx', (f) => f.us), 1, 'us of processor', '');
  say('nginx', typical(all, 'nginx', (f) => f.rate), 0, 'requests/s', '');
  say('Tollgate, its loop', typical(all, 'one', (f) => f.us), 1, 'us of processor', '');
  say('Tollgate, all its threads', typical(all, 'one', (f) => f.allUs), 1, 'us of processor', '');
  say('nginx / Tollgate, processor time', 1 / ratio(all, 'one', 'nginx', (f) => f.us), 2, '', goals);
  say('Tollgate / nginx, rate', ratio(all, 'one', 'nginx', (f) => f.rate), 2, '', goals);
  say('nginx / plain forwarding, processor time', 1 / ratio(all, 'plain', 'nginx', (f) => f.us), 2, '', '');
  say('Tollgate / plain forwarding, processor time', ratio(all, 'one', 'plain', (f) => f.us), 2, '', 'at most 1.4');
  if (bytes !== 1000) return;
  say('direct', typical(all, 'direct', (f) => f.rate), 0, 'requests/s', '');
  say('two loops / one, processor time a call', ratio(all, 'two', 'one', (f) => f.us), 2, '', 'at most 1.15');
}

async function settling() {
  const { node } = who.one();
  const from = beside(node);
  const run = await bench.load('sat', who.one(), { connections: 32, seconds: seconds * 3, file: bench.body('bench-plain', 1000) });
  await node.allSettled();
  const to = beside(node);
  group = 'settling';
  say('PostgreSQL, processor time', (to.postgres - from.postgres) / 1000 / run.ok, 1, 'us/call', 'at most 10');
  say('the node beside its loop', (to.rest - from.rest) / 1000 / run.ok, 1, 'us/call', '');
}

// Where load and upstream share their processor with PostgreSQL they wait for it, up to 4 ms, as its kernel
// lets nobody in before; the tail is that wait. ahead: they go first, as if on machines of their own, where
// this process may have it so (CAP_SYS_NICE).
async function fixedRate(bytes, title, ahead) {
  if (ahead && !bench.goFirst(mock.pid)) {
    process.stderr.write('load and upstream cannot go first here\n');
    return;
  }
  const all = await measure('rate', ['direct', 'nginx', 'plain', 'one'], 'plain', { connections: 64, seconds, bytes, rate: short ? 500 : 2000, ahead });
  if (ahead) bench.goAsAll(mock.pid);
  const added = (name, point) => bench.median(all[name].map((f, i) => f.latency_us[point] - all.direct[i].latency_us[point]));
  group = title;
  for (const name of ['direct', 'nginx', 'one'])
    for (const point of ['p50', 'p99'])
      say(`${name === 'one' ? 'Tollgate' : name}, ${point}`, typical(all, name, (f) => f.latency_us[point]), 0, 'us', '');
  say('added median, times that of nginx', added('one', 'p50') / added('nginx', 'p50'), 2, '', 'at most 1.5');
  say('plain forwarding, added median, times that of nginx', added('plain', 'p50') / added('nginx', 'p50'), 2, '', '');
  say('p99, times that of nginx', ratio(all, 'one', 'nginx', (f) => f.latency_us.p99), 2, '', 'at most 2');
}

async function streams() {
  let all = await measure('stream', ['direct', 'nginx', 'plain', 'one'], 'first', { connections: 1, seconds, bytes: 1000 });
  group = 'first byte of a stream';
  say('direct, p50', typical(all, 'direct', (f) => f.first_us.p50), 0, 'us', '');
  say('nginx, p50', typical(all, 'nginx', (f) => f.first_us.p50), 0, 'us', '');
  say('Tollgate, p50', typical(all, 'one', (f) => f.first_us.p50), 0, 'us', '');
  say('p50, times that of nginx', ratio(all, 'one', 'nginx', (f) => f.first_us.p50), 2, '', 'at most 1.2');
  say('plain forwarding, p50, times that of nginx', ratio(all, 'plain', 'nginx', (f) => f.first_us.p50), 2, '', '');

  const n = short ? 40 : 400;
  all = await measure('stream', ['direct', 'nginx', 'one'], 'paced', { connections: n, seconds: short ? 1 : 3, bytes: 1000 });
  group = `${n} streams, a chunk each 20 ms`;
  for (const name of ['direct', 'nginx', 'one']) {
    say(`${name === 'one' ? 'Tollgate' : name}, gap p50`, typical(all, name, (f) => f.gap_us.p50) / 1000, 1, 'ms', name === 'one' ? '20: no lag' : '');
    say(`${name === 'one' ? 'Tollgate' : name}, on its way p99`, typical(all, name, (f) => f.lag_us.p99) / 1000, 1, 'ms', '');
  }
  say('processor time a chunk, times that of nginx', ratio(all, 'one', 'nginx', (f) => f.us), 2, '', '');

  all = await measure('stream', ['nginx', 'plain', 'one'], 'burst', { connections: 16, seconds, bytes: 1000 });
  group = 'streams at saturation';
  say('nginx', typical(all, 'nginx', (f) => f.rate), 0, 'chunks/s', '');
  say('Tollgate', typical(all, 'one', (f) => f.rate), 0, 'chunks/s', '');
  say('Tollgate / nginx, rate', ratio(all, 'one', 'nginx', (f) => f.rate), 2, '', 'at least 1');
  say('nginx / Tollgate, processor time', 1 / ratio(all, 'one', 'nginx', (f) => f.us), 2, '', 'at least 1');
  say('Tollgate / plain forwarding, processor time', ratio(all, 'one', 'plain', (f) => f.us), 2, '', '');
}

// Client and provider of different formats, beside the same client and the provider of its own.
async function translated() {
  const pair = async (mode, same, other, options) => {
    const all = { same: [], other: [] };
    for (let round = 0; round < rounds; round++)
      for (const [name, ask] of Object.entries({ same, other })) {
        const target = { ...who.one(), ...(ask.messages ? { path: '/v1/messages' } : {}) };
        const file = bench.body(`bench-${ask.kind}`, 1000, { stream: mode === 'stream', messages: ask.messages });
        all[name].push(await bench.load(mode, target, { ...options, seconds, file }));
        await target.node.allSettled();
      }
    return all;
  };
  group = 'translated';
  const say2 = (name, all, goal) => {
    say(`${name}, rate`, ratio(all, 'other', 'same', (f) => f.rate), 2, 'of the same format', goal);
    say(`${name}, processor time`, 1 / ratio(all, 'other', 'same', (f) => f.us), 2, 'of the same format', goal);
  };
  const plain = { kind: 'plain' }, burst = { kind: 'burst' };
  say2('1 KB, Anthropic client, OpenAI provider', await pair('sat', plain, { ...plain, messages: true }, { connections: 32 }), 'at least 0.6');
  say2('chunks, Anthropic client, OpenAI provider', await pair('stream', burst, { ...burst, messages: true }, { connections: 16 }), 'at least 0.5');
  say2('chunks, OpenAI client, Anthropic provider', await pair('stream', burst, { kind: 'events' }, { connections: 16 }), 'at least 0.5');
}

async function idleStreams() {
  const n = short ? 200 : 9000;
  const file = bench.body('bench-hold', 1000, { stream: true });
  group = `${n} idle streams`;
  for (const [name, kind] of [['nginx', 'hold'], ['one', 'hold']]) {
    const target = who[name](kind);
    const before = bench.ownKib(target.pid);
    const held = await bench.hold(target, { connections: n, file });
    say(`${name === 'one' ? 'Tollgate' : name}, memory of each`, (bench.ownKib(target.pid) - before) / n, 1, 'KiB', name === 'one' ? 'at most 30' : '');
    if (name === 'one') {
      const began = performance.now();
      const page = await fetch(`${target.node.url}/sign-in`);
      await page.text();
      if (!page.ok) throw new Error(`the page answered ${page.status}`);
      say('a page meanwhile', performance.now() - began, 0, 'ms', '');
    }
    await held.close();
    if (target.node) await eventually(async () => (await target.node.metrics()).tollgate_calls_in_flight === 0, 'the streams to end', 60000);
  }
}

async function idle() {
  const node = await cluster.add('idle', { LOOPS: '2', DEMO: 'off', LOG_LEVEL: 'warn' });
  const n = short ? 20 : Number(value('--keys') ?? 10000);
  group = 'at rest';
  const made = [];
  for (let team, i = 0; i < n; i++) {
    if (i % 1000 === 0) team = await cluster.team(1e12);
    made.push((await mint(team)).key);
  }
  await node.stop();
  await node.revive();
  say('memory after start', bench.residentKib(node.child.pid) / 1024, 1, 'MiB', `below 32, with ${n} keys`);
  if (!short) await sleep(15000); // until slack that nobody uses has gone back
  const from = bench.wakeUps(node.child.pid);
  const lasts = short ? 2 : 30;
  await sleep(lasts * 1000);
  const to = bench.wakeUps(node.child.pid);
  const total = (list, name) => list.reduce((sum, t) => sum + (name && t.name !== name ? 0 : t.n), 0);
  const each = (name) => (total(to, name) - total(from, name)) / lasts;
  say('wake-ups, all threads', each(), 1, 'a second', 'timers only');
  for (const name of new Set(to.map((t) => t.name)))
    if (each(name) > 0) say(`wake-ups, ${name}`, each(name), 1, 'a second', '');
  for (const one of made) {
    const res = await fetch(`${node.url}/v1/models`, { headers: { authorization: `Bearer ${one}` } });
    await res.text();
    if (!res.ok) throw new Error(`a key was answered ${res.status}`);
  }
  say('memory with all keys in use', bench.residentKib(node.child.pid) / 1024, 1, 'MiB', '');
  await node.stop();
}

async function soak(minutes) {
  const target = who.one();
  const file = bench.body('bench-plain', 1000);
  const full = await bench.load('sat', target, { connections: 32, seconds: 2, file });
  group = `${minutes} minutes at half load`;
  for (let minute = 1; minute <= minutes; minute++) {
    const run = await bench.load('rate', target, { connections: 64, seconds: 60, file, rate: full.rate / 2, shed: full.rate * 60 / 200 });
    say(`minute ${minute}, memory`, bench.residentKib(target.pid) / 1024, 1, 'MiB', 'flat');
    say(`minute ${minute}, descriptors`, readdirSync(`/proc/${target.pid}/fd`).length, 0, '', 'flat');
    if (run.refused) say(`minute ${minute}, refused`, run.refused, 0, 'of ' + run.ok, '');
    say(`minute ${minute}, p99`, run.latency_us.p99, 0, 'us', '');
  }
}

// A node and plain forwarding once more, within callgrind.
async function instructions() {
  const { node: first, ...target } = who.one();
  const node = await cluster.add('counted', { ...first.env, NODE_NAME: 'counted', ...countedEnv }, counted());
  await served(node, target.key, 'bench-plain');
  const plain = await bench.serveUnder(['env', ...Object.entries(countedEnv).map(([k, v]) => `${k}=${v}`), ...counted()], 'plain', `http://127.0.0.1:${who.direct('plain').port}`);
  const targets = [{ ...target, name: 'everything', pid: node.child.pid, port: node.port, stop: () => node.stop() },
    { ...who.plain('plain'), pid: plain.pid, port: plain.port, stop: plain.stop }];
  await counts({ targets, bytes: Number(value('--bytes') ?? 1000), connections: Number(value('--connections') ?? 32) });
}

const parts = {
  '1k': () => saturation(1000, '1 KB at saturation', 'at least 0.5'),
  '50k': () => saturation(50000, '50 KB at saturation', 'at least 0.5'),
  '1m': () => saturation(1000000, '1 MB at saturation', 'at least 0.5'),
  settling,
  rate1k: () => fixedRate(1000, '1 KB, 2,000 requests/s'),
  rate50k: () => fixedRate(50000, '50 KB, 2,000 requests/s'),
  rate1k_ahead: () => fixedRate(1000, '1 KB, 2,000 requests/s, load and upstream first', true),
  rate50k_ahead: () => fixedRate(50000, '50 KB, 2,000 requests/s, load and upstream first', true),
  streams,
  translated,
  hold: idleStreams,
  idle,
  rivals: async () => { group = 'beside others'; await rivals({ who, say, short, rounds, seconds }); },
  ...(value('--soak') ? { soak: () => soak(Number(value('--soak'))) } : {}),
};

const asked = { // only when named
  profile: () => profile({ who, say, bytes: Number(value('--bytes') ?? 1000) }),
  counts: instructions,
};

let failed = 0;
try {
  await start();
  for (const [name, part] of Object.entries(only ? { ...parts, ...asked } : parts)) {
    if (only && !only.includes(name)) continue;
    process.stderr.write(`${name} ...\n`);
    await part();
  }
} catch (error) {
  failed = 1;
  process.stderr.write(`${error.stack}\n`);
  for (const node of cluster?.replicas ?? []) // what they warned of
    process.stderr.write(node.log.split('\n').filter((line) => / (warn|error) /.test(line)).slice(-5).map((line) => `${node.name ?? node.port}: ${line}\n`).join(''));
}
// The books have to be right after all that.
failed += (await stopEverything('hot')) ? 1 : 0;
process.exit(failed ? 1 : 0);
