// Answers to similar questions in a real browser: an operator names the model, an owner says how near, and the log
// tells which answers were given so.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fits, openBrowser, needsBrowser } from '../lib/browser.mjs';
import { call, password, signUp, topUp } from '../lib/installation.mjs';
import { startServer, stopAtEnd } from '../lib/server.mjs';
import { eventually, setup, test } from '../lib/story.mjs';

const needs = needsBrowser;
const shots = process.env.TEST_SHOTS; // a directory for a picture of each page that it comes to
let server, browser, owner, page, key, ids;

const loads = (what) => Promise.all([page.waitForEvent('load'), what()]);
const show = async (what) => {
  await fits(page, what);
  if (!shots) return;
  for (const [name, width] of [['wide', 1280], ['narrow', 390]])
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(shots, `${what.replaceAll(' ', '-')}-${name}-${colorScheme}.png`), fullPage: true });
    }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
};

async function signIn(email, secret) {
  page = await (await browser.newContext()).newPage();
  await page.goto(`${server.url}/sign-in`);
  await page.fill('input[name=email]', email);
  await page.fill('input[name=password]', secret);
  await loads(() => page.keyboard.press('Enter'));
}

setup('an installation with the demo upstream', async () => {
  server = await startServer();
  owner = await signUp(server);
  await topUp(owner, 20);
  browser = await openBrowser();
  stopAtEnd({ stop: () => browser.close() });
}, { needs });

test('an operator names the model that compares', async () => {
  await signIn(server.operator.email, server.operator.password);
  await page.goto(`${server.url}/operator/installation`);
  await page.selectOption('select[name=similarity_model]', 'demo-embedding');
  await loads(() => page.locator('main form .actions button').click());
  assert.equal(await page.inputValue('select[name=similarity_model]'), 'demo-embedding');
  await show('installation');
}, { needs });

test('an owner says on the key’s form how near a question has to be; nonsense is told in its place', async () => {
  await signIn(owner.email, password);
  await eventually(async () => {
    await page.goto(`${server.url}/keys/new`);
    return page.locator('input[name=cache_similarity]').count();
  }, 'the option to be offered');
  await page.fill('input[name=name]', 'help desk');
  await page.locator('details.more summary').click();
  await page.fill('input[name=cache_seconds]', '600');
  await page.fill('input[name=cache_similarity]', '80');
  await loads(() => page.keyboard.press('Enter'));
  assert.match(await page.locator('#e-cache_similarity').innerText(), /From 0.5 to 1/);
  await show('key form');
  await page.fill('input[name=cache_similarity]', '0.8');
  await loads(() => page.keyboard.press('Enter'));
  key = await page.locator('#secret').innerText();
  assert.match(key, /^tg-/);
}, { needs });

test('the log tells of a question that was like another, and what it cost to compare them', async () => {
  const ask = (content) => call(server, key, { model: 'demo-small', max_tokens: 20, messages: [{ role: 'user', content }] });
  const first = await ask('What is the capital of France?');
  await eventually(async () => (await server.metrics()).tollgate_cache_vectors === 1, 'the question to be known');
  const second = await ask('What’s the capital of France?');
  assert.equal(second.headers.get('x-tollgate-cache'), 'similar', second.text);
  ids = [first, second].map((r) => r.headers.get('x-tollgate-request-id'));
  await eventually(async () => (await server.metrics()).tollgate_settle_waiting === 0, 'the calls to be booked');
  await page.goto(`${server.url}/log?cache=similar`);
  await eventually(async () => { await page.reload(); return (await page.content()).includes(ids[1]); }, 'the call on the log');
  assert.ok(!(await page.content()).includes(ids[0]));
  await show('log');
  await page.goto(`${server.url}/log/${ids[1]}`);
  assert.match(await page.locator('dl.facts').first().innerText(), /Similarity\s+0\.\d+ to the question that was answered/);
  assert.match(await page.locator('main').innerText(), /No provider was asked: it got an answer that was kept/);
  assert.match(await page.locator('dl.facts').first().innerText(), /Question embedded\s+by another request, for 0\.0+\d+ USD/);
  await show('similar');
  await loads(() => page.getByRole('link', { name: 'another request' }).click());
  const made = page.url();
  assert.match(await page.locator('main').innerText(), /demo-embedding/);
  await show('made for');
  await loads(() => page.getByRole('link', { name: 'another request' }).click());
  assert.match(page.url(), new RegExp(`/log/${ids[1]}$`));
  await signIn(server.operator.email, server.operator.password);
  await page.goto(`${server.url}/operator/calls/${ids[1]}`);
  await show('similar of an operator');
  await loads(() => page.getByRole('link', { name: 'another request' }).click());
  assert.match(page.url(), new RegExp(`/operator/calls/${made.split('/').pop()}$`));
}, { needs });
