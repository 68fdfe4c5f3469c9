// Four official client libraries before five provider formats: text, stream, tools in two rounds,
// structured output, images, errors and a client that leaves, each to the nano-dollar.
import assert from 'node:assert/strict';
import { test, setup } from '../lib/story.mjs';
import { startSpeaker, upstreams as four, ollamaUpstream, figures, city } from '../lib/speaker.mjs';
import * as libraries from '../lib/clients.mjs';
import { isOpenAI, needsSchema } from '../lib/openai_schema.mjs';
import { booksBalance, call, installationOfFormats, recorded } from '../lib/installation.mjs';

let server, speaker, key;
const upstreams = [...four, ollamaUpstream];
const question = 'What is the weather in Paris and Rome?';
const calls = [{ city: 'Paris' }, { city: 'Rome' }];
const charge = figures.input * 1000 + figures.output * 2000;
const asked = { input: figures.input, output: figures.output };
const clients = { openaiChat: libraries.openaiChat, openaiResponses: libraries.openaiResponses, anthropicMessages: libraries.anthropicMessages, googleGenai: libraries.googleGenai };

setup('an installation with an account for each format', async () => {
  speaker = await startSpeaker();
  ({ server, key } = await installationOfFormats(speaker, upstreams));
});

async function isCharged(fn) {
  const { answer, row } = await recorded(server, fn);
  assert.equal(row.charge_nano, charge);
  assert.equal(row.basis, 'provider');
  return answer;
}

const chosen = (process.env.TEST_CLIENTS ?? '').split(',').filter(Boolean);
for (const [name, make] of Object.entries(clients).filter(([n]) => !chosen.length || chosen.includes(n)))
  for (const u of upstreams) {
    const ask = () => make(server.url, key, `by-${u.format}`);
    const story = (what, fn) => test(`${name} before ${u.format}: ${what}`, fn);

    story('text', async () => {
      const r = await isCharged(() => ask().text('Hello'));
      assert.equal(r.text, 'Hello there.');
      assert.deepEqual(r.usage, asked);
    });
    story('a stream', async () => {
      const r = await isCharged(() => ask().stream('Hello'));
      assert.equal(r.text, 'Hello there.');
      assert.deepEqual(r.usage, asked);
    });
    story('tools in two rounds, two calls at once', async () => {
      for (const round of ['toolCalls', 'toolCallsStreamed']) {
        const first = await ask()[round](question);
        assert.deepEqual(first.calls.map((c) => c.input), calls, round);
        assert.ok(first.calls.every((c) => c.name === 'get_weather'));
        const second = await ask().afterTools(question, first.calls);
        assert.equal(second.text, 'The weather: Paris is sunny and Rome is sunny.');
      }
    });
    story('structured output', async () => {
      const r = await ask().structured('Which city?');
      assert.deepEqual(JSON.parse(r.text), city);
      assert.ok(speaker.seen.at(-1).asked.schema, 'the provider was told the schema');
    });
    story('an image', async () => {
      const r = await ask().image('What is it?');
      assert.equal(r.text, 'I see 1 image.');
    });
    story('errors', async () => {
      const refused = await ask().errorOf('Please fail');
      assert.equal(refused.status, 400);
      assert.match(refused.message, /scripted refusal/);
      const busy = await ask().errorOf('You are busy');
      assert.equal(busy.status, 429);
    });
    story('a client that leaves', async () => {
      const { answer, row } = await recorded(server, () => ask().abort('Be slow', 3));
      assert.equal(answer, 3);
      assert.equal(row.outcome, 'client_gone');
    });
  }

// Raw, as a library hides what it does not look for.
for (const u of upstreams)
  for (const [path, body] of [['chat/completions', { messages: [{ role: 'user', content: 'Please fail' }] }], ['responses', { store: false, input: 'Please fail' }]])
    test(`an error of ${u.format} is OpenAI’s at ${path}`, async () => {
      const res = await call(server, key, { model: `by-${u.format}`, ...body }, { path: `/v1/${path}` });
      assert.equal(res.status, 400, res.text);
      if (!needsSchema()) isOpenAI('ErrorResponse', res.json);
      assert.deepEqual(Object.keys(res.json).filter((name) => name !== 'tollgate'), ['error']);
      assert.match(res.json.error.message, /The scripted refusal\./);
    });

test('the books balance', async () => { booksBalance(server); });
