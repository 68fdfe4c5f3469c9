// Signing in by an identity provider in a real browser, with the pages' policy in force: from the page that was wanted
// there and back, an account that is linked, signing out of both, and what a failure looks like.
import assert from 'node:assert/strict';
import { fits, openBrowser, needsBrowser } from '../lib/browser.mjs';
import { IdentityProvider, serverWith } from '../lib/identity_provider.mjs';
import { password, signUp } from '../lib/installation.mjs';
import { stopAtEnd } from '../lib/server.mjs';
import { setup, test } from '../lib/story.mjs';

const needs = needsBrowser;
let server, provider, browser, page;
const refused = [];

const loads = (what) => Promise.all([page.waitForEvent('load'), what()]);
const click = (role, name) => loads(() => page.getByRole(role, { name }).click());
const shot = async (name) => {
  if (!process.env.SHOTS) return;
  for (const [size, width, colorScheme] of [['wide', 1280, 'light'], ['phone', 390, 'light'], ['dark', 1280, 'dark']]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${process.env.SHOTS}/${name}-${size}.png`, fullPage: true });
  }
};
const seen = async (name) => {
  await fits(page, name);
  await shot(name.replaceAll(' ', '-'));
};
async function sayWho(login) {
  await page.fill('input[name=login]', login);
  await page.fill('input[name=password]', 'any');
  await loads(() => page.keyboard.press('Enter'));
}

setup('a server, its provider and a browser', async () => {
  ({ server, provider } = await serverWith((...at) => new IdentityProvider().start(...at), { SIGNUP: 'invite', OIDC_SIGNUP: 'open', OIDC_DOMAINS: 'example.org' }));
  provider.accounts = { ada: { email: 'ada@example.org', email_verified: true, name: 'Ada' }, eve: { email: 'eve@elsewhere.example', email_verified: true, name: 'Eve' } };
  browser = await openBrowser();
  stopAtEnd({ stop: () => browser.close() });
  page = await (await browser.newContext()).newPage();
  page.on('console', (m) => { if (/Content Security Policy/.test(m.text()) && page.url().startsWith(server.url)) refused.push(m.text()); });
}, { needs });

test('who wants a page and is nobody yet gets an account by the provider, and then that page', async () => {
  await page.goto(`${server.url}/keys`);
  await seen('sign in');
  await click('link', 'Continue with Example ID');
  assert.ok(page.url().startsWith(provider.issuer), page.url());
  await sayWho('ada');
  assert.equal(page.url(), `${server.url}/keys`);
  await page.goto(`${server.url}/account`);
  await seen('account by provider');
  assert.match(await page.locator('main').innerText(), /Linked with ada@example\.org/);
}, { needs });

test('signing out leads to the provider by itself, where it is over as well', async () => {
  await page.route(`${provider.issuer}/**`, (route) => route.abort('aborted'));
  await page.goto(`${server.url}/overview`);
  await page.locator('form[action="/sign-out"]').first().evaluate((form) => form.requestSubmit());
  await page.waitForFunction(() => /signed out here/.test(document.body.innerText));
  await seen('signed out');
  await page.unroute(`${provider.issuer}/**`);
  await click('link', 'Sign out of Example ID');
  assert.ok(page.url().startsWith(provider.issuer), page.url());
  await loads(() => page.getByRole('button').first().click());
  await page.goto(`${server.url}/account`);
  assert.match(page.url(), /\/sign-in/);
}, { needs });

test('who may not come in reads why, and can try again', async () => {
  await page.goto(`${server.url}/sign-in/provider`);
  await sayWho('eve');
  await seen('not let in');
  assert.match(await page.locator('main').innerText(), /of a domain that may not come in here[\s\S]*Try again with Example ID/);
  await page.context().clearCookies();
}, { needs });

test('an account that is here already is linked with its password, on a page that moves on by itself', async () => {
  await server.again({ SIGNUP: 'open' });
  const bob = await signUp(server, { email: 'bob@example.org' });
  provider.accounts.bob = { email: 'bob@example.org', email_verified: true, name: 'Bob' };
  await page.goto(`${server.url}/sign-up`);
  await seen('sign up');
  await page.goto(`${server.url}/sign-in`);
  await page.fill('input[name=email]', bob.email);
  await page.fill('input[name=password]', password);
  await loads(() => page.keyboard.press('Enter'));
  await page.goto(`${server.url}/account`);
  await seen('account to be linked');
  await page.fill('input[name=provider_password]', 'not the password');
  await click('button', 'Link Example ID');
  assert.match(await page.locator('main').innerText(), /This is not your password/);
  await page.fill('input[name=provider_password]', password);
  await page.getByRole('button', { name: 'Link Example ID' }).click();
  await page.waitForURL(`${provider.issuer}/**`);
  await sayWho('bob');
  assert.equal(page.url(), `${server.url}/account`);
  await seen('account linked');
  assert.match(await page.locator('main').innerText(), /Linked with bob@example\.org/);
}, { needs });

test('with passwords for operators alone the provider stands first, and an invitation leads to it', async () => {
  const owner = await signUp(server);
  const path = (await owner.submit('/members', /invites$/, { role: 'viewer' })).body.match(/\/invite\/[\w-]{20,}/)[0];
  await server.again({ PASSWORD_SIGN_IN: 'off' });
  await page.context().clearCookies();
  await page.goto(`${server.url}/sign-in`);
  await seen('sign in by provider');
  assert.ok(!await page.locator('input[name=password]').isVisible());
  await page.getByText('Operators sign in with a password').click();
  await page.fill('input[name=email]', server.operator.email);
  await page.fill('input[name=password]', server.operator.password);
  await loads(() => page.keyboard.press('Enter'));
  assert.match(page.url(), /\/(overview|account)$/);
  await page.context().clearCookies();
  await page.goto(`${server.url}/sign-up`);
  await seen('sign up by provider');
  await page.goto(server.url + path);
  await seen('invite by provider');
  provider.accounts.cleo = { email: 'cleo@example.org', email_verified: true, name: 'Cleo' };
  await click('link', 'Continue with Example ID');
  await sayWho('cleo');
  assert.match(await page.locator('body').innerText(), new RegExp(owner.team));
  assert.deepEqual(refused, []);
}, { needs });
