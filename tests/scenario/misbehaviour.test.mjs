// Upstreams that misbehave, each in its own way: no call hangs, none is charged for what was not
// delivered, and the client hears of it in its own format.
import assert from 'node:assert/strict';
import { test, setup, sleep } from '../lib/story.mjs';
import { startUpstream, send, sse, chat, chunk } from '../lib/upstream.mjs';
import { freePort } from '../lib/server.mjs';
import { standardInstallation, addAccount, addModel, served, call, settled, attemptsOf, booksBalance } from '../lib/installation.mjs';

const messages = [{ role: 'user', content: 'Say a few words, please.' }];
const words = 'a few words are these ';
const usage = { prompt_tokens: 40, completion_tokens: 30, total_tokens: 70 };
const provided = 40 * 1000 + 30 * 2000;
const counted = (bytes) => Math.ceil(JSON.stringify(messages).length / 4) * 1000 + Math.ceil(bytes / 4) * 2000;
// Only for upstreams that are waited for in vain: any other may be slow on a loaded machine.
const timeouts = { connect_timeout_ms: '2000', first_byte_timeout_ms: '2500', idle_timeout_ms: '2500', total_timeout_ms: '6000' };

let it, up, spare;
setup('an installation, and a model with short time limits', async () => {
  up = await startUpstream();
  spare = await startUpstream((req, res, seen) => (seen.body.stream
    ? sse(res, [chunk({ content: 'spare' }), chunk({}, 'stop')], { usage })
    : send(res, 200, chat('spare', usage))));
  it = await standardInstallation([up]);
  await addModel(it.operator, { name: 'hasty', targets: [{ account: it.accounts[0] }], fields: timeouts });
  await served(it.server, it.key, 'hasty');
});

