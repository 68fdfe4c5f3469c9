// Tokens counted without an answer, by the libraries that do so: the provider's count where it speaks the
// format, else an estimate; nothing is charged and nothing is on the record.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { test, setup } from '../lib/story.mjs';
import { startSpeaker, upstreams, counted } from '../lib/speaker.mjs';
import { booksBalance, installationOfFormats } from '../lib/installation.mjs';

let server, speaker, key, anthropic, google;
const prompt = 'How many tokens has this sentence, which is not a short one?';
const messages = [{ role: 'user', content: prompt }];

setup('an installation with an account for each format', async () => {
  speaker = await startSpeaker();
  ({ server, key } = await installationOfFormats(speaker, upstreams));
  anthropic = new Anthropic({ apiKey: key, baseURL: server.url, maxRetries: 0 });
  google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: server.url } });
});

test('Anthropic’s: its own provider’s count', async () => {
  speaker.seen.length = 0;
  const r = await anthropic.messages.countTokens({ model: 'by-anthropic', messages, system: 'Be exact.' });
  assert.equal(r.input_tokens, counted);
  assert.equal(speaker.seen[0].url, '/v1/messages/count_tokens');
  assert.equal(speaker.seen[0].headers['x-api-key'], 'sk-ant-scripted');
  assert.ok(speaker.seen[0].headers['anthropic-version']);
  assert.deepEqual(speaker.seen[0].body, { model: 'scripted-1', messages, system: 'Be exact.' });
});

test('Google’s: its own provider’s count', async () => {
  speaker.seen.length = 0;
  const r = await google.models.countTokens({ model: 'by-gemini', contents: prompt });
  assert.equal(r.totalTokens, counted);
  assert.equal(speaker.seen[0].url, '/v1beta/models/scripted-1:countTokens');
  assert.equal(speaker.seen[0].headers['x-goog-api-key'], 'AIza-scripted');
});

test('before a provider of another format the prompt is estimated', async () => {
  speaker.seen.length = 0;
  const few = await anthropic.messages.countTokens({ model: 'by-openai', messages });
  const many = await anthropic.messages.countTokens({ model: 'by-openai', messages: [{ role: 'user', content: prompt.repeat(10) }] });
  assert.ok(few.input_tokens > prompt.length / 8 && few.input_tokens < prompt.length, `${few.input_tokens}`);
  assert.ok(many.input_tokens > 5 * few.input_tokens);
  assert.ok((await google.models.countTokens({ model: 'by-bedrock', contents: prompt })).totalTokens > 0);
  assert.equal(speaker.seen.length, 0, 'nobody was asked');
});

test('a provider that fails is stood in for', async () => {
  const script = speaker.script;
  speaker.script = (req, res) => res.writeHead(500).end();
  const r = await anthropic.messages.countTokens({ model: 'by-anthropic', messages });
  speaker.script = script;
  assert.ok(r.input_tokens > 0 && r.input_tokens !== counted);
});

test('bad input and unknown models are refused in the client’s format', async () => {
  await assert.rejects(anthropic.messages.countTokens({ model: 'nobody', messages }), (e) => e.status === 404 && e.error.type === 'error');
  await assert.rejects(anthropic.messages.countTokens({ model: 'by-openai', messages: 'hello' }), (e) => e.status === 400 && /messages/.test(e.message));
  await assert.rejects(google.models.countTokens({ model: 'nobody', contents: prompt }), (e) => e.status === 404);
});

test('nothing was charged', async () => {
  assert.equal(server.sql('SELECT count(*)::int AS n FROM call')[0].n, 0);
  booksBalance(server);
});
