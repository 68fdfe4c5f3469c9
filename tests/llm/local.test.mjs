// A real language model as upstream, added by an operator in the browser like any other provider.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { openBrowser, needsBrowser } from '../lib/browser.mjs';
import { addModel, booksBalance, mintKey, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';
import { LocalModel, needsLlama, writeModel } from '../lib/local_model.mjs';
import { startServer } from '../lib/server.mjs';
import { setup, test } from '../lib/story.mjs';

const needs = () => needsLlama() ?? needsBrowser();
const dir = mkdtempSync(join(tmpdir(), 'tg-model-'));
const ask = { model: 'word-table', max_tokens: 24, messages: [{ role: 'user', content: 'the balance of the team' }] };
let llm, server, browser, owner, client;
const rows = [];

setup('a model is made on the spot and loaded', async () => {
  writeModel(join(dir, 'word-table.gguf'));
  llm = await new LocalModel().start(join(dir, 'word-table.gguf'));
}, { needs });

setup('an operator adds it in the browser', async () => {
  server = await startServer();
  browser = await openBrowser();
  const page = await browser.newPage();
  const press = (locator) => Promise.all([page.waitForEvent('load'), locator.click()]);
  await page.goto(`${server.url}/sign-in`);
  await page.fill('input[name=email]', server.operator.email);
  await page.fill('input[name=password]', server.operator.password);
  await press(page.locator('main form button').last());
  await page.goto(`${server.url}/operator/accounts/new?kind=openai-compatible`);
  await page.fill('input[name=name]', 'our own llama.cpp');
  await page.fill('input[name=base_url]', llm.url);
  const network = page.locator('[name=network]');
  if (await network.first().evaluate((e) => e.tagName) === 'SELECT') await network.selectOption('private');
  else await page.locator('input[name=network][value=private]').check();
  await press(page.locator('form[action="/operator/accounts"] button.primary'));
  const id = Number(page.url().match(/\/operator\/accounts\/(\d+)/)?.[1]);
  assert.ok(id, await page.locator('main').innerText());
  await press(page.locator('form[action$="/test"] button'));
  assert.match(await page.locator('main').innerText(), /works|well|answered|200|ok/i);
  await addModel(await signInOperator(server), { name: 'word-table', input: '3', output: '7', targets: [{ account: { id } }] });
}, { needs });

setup('a team has a key', async () => {
  owner = await signUp(server);
  await topUp(owner, 10);
  const key = await mintKey(owner, { name: 'for the model' });
  await served(server, key, 'word-table');
  client = new OpenAI({ apiKey: key, baseURL: `${server.url}/v1`, maxRetries: 0 });
}, { needs });

test('it answers a plain call', async () => {
  const { data, response } = await client.chat.completions.create({ ...ask, seed: 3 }).withResponse();
  const said = llm.answers.at(-1);
  assert.ok(said.text.trim().split(/\s+/).length > 3, said.text);
  assert.equal(data.choices[0].message.content, said.text);
  assert.equal(data.usage.completion_tokens, said.usage.completion_tokens);
  rows.push(await settled(server, response.headers.get('x-tollgate-request-id')));
}, { needs });

test('it answers a stream', async () => {
  const { data, response } = await client.chat.completions.create({ ...ask, stream: true, seed: 4 }).withResponse();
  let text = '';
  for await (const part of data) text += part.choices[0]?.delta?.content ?? '';
  assert.equal(text, llm.answers.at(-1).text);
  rows.push(await settled(server, response.headers.get('x-tollgate-request-id')));
}, { needs });

test('its own token counts are in the log, priced to the nano-dollar', () => {
  assert.equal(rows.length, 2);
  rows.forEach((row, i) => {
    const { usage } = llm.answers.slice(-2)[i];
    assert.equal(row.input_tokens, usage.prompt_tokens);
    assert.equal(row.output_tokens, usage.completion_tokens);
    assert.ok(usage.prompt_tokens > 3 && usage.completion_tokens > 3);
    assert.equal(row.charge_nano, usage.prompt_tokens * 3000 + usage.completion_tokens * 7000);
    assert.equal(row.basis, 'provider');
  });
  booksBalance(server);
}, { needs });

test('they are on the invoice of the running month', async () => {
  const { text } = await owner.get('/billing/preview');
  const sum = rows.reduce((a, r) => a + r.charge_nano, 0);
  const exact = (sum / 1e9).toFixed(9).replace(/0+$/, '');
  assert.match(text, /our own llama\.cpp|openai-compatible/);
  assert.match(text, /word-table/);
  assert.ok(text.includes(exact) || text.includes((sum / 1e9).toFixed(6).replace(/0+$/, '')), `${exact}: ${text}`);
  for (const field of ['input_tokens', 'output_tokens'])
    assert.match(text, new RegExp(`\\b${rows.reduce((a, r) => a + r[field], 0)}\\b`));
}, { needs });

test('browser and model end', async () => {
  await browser.close();
  await llm.stop();
  rmSync(dir, { recursive: true, force: true });
}, { needs });