const event = (e) => `data: ${JSON.stringify(e)}\n\n`;
const text = (content) => event(chunk({ content }));
const begin = (res, type = 'text/event-stream') => res.writeHead(200, { 'content-type': type });
// Bytes as they are, with nothing of HTTP done by the library.
const bytes = (res, head, ...rest) => { res.socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`); for (const r of rest) res.socket.write(r); };
const drip = async (req, res, what) => {
  let gone = false;
  res.socket.on('close', () => { gone = true; });
  for (const c of what) {
    if (gone) return;
    res.socket.write(c);
    await sleep(300);
  }
};
const chunked = 'Content-Type: application/json\r\nTransfer-Encoding: chunked';
const chunkedEvents = 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked';
const inChunk = (s) => `${Buffer.byteLength(s).toString(16)}\r\n${s}\r\n`;

// A stream as it should be.
const whole = () => `${text(words)}${event(chunk({}, 'stop'))}${event({ ...chunk({}), choices: [], usage })}data: [DONE]\n\n`;

const ask = (stream, model = 'scripted') => call(it.server, it.key, { model, messages, max_tokens: 50, stream });

// What every error has to be, whoever made it.
function isProper(error, where) {
  assert.equal(typeof error?.message, 'string', where);
  for (const field of ['type', 'param', 'code'])
    assert.ok(error[field] === null || typeof error[field] === 'string', `${field} in ${where}`);
  assert.equal(typeof error.type, 'string', where);
}

const lastEvent = (body) => JSON.parse(body.trim().split('\n\n').at(-1).replace(/^data: /, ''));

async function check(res, { status, reason, basis, charge, outcome, message, code }, stream) {
  assert.equal(res.status, status, res.text.slice(0, 500));
  const id = res.headers.get('x-tollgate-request-id');
  const row = await settled(it.server, id);
  const attempt = attemptsOf(it.server, id).at(-1);
  assert.match(attempt.reason, reason);
  assert.equal(row.outcome, outcome);
  assert.equal(row.basis, basis);
  assert.equal(row.charge_nano, charge);
  if (status !== 200) {
    isProper(res.json?.error, res.text);
    assert.equal(res.json.tollgate.attempts.length, 1, res.text);
    if (message) assert.match(res.json.error.message, message);
    if (code) assert.equal(res.json.error.code, code);
  } else if (outcome === 'cut') {
    assert.ok(stream && !res.text.includes('[DONE]'), 'a broken stream has no end mark');
    const { error, tollgate } = lastEvent(res.text);
    isProper(error, res.text.slice(-500));
    assert.equal(tollgate.request_id, id);
    assert.equal(tollgate.attempts.length, 1);
    if (message) assert.match(error.message, message);
    if (code) assert.equal(error.code, code);
  }
}

const failed = (status, reason, more = {}) => ({ status, reason, basis: 'zero', charge: 0, outcome: 'upstream_error', ...more });
const cut = (reason, more = {}) => ({ status: 200, reason, basis: 'counted', charge: counted(words.length), outcome: 'cut', ...more });
const good = (basis, charge) => ({ status: 200, reason: /^ok$/, basis, charge, outcome: 'ok' });
const never = () => new Promise(() => {});

const large = 'x'.repeat(10 * 1024 * 1024);
const plainCases = [
  ['resets', (req, res) => res.socket.resetAndDestroy(), failed(502, /reset/)],
  ['closes without a word', (req, res) => res.socket.end(), failed(502, /reset|protocol/)],
  ['never answers', never, failed(504, /timeout_first_byte/, { code: 'upstream_timeout' })],
  ['stops after its head', (req, res) => { bytes(res, 'Content-Length: 100'); return never(); }, failed(504, /timeout_idle/)],
  ['sends a byte now and then', (req, res) => { bytes(res, 'Content-Length: 100'); return drip(req, res, ' '.repeat(100)); }, failed(504, /timeout_total/)],
  ['cuts a chunk', (req, res) => { bytes(res, chunked, '400\r\n{"choices":'); res.socket.end(); }, failed(502, /protocol|reset/)],
  ['announces more than it sends', (req, res) => { bytes(res, 'Content-Length: 4000', JSON.stringify(chat())); res.socket.end(); }, failed(502, /protocol|reset/)],
  ['announces less than it sends', (req, res) => { bytes(res, 'Content-Length: 40', JSON.stringify(chat())); res.socket.end(); }, failed(502, /bad_reply/)],
  ['answers with a page', (req, res) => send(res, 200, '<html><body>It works!</body></html>', { 'content-type': 'text/html' }), failed(502, /bad_reply/, { code: 'upstream_invalid_response' })],
  ['answers with an object that is no answer', (req, res) => send(res, 200, { status: 'ok' }), failed(502, /bad_reply/)],
  ['answers with an error in a 200', (req, res) => send(res, 200, { error: { message: 'engine is on fire', code: 13 } }), failed(502, /error_in_200/, { message: /engine is on fire/, code: '13' })],
  ['names a status for its error in a 200', (req, res) => send(res, 200, { error: { message: 'slow down', code: 429 } }), failed(429, /error_in_200/, { message: /slow down/ })],
  ['gives usage along with an error', (req, res) => send(res, 200, { error: { message: 'no' }, usage }), failed(502, /error_in_200/)],
  ['gives no usage', (req, res) => send(res, 200, { ...chat(words), usage: undefined }), good('counted', counted(words.length))],
  ['gives a usage of null', (req, res) => send(res, 200, chat(words, null)), good('counted', counted(words.length))],
  ['gives a usage of zero', (req, res) => send(res, 200, chat(words, { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })), good('counted', counted(words.length))],
  ['gives an output of zero', (req, res) => send(res, 200, chat(words, { prompt_tokens: 40, completion_tokens: 0, total_tokens: 40 })), good('counted', 40 * 1000 + Math.ceil(words.length / 4) * 2000)],
  ['gives a usage of zero for an empty answer', (req, res) => send(res, 200, chat('', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })), good('provider', 0)],
  ['sends 10 MB', (req, res) => send(res, 200, chat(large, usage)), good('provider', provided)],
  ['sends 10 MB without usage', (req, res) => send(res, 200, { ...chat(large), usage: undefined }), good('counted', Math.ceil(JSON.stringify(messages).length / 4) * 1000 + 50 * 2000)],
];
const streamCases = [
  ['resets', (req, res) => res.socket.resetAndDestroy(), failed(502, /reset/)],
  ['never answers', never, failed(504, /timeout_first_byte/)],
  ['says nothing after its head', (req, res) => { begin(res); res.flushHeaders(); return never(); }, failed(504, /timeout_idle/)],
  ['ends at once', (req, res) => { begin(res); res.end(); }, failed(502, /ended_early/)],
  ['sends a byte now and then', (req, res) => { bytes(res, chunkedEvents); return drip(req, res, Array.from(text(words), inChunk)); }, failed(504, /timeout_total/)],
  ['answers with a page', (req, res) => send(res, 200, '<html><body>It works!</body></html>', { 'content-type': 'text/html' }), failed(502, /bad_reply/)],
  ['answers with an error in JSON', (req, res) => send(res, 200, { error: { message: 'engine is on fire' } }), failed(502, /error_in_200/, { message: /on fire/ })],
  ['begins with an error', (req, res) => { begin(res); res.end(event({ error: { message: 'engine is on fire', code: 503 } })); }, failed(503, /error_in_200/, { message: /on fire/, code: '503' })],
  ['begins with an error of that name', (req, res) => { begin(res); res.end(`event: error\ndata: {"message":"engine is on fire"}\n\n`); }, failed(502, /error_in_200/, { message: /on fire/ })],
  ['begins with an event of 10 MB', (req, res) => { begin(res); res.end(text(large)); }, failed(502, /event_too_large/)],
  ['resets after some words', async (req, res) => { begin(res); res.write(text(words)); await sleep(300); res.socket.resetAndDestroy(); }, cut(/reset/)],
  ['stops after some words', (req, res) => { begin(res); res.write(text(words)); return never(); }, cut(/timeout_idle/)],
  ['cuts a chunk', (req, res) => { bytes(res, chunkedEvents, inChunk(text(words)), '400\r\ndata: {"cho'); res.socket.end(); }, cut(/protocol|reset/)],
  ['ends without a finish', (req, res) => { begin(res); res.end(text(words)); }, cut(/ended_early/)],
  ['fails after some words', (req, res) => { begin(res); res.write(text(words)); res.end(event({ error: { message: `engine is on fire ${'!'.repeat(500)}`, type: null, code: 500 } })); }, cut(/error_in_200/, { message: /on fire/, code: '500' })],
  ['fails after some words, in OpenRouter\'s way', (req, res) => { begin(res); res.write(text(words)); res.end(event({ ...chunk({ content: '' }, 'error'), error: { message: 'provider disconnected', code: 'server_error' } })); }, cut(/error_in_200/, { message: /disconnected/, code: 'server_error' })],
  ['sends an event of 10 MB after some words', (req, res) => { begin(res); res.write(text(words)); res.end(text(large)); }, cut(/event_too_large/)],
  ['sends its usage and dies', async (req, res) => { begin(res); res.write(text(words)); res.write(event({ ...chunk({}), usage })); await sleep(300); res.socket.resetAndDestroy(); }, { ...cut(/reset/), basis: 'provider', charge: provided }],
  ['gives no usage', (req, res) => sse(res, [chunk({ content: words }), chunk({}, 'stop')]), good('counted', counted(words.length))],
  ['gives a usage of zero', (req, res) => sse(res, [chunk({ content: words }), chunk({}, 'stop')], { usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } }), good('counted', counted(words.length))],
  ['gives its usage twice', (req, res) => {
    begin(res);
    res.write(event({ ...chunk({ content: words }), usage: { prompt_tokens: 40, completion_tokens: 1, total_tokens: 41 } }));
    res.end(`${event({ ...chunk({}, 'stop'), usage })}data: [DONE]\n\n`);
  }, good('provider', provided)],
  ['sends a million empty lines first', (req, res) => { begin(res); res.write('\n'.repeat(1e6)); res.end(whole()); }, good('provider', provided)],
  ['floods with comments', (req, res) => { begin(res); res.write(': keep alive\n\n'.repeat(1e5)); res.end(whole()); }, good('provider', provided)],
  ['floods with fields that mean nothing', (req, res) => { begin(res); res.write('id: 7\nretry: 1\nx\n\n'.repeat(1e5)); res.end(whole()); }, good('provider', provided)],
  ['begins with a mark of order', (req, res) => { begin(res); res.end(`\ufeff${whole()}`); }, good('provider', provided)],
  ['ends its lines with CR', (req, res) => { begin(res); res.end(whole().replaceAll('\n', '\r')); }, good('provider', provided)],
  ['ends its lines with CR LF', (req, res) => { begin(res); res.end(whole().replaceAll('\n', '\r\n')); }, good('provider', provided)],
  ['sends each byte in a chunk of its own', (req, res) => { bytes(res, chunkedEvents, Array.from(whole(), inChunk).join(''), '0\r\n\r\n'); res.socket.end(); }, good('provider', provided)],
  ['leaves the end mark out', (req, res) => sse(res, [chunk({ content: words }), chunk({}, 'stop')], { usage, done: false }) ?? res.end(), good('provider', provided)],
];

for (const [stream, cases] of [[false, plainCases], [true, streamCases]])
  for (const [name, script, expected] of cases)
    test(`${stream ? 'streaming' : 'plain'}: an upstream that ${name}`, async () => {
      up.script = script;
      await check(await ask(stream, /timeout/.test(expected.reason) ? 'hasty' : 'scripted'), expected, stream);
      booksBalance(it.server);
    });

test('an upstream that refuses connections', async () => {
  const account = await addAccount(it.operator, { url: `http://127.0.0.1:${await freePort()}/v1` }, { name: 'nobody' });
  await addModel(it.operator, { name: 'unheard', targets: [{ account }], fields: timeouts });
  await served(it.server, it.key, 'unheard');
  for (const stream of [false, true])
    await check(await ask(stream, 'unheard'), failed(502, /connect/), stream);
});

