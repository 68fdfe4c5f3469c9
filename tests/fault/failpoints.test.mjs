// Every failpoint of the table is passed, and failing there does no harm: a call gets an answer of its
// own kind, other calls go on, and the books are the same before and after.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { Clock } from '../lib/clock.mjs';
import { needsFaketime, nobody, staged } from '../lib/server.mjs';
import { ask } from '../lib/client.mjs';
import { addAccount, addModel, hello, topUp } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';
import { failpoints, named } from './failpoints.mjs';

const cluster = new Cluster();
const answers = [], passed = new Set();
const clock = new Clock('-32d'); // the database's: its month ends when the story wants it to
let node, upstream, team, rich, held;

async function answer(req, res, seen) {
  const usage = { prompt_tokens: 9, completion_tokens: 30, total_tokens: 39 };
  if (req.url.includes('/videos')) return send(res, 200, { id: 'vid_1', object: 'video', status: req.method === 'GET' ? 'failed' : 'queued', seconds: '4' });
  if (seen.body.model === 'broken') return send(res, 500, { error: { message: 'no' } });
  if (held && seen.body.stream) await new Promise((go) => { held.push(go); });
  if (!seen.body.stream) return send(res, 200, { ...chat(), usage });
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < 3; i++) {
    res.write(`data: ${JSON.stringify(chunk({ content: 'words '.repeat(60) }))}\n\n`);
    await sleep(5);
  }
  res.end(`data: ${JSON.stringify({ ...chunk({}, 'stop'), choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

setup('a node, and a model whose second provider is dearer', async () => {
  await cluster.start({ env: needsFaketime() ? {} : clock.env });
  upstream = await startUpstream(answer);
  node = await cluster.add('one');
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  await cluster.model({ name: 'dear', input: '50', output: '90' });
  const broken = await addAccount(cluster.operator, upstream, { name: 'broken' });
  await addModel(cluster.operator, { name: 'cheap', input: '1', output: '2', targets: [{ account: broken, upstreamModel: 'broken' }] });
  await cluster.model({ name: 'film', kind: 'video', prices: { second: '0.01' } });
  team = await cluster.team(900_000_000_000);
  rich = (await cluster.key(team)).key;
  await cluster.everywhere(rich, 'scripted');
  await cluster.everywhere(rich, 'cheap');
});

async function say(secret, body) {
  const told = await ask(node.url, secret, body);
  answers.push(told);
  return told;
}

// Keys of teams of which no node has a lease; made before anything is armed.
const fresh = [];
async function makeKeys(n) {
  while (fresh.length < n) fresh.push((await cluster.key(await cluster.team(5_000_000_000))).key);
}

// What passes a failpoint, by its row's `by`.
const ways = {
  call: () => say(rich, hello('scripted')),
  stream: () => say(rich, hello('scripted', { stream: true })),
  ask: () => say(fresh.pop(), hello('scripted')),
  video: async () => { // made, and asked after when it has failed
    const headers = { authorization: `Bearer ${rich}`, 'content-type': 'application/json' };
    const made = await fetch(`${node.url}/v1/videos`, { method: 'POST', headers, body: '{"model":"film","prompt":"A cat"}' });
    cluster.postgres.psql("UPDATE video_job SET asked_at = '-infinity'");
    await fetch(`${node.url}/v1/videos/${(await made.json()).id}`, { headers });
  },
  dearer: () => say(rich, hello('cheap', { models: ['cheap', 'dear'] })),
  gone: async () => {
    held = [];
    const call = ask(node.url, rich, hello('scripted', { stream: true }));
    await eventually(() => held.length, 'the upstream to be asked');
    call.abort();
    await call;
    held.splice(0).forEach((go) => go());
    held = undefined;
  },
  node: async () => { // slack goes back once another node wants it, the rest by itself
    await say(rich, hello('scripted'));
    cluster.postgres.psql(`UPDATE purse SET recall_until = clock_timestamp() + interval '2 seconds' WHERE team_id = ${team}`);
    await sleep(300);
  },
};

const seen = (name) => node.log.includes(`failpoint name=${name} `);
const note = () => { for (const name of Object.keys(failpoints)) if (seen(name)) passed.add(name); };

async function recovered() {
  await eventually(async () => (await say(rich, hello('scripted'))).status === 200, 'calls to be answered again');
}

// One after another, but for the node's own rounds, which come every few seconds.
const failing = named((row) => row.error && row.by in ways && row.by !== 'node').map((name) => [name]);
failing.push(named((row) => row.error && row.by === 'node'));
for (const names of failing)
  test(`${names.join(', ')}: failing there gives a clean answer, and the node recovers`, async () => {
    const before = answers.length;
    await makeKeys(4);
    node.arm(names.map((name) => `${name}=error:${failpoints[name].error}*1`).join());
    await eventually(async () => {
      await ways[failpoints[names[0]].by]();
      return names.every(seen);
    }, 'the failpoint to be passed');
    node.arm('');
    for (const told of answers.slice(before)) {
      assert.ok([200, 502, 503].includes(told.status), `${told.status} ${told.text}`);
      if (told.status === 503) assert.ok(Number(told.headers['retry-after']) >= 1, 'Retry-After');
      if (told.status !== 200) assert.equal(typeof JSON.parse(told.text).error.message, 'string');
    }
    await recovered();
  });

test('after all that the books are the same', async () => {
  const good = answers.filter((a) => a.status === 200);
  await cluster.recorded(good.map((a) => a.id));
  sameBooks(cluster, answers);
});

// Places that are only waited at, or died at elsewhere, all at once.
test('the other failpoints of calls are passed too, and waiting there does no harm', async () => {
  const rest = named((row) => !row.error && row.by in ways);
  await makeKeys(4);
  node.arm(rest.map((name) => `${name}=pause:3*1`).join());
  for (const by of ['call', 'stream', 'ask', 'gone', 'node', 'dearer', 'video']) await ways[by]();
  await eventually(async () => {
    await ways.stream();
    return rest.every(seen);
  }, `each of ${rest.join(', ')} to be passed`).catch((error) => {
    throw new Error(`${error.message}; not passed: ${rest.filter((n) => !seen(n))}`);
  });
  node.arm('');
  sameBooks(cluster);
});

test('a disk that takes half a record: the record is undone, the call is refused, nothing is charged', async () => {
  node.arm('journal.half=short:20*1,journal.undo=pause:1*1');
  const told = await say(rich, hello('scripted'));
  node.arm('');
  assert.equal(told.status, 503, told.text);
  await recovered();
  sameBooks(cluster);
});

test('half a record at the time of a kill: the torn end is passed over', async () => {
  const whole = await say(rich, hello('scripted'));
  const session = node.session;
  node.arm('journal.half=short:20,journal.undo=kill');
  const told = await ask(node.url, rich, hello('scripted'));
  await node.ended;
  assert.equal(told.status, 0);
  node.arm('');
  note();
  await node.revive();
  await eventually(() => cluster.sql(`SELECT 1 FROM node_session WHERE id = ${session} AND state <> 'live'`).length, 'the session to be closed');
  await cluster.recorded([whole.id]);
  sameBooks(cluster);
});

test('a journal file that cannot be made: calls are refused, then the next one is made', async () => {
  await node.stop();
  node.arm('journal.create=error:ENOSPC');
  await node.revive();
  for (let i = 0; i < 2; i++) { // a loop each
    const told = await say(rich, hello('scripted'));
    assert.equal(told.status, 503, told.text);
  }
  await eventually(() => seen('journal.create'), 'its line');
  node.arm('');
  note();
  await recovered();
  sameBooks(cluster);
});

// A disk whose sync failed may have lost what it took: nothing more is admitted on it, ever.
test('a sync that fails: no more calls on this disk, those that ended are settled', async () => {
  const whole = await say(rich, hello('scripted'));
  node.arm('journal.sync=error:EIO*1');
  await say(rich, hello('scripted'));
  await eventually(() => seen('journal.sync'), 'the sync');
  const told = await eventually(async () => {
    const t = await ask(node.url, rich, hello('scripted'));
    return t.status !== 200 && t;
  }, 'calls to be refused');
  assert.equal(told.status, 503, told.text);
  node.arm('');
  note();
  await cluster.recorded([whole.id]);
  await node.stop();
  await node.revive();
  await recovered();
  sameBooks(cluster);
});

for (const name of named((row) => row.by === 'start'))
  test(`${name} ${failpoints[name].error ? 'fails' : 'is waited at'} while a node starts`, async () => {
    const action = failpoints[name].error ? `error:${failpoints[name].error}` : 'pause:5';
    await say(rich, hello('scripted'));
    if (name.startsWith('replay.')) await node.stop('SIGKILL');
    else await node.stop();
    node.arm(`${name}=${action}*1`);
    const began = await node.revive().then(() => true, () => false); // it may say that it cannot start, and end
    await eventually(() => seen(name), 'the failpoint to be passed');
    node.arm('');
    note();
    if (!began) {
      assert.notEqual((await node.ended).signal, 'SIGABRT', node.log.slice(-2000));
      await node.revive();
    }
    await recovered();
    sameBooks(cluster);
  });

for (const name of named((row) => row.by === 'stop'))
  test(`${name} fails while a node ends: it ends all the same, and its session is closed by its next start`, async () => {
    const session = node.session;
    await say(rich, hello('scripted'));
    node.arm(`${name}=error:ECONNRESET*1`);
    assert.equal((await node.stop()).code, 0);
    await eventually(() => seen(name), 'its line');
    node.arm('');
    note();
    await node.revive();
    await eventually(() => cluster.sql(`SELECT 1 FROM node_session WHERE id = ${session} AND state = 'closed'`).length, 'the session to be closed');
    await recovered();
    sameBooks(cluster);
  });

test('a payment that fails half way is not credited, and credited once when it comes again', async () => {
  const credits = () => Number(cluster.postgres.psql(`SELECT count(*) FROM transfer WHERE code = 'TOPUP'`));
  const before = credits();
  for (const name of ['payment.credit', 'payment.credited']) {
    node.arm(`${name}=error:EIO*1`);
    await topUp(cluster.owner, 7).catch(() => {}); // the page says that it did not work
    await eventually(() => seen(name), 'its line');
    assert.equal(credits(), before, `credited although ${name} failed`);
    sameBooks(cluster);
  }
  node.arm('payment.applied=kill*1');
  await topUp(cluster.owner, 8).catch(() => {});
  await node.ended;
  node.arm('');
  note();
  await node.revive();
  assert.equal(credits(), before + 1, 'committed before the kill: credited once');
  await topUp(cluster.owner, 9);
  assert.equal(credits(), before + 2);
  sameBooks(cluster);
});

test('an export that cannot be written ends, and the node goes on', async () => {
  node.arm('export.write=error:EPIPE*1');
  await cluster.owner.request('/log/export').catch(() => {});
  await eventually(() => seen('export.write'), 'the export');
  node.arm('');
  await recovered();
});

test('an invoice that fails after its number was taken gives the number back; a kill after the cut issues none twice', async () => {
  await eventually(() => cluster.sql('SELECT 1 FROM invoice_cut').length, 'the teams to be marked');
  await node.stop();
  clock.set('+0'); // the month is over
  node.arm('chores.run=error:EIO*1,invoice.numbered=error:EIO*1');
  await node.revive();
  await eventually(() => seen('invoice.numbered'), 'an invoice to be cut');
  await node.stop();
  const early = cluster.sql('SELECT count(*) AS n FROM invoice')[0].n;
  node.arm('invoice.cut=kill*2');
  await node.revive().catch(() => {});
  await node.ended;
  note();
  node.arm('');
  await node.revive();
  const teams = () => cluster.sql(`SELECT count(DISTINCT team_id) AS n FROM transfer`)[0].n;
  await eventually(() => cluster.sql('SELECT count(*) AS n FROM invoice')[0].n === teams(), 'every team to have its invoice');
  const numbers = cluster.sql('SELECT serial, team_id, month FROM invoice ORDER BY serial');
  assert.deepEqual(numbers.map((n) => n.serial), numbers.map((_, i) => i + 1), `a gap after ${early} invoices`);
  assert.equal(new Set(numbers.map((n) => `${n.team_id} ${n.month}`)).size, numbers.length);
  sameBooks(cluster);
}, { needs: needsFaketime });

test('a migration that fails or is killed half way is applied by the next', async () => {
  cluster.postgres.psql('CREATE DATABASE second', 'postgres');
  const root = staged();
  const migrate = (env) => spawnSync(join(root, 'tollgate'), ['migrate'], {
    cwd: root, encoding: 'utf8', ...nobody,
    env: { DATABASE_OWNER_URL: cluster.postgres.url('postgres').replace('/tollgate', '/second'), MIGRATIONS_DIR: join(root, 'migrations'), DATA_DIR: '/nonexistent', HOME: '/nonexistent', ...env },
  });
  const applied = () => Number(cluster.postgres.psql('SELECT count(*) FROM migration', 'second'));
  const failed = migrate({ TOLLGATE_FAILPOINTS: 'migrate.apply=error:EIO*2' });
  assert.notEqual(failed.status, 0);
  assert.equal(applied(), 1, 'the first stands, the second left nothing');
  assert.equal(migrate({ TOLLGATE_FAILPOINTS: 'migrate.apply=kill*1' }).signal, 'SIGKILL');
  assert.equal(applied(), 1);
  const killed = migrate({ TOLLGATE_FAILPOINTS: 'migrate.applied=kill*1' });
  assert.equal(killed.signal, 'SIGKILL');
  assert.equal(applied(), 2, 'committed before the kill');
  const done = migrate({});
  assert.equal(done.status, 0, done.stderr);
  for (const name of ['migrate.apply', 'migrate.applied']) passed.add(name);
});

test('each row of the table was passed', () => {
  note();
  const elsewhere = ['session.reap', 'session.reaped', ...(needsFaketime() ? ['invoice.numbered', 'invoice.cut'] : [])];
  const missed = Object.keys(failpoints).filter((name) => !elsewhere.includes(name)).filter((name) => !passed.has(name));
  assert.deepEqual(missed, []);
});
