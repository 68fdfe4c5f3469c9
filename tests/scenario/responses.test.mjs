// The state of OpenAI's Responses API: what is kept for a team's clients, and calls that go on from it,
// with the official library before an upstream of the same format and one of chat completions.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { test, setup, eventually } from '../lib/story.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { needsSchema, isOpenAI } from '../lib/openai_schema.mjs';
import { standardInstallation, call, settled, booksBalance, addAccount, addModel, mintKey, served, signUp, topUp, mintManagementKey, manage } from '../lib/installation.mjs';

let it, up, client, other, serial = 0;
const make = (apiKey, path = '/v1') => new OpenAI({ apiKey, baseURL: it.server.url + path, maxRetries: 0 });
const fails = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};
const user = (text) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const said = (response) => response.output.filter((i) => i.type === 'message').map((i) => i.content[0].text).join('');
const keep = (days) => it.owner.submit('/settings', /\/settings\/responses$/, { response_days: String(days) });
const asked = () => up.seen.at(-1).body;
const ask = (input, more = {}) => ({ model: 'native', input, max_output_tokens: 50, ...more });

// --- the upstream: it says what it was told last ---

const texts = (item) => (typeof item.content === 'string' ? item.content : (item.content ?? []).map((p) => p.text).join(''));
const words = (items) => `I was told ${items.length} things, at last: ${texts(items.at(-1)) || items.at(-1).output}.`;
const usage = { input_tokens: 9, input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 }, output_tokens: 3, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 12 };

function object(body, output, status = 'completed') {
  const done = status !== 'in_progress';
  return {
    id: `resp_up${serial}`, object: 'response', created_at: 1700000000, status, background: false, error: null, incomplete_details: null,
    instructions: body.instructions ?? null, max_output_tokens: body.max_output_tokens ?? null, model: 'scripted-1', output: done ? output : [],
    parallel_tool_calls: true, previous_response_id: null, reasoning: { effort: null, summary: null }, store: false, temperature: 1,
    text: { format: { type: 'text' } }, tool_choice: 'auto', tools: body.tools ?? [], top_p: 1, truncation: 'disabled',
    ...(done && { usage }), metadata: {},
  };
}

