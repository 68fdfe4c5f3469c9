// A PostgreSQL in trouble while calls run: stopped in every way, cut at chosen bytes of a COMMIT, read
// only, out of connections, out of disk. Accounts with a lease go on; without one, or once the grace is
// over, there is a clean 503 with Retry-After, never a 401 and nothing for free; and when it is back
// nothing is lost or doubled. FAULT_LONG=1 adds an outage longer than the grace.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmdirSync } from 'node:fs';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { Proxy } from '../lib/proxy.mjs';
import { ownDirectory, stopAtEnd } from '../lib/server.mjs';
import { ask, Load } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
const proxy = new Proxy();
const long = process.env.FAULT_LONG === '1';
let team, secret, strangers, exact, served = 0;

async function answer(req, res, seen) {
  const id = `answer-${++served}`; // on record: an answer that is charged twice shows
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  if (!seen.body.stream) return send(res, 200, { ...chat(), id, usage });
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < 3; i++) res.write(`data: ${JSON.stringify({ ...chunk({ content: 'more ' }), id })}\n\n`);
  res.end(`data: ${JSON.stringify({ ...chunk({}, 'stop'), id, choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

setup('two nodes that reach the database through a proxy', async () => {
  await cluster.start({ proxy, dir: smallDisk(), settings: { max_connections: 60, superuser_reserved_connections: 5 } });
  const upstream = await startUpstream(answer);
  await cluster.add('one');
  await cluster.add('two');
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  team = await cluster.team(900_000_000_000);
  secret = (await cluster.key(team)).key;
  const other = await cluster.team(900_000_000_000);
  strangers = [(await cluster.key(other)).key, (await cluster.key(other)).key]; // first used with the database away
  exact = await cluster.team(30_000_000);
  await cluster.everywhere(secret, 'scripted');
});

// A file system of its own for the database, so that it can be full; undefined where that takes rights
// that we lack.
let disk;
function smallDisk() {
  if (process.getuid() !== 0) return undefined;
  const dir = ownDirectory('tg-disk-');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m,mode=0755', 'tmpfs', dir], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  stopAtEnd({ stop: () => { execFileSync('umount', [dir]); rmdirSync(dir); } });
  execFileSync('chown', ['65534:65534', dir]);
  disk = dir;
  return dir;
}

const load = (options = {}) => new Load({
  bases: cluster.replicas.map((r) => r.url), secrets: [secret], workers: 4, pauseMs: 30,
  bodies: [hello('scripted'), hello('scripted', { stream: true })], ...options,
});

// While the database is in trouble: calls of an account that has a lease go on.
async function goesOn(ms, trouble, mend) {
  const running = load();
  const well = (node) => running.answers.filter((a) => a.status === 200 && a.base === node.url).length > 4;
  await eventually(() => cluster.replicas.every(well), 'calls to be answered by each node');
  const before = running.answers.length;
  const began = Date.now();
  await trouble();
  const during = running.answers.length;
  await sleep(ms);
  await eventually(() => running.answers.length > during + 8, 'calls to be answered while it lasts');
  const mending = Date.now();
  await mend();
  await sleep(200);
  const answers = await running.stop();
  const odd = answers.slice(before).filter((a) => a.status !== 200);
  const when = odd.map((a) => `${a.began - began} ms at ${a.base}, Retry-After ${a.headers['retry-after']}`).join('; ');
  assert.equal(odd.length, 0, `${odd.length} of ${answers.length - before} refused, such as ${odd[0]?.status} ${odd[0]?.text}, mended from ${mending - began} ms on: ${when}`);
  return answers;
}

async function back(answers) {
  const good = answers.filter((a) => a.status === 200 && a.whole);
  await cluster.recorded(good.map((a) => a.id));
  sameBooks(cluster, answers);
  const twice = cluster.sql(`SELECT upstream_request_id FROM call WHERE basis = 'provider' GROUP BY 1 HAVING count(*) > 1`);
  assert.deepEqual(twice, [], 'answers that were charged twice');
}

// The answer that is due when money cannot be had: a clean 503, soon to be tried again.
async function refusedCleanly(base, key, what) {
  const told = await ask(base, key, hello('scripted'));
  assert.equal(told.status, 503, `${what}: ${told.status} ${told.text}`);
  assert.ok(Number(told.headers['retry-after']) >= 1, `${what}: Retry-After is ${told.headers['retry-after']}`);
  assert.equal(typeof JSON.parse(told.text).error.message, 'string');
}

for (const how of ['fast', 'immediate', 'kill'])
  test(`stopped (${how}) and started again: calls go on, nothing is lost or doubled`, async () => {
    const answers = await goesOn(1200, () => cluster.postgres.stop(how), () => cluster.postgres.start());
    await back(answers);
  });

// What nodes know of keys is in doubt when they hear of changes again, and must not be lost by that.
test('away again right after it came back: calls go on', async () => {
  const listeners = () => Number(cluster.postgres.psql(`SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tollgate listener'`));
  const answers = await goesOn(400, async () => {
    for (let i = 0; i < 3; i++) {
      await cluster.postgres.stop('immediate');
      await sleep(100);
      await cluster.postgres.start();
      await eventually(() => listeners() === 2, 'the nodes to listen again');
    }
    await cluster.postgres.stop('immediate');
  }, () => cluster.postgres.start());
  await back(answers);
});