// What the client may have seen decides: before the first event with data the next target answers.
const early = [...plainCases.slice(0, 12).map((c) => [false, ...c]), ...streamCases.slice(0, 10).map((c) => [true, ...c])]
  .filter(([, name]) => !/byte now and then|never|stops after|says nothing/.test(name)); // they only take longer
test('what fails before the first byte is taken over by the next target, at its price', async () => {
  const first = await startUpstream();
  const second = await addAccount(it.operator, spare, { name: 'spare' });
  for (const i of early.keys()) { // an account for each, since one that fails is left alone for a while
    const account = await addAccount(it.operator, first, { name: `first-${i}` });
    await addModel(it.operator, { name: `pair-${i}`, targets: [{ account, priority: 1 }, { account: second, priority: 2 }] });
  }
  await addModel(it.operator, { name: 'last-of-all', targets: [{ account: second }] });
  await served(it.server, it.key, 'last-of-all');
  for (const [i, [stream, name, script]] of early.entries()) {
    first.script = script;
    const res = await ask(stream, `pair-${i}`);
    assert.equal(res.status, 200, `${name}: ${res.text}`);
    assert.match(res.text, /spare/);
    const id = res.headers.get('x-tollgate-request-id');
    const row = await settled(it.server, id);
    assert.equal(row.charge_nano, provided, name);
    assert.equal(row.basis, 'provider', name);
    assert.equal(row.fallback, true, name);
    const attempts = attemptsOf(it.server, id);
    assert.equal(attempts.length, 2, name);
    assert.equal(attempts[0].served, false, name);
  }
  booksBalance(it.server);
});