function native(res, body) {
  const items = typeof body.input === 'string' ? [user(body.input)] : body.input;
  const id = `msg_up${++serial}`, text = words(items);
  const message = { id, type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text, annotations: [], logprobs: [] }] };
  const output = body.tools && items.at(-1).type !== 'function_call_output'
    ? [{ id: `rs_up${serial}`, type: 'reasoning', summary: [] }, { id: `fc_up${serial}`, type: 'function_call', status: 'completed', call_id: `call_${serial}`, name: body.tools[0].name, arguments: '{}' }]
    : [message];
  if (!body.stream) return send(res, 200, object(body, output));
  let n = 0;
  const event = (type, rest) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: n++, ...rest })}\n\n`);
  const place = { item_id: id, output_index: 0, content_index: 0 };
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  event('response.created', { response: object(body, output, 'in_progress') });
  event('response.in_progress', { response: object(body, output, 'in_progress') });
  event('response.output_item.added', { output_index: 0, item: { ...message, status: 'in_progress', content: [] } });
  event('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [], logprobs: [] } });
  for (const delta of text.match(/.{1,9}/g)) event('response.output_text.delta', { ...place, delta, logprobs: [] });
  event('response.output_text.done', { ...place, text, logprobs: [] });
  event('response.content_part.done', { ...place, part: message.content[0] });
  event('response.output_item.done', { output_index: 0, item: message });
  event('response.completed', { response: object(body, output) });
  return res.end();
}

function chats(res, body) {
  const text = words(body.messages);
  if (!body.stream) return send(res, 200, chat(text));
  return sse(res, [chunk({ role: 'assistant', content: '' }), ...text.match(/.{1,9}/g).map((content) => chunk({ content })), chunk({}, 'stop')],
    { usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 } });
}

setup('a team before an upstream of the same format and one of chat completions', async () => {
  up = await startUpstream((req, res, seen) => (req.url.endsWith('/responses') ? native(res, seen.body) : chats(res, seen.body)));
  it = await standardInstallation([up]);
  const account = await addAccount(it.operator, up, { kind: 'openai', name: 'native' });
  await addModel(it.operator, { name: 'native', targets: [{ account, upstreamModel: 'scripted-1' }] });
  await served(it.server, it.key, 'native');
  client = make(it.key);
  const stranger = await signUp(it.server);
  await topUp(stranger, 5);
  await stranger.submit('/settings', /\/settings\/responses$/, { response_days: '3' });
  other = make(await mintKey(stranger));
});

// --- off ---

test('nothing is kept where the team has not said so', async () => {
  const made = await client.responses.create(ask('Hello'));
  assert.equal(said(made), 'I was told 1 things, at last: Hello.');
  assert.equal(asked().store, false);
  assert.equal(made.store, false);
  const error = await fails(client.responses.retrieve(made.id));
  assert.equal(error.status, 404);
  assert.equal(error.type, 'invalid_request_error');
  assert.equal(error.message, `404 Response with id '${made.id}' not found.`);
});

test('and what needs it is refused by name, before anything is sent or charged', async () => {
  up.seen.length = 0;
  for (const [param, value] of [['store', true], ['previous_response_id', 'resp_up1']]) {
    const error = await fails(client.responses.create(ask('Hello', { [param]: value })));
    assert.equal(error.status, 400);
    assert.equal(error.param, param);
    assert.equal(error.code, 'responses_not_kept');
    assert.match(error.message, /keeps no responses/);
    const row = await settled(it.server, error.headers.get('x-tollgate-request-id'));
    assert.equal(row.charge_nano, 0);
    assert.equal(row.requested_model, 'native');
    assert.equal(row.error_code, 'responses_not_kept');
  }
  assert.equal(up.seen.length, 0);
});

test('what is not done here is refused by name', async () => {
  for (const [param, value] of [['background', true], ['conversation', 'conv_1'], ['prompt', { id: 'pmpt_1' }]]) {
    const error = await fails(client.responses.create(ask('Hello', { [param]: value })));
    assert.equal(error.status, 400);
    assert.equal(error.param, param);
    assert.equal(error.code, 'unsupported_parameter');
  }
  for (const [param, value] of [['background', 'no'], ['store', 1], ['previous_response_id', 7]]) {
    const error = await fails(client.responses.create(ask('Hello', { [param]: value })));
    assert.equal(error.status, 400);
    assert.equal(error.param, param);
    assert.equal(error.code, 'invalid_value');
  }
  assert.equal(up.seen.length, 0);
});

// --- on ---

test('an admin turns it on, on the page or by the API, and it is on the audit log', async () => {
  assert.match((await keep(31)).text, /At most 30/);
  assert.equal((await keep(7)).status, 200);
  const team = manage(it.server, await mintManagementKey(it.owner));
  const [{ id, response_days }] = (await team('GET', '/teams')).json.data;
  assert.equal(response_days, 7);
  assert.equal((await team('PATCH', `/teams/${id}`, { response_days: 31 })).status, 400);
  assert.equal((await team('PATCH', `/teams/${id}`, { response_days: 8 })).json.response_days, 8);
  const changes = it.server.sql(`SELECT (before->>'response_days')::int AS was, (after->>'response_days')::int AS is FROM audit
    WHERE action = 'team.update' AND team_id = ${id} ORDER BY id`);
  assert.deepEqual(changes, [{ was: 0, is: 7 }, { was: 7, is: 8 }]);
  await eventually(() => client.responses.create(ask('Hello', { store: true })).then(() => true, () => false), 'the setting to be known');
});

let first, second, third;
test('an answer is kept as the client got it', async () => {
  const { data, response } = await client.responses.create(ask('Hello', { instructions: 'Be brief.' })).withResponse();
  first = data;
  assert.equal(asked().store, false);
  assert.equal(asked().input, 'Hello');
  assert.equal(first.store, true);
  assert.equal(first.previous_response_id, null);
  assert.ok(first.usage.cost > 0);
  const raw = await client.responses.retrieve(first.id).asResponse();
  assert.deepEqual(JSON.parse(await raw.text()), JSON.parse(JSON.stringify(first, (k, v) => (k === 'output_text' ? undefined : v))));
  const [row] = it.server.sql(`SELECT model, call_id::text AS call, extract(epoch FROM expires_at - created_at)::int AS seconds FROM stored_response WHERE id = '${first.id}'`);
  assert.equal(row.model, 'native');
  assert.equal(row.seconds, 8 * 86400);
  assert.equal(row.call.replaceAll('-', ''), response.headers.get('x-tollgate-request-id').replace('call_', ''));
});

test('a call goes on from it: the provider is told the whole conversation, and the hold covers it', async () => {
  const { data, response } = await client.responses.create(ask('And now?', { previous_response_id: first.id })).withResponse();
  second = data;
  assert.deepEqual(asked().input.map((i) => [i.role, texts(i)]), [['user', 'Hello'], ['assistant', said(first)], ['user', 'And now?']]);
  assert.equal(asked().previous_response_id, undefined);
  assert.equal(asked().instructions, undefined);
  assert.equal(asked().store, false);
  assert.equal(second.previous_response_id, first.id);
  const alone = await client.responses.create(ask('And now?')).withResponse();
  const held = async (r) => (await settled(it.server, r.headers.get('x-tollgate-request-id'))).hold_nano;
  assert.ok(await held(response) > await held(alone.response));
});

test('the third of the chain streams, and its last event is what is kept', async () => {
  const events = [];
  for await (const e of await client.responses.create(ask([user('Well?')], { previous_response_id: second.id, stream: true }))) events.push(e);
  assert.equal(asked().input.length, 5);
  const created = events.find((e) => e.type === 'response.created').response;
  assert.equal(created.previous_response_id, second.id);
  assert.equal(created.store, true);
  third = events.at(-1).response;
  assert.equal(events.at(-1).type, 'response.completed');
  assert.equal(created.id, third.id);
  assert.equal(events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join(''), said(third));
  assert.deepEqual((await client.responses.retrieve(third.id)).output, third.output);
  assert.deepEqual((await client.responses.retrieve(third.id)).usage, third.usage);
  assert.equal(third.previous_response_id, second.id);
  assert.equal(third.store, true);
});

test('a chain does not need what stood in it', async () => {
  await client.responses.delete(second.id);
  assert.equal((await fails(client.responses.retrieve(second.id))).status, 404);
  assert.equal((await fails(client.responses.delete(second.id))).status, 404);
  const gone = await fails(client.responses.create(ask('x', { previous_response_id: second.id })));
  assert.equal(gone.status, 400);
  assert.equal(gone.param, 'previous_response_id');
  assert.equal(gone.code, 'previous_response_not_found');
  assert.equal(gone.type, 'invalid_request_error');
  assert.equal(gone.message, `400 Previous response with id '${second.id}' not found.`);
  await client.responses.create(ask('Still?', { previous_response_id: third.id }));
  assert.equal(asked().input.length, 7);
});

test('deleting says so in OpenAI’s words', async () => {
  const made = await client.responses.create(ask('Hello'));
  const res = await fetch(`${it.server.url}/v1/responses/${made.id}`, { method: 'DELETE', headers: { authorization: `Bearer ${it.key}` } });
  assert.deepEqual(await res.json(), { id: made.id, object: 'response', deleted: true });
});

test('its input items are listed, in pages and both orders', async () => {
  const items = async (query) => {
    const all = [];
    for await (const item of client.responses.inputItems.list(third.id, query)) all.push(item);
    return all;
  };
  const page = await client.responses.inputItems.list(third.id, { limit: 2, order: 'asc' });
  assert.deepEqual(page.data.map(texts), ['Hello', said(first)]);
  assert.equal(page.has_more, true);
  assert.equal(page.data[0].type, 'message');
  const raw = JSON.parse(await (await client.responses.inputItems.list(third.id, { limit: 2, order: 'asc' }).asResponse()).text());
  assert.deepEqual([raw.object, raw.first_id, raw.last_id], ['list', page.data[0].id, page.data[1].id]);
  assert.equal(page.data[1].id, first.output[0].id);
  const up2 = await items({ limit: 2, order: 'asc' }), down = await items({});
  assert.equal(up2.length, 5);
  assert.equal(new Set(up2.map((i) => i.id)).size, 5);
  assert.deepEqual(up2.map((i) => i.id), down.map((i) => i.id).reverse());
  for (const [query, param] of [['limit=0', 'limit'], ['limit=101', 'limit'], ['limit=x', 'limit'], ['order=up', 'order'], ['after=msg_none', 'after']]) {
    const res = await fetch(`${it.server.url}/v1/responses/${third.id}/input_items?${query}`, { headers: { authorization: `Bearer ${it.key}` } });
    assert.equal(res.status, 400, query);
    assert.equal((await res.json()).error.param, param);
  }
  assert.equal((await fails(client.responses.inputItems.list('resp_none'))).status, 404);
});

test('tools in two rounds, the second with nothing but the result', async () => {
  const tools = [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {}, additionalProperties: false }, strict: true }];
  const wish = await client.responses.create(ask('Look.', { tools }));
  const wanted = wish.output.find((i) => i.type === 'function_call');
  const done = await client.responses.create(ask([{ type: 'function_call_output', call_id: wanted.call_id, output: 'a cat' }], { tools, previous_response_id: wish.id }));
  assert.match(said(done), /at last: a cat/);
  // The thought before the call could only be looked up by its provider, which keeps nothing.
  assert.deepEqual(asked().input.map((i) => i.type), ['message', 'function_call', 'function_call_output']);
  const listed = await client.responses.inputItems.list(done.id, { order: 'asc' });
  assert.deepEqual(listed.data.map((i) => [i.type, i.status]), [['message', 'completed'], ['function_call', 'completed'], ['function_call_output', 'completed']]);
});

test('one that is not to be kept is not, but may go on from one that is', async () => {
  const made = await client.responses.create(ask('Hush', { store: false, previous_response_id: third.id }));
  assert.equal(asked().input.length, 7);
  assert.equal(made.store, false);
  assert.equal(made.previous_response_id, third.id);
  assert.equal((await fails(client.responses.retrieve(made.id))).status, 404);
});

// --- another format ---

let translated;
test('an upstream of chat completions serves it as well, under an id of ours', async () => {
  translated = await client.responses.create(ask('Hello', { model: 'scripted', previous_response_id: null, conversation: null, prompt: null, background: false }));
  assert.match(translated.id, /^resp_[0-9a-f]{32}$/);
  assert.equal(up.seen.at(-1).url, '/v1/chat/completions');
  assert.ok(!asked().store);
  assert.deepEqual((await client.responses.retrieve(translated.id)).output, translated.output);
  const next = await client.responses.create(ask('Next', { model: 'scripted', previous_response_id: translated.id }));
  assert.deepEqual(asked().messages.map((m) => [m.role, texts(m)]), [['user', 'Hello'], ['assistant', said(translated)], ['user', 'Next']]);
  assert.equal(next.previous_response_id, translated.id);
  assert.notEqual(next.id, translated.id);
});

const streamed = [];
test('its streams, too', async () => {
  const run = client.responses.stream(ask('Stream', { model: 'scripted', previous_response_id: translated.id }));
  for await (const e of run) streamed.push(structuredClone(e));
  const final = await run.finalResponse();
  assert.match(final.id, /^resp_[0-9a-f]{32}$/);
  assert.deepEqual(asked().messages.map((m) => m.role), ['user', 'assistant', 'user']);
  const kept = await client.responses.retrieve(final.id);
  assert.equal(said(kept), said(final));
  assert.equal(kept.previous_response_id, translated.id);
  assert.deepEqual(kept.usage, final.usage);
});

test('a conversation moves from one provider to the other', async () => {
  await client.responses.create(ask('Over there', { model: 'scripted', previous_response_id: third.id }));
  assert.deepEqual(asked().messages.map((m) => m.role), ['user', 'assistant', 'user', 'assistant', 'user', 'assistant', 'user']);
  await client.responses.create(ask('And back', { previous_response_id: translated.id }));
  assert.deepEqual(asked().input.map((i) => i.role), ['user', 'assistant', 'user']);
});

test('answers are what OpenAI’s document says', async () => {
  for (const id of [first.id, third.id, translated.id]) {
    isOpenAI('Response', JSON.parse(await (await client.responses.retrieve(id).asResponse()).text()));
    isOpenAI('ResponseItemList', JSON.parse(await (await client.responses.inputItems.list(id).asResponse()).text()));
  }
  for (const event of streamed) isOpenAI('ResponseStreamEvent', event);
}, { needs: needsSchema });

// --- whose it is, and for how long ---

test('every key of the team may read it, no other team', async () => {
  const mate = make(await mintKey(it.owner));
  assert.equal((await mate.responses.retrieve(first.id)).id, first.id);
  const { responses } = other;
  for (const refused of [responses.retrieve, responses.delete, responses.cancel]) assert.equal((await fails(refused.call(responses, first.id))).status, 404);
  assert.equal((await fails(responses.inputItems.list(first.id))).status, 404);
  const error = await fails(other.responses.create(ask('x', { previous_response_id: first.id })));
  assert.equal(error.status, 400);
  assert.equal(error.code, 'previous_response_not_found');
  assert.equal((await client.responses.retrieve(first.id)).id, first.id);
  assert.equal((await fails(make('tg-nothing').responses.retrieve(first.id))).status, 401);
});

test('what only makes sense of a running one is refused', async () => {
  const error = await fails(client.responses.cancel(first.id));
  assert.equal(error.status, 400);
  assert.equal(error.type, 'invalid_request_error');
  assert.match(error.message, /Cannot cancel a synchronous response/);
  assert.equal((await fails(client.responses.cancel('resp_none'))).status, 404);
  assert.equal((await fails(client.responses.retrieve(first.id, { stream: true }))).param, 'stream');
  assert.equal((await fails(client.responses.retrieve(first.id, { starting_after: 3 }))).param, 'starting_after');
  assert.equal((await client.responses.retrieve(first.id, { stream: false })).id, first.id);
});

test('ids that can be none are unknown', async () => {
  for (const id of ['%00', 'a%20b', '%ff%fe', 'x'.repeat(300)]) {
    const res = await fetch(`${it.server.url}/v1/responses/${id}`, { headers: { authorization: `Bearer ${it.key}` } });
    assert.ok([400, 404].includes(res.status), `${id}: ${res.status}`);
    await res.text();
  }
  for (const id of ['', 'a b', '\0', 'x'.repeat(300)])
    assert.equal((await fails(client.responses.create(ask('x', { previous_response_id: id })))).code, 'previous_response_not_found');
});

test('under the other base URL all the same', async () => {
  const router = make(it.key, '/api/v1');
  const made = await router.responses.create(ask('Hello'));
  assert.equal((await router.responses.retrieve(made.id)).id, made.id);
  assert.equal((await router.responses.inputItems.list(made.id)).data.length, 1);
  assert.match((await fails(router.responses.cancel(made.id))).message, /synchronous/);
  await router.responses.delete(made.id);
  assert.equal((await fails(router.responses.retrieve(made.id))).status, 404);
});

test('one that is over is gone', async () => {
  const made = await client.responses.create(ask('Hello'));
  it.server.psql(`UPDATE stored_response SET expires_at = now() - interval '1 second' WHERE id = '${made.id}'`);
  assert.equal((await fails(client.responses.retrieve(made.id))).status, 404);
  assert.equal((await fails(client.responses.create(ask('x', { previous_response_id: made.id })))).code, 'previous_response_not_found');
});

// --- when it does not go well ---

const count = async (outcome) => {
  const text = await (await fetch(`${it.server.url}/metrics`)).text();
  return Number(text.match(new RegExp(`tollgate_responses_total\\{outcome="${outcome}"\\} (\\d+)`))[1]);
};

test('an answer that cannot be kept is an answer all the same', async () => {
  const before = await count('database');
  it.server.psql('ALTER TABLE stored_response RENAME TO stored_response_away');
  const made = await client.responses.create(ask('Hello'));
  assert.equal(said(made), 'I was told 1 things, at last: Hello.');
  const final = await client.responses.stream(ask('Stream')).finalResponse();
  assert.match(said(final), /Stream/);
  const blind = await fails(client.responses.create(ask('x', { previous_response_id: first.id })));
  assert.equal(blind.status, 503);
  it.server.psql('ALTER TABLE stored_response_away RENAME TO stored_response');
  assert.equal(await count('database'), before + 2);
  assert.ok(await count('kept') > 10);
  assert.equal((await fails(client.responses.retrieve(made.id))).status, 404);
});

// Nobody gets at the table while fn runs.
async function locked(fn) {
  const holding = it.server.psqlMeanwhile("BEGIN; LOCK TABLE stored_response; SELECT pg_sleep(600)").catch(() => {});
  const holder = `FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE stored_response; SELECT pg_sleep%' AND pid <> pg_backend_pid()`;
  await eventually(() => it.server.sql(`SELECT 1 FROM pg_locks WHERE relation = 'stored_response'::regclass AND mode = 'AccessExclusiveLock' AND granted`).length, 'the lock');
  try {
    return await fn();
  } finally {
    it.server.psql(`SELECT pg_terminate_backend(pid) ${holder}`);
    await holding;
  }
}