test('away: no lease and an unknown key get a clean 503, never 401; a known stranger neither', async () => {
  const poor = await cluster.key(exact);
  const warm = await ask(cluster.replicas[0].url, poor.key, hello('scripted'));
  assert.equal(warm.status, 200, warm.text);
  await cluster.recorded([warm.id]);
  await cluster.postgres.stop('fast');
  try {
    await refusedCleanly(cluster.replicas[0].url, strangers[0], 'a key that no node has seen');
    await refusedCleanly(cluster.replicas[0].url, `tg-${'x'.repeat(49)}`, 'a key of nobody').catch((error) => {
      if (!/: 401 /.test(error.message)) throw error; // its check digits are wrong: known without asking
    });
    await refusedCleanly(cluster.replicas[1].url, poor.key, 'an account of which this node has no lease');
  } finally {
    await cluster.postgres.start();
  }
  await eventually(async () => (await ask(cluster.replicas[1].url, strangers[0], hello('scripted'))).status === 200, 'calls to be answered again');
  sameBooks(cluster);
});

// COMMIT as the client sends it, cut before it arrives (nothing was done) and at each of the first bytes
// of its answer (done, and nobody knows): both have to come out as once.
for (const where of ['before', 0, 1, 6, 17])
  test(`connections cut in the middle of COMMIT (${where === 'before' ? 'before it arrives' : `after ${where} bytes of its answer`})`, async () => {
    const running = load({ workers: 6, pauseMs: 2 });
    for (let i = 1; i <= 4; i++) {
      proxy.cutAt('COMMIT', where, 3);
      await eventually(() => proxy.cuts > 2 && running.answers.length > 10 * i, 'commits to be cut');
    }
    proxy.wish = undefined;
    const answers = await running.stop();
    for (const a of answers.filter((x) => x.status !== 200)) assert.equal(a.status, 503, a.text);
    await back(answers);
  });

test('settling is cut again and again: the batch is booked once', async () => {
  const running = load({ workers: 4, pauseMs: 5 });
  proxy.cutAt('settle_batch', 0, 5);
  await sleep(700);
  proxy.wish = undefined;
  await back(await running.stop());
});

test('every connection cut at once, three times', async () => {
  const running = load();
  for (let i = 0; i < 3; i++) {
    await sleep(150);
    proxy.cutAll();
  }
  await back(await running.stop());
});

