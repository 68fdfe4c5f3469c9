// An upstream that gives more than it was allowed: the hold of its stream grows as long as there is
// money for it, then the stream is cut.
import assert from 'node:assert/strict';
import { test, setup, eventually, sleep } from '../lib/story.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { standardInstallation, addAccount, addModel, served, call, settled, attemptsOf, booksBalance, mintKey, signUp, topUp } from '../lib/installation.mjs';
import { RawClient } from '../lib/raw.mjs';

const messages = [{ role: 'user', content: 'Say a lot.' }];
const inputTokens = Math.ceil(JSON.stringify(messages).length / 4);
// $1,000 per million tokens of output: a token is a tenth of a cent, and a text of 400 bytes ten cents.
const tokenNano = 1_000_000;
const piece = 'x'.repeat(400);
const pieceNano = 100 * tokenNano;

let it, up, poor, poorKey;
setup('a dear model, a team with much and one with two dollars', async () => {
  up = await startUpstream();
  it = await standardInstallation([up], { balance: 100 });
  const account = await addAccount(it.operator, up, { name: 'dear' });
  await addModel(it.operator, { name: 'dear', input: '1', output: '1000', targets: [{ account }] });
  await served(it.server, it.key, 'dear');
  poor = await signUp(it.server);
  await topUp(poor, 2);
  poorKey = await mintKey(poor);
});

const event = (e) => `data: ${JSON.stringify(e)}\n\n`;
const babble = (n, { pause = 15 } = {}) => async (req, res) => {
  let gone = false;
  res.on('close', () => { gone = true; });
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < n && !gone; i++) {
    res.write(event(chunk({ content: piece })));
    await sleep(pause);
  }
  up.given = !gone;
  if (!gone) res.end(`${event(chunk({}, 'stop'))}data: [DONE]\n\n`);
};
const ask = (key, more = {}) => call(it.server, key, { model: 'dear', messages, max_tokens: 50, stream: true, ...more });
const events = (text) => text.split('\n\n').filter((e) => e.startsWith('data: {')).map((e) => JSON.parse(e.slice(6)));
const balance = (team) => Number(it.server.sql(`SELECT (credits_nano - debits_nano)::text AS n FROM account
  WHERE kind = 'wallet' AND team_id = (SELECT id FROM team WHERE name = '${team}')`)[0].n);

test('with money there the hold grows, and nothing is cut', async () => {
  up.script = babble(40);
  const res = await ask(it.key);
  assert.equal(res.status, 200);
  assert.match(res.text, /data: \[DONE\]/);
  assert.equal(events(res.text).filter((e) => e.choices[0].delta.content === piece).length, 40);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.outcome, 'ok');
  assert.equal(row.basis, 'counted');
  assert.equal(row.charge_nano, inputTokens * 1000 + 40 * pieceNano);
  assert.ok(row.hold_nano > 50 * tokenNano + 10 * pieceNano, `the hold has grown: ${row.hold_nano}`);
  booksBalance(it.server);
});

test('without it the stream ends as one that has met its length, with an error behind', async () => {
  const before = balance(poor.team);
  up.given = undefined;
  up.script = babble(200, { pause: 60 }); // what is asked of the database is answered long before thirty more
  const res = await ask(poorKey);
  assert.equal(res.status, 200);
  assert.ok(!res.text.includes('[DONE]'));
  const all = events(res.text);
  const stop = all.at(-2), { error, tollgate } = all.at(-1);
  assert.equal(stop.object, 'chat.completion.chunk');
  assert.equal(stop.id, 'chatcmpl-1');
  assert.deepEqual(stop.choices, [{ index: 0, delta: {}, finish_reason: 'length' }]);
  assert.deepEqual([typeof error.message, error.type, error.param, error.code], ['string', 'insufficient_quota', null, 'balance_exhausted']);
  assert.equal(tollgate.quota_source, 'prepaid_balance');
  const id = res.headers.get('x-tollgate-request-id');
  const row = await settled(it.server, id);
  assert.equal(row.outcome, 'cut');
  assert.equal(row.finish_reason, 'length');
  assert.equal(row.error_code, 'balance_exhausted');
  assert.equal(row.quota_source, 'prepaid_balance');
  assert.equal(attemptsOf(it.server, id)[0].reason, 'balance_exhausted');
  const pieces = all.filter((e) => e.choices?.[0]?.delta?.content).length;
  assert.equal(row.charge_nano, inputTokens * 1000 + pieces * pieceNano, 'what was delivered is what is charged');
  // The money there was is used but for less than one look's worth, and little more than it.
  assert.ok(row.charge_nano > before - 3 * pieceNano, `${row.charge_nano} of ${before}`);
  assert.ok(row.charge_nano <= before + 30 * pieceNano, `${row.charge_nano} of ${before}`);
  await eventually(() => up.given === false, 'the upstream to be left');
  booksBalance(it.server);
});