// Errors with a status: the client gets one of its own format, with the upstream's words.
const html = '<html><head><title>502 Bad Gateway</title></head></html>';
for (const [name, status, body, expected] of [
  ['OpenAI\'s own', 400, { error: { message: 'too hot', type: 'invalid_request_error', param: 'temperature', code: null } }, [400, 'too hot', 'invalid_request_error', 'temperature', null]],
  ['one without a type and with a number for a code', 400, { error: { message: 'too hot', code: 400 } }, [400, 'too hot', 'invalid_request_error', null, '400']],
  ['vLLM\'s, all at the root', 400, { object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 }, [400, 'too long', 'BadRequestError', null, '400']],
  ['Ollama\'s, a text', 400, { error: 'no such thing' }, [400, 'no such thing', 'invalid_request_error', null, null]],
  ['FastAPI\'s list of faults', 422, { detail: [{ loc: ['body'], msg: 'field required', type: 'missing' }] }, [422, 'field required', 'invalid_request_error', null, null]],
  ['Google\'s, in an array', 400, [{ error: { code: 400, message: 'bad argument', status: 'INVALID_ARGUMENT' } }], [400, 'bad argument', 'invalid_request_error', null, '400']],
  ['a sentence', 400, 'prompt must not be empty', [400, 'prompt must not be empty', 'invalid_request_error', null, null]],
  ['nothing at all', 400, '', [400, 'The provider refused the request and gave no reason.', 'invalid_request_error', null, null]],
  ['a page', 400, html, [502, "The provider's answer could not be understood.", 'upstream_error', null, 'upstream_invalid_response']],
  ['a page with a 500', 500, html, [502, 'The provider failed.', 'upstream_error', null, 'upstream_error']],
  ['a page with a 503', 503, html, [502, 'The provider failed.', 'upstream_error', null, 'upstream_error']],
  ['bytes', 500, '\u0001\u0002\u0003', [502, 'The provider failed.', 'upstream_error', null, 'upstream_error']],
  ['a 500 of OpenAI', 500, { error: { message: 'server had an error', type: 'server_error', param: null, code: null } }, [500, 'server had an error', 'server_error', null, null]],
  ['a page with a 429', 429, html, [429, 'The provider takes no more requests for the moment.', 'rate_limit_error', null, 'upstream_rate_limited']],
  ['a credential that is refused', 401, { error: { message: 'Incorrect API key provided: sk-upstream-secret' } }, [502, 'The provider failed.', 'upstream_error', null, 'upstream_error']],
  ['a redirect', 302, '', [502, "The provider's answer could not be understood.", 'upstream_error', null, 'upstream_invalid_response']],
]) {
  test(`an error with a status: ${name}`, async () => {
    for (const stream of [false, true]) {
      up.script = (req, res) => send(res, status, body, status === 302 ? { location: '/elsewhere' } : {});
      const res = await ask(stream);
      const { error, tollgate } = res.json;
      assert.deepEqual([res.status, error.message, error.type, error.param, error.code], expected, res.text);
      assert.match(res.headers.get('content-type'), /^application\/json/);
      assert.equal(tollgate.attempts.length, 1);
      assert.equal(tollgate.attempts[0].status, status);
      assert.ok(!res.text.includes('sk-upstream'), 'the operator\'s credential stays here');
      const row = await settled(it.server, res.headers.get('x-tollgate-request-id'));
      assert.equal(row.charge_nano, 0);
      assert.equal(row.basis, 'zero');
    }
  });
}

test('after all of it the upstream is used again', async () => {
  up.script = (req, res) => send(res, 200, chat(words, usage));
  const res = await ask(false);
  assert.equal(res.status, 200, res.text);
  booksBalance(it.server);
});