// No connection ends, and none says anything: what waits for an answer gives up and connects anew.
test('silent without closing: calls go on, and once it speaks again everything is settled', async () => {
  const running = load();
  const answered = (node) => running.answers.filter((a) => a.status === 200 && a.base === node.url).length;
  await eventually(() => cluster.replicas.every((node) => answered(node) > 4), 'calls to be answered by each node');
  const before = cluster.replicas.map(answered);
  proxy.hush();
  await eventually(() => cluster.replicas.every((node, i) => answered(node) > before[i] + 8), 'calls to be answered meanwhile');
  // Pages and the management API say that it is away, by what was waited for BEGIN; and once somebody was
  // left waiting for a connection, the others are told so at once, without one of their own.
  const told = () => cluster.ask('GET', '/teams');
  const first = await told();
  assert.deepEqual([first.status, first.json.error.code], [503, 'ledger_unavailable'], first.text);
  await eventually(() => cluster.replicas.some((node) => /database_silent limit_ms=5000\b/.test(node.log)), 'the line that BEGIN was given up');
  await told();
  const tried = proxy.accepted, crowd = await Promise.all(Array.from({ length: 80 }, told));
  assert.deepEqual([...new Set(crowd.map((a) => a.status))], [503]);
  assert.ok(proxy.accepted - tried < 40, `${proxy.accepted - tried} connections for 80 who ask`);
  proxy.hush(false); // for connections that are made from now on
  const key = (await eventually(() => cluster.key(team).catch(() => undefined), 'the node to speak to the database', 120000)).key;
  for (const node of cluster.replicas)
    await eventually(async () => (await ask(node.url, key, hello('scripted'))).status === 200, 'a key that nobody knew to be found', 120000);
  const answers = await running.stop();
  for (const node of cluster.replicas) await node.allSettled(120000);
  // Whatever else of the team's was under way has given up too.
  for (const node of cluster.replicas)
    await eventually(async () => (await ask(node.url, secret, hello('scripted'))).status === 200, 'the first key to be answered', 120000);
  for (const a of answers.filter((x) => x.status !== 200)) assert.equal(a.status, 503, a.text);
  await back(answers);
});

test('read only: calls with a lease go on, then it can be written again', async () => {
  const only = (on) => {
    cluster.postgres.psql(`ALTER SYSTEM SET default_transaction_read_only = ${on}`);
    cluster.postgres.psql('SELECT pg_reload_conf()');
  };
  const answers = await goesOn(1000, async () => only('on'), async () => only('off'));
  await back(answers);
});

test('too many clients: calls with a lease go on, a start waits, nothing answers 401', async () => {
  const limit = (n) => cluster.postgres.psql(`ALTER ROLE tollgate_app CONNECTION LIMIT ${n}`);
  const answers = await goesOn(1200, async () => {
    limit(0);
    proxy.cutAll();
  }, async () => {
    await refusedCleanly(cluster.replicas[0].url, strangers[1], 'no connection is to be had');
    limit(-1);
  });
  await back(answers);
});

test('disk full: calls with a lease go on, and are settled once there is room', async () => {
  const filler = `${disk}/filler`;
  const answers = await goesOn(1200, async () => {
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M'], { stdio: 'pipe' });
    } catch { /* until there is no room */ }
    assert.throws(() => cluster.postgres.psql(`CREATE TABLE fills AS SELECT repeat(md5(n::text), 60) FROM generate_series(1, 100000) n`), /No space left|could not extend|connection/);
  }, async () => {
    execFileSync('rm', ['-f', filler]);
    if (cluster.postgres.exit) await cluster.postgres.start(); // it may have stopped for want of room
  });
  await back(answers);
}, { needs: () => (process.getuid() === 0 ? undefined : 'a file system of its own takes root') });

test('away for longer than the grace: some 55 s of answers, then 503, and all is settled after', async () => {
  const node = cluster.replicas[0];
  const running = load({ workers: 2, pauseMs: 200 });
  await eventually(() => running.answers.filter((a) => a.status === 200).length > 4, 'calls to be answered');
  const from = running.answers.length;
  const began = Date.now();
  await cluster.postgres.stop('fast');
  let last200 = began;
  await eventually(() => {
    if (running.answers.at(-1).status === 200) last200 = Date.now();
    return running.answers.slice(from).filter((a) => a.status === 503).length > 4;
  }, 'the grace to be over', 180000);
  const rode = (last200 - began) / 1000;
  assert.ok(rode > 49, `answers for ${rode} s after the database went`);
  await refusedCleanly(node.url, secret, 'after the grace');
  await cluster.postgres.start();
  await eventually(async () => (await ask(node.url, secret, hello('scripted'))).status === 200, 'calls to be answered again');
  const answers = await running.stop();
  for (const a of answers.slice(from).filter((x) => x.status !== 200)) assert.equal(a.status, 503, a.text);
  assert.ok(cluster.sql('SELECT count(*) AS n FROM node_session WHERE state = $$reaped$$')[0].n === 0, 'nobody is reaped for what was nobody\'s fault');
  await back(answers);
}, { needs: () => (long ? undefined : 'in the longer form') });
