// A second factor in a real browser, by keyboard: set up, the codes kept, signed in with.
import assert from 'node:assert/strict';
import { fits, openBrowser, needsBrowser } from '../lib/browser.mjs';
import { password, signUp } from '../lib/installation.mjs';
import { startServer, stopAtEnd } from '../lib/server.mjs';
import { setup, test } from '../lib/story.mjs';
import { code } from '../lib/totp.mjs';

const needs = needsBrowser;
let server, browser, page, person, secret, kept;
const refused = [];

const loads = (what) => Promise.all([page.waitForEvent('load'), what()]);
const type = (name, text) => page.fill(`input[name=${name}]`, text);
const enter = () => loads(() => page.keyboard.press('Enter'));

async function signIn() {
  await page.goto(`${server.url}/sign-in`);
  await type('email', person.email);
  await type('password', password);
  await enter();
}

setup('somebody who signs in', async () => {
  server = await startServer();
  person = await signUp(server);
  browser = await openBrowser();
  stopAtEnd({ stop: () => browser.close() });
  page = await (await browser.newContext()).newPage();
  page.on('console', (m) => { if (/Content Security Policy/.test(m.text())) refused.push(m.text()); });
  await signIn();
}, { needs });

test('sets it up: a code that cameras can read, in either scheme, and the secret to be typed', async () => {
  await page.goto(`${server.url}/account`);
  await fits(page, 'the account without one');
  await type('factor_password', password);
  await enter();
  await fits(page, 'the secret');
  secret = await page.locator('#typed').innerText();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const drawn = await page.locator('.qr').evaluate((e) => ({ paper: getComputedStyle(e).backgroundColor, ink: getComputedStyle(e.querySelector('path')).fill, width: e.getBoundingClientRect().width, squares: e.viewBox.baseVal.width }));
    assert.deepEqual([drawn.paper, drawn.ink], ['rgb(255, 255, 255)', 'rgb(0, 0, 0)']);
    assert.ok(drawn.width / drawn.squares >= 3, `${drawn.width} px for ${drawn.squares} squares`);
  }
}, { needs });

test('a wrong code is said beside the field, which has the focus; then ten codes are shown', async () => {
  await type('code', '12');
  await enter();
  await fits(page, 'a wrong code');
  assert.match(await page.locator('#e-code').innerText(), /This code is not right/);
  assert.equal(await page.evaluate(() => document.activeElement.name), 'code');
  await type('code', code(secret));
  await enter();
  await fits(page, 'the recovery codes');
  kept = (await page.locator('#secret').innerText()).split('\n');
  assert.equal(kept.length, 10);
  await page.goto(`${server.url}/account`);
  await fits(page, 'the account with one');
  assert.match(await page.locator('main').innerText(), /10 recovery codes left/);
}, { needs });

test('signs in with it: the field for the code has the focus, and what was wanted comes then', async () => {
  await page.context().clearCookies();
  await page.goto(`${server.url}/keys`);
  await type('email', person.email);
  await type('password', password);
  await enter();
  await fits(page, 'the second step');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'code');
  await page.keyboard.type(kept[0]);
  await enter();
  assert.equal(page.url(), `${server.url}/keys`);
  assert.deepEqual(refused, []);
}, { needs });

test('turns it off with the other button of the form', async () => {
  await page.goto(`${server.url}/account`);
  await type('code', kept[1]);
  await loads(() => page.getByRole('button', { name: 'Turn it off' }).click());
  assert.match(await page.locator('main').innerText(), /Off\. Signing in can ask/);
}, { needs });
