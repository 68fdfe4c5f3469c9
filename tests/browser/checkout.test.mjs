// A top-up by Stripe in a real browser, which holds the pages' policy: to the payment page, which is another
// origin, and back; what the order's page shows before and after Stripe has told.
import assert from 'node:assert/strict';
import { fits, openBrowser, needsBrowser } from '../lib/browser.mjs';
import { password } from '../lib/installation.mjs';
import { startServer, stopAtEnd } from '../lib/server.mjs';
import { setup, test } from '../lib/story.mjs';
import { deliver, startStripe } from '../lib/stripe.mjs';

const needs = needsBrowser;
let stripe, server, browser, page;
const refused = [];

const press = (locator) => Promise.all([page.waitForEvent('load'), locator.click()]);
const text = () => page.locator('main').innerText();

setup('an installation that Stripe pays, and somebody who signs up', async () => {
  stripe = await startStripe();
  server = await startServer(stripe.env);
  browser = await openBrowser();
  stopAtEnd({ stop: () => browser.close() });
  page = await (await browser.newContext({ bypassCSP: false })).newPage();
  page.on('console', (m) => { if (/Content Security Policy/.test(m.text())) refused.push(m.text()); });
  await page.goto(`${server.url}/sign-up`);
  for (const [name, value] of Object.entries({ email: 'zoe@example.org', name: 'Zoe', password, team_name: 'Zoe Ltd' }))
    await page.fill(`input[name=${name}]`, value);
  await press(page.locator('main form button').last());
}, { needs });

async function toStripe(amount) {
  await page.goto(`${server.url}/billing`);
  await page.fill('input[name=amount]', amount);
  await page.locator('select[name=provider]').selectOption('stripe');
  await press(page.locator('form[action="/billing/top-up"] button'));
  assert.ok(page.url().startsWith(`${stripe.url}/c/cs_test_`), `${page.url()} ${refused}`);
  assert.match(await page.locator('h1').innerText(), new RegExp(`\\$${amount}`));
}

test('goes to the payment page and back unpaid, and there again', async () => {
  await toStripe('25.50');
  const at = page.url();
  await press(page.locator('#back'));
  assert.match(page.url(), /\/billing\/orders\/\d+$/);
  assert.match(await text(), /Waiting for payment/);
  assert.match(await text(), /test key/);
  await press(page.getByRole('button', { name: 'Go on to Stripe' }));
  assert.equal(page.url(), at);
}, { needs });

test('pays, comes back before Stripe has told, and sees it once it has', async () => {
  await press(page.locator('#pay'));
  await press(page.locator('#back'));
  assert.match(await text(), /Waiting for payment/);
  const session = [...stripe.sessions.values()].at(-1);
  assert.equal((await deliver(server, stripe.event('checkout.session.completed', session), stripe.secret)).status, 200);
  await page.reload();
  assert.match(await text(), /Paid/);
  assert.equal(await page.getByRole('button', { name: 'Go on to Stripe' }).count(), 0);
  await page.goto(`${server.url}/billing`);
  assert.match(await page.locator('.stats').innerText(), /\$25\.50/);
}, { needs });

test('what Stripe refuses stands on the order’s page', async () => {
  stripe.script = () => ({ status: 400, body: { error: { message: 'Your account is not ready yet.', type: 'invalid_request_error' } } });
  await page.goto(`${server.url}/billing`);
  await page.fill('input[name=amount]', '10');
  await page.locator('select[name=provider]').selectOption('stripe');
  await press(page.locator('form[action="/billing/top-up"] button'));
  stripe.script = undefined;
  assert.match(await text(), /Stripe refused: Your account is not ready yet\./);
  await press(page.getByRole('button', { name: 'Go on to Stripe' }));
  assert.ok(page.url().startsWith(`${stripe.url}/c/`));
}, { needs });

test('the policy refused nothing, and the pages are within reach on any width', async () => {
  assert.deepEqual(refused, []);
  assert.deepEqual(stripe.wrong, []);
  // Scripts of others' may not be added under the policy: axe is, in a page of its own without it.
  const context = await browser.newContext({ bypassCSP: true, storageState: await page.context().storageState() });
  page = await context.newPage();
  const [{ paid, open }] = server.sql(`SELECT min(id) AS paid, max(id) AS open FROM topup_order`);
  const look = async (path, wanted) => {
    await page.goto(server.url + path);
    assert.match(await text(), wanted);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/stripe${path.replaceAll('/', '-')}.png`, fullPage: true });
    await fits(page, path);
  };
  await look('/billing', /Card \(Stripe\)/);
  await look(`/billing/orders/${open}`, /Go on to Stripe/);
  await context.clearCookies();
  await page.goto(`${server.url}/sign-in`);
  await page.fill('input[name=email]', server.operator.email);
  await page.fill('input[name=password]', server.operator.password);
  await press(page.locator('main form button').last());
  await look(`/operator/orders/${paid}`, /This payment at Stripe \(test mode/);
}, { needs });
