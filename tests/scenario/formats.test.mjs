// Clients of one format, served by a provider of another: what each side sees, and what it costs.
import assert from 'node:assert/strict';
import { test, setup } from '../lib/story.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { standardInstallation, call, settled, attemptsOf, booksBalance, addAccount, addModel, served } from '../lib/installation.mjs';

let it, up;
const events = (text) => text.split(/\r?\n\r?\n/).filter((e) => /^data: \{/m.test(e)).map((e) => JSON.parse(e.match(/^data: (.*)$/m)[1]));
const ask = (more = {}) => ({ model: 'scripted', max_tokens: 30, system: 'Be brief.', messages: [{ role: 'user', content: 'Hello' }], ...more });
const messages = (body, options) => call(it.server, it.key, body, { path: '/v1/messages', headers: { 'anthropic-version': '2023-06-01' }, ...options });
const answer = (req, res) => send(res, 200, chat('Hello there.'));

setup('an installation whose provider speaks the format of OpenAI', async () => {
  up = await startUpstream(answer);
  it = await standardInstallation([up]);
});

test('an Anthropic client is served by it', async () => {
  up.seen.length = 0;
  const res = await messages(ask());
  assert.equal(res.status, 200, res.text);
  assert.deepEqual(up.seen[0].body.messages, [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }]);
  assert.equal(up.seen[0].body.model, 'up-1');
  assert.equal(res.json.type, 'message');
  assert.deepEqual(res.json.content, [{ type: 'text', text: 'Hello there.' }]);
  assert.equal(res.json.stop_reason, 'end_turn');
  assert.equal(res.json.usage.input_tokens, 9);
  assert.equal(res.json.usage.output_tokens, 3);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.endpoint, 'messages');
  assert.equal(row.charge_nano, 15000);
  assert.equal(row.basis, 'provider');
  assert.equal(res.headers.get('request-id'), res.headers.get('x-tollgate-request-id'));
});

test('and gets its stream event by event', async () => {
  up.script = (req, res) => sse(res, [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop')],
    { usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } });
  const res = await messages(ask({ stream: true }));
  up.script = answer;
  assert.equal(res.status, 200, res.text);
  const all = events(res.text);
  assert.deepEqual(all.map((e) => e.type), ['message_start', 'content_block_start', 'content_block_delta', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop']);
  assert.equal(all[2].delta.text + all[3].delta.text, 'Hello');
  assert.equal(all[5].usage.output_tokens, 2);
  assert.equal(all[5].usage.cost, 0.000014);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.charge_nano, 14000);
  assert.equal(row.finish_reason, 'stop');
});

test('an error of the provider comes in the client’s format', async () => {
  up.script = (req, res) => send(res, 400, { error: { message: 'The prompt is too long.', type: 'invalid_request_error', code: 'context_length_exceeded' } });
  const res = await messages(ask());
  up.script = answer;
  assert.equal(res.status, 400);
  assert.equal(res.json.type, 'error');
  assert.equal(res.json.error.type, 'invalid_request_error');
  assert.match(res.json.error.message, /prompt is too long/);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.charge_nano, 0);
});

test('an error within a stream is seen as one', async () => {
  up.script = (req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(`data: ${JSON.stringify(chunk({ content: 'Hel' }))}\n\n`);
    res.end(`data: ${JSON.stringify({ error: { message: 'It broke.', type: 'server_error' } })}\n\n`);
  };
  const res = await messages(ask({ stream: true }));
  up.script = answer;
  assert.equal(events(res.text).at(-1).type, 'error');
  assert.match(res.text, /^event: error$/m);
});

test('what its format cannot express is refused by name, and nothing is sent or charged', async () => {
  up.seen.length = 0;
  const res = await messages(ask({ mcp_servers: [{ type: 'url', url: 'https://mcp.example', name: 'tools' }] }));
  assert.equal(res.status, 400, res.text);
  assert.match(res.json.error.message, /`mcp_servers`/);
  assert.equal(up.seen.length, 0);
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.charge_nano, 0);
  assert.equal(row.error_code, 'unsupported_parameter');
});

test('or left out where the route says so, and named', async () => {
  await addModel(it.operator, { name: 'lenient', targets: [{ account: it.accounts[0], upstreamModel: 'up-1' }], fields: { drop_unsupported: 'on' } });
  await served(it.server, it.key, 'lenient');
  const res = await messages(ask({ model: 'lenient', mcp_servers: [], top_k: 5 }));
  assert.equal(res.status, 200, res.text);
  assert.equal(res.headers.get('x-tollgate-dropped'), 'mcp_servers');
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.dropped, 'mcp_servers');
});

test('a malformed answer is a 502 in the client’s format, and no charge', async () => {
  up.script = (req, res) => send(res, 200, { choices: 'none' });
  const res = await messages(ask());
  up.script = answer;
  assert.equal(res.status, 502, res.text);
  assert.equal(res.json.type, 'error');
  const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.charge_nano, 0);
});

test('a wrong field is refused with its path', async () => {
  const res = await messages(ask({ messages: [{ role: 'user', content: [{ type: 'text' }] }] }));
  assert.equal(res.status, 400, res.text);
  assert.match(res.json.error.message, /messages/);
});

test('the books balance', async () => { booksBalance(it.server); });
