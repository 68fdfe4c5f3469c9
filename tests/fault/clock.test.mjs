// Clocks that jump by an hour, forwards and back, on a node and on the database's machine, while calls
// run: nobody is refused, nobody is reaped, a limit per minute stays one, and the books are the same.
import assert from 'node:assert/strict';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk } from '../lib/upstream.mjs';
import { Clock } from '../lib/clock.mjs';
import { needsFaketime } from '../lib/server.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask, Load } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
let team, secret, limited;

const clocks = {};

// "Etc/GMT-5" is five hours ahead of UTC.
function noon() {
  const ahead = 12 - new Date().getUTCHours();
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

async function answer(req, res, seen) {
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  if (!seen.body.stream) return send(res, 200, { ...chat(), usage });
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < 6; i++) {
    res.write(`data: ${JSON.stringify(chunk({ content: 'more ' }))}\n\n`);
    await sleep(50);
  }
  res.end(`data: ${JSON.stringify({ ...chunk({}, 'stop'), choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

setup('two nodes and a database whose clocks can be moved', async () => {
  for (const name of ['database', 'one', 'two']) clocks[name] = new Clock();
  await cluster.start({ env: clocks.database.env });
  const upstream = await startUpstream(answer);
  await cluster.add('one', clocks.one.env);
  await cluster.add('two', clocks.two.env);
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  team = await cluster.team(900_000_000_000);
  // Where it is about noon: a day that an hour's jump left would be another window of the budget, and a purse
  // does not go back to one that is over.
  const set = await cluster.ask('PATCH', `/teams/${team}`, { time_zone: noon() });
  assert.equal(set.status, 200, set.text);
  secret = (await cluster.key(team, { budget: '500', budget_window: 'day' })).key;
  limited = (await cluster.key(team, { rpm: 10 })).key;
  await cluster.everywhere(secret, 'scripted');
}, { needs: needsFaketime });

// The clock of whom it is about is off by so much, and nobody else's: else the test would show nothing.
async function shows(who, offset, answers) {
  const off = (text) => Math.round((new Date(text) - Date.now()) / 1000);
  const near = (seconds, wanted, what) => assert.ok(Math.abs(seconds - wanted) < 60, `${what} is off by ${seconds} s, not ${wanted}`);
  if (who === 'database') {
    near(off(cluster.sql('SELECT clock_timestamp() AS now')[0].now), offset, 'the database');
  } else {
    const last = answers.filter((_, i) => i >= answers.length - 4).map((a) => a.id);
    const starts = [...(await cluster.recorded(last)).values()].map((row) => off(row.started_at));
    assert.ok(starts.some((s) => Math.abs(s - offset) < 60), `calls began ${starts} s off, none ${offset}`);
  }
}

for (const [who, offset] of [['one', '+3600'], ['one', '-3600'], ['one', '+0'], ['two', '-3600'], ['database', '+3600'], ['database', '-3600'], ['database', '+0']])
  test(`the clock of ${who === 'database' ? 'the database' : `node ${who}`} jumps to ${offset} s`, async () => {
    const sessions = cluster.replicas.map((r) => r.session);
    const load = new Load({ bases: cluster.replicas.map((r) => r.url), secrets: [secret], bodies: [hello('scripted'), hello('scripted', { stream: true })], workers: 4, pauseMs: 20 });
    await eventually(() => load.answers.length > 6, 'calls to be answered');
    clocks[who].set(offset);
    const before = load.answers.length;
    await eventually(() => load.answers.length > before + 16, 'calls to be answered after the jump');
    const answers = await load.stop();
    await shows(who, Number(offset), answers);
    const odd = answers.filter((a) => a.status !== 200 || !a.whole);
    assert.equal(odd.length, 0, `${odd.length} of ${answers.length}: ${odd[0]?.status} ${odd[0]?.text}`);
    await cluster.recorded(answers.map((a) => a.id));
    sameBooks(cluster, answers);
    assert.deepEqual(cluster.replicas.map((r) => r.session), sessions, 'the sessions are the same');
    assert.deepEqual(cluster.sql(`SELECT * FROM node_session WHERE state = 'reaped'`), []);
    for (const a of answers) assert.ok(a.cost < 100_000n, `charged ${a.cost}`);
  }, { needs: needsFaketime });

test('a limit of 10 a minute is not more on nodes whose clocks are two hours apart', async () => {
  clocks.one.set('+3600');
  clocks.two.set('-3600');
  const minute = () => cluster.postgres.psql(`SELECT date_trunc('minute', clock_timestamp())`);
  let told, began;
  do { // within one minute of the database's clock
    began = minute();
    told = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(cluster.replicas[i % 2].url, limited, hello('scripted'))));
  } while (minute() !== began);
  const good = told.filter((t) => t.status === 200).length;
  assert.equal(good, 10, 'admitted of 30');
  for (const t of told.filter((x) => x.status !== 200)) assert.equal(t.status, 429, t.text);
  sameBooks(cluster, told);
}, { needs: needsFaketime });