test('a key\'s budget ends a stream as the balance does', async () => {
  const key = await mintKey(it.owner, { budget: '0.5', budget_window: 'month' });
  up.script = babble(200, { pause: 60 });
  const res = await ask(key);
  const { error, tollgate } = events(res.text).at(-1);
  assert.equal(error.code, 'balance_exhausted');
  assert.equal(tollgate.quota_source, 'app_key');
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.quota_source, 'app_key');
  assert.ok(row.charge_nano <= 500_000_000 + 30 * pieceNano, String(row.charge_nano));
});

// Of a provider of another format: the stop reason of each client's own, what is open closed, and the error behind.
const named = (text) => text.split(/\r?\n\r?\n/).filter((e) => /^data: \{/m.test(e)).map((e) => JSON.parse(e.match(/^data: (.*)$/m)[1]));
const cutFor = async (path, body) => {
  const key = await mintKey(it.owner, { budget: '0.5', budget_window: 'month' });
  up.script = babble(200, { pause: 60 });
  const res = await call(it.server, key, body, { path });
  assert.equal(res.status, 200, res.text);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.deepEqual([row.outcome, row.finish_reason], ['cut', 'length']);
  return named(res.text);
};

test('a client of Anthropic’s format hears of max_tokens, and then of the error', async () => {
  const all = await cutFor('/v1/messages', { model: 'dear', messages, max_tokens: 50, stream: true });
  assert.deepEqual(all.slice(-3).map((e) => e.type), ['content_block_stop', 'message_delta', 'error']);
  assert.deepEqual(all.at(-2).delta, { stop_reason: 'max_tokens', stop_sequence: null });
  assert.equal(typeof all.at(-2).usage.output_tokens, 'number');
  assert.ok(!all.some((e) => e.type === 'message_stop'));
});

test('one of the Responses format of an incomplete response with all that was said', async () => {
  const all = await cutFor('/v1/responses', { model: 'dear', input: 'Say a lot.', max_output_tokens: 50, stream: true });
  assert.deepEqual(all.slice(-3).map((e) => e.type), ['response.output_item.done', 'response.incomplete', 'error']);
  const { response } = all.at(-2);
  assert.deepEqual([response.status, response.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }]);
  const said = all.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
  assert.equal(response.output[0].content[0].text, said);
  assert.ok(said.length >= piece.length);
});

test('one of Google’s format of MAX_TOKENS', async () => {
  const all = await cutFor('/v1beta/models/dear:streamGenerateContent?alt=sse', { contents: [{ role: 'user', parts: [{ text: 'Say a lot.' }] }], generationConfig: { maxOutputTokens: 50 } });
  assert.deepEqual(all.at(-2).candidates.map((c) => [c.index, c.finishReason]), [[0, 'MAX_TOKENS']]);
  assert.ok(all.at(-2).usageMetadata);
  assert.equal(all.at(-1).error.status, 'FAILED_PRECONDITION');
});

test('a client that leaves while the hold is to grow is settled all the same', async () => {
  const purses = `SELECT id FROM purse WHERE team_id = (SELECT id FROM team WHERE name = '${it.owner.team}') FOR UPDATE`;
  for (let round = 0; round < 3; round++) {
    const [{ n }] = it.server.sql(`SELECT count(*) AS n FROM call WHERE outcome = 'client_gone'`);
    up.script = babble(100000, { pause: 5 });
    const client = new RawClient(it.server).ask(it.key, { model: 'dear', messages, max_tokens: 50, stream: true });
    await client.until(piece);
    const locked = it.server.psqlMeanwhile(`BEGIN; ${purses}; SELECT pg_sleep(0.5); COMMIT`);
    await sleep(100 + 150 * round);
    client.leave();
    await locked;
    const rows = await eventually(() => {
      const gone = it.server.sql(`SELECT * FROM call WHERE outcome = 'client_gone' ORDER BY call_id`);
      return gone.length > n && gone;
    }, 'the call on record');
    assert.equal(rows.at(-1).basis, 'counted');
    assert.ok(rows.at(-1).charge_nano > 0);
  }
  booksBalance(it.server);
});

test('and calls go on as before', async () => {
  up.script = (req, res, seen) => (seen.body.stream ? sse(res, [chunk({ content: 'ok' }, 'stop')]) : send(res, 200, chat('ok')));
  assert.equal((await ask(it.key)).status, 200);
  assert.equal((await ask(it.key, { stream: undefined })).status, 200);
  booksBalance(it.server);
});
