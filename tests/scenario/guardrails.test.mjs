// Guardrails: what is found in requests and answers, in every format, and what becomes of it and of the money.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { test, setup, eventually } from '../lib/story.mjs';
import { send, sse, chat, chunk, startUpstream } from '../lib/upstream.mjs';
import { startSpeaker, upstreams } from '../lib/speaker.mjs';
import { openaiChat, openaiResponses, anthropicMessages, googleGenai } from '../lib/clients.mjs';
import { installationOfFormats, call, settled, booksBalance, signUp, topUp, mintKey, mintManagementKey, installationKey, manage, served, addAccount, addModel, hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

let it, speaker, up, whole, flooded, serial = 0;
const clients = { openaiChat, openaiResponses, anthropicMessages, googleGenai };
// What the scripted model answers is what stands behind "say:", in pieces at the bars.
const script = (req, res, seen) => {
  if (req.url.endsWith('/transcriptions'))
    return seen.raw.includes('vtt') ? send(res, 200, 'WEBVTT\n\n00:00.000 --> 00:02.000\nAsk nat@example.com.\n', { 'content-type': 'text/vtt' })
      : send(res, 200, { text: 'Ask nat@example.com.', usage: { type: 'duration', seconds: 2 } });
  const text = [...JSON.stringify(seen.body.messages).matchAll(/say:([^"\\]*)/g)].at(-1)?.[1] ?? 'Hello there.';
  const pieces = text.split('|');
  return seen.body.stream
    ? sse(res, [chunk({ role: 'assistant', content: '' }), ...pieces.map((content) => chunk({ content })), chunk({}, 'stop')],
      { usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 } })
    : send(res, 200, chat(pieces.join('')));
};
const id = (res) => res.headers.get('x-tollgate-request-id');
const asking = (text, more = {}) => hello('plain', { messages: [{ role: 'user', content: text }], ...more });

// A team of its own whose rules stand before its key is used, so that nothing has to be waited for.
async function teamWith(...rules) {
  const owner = await signUp(it.server);
  await topUp(owner, 5);
  const ask = manage(it.server, await mintManagementKey(owner));
  for (const rule of rules) {
    const made = await ask('POST', '/guardrails', { where: ['request'], ...rule });
    assert.equal(made.status, 201, made.text);
  }
  const key = await mintKey(owner);
  await served(it.server, key, 'plain');
  return { owner, ask, key, post: (text, more, options) => call(it.server, key, asking(text, more), options) };
}

setup('providers of all formats, and one that says what it is told to', async () => {
  speaker = await startSpeaker();
  up = await startUpstream(script);
  it = await installationOfFormats(speaker, upstreams, {
    more: async (operator) => {
      const account = await addAccount(operator, up, { name: 'plain' });
      await addModel(operator, { name: 'plain', targets: [{ account, upstreamModel: 'up-1' }] });
      await addModel(operator, { name: 'listener', kind: 'transcription', prices: { second: '0.0001' }, targets: [{ account, upstreamModel: 'up-2' }] });
    },
  });
  whole = manage(it.server, await installationKey(it.operator));
});

// --- requests ---

test('a blocked request names the rule, reaches nobody and costs nothing, in the format of its client', async () => {
  const t = await teamWith({ name: 'no-cards', action: 'block', finds: ['card'] });
  up.seen.length = 0;
  const openai = new OpenAI({ apiKey: t.key, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
  const anthropic = new Anthropic({ apiKey: t.key, baseURL: it.server.url, maxRetries: 0 });
  const messages = [{ role: 'user', content: 'Charge 4111 1111 1111 1111.' }];
  const e = await openai.chat.completions.create({ model: 'plain', messages }).then(() => assert.fail('it was let through'), (error) => error);
  assert.deepEqual([e.status, e.code, e.type], [400, 'guardrail_blocked', 'invalid_request_error']);
  assert.match(e.message, /The guardrail `no-cards` does not let this request through\. Nothing was charged\./);
  const a = await anthropic.messages.create({ model: 'plain', max_tokens: 20, messages }).then(() => assert.fail('it was let through'), (error) => error);
  assert.deepEqual([a.status, a.error.error.type], [400, 'invalid_request_error']);
  assert.match(a.error.error.message, /`no-cards`/);
  const res = await t.post('Charge 4111 1111 1111 1111, or 5555555555554444.');
  const row = await settled(it.server, id(res));
  assert.deepEqual([row.status, row.outcome, row.error_code, row.guardrails, row.charge_nano, row.hold_nano, row.attempts, row.requested_model],
    [400, 'blocked', 'guardrail_blocked', 'no-cards=2', 0, 0, 0, 'plain']);
  assert.equal(up.seen.length, 0);
  assert.equal((await t.post('Charge nothing.')).status, 200);
});

test('what is redacted no provider sees: not in a prompt, a system text, a part, a call of a tool or its result', async () => {
  const t = await teamWith({ name: 'mail', action: 'redact', finds: ['email'] }, { name: 'falcon', action: 'redact', words: ['Project Falcon'] });
  for (const [name, client] of Object.entries(clients))
    for (const u of upstreams) {
      speaker.seen.length = 0;
      const c = client(it.server.url, t.key, `by-${u.format}`);
      const what = `${name} before ${u.format}`;
      assert.equal((await c.text('Write to alice@example.com of project falcon, é.')).text, 'Hello there.', what);
      assert.equal((await c.stream('Write to alice@example.com.')).text, 'Hello there.', what);
      await c.image('See alice@example.com.');
      const { calls } = await c.toolCalls('The weather in Paris?');
      await c.afterTools('The weather in bob@example.com?', calls.map((one) => ({ ...one, input: { city: 'carol@example.com' } })));
      assert.ok(speaker.seen.length >= 5, what);
      for (const seen of speaker.seen) assert.doesNotMatch(seen.raw, /example\.com|falcon/i, what);
      assert.match(speaker.seen[0].raw, /Write to \[EMAIL\] of \[REDACTED\], é\./, what);
      assert.match(speaker.seen.at(-1).raw, /\[EMAIL\] is sunny/, what);
    }
});

test('only what was found is replaced, behind escapes too, and the rest of the body is the client’s own bytes', async () => {
  const t = await teamWith({ name: 'mail', action: 'redact', finds: ['email', 'ip'] });
  up.seen.length = 0;
  const body = '{ "model":"plain",  "unknown": [1.50, "a\\u00e9"], "messages":[{"role":"user","content":"\\ud83d\\ude00 to d\\u0061ve\\u0040example.com\\nand 10.0.0.1"}] }';
  const res = await call(it.server, t.key, body);
  assert.equal(res.status, 200, res.text);
  assert.equal(res.headers.get('x-tollgate-guardrails'), 'mail=2');
  assert.match(up.seen[0].raw, /"unknown": \[1\.50, "a\\u00e9"\]/);
  assert.ok(up.seen[0].raw.includes('"content":"\\ud83d\\ude00 to [EMAIL]\\nand [IP]"'), up.seen[0].raw);
  const row = await settled(it.server, id(res));
  assert.deepEqual([row.outcome, row.guardrails], ['ok', 'mail=2']);
  assert.ok(row.charge_nano > 0);
  assert.doesNotMatch(JSON.stringify(row), /example\.com|10\.0\.0\.1/, 'what was found is written down');
});

test('log only lets it pass as it is; the log is filtered by it', async () => {
  const t = await teamWith({ name: 'watch', action: 'log', finds: ['email'], where: ['request', 'answer'] });
  up.seen.length = 0;
  const res = await t.post('To eve@example.com. say:For frank@example.com');
  assert.match(up.seen[0].raw, /eve@example\.com/);
  assert.match(res.text, /frank@example\.com/);
  assert.equal((await settled(it.server, id(res))).guardrails, 'watch=3');
  await settled(it.server, id(await t.post('Nothing.')));
  const found = async (by) => (await t.ask('GET', `/calls?guardrail=${by}`)).json.data.map((c) => c.call_id);
  assert.deepEqual(await found('watch'), [id(res)]);
  assert.deepEqual(await found('any'), [id(res)]);
  assert.deepEqual(await found('wat'), []);
  const page = await t.owner.get('/log?guardrail=watch');
  assert.ok(page.body.includes(id(res)));
  assert.match((await t.owner.get(`/log/${id(res)}`)).text, /Guardrails\s*watch=3/);
});

// --- answers ---

test('an answer is redacted, plain and streamed, wherever the stream was cut', async () => {
  const t = await teamWith({ name: 'out', action: 'redact', finds: ['email'], where: ['answer'] });
  const plain = await t.post('say:Ask gina@example.com, please.');
  assert.equal(plain.json.choices[0].message.content, 'Ask [EMAIL], please.');
  assert.equal(plain.headers.get('x-tollgate-guardrails'), 'out=1');
  const said = 'say:Ask gi|na|@exam|ple.com|, please.';
  const { key } = t;
  for (const [name, client] of Object.entries({ openaiChat, anthropicMessages, googleGenai })) {
    const got = await client(it.server.url, key, 'plain').stream(said);
    assert.equal(got.text, 'Ask [EMAIL], please.', name);
    assert.deepEqual(got.usage, { input: 9, output: 3 }, name);
  }
  const stream = await t.post(said, { stream: true, stream_options: { include_usage: true } });
  assert.ok(stream.text.endsWith('data: [DONE]\n\n'));
  assert.match(stream.text, /"cost":0\.000015/);
  const row = await settled(it.server, id(stream));
  assert.deepEqual([row.status, row.outcome, row.guardrails, row.charge_nano], [200, 'ok', 'out=1', 15000]);
});

test('an answer that is blocked is kept back and charged, plain and streamed', async () => {
  const t = await teamWith({ name: 'keep-in', action: 'block', patterns: ['\\bEMP-\\d{6}\\b'], where: ['answer'] });
  const plain = await t.post('say:It is EMP-123456.');
  assert.deepEqual([plain.status, plain.json.error.code], [400, 'guardrail_blocked']);
  assert.match(plain.json.error.message, /`keep-in` does not let this answer through\. The answer was made and is charged\./);
  const row = await settled(it.server, id(plain));
  assert.deepEqual([row.status, row.outcome, row.guardrails, row.charge_nano, row.attempts], [400, 'blocked', 'keep-in=1', 15000, 1]);
  const stream = await t.post('say:It is EMP-|123|456.', { stream: true });
  assert.equal(stream.status, 200);
  assert.doesNotMatch(stream.text, /EMP|"delta"/);
  assert.match(stream.text, /"code":"guardrail_blocked"/);
  const streamed = await settled(it.server, id(stream));
  assert.deepEqual([streamed.status, streamed.outcome, streamed.guardrails, streamed.error_code, streamed.charge_nano],
    [200, 'blocked', 'keep-in=1', 'guardrail_blocked', 15000]);
  const openai = new OpenAI({ apiKey: t.key, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
  const e = await openai.chat.completions.create({ ...asking('say:EMP-12|3456'), stream: true })
    .then(async (events) => { for await (const event of events) assert.ok(!event.choices?.length); })
    .then(() => assert.fail('it was let through'), (error) => error);
  assert.equal(e.code, 'guardrail_blocked');
  const anthropic = new Anthropic({ apiKey: t.key, baseURL: it.server.url, maxRetries: 0 });
  const a = await anthropic.messages.stream({ model: 'plain', max_tokens: 20, messages: [{ role: 'user', content: 'say:EMP-12|3456' }] }).finalMessage()
    .then(() => assert.fail('it was let through'), (error) => error);
  assert.match(a.message, /keep-in/);
  assert.equal((await t.post('say:EMP-12345', { stream: true })).text.match(/EMP-12345/g).length, 1);
});

test('rules that only log leave a stream as it comes, and still see all of it', async () => {
  const t = await teamWith({ name: 'seen', action: 'log', finds: ['email'], where: ['answer'] });
  const stream = await t.post('say:Ask hal@ex|ample.com', { stream: true });
  assert.match(stream.text, /"content":"Ask hal@ex"/);
  assert.equal((await settled(it.server, id(stream))).guardrails, 'seen=1');
});

test('a stream that breaks off shows nothing that it may not', async () => {
  const t = await teamWith({ name: 'out', action: 'redact', finds: ['email'], where: ['answer'] });
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const content of ['Ask ina@exam', 'ple.com, and']) res.write(`data: ${JSON.stringify(chunk({ content }))}\n\n`);
    setTimeout(() => res.destroy(), 50);
  };
  const res = await t.post('Break off.', { stream: true });
  up.script = script;
  assert.match(res.text, /Ask \[EMAIL\]/);
  assert.doesNotMatch(res.text, /ina@|ple\.com/);
  assert.match(res.text, /"error"/);
  const row = await settled(it.server, id(res));
  assert.deepEqual([row.outcome, row.guardrails], ['cut', 'out=1']);
});

// --- which keys ---

test('a rule may be for one key or one project, and a change holds from the next request on', async () => {
  const t = await teamWith();
  const other = await mintKey(t.owner, { name: 'other one' });
  await served(it.server, other, 'plain');
  const keys = (await t.ask('GET', '/keys')).json.data;
  const of = keys.find((k) => k.name === 'other one').id;
  const rule = (await t.ask('POST', '/guardrails', { name: 'one', action: 'block', where: ['request'], words: ['secret'], key_id: of })).json;
  const post = (key) => call(it.server, key, asking('The Secret.')).then((r) => r.status);
  await eventually(async () => await post(other) === 400, 'the rule to hold');
  assert.equal(await post(t.key), 200);
  await t.owner.submit('/settings', /\/settings\/projects$/, { name: 'Shop' });
  const [{ id: project }] = it.server.sql(`SELECT p.id FROM project p JOIN team t ON t.id = p.team_id WHERE t.name = '${t.owner.team}' AND p.name = 'Shop'`);
  const inShop = await mintKey(t.owner, { project: String(project) });
  assert.equal((await t.ask('PATCH', `/guardrails/${rule.id}`, { key_id: null, project_id: project })).json.project_id, project);
  await eventually(async () => await post(inShop) === 400 && await post(other) === 200, 'the rule to hold for the project only');
  assert.equal((await t.ask('PATCH', `/guardrails/${rule.id}`, { project_id: null })).json.project_id, null);
  await eventually(async () => await post(t.key) === 400, 'the rule to hold for all');
  await t.ask('PATCH', `/guardrails/${rule.id}`, { disabled: true });
  await eventually(async () => await post(t.key) === 200, 'the rule to be off');
  assert.equal((await t.ask('DELETE', `/guardrails/${rule.id}`)).status, 200);
  assert.equal((await t.ask('PATCH', `/guardrails/${rule.id}`, { disabled: true })).status, 404);
  const log = it.server.sql("SELECT action FROM audit WHERE object = 'guardrail:" + rule.id + "' ORDER BY id").map((a) => a.action);
  assert.deepEqual(log, ['guardrail.create', 'guardrail.change', 'guardrail.change', 'guardrail.change', 'guardrail.drop']);
});

test('the installation’s rules hold for every team, which sees them and cannot change them', async () => {
  const t = await teamWith({ name: 'own', action: 'log', finds: ['ip'] });
  const made = await whole('POST', '/guardrails', { name: 'house', action: 'block', where: ['request'], words: ['xyzzy'] });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.json.team_id, null);
  await eventually(async () => (await t.post('Say xyzzy.')).status === 400, 'the rule to hold');
  const list = (await t.ask('GET', '/guardrails')).json.data;
  assert.deepEqual(list.map((g) => [g.name, g.team_id === null]), [['house', true], ['own', false]]);
  for (const [method, body] of [['PATCH', { disabled: true }], ['DELETE', undefined]])
    assert.equal((await t.ask(method, `/guardrails/${made.json.id}`, body)).status, 404);
  const page = await t.owner.get('/guardrails');
  assert.match(page.text, /house\s+Blocks/);
  assert.ok(!page.body.includes(`/guardrails/${made.json.id}/drop`));
  assert.match((await it.operator.get('/operator/guardrails')).text, /house\s+Blocks/);
  assert.equal((await whole('PATCH', `/guardrails/${made.json.id}`, { disabled: true })).status, 200);
  await eventually(async () => (await t.post('Say xyzzy.')).status === 200, 'the rule to be off');
});

test('another team’s rules are nobody else’s', async () => {
  const [a, b] = [await teamWith({ name: 'mine', action: 'block', words: ['plugh'] }), await teamWith()];
  assert.equal((await a.post('plugh')).status, 400);
  assert.equal((await b.post('plugh')).status, 200);
  const [rule] = (await a.ask('GET', '/guardrails')).json.data;
  assert.deepEqual((await b.ask('GET', '/guardrails')).json.data.map((g) => g.name).filter((n) => n === 'mine'), []);
  assert.equal((await b.ask('DELETE', `/guardrails/${rule.id}`)).status, 404);
});

test('a rule that cannot be is refused by field, and whoever may not change rules cannot', async () => {
  const t = await teamWith({ name: 'taken', action: 'log', finds: ['ip'] });
  const good = { name: 'x', action: 'block', where: ['request'], finds: ['email'] };
  for (const [wrong, field, says] of [
    [{ name: 'a=b' }, 'name', /letters, digits/], [{ name: 'Taken' }, 'name', /already/], [{ action: 'warn' }, 'action', /log, redact or block/],
    [{ where: [] }, 'where', /./], [{ where: ['prompt'] }, 'where', /request or answer/], [{ finds: ['phone'] }, 'finds', /email, card/], [{ finds: [] }, 'finds', /what it looks for/],
    [{ patterns: ['(a'] }, 'patterns', /`\(a`: At character 2: missing closing parenthesis/], [{ patterns: ['(a+)+[bc]\\d'] }, 'patterns', /takes too long/],
    [{ patterns: ['x*'] }, 'patterns', /nothing at all/], [{ words: ['a\nb'] }, 'words', /one line/], [{ words: Array(101).fill('w') }, 'words', /100/],
    [{ key_id: 999999 }, 'key_id', /no such key/], [{ project_id: 999999 }, 'project_id', /no such project/],
  ]) {
    const res = await t.ask('POST', '/guardrails', { ...good, ...wrong });
    assert.equal(res.status, 400, JSON.stringify(wrong));
    assert.equal(res.json.error.param, field, res.text);
    assert.match(res.json.error.message, says);
  }
  assert.equal((await t.ask('GET', '/guardrails')).json.data.filter((g) => g.name === 'x').length, 0);
  const viewer = manage(it.server, await mintManagementKey(t.owner, 'viewer'));
  const [rule] = (await viewer('GET', '/guardrails')).json.data.filter((g) => g.name === 'taken');
  for (const [method, path, body] of [['POST', '/guardrails', good], ['PATCH', `/guardrails/${rule.id}`, { disabled: true }], ['DELETE', `/guardrails/${rule.id}`]])
    assert.equal((await viewer(method, path, body)).status, 403, method);
});

// --- beside other things ---

test('a kept conversation has what the provider saw and the client got, and is looked through anew when it goes on', async () => {
  const t = await teamWith({ name: 'mail', action: 'redact', finds: ['email'], where: ['request', 'answer'] });
  await t.owner.submit('/settings', /\/settings\/responses$/, { response_days: '3' });
  const openai = new OpenAI({ apiKey: t.key, baseURL: `${it.server.url}/v1`, maxRetries: 0 });
  const create = (input, more = {}) => openai.responses.create({ model: 'plain', max_output_tokens: 50, store: true, input, ...more });
  const first = await eventually(() => create('I am lea@example.com, of the zebra. say:Ask mo@example.com').catch(() => undefined), 'the setting to hold');
  assert.equal(first.output_text, 'Ask [EMAIL]');
  assert.equal((await openai.responses.retrieve(first.id)).output_text ?? JSON.stringify(first.output), first.output_text);
  const items = [];
  for await (const item of openai.responses.inputItems.list(first.id)) items.push(JSON.stringify(item));
  assert.match(items.join(), /I am \[EMAIL\], of the zebra/);
  const events = [];
  for await (const e of await create('say:Now |oli@exam|ple.com', { stream: true, previous_response_id: first.id })) events.push(e);
  const last = events.at(-1).response;
  const said = events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
  assert.deepEqual([said, last.output[0].content[0].text], ['Now [EMAIL]', 'Now [EMAIL]']);
  assert.match(JSON.stringify(await openai.responses.retrieve(last.id)), /Now \[EMAIL\]/);
  assert.doesNotMatch(JSON.stringify([events, up.seen.slice(-2).map((s) => s.raw)]), /example\.com/);
  await t.ask('POST', '/guardrails', { name: 'zebra', action: 'block', where: ['request'], words: ['zebra'] });
  const e = await eventually(() => create('And?', { previous_response_id: first.id }).then(() => undefined, (error) => error), 'the rule to hold');
  assert.equal(e.code, 'guardrail_blocked');
});

test('the fields of a form are texts, and so is a transcription, as JSON or not', async () => {
  const t = await teamWith({ name: 'mail', action: 'redact', finds: ['email'], where: ['request', 'answer'] });
  const post = async (fields) => {
    const form = new FormData();
    for (const [k, v] of Object.entries({ model: 'listener', prompt: 'With pia@example.com.', ...fields })) form.append(k, v);
    form.append('file', new Blob(['RIFF of quinn@example.com']), 'words.wav');
    const res = await fetch(`${it.server.url}/v1/audio/transcriptions`, { method: 'POST', headers: { authorization: `Bearer ${t.key}` }, body: form });
    return { res, text: await res.text() };
  };
  await served(it.server, t.key, 'listener');
  for (const format of ['json', 'vtt']) {
    up.seen.length = 0;
    const { res, text } = await post({ response_format: format });
    assert.equal(res.status, 200, text);
    assert.match(text, /Ask \[EMAIL\]\./);
    assert.match(up.seen[0].raw, /With \[EMAIL\]\./);
    assert.match(up.seen[0].raw, /RIFF of quinn@example\.com/, 'a file is no text');
    assert.equal(res.headers.get('x-tollgate-guardrails'), 'mail=2');
  }
});

test('a prompt is not sent anywhere to be counted', async () => {
  const t = flooded = await teamWith({ name: 'mail', action: 'redact', finds: ['email'] }, { name: 'flood', action: 'block', words: ['flood'] });
  speaker.seen.length = 0;
  const res = await call(it.server, t.key, { model: 'by-anthropic', messages: [{ role: 'user', content: 'To jo@example.com' }] }, { path: '/v1/messages/count_tokens' });
  assert.equal(res.status, 200, res.text);
  assert.ok(res.json.input_tokens > 0);
  assert.equal(speaker.seen.length, 0);
});

test('kept answers are told apart by the rules that they came through', async () => {
  const t = await teamWith();
  const cached = (name) => mintKey(t.owner, { name, cache_seconds: '600' });
  const [plain, guarded] = [await cached('as it is'), await cached('guarded')];
  const of = (await t.ask('GET', '/keys')).json.data.find((k) => k.name === 'guarded').id;
  await t.ask('POST', '/guardrails', { name: 'out', action: 'redact', where: ['answer'], finds: ['email'], key_id: of });
  await served(it.server, plain, 'plain');
  await served(it.server, guarded, 'plain');
  const post = (key) => call(it.server, key, asking(`say:Ask kim@example.com ${++serial && 'now'}`));
  const seen = async (key) => { const r = await post(key); return [r.headers.get('x-tollgate-cache'), r.json.choices[0].message.content]; };
  assert.deepEqual(await seen(plain), ['miss', 'Ask kim@example.com now']);
  assert.deepEqual(await seen(plain), ['hit', 'Ask kim@example.com now']);
  assert.deepEqual(await seen(guarded), ['miss', 'Ask [EMAIL] now']);
  assert.deepEqual(await seen(guarded), ['hit', 'Ask [EMAIL] now']);
});

test('many blocked requests of one second are a few rows that say which rule it was', async () => {
  const t = flooded;
  const all = await Promise.all(Array.from({ length: 120 }, () => t.post('flood')));
  assert.ok(all.every((r) => r.status === 400));
  const [{ id: team }] = it.server.sql(`SELECT id FROM team WHERE name = '${t.owner.team}'`);
  const rows = () => it.server.sql(`SELECT guardrails, sum(repeat)::int AS n FROM call WHERE team_id = ${team} GROUP BY 1`);
  await eventually(() => rows()[0]?.n === 120, 'all of them on the record');
  assert.deepEqual(rows(), [{ guardrails: 'flood=1', n: 120 }]);
});

test('what was found is counted', async () => {
  const text = await (await fetch(`${it.server.url}/metrics`)).text();
  for (const action of ['log', 'redact', 'block'])
    assert.match(text, new RegExp(`tollgate_guardrail_findings_total\\{action="${action}"\\} [1-9]`), action);
});

test('the books balance', async () => {
  await it.server.allSettled();
  booksBalance(it.server);
  sameBooks(it.server);
});