test('an answer does not wait for a database that hangs, nor does the end of a stream', async () => {
  await locked(async () => {
    assert.equal(said(await client.responses.create(ask('Hello'))), 'I was told 1 things, at last: Hello.');
    assert.match(said(await client.responses.stream(ask('Stream')).finalResponse()), /Stream/);
  });
});

test('a client that leaves while the answer before is looked up costs nothing', async () => {
  up.seen.length = 0;
  const leave = new AbortController();
  const waits = () => it.server.sql(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM stored_response WHERE team_id%' AND query NOT LIKE '%pg_stat_activity%'`).length;
  await locked(async () => {
    const gone = fails(client.responses.create(ask('x', { previous_response_id: first.id }), { signal: leave.signal }));
    await eventually(waits, 'the look-up to wait');
    leave.abort();
    await gone;
    const row = await eventually(() => it.server.sql(`SELECT * FROM call WHERE outcome = 'client_gone' ORDER BY call_id DESC LIMIT 1`)[0], 'its record');
    assert.equal(row.charge_nano, 0);
    assert.equal(row.attempts, 0);
  });
  assert.equal(up.seen.length, 0);
});

test('one that leaves while its answer is being kept has it kept', async () => {
  const leave = new AbortController();
  const known = new Set(it.server.sql('SELECT id FROM stored_response').map((r) => r.id));
  const waits = () => it.server.sql(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO stored_response%' AND query NOT LIKE '%pg_stat_activity%'`).length;
  await locked(async () => {
    const gone = fails(client.responses.create(ask('Bye'), { signal: leave.signal }));
    await eventually(waits, 'the writer to wait');
    leave.abort();
    await gone;
  });
  await eventually(() => it.server.sql('SELECT id FROM stored_response').some((r) => !known.has(r.id)), 'the answer to be kept');
});

test('neither a malformed answer nor an error is kept', async () => {
  const kept = () => it.server.sql(`SELECT count(*)::int AS n FROM stored_response`)[0].n;
  const before = kept(), script = up.script;
  up.script = (req, res) => send(res, 200, { id: 'resp_bad', object: 'response', status: 'failed', error: { code: 'server_error', message: 'It broke.' }, output: [] });
  assert.ok((await fails(client.responses.create(ask('x')))).status >= 400);
  up.script = (req, res) => send(res, 200, { id: 'resp_bad', output: 'none' });
  assert.equal((await fails(client.responses.create(ask('x')))).status, 502);
  up.script = script;
  assert.equal(kept(), before);
});

test('a client that leaves a stream leaves nothing behind', async () => {
  const kept = () => it.server.sql(`SELECT count(*)::int AS n FROM stored_response`)[0].n;
  const before = kept(), script = up.script, aborted = up.aborted;
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(`event: response.created\ndata: ${JSON.stringify({ type: 'response.created', sequence_number: 0, response: object({}, [], 'in_progress') })}\n\n`);
    res.write(`event: response.output_text.delta\ndata: ${JSON.stringify({ type: 'response.output_text.delta', sequence_number: 1, item_id: 'm', output_index: 0, content_index: 0, delta: 'x' })}\n\n`);
  };
  const stream = await client.responses.create(ask('x', { stream: true }));
  for await (const e of stream) if (e.type === 'response.output_text.delta') break;
  await eventually(() => up.aborted > aborted, 'the upstream to be closed');
  up.script = script;
  assert.equal(kept(), before);
});

test('turned off, it is all gone at once', async () => {
  assert.equal((await keep('')).status, 200);
  assert.equal((await fails(client.responses.retrieve(first.id))).status, 404);
  const error = await eventually(async () => {
    const e = await client.responses.create(ask('x', { previous_response_id: first.id })).catch((x) => x);
    return e.code === 'responses_not_kept' && e;
  }, 'the setting to be known');
  assert.equal(error.param, 'previous_response_id');
  const res = await call(it.server, it.key, ask('Hello'), { path: '/v1/responses' });
  assert.equal(res.status, 200);
  assert.equal((await fails(client.responses.retrieve(res.json.id))).status, 404);
});

test('the books balance', async () => { booksBalance(it.server); });
