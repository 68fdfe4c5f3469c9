// Every page of the route table, as everybody, as a team's owner and as an operator: it answers, is quiet, asks
// nobody else, is accessible, and fits a phone, in light and dark.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { openBrowser, needsBrowser } from '../lib/browser.mjs';
import { call, hello, password, settled, signUp, topUp, mintKey } from '../lib/installation.mjs';
import { startServer, top } from '../lib/server.mjs';
import { setup, test } from '../lib/story.mjs';

const needs = needsBrowser;
const table = readFileSync(join(top, 'server/routes.c'), 'utf8');
const pages = [...table.matchAll(/SHOW\(\s*"([^"]+)",\s*AUTH_(\w+)/g)].map(([, path, auth]) => ({ path, auth }));
let server, browser, ids = {};
const contexts = {};

async function context(scheme, width, who) {
  const made = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 850 } });
  if (who) {
    const page = await made.newPage();
    await page.goto(`${server.url}/sign-in`);
    await page.fill('input[name=email]', who.email);
    await page.fill('input[name=password]', who.password);
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    assert.ok(!page.url().endsWith('/sign-in'), `${who.email} did not get in`);
    await page.close();
  }
  return made;
}

setup('an installation with a past, seen by three', async () => {
  server = await startServer();
  browser = await openBrowser();
  const owner = await signUp(server);
  await topUp(owner, 10);
  const key = await mintKey(owner, { name: 'a key with a rather long name, as people give them' });
  const res = await call(server, key, hello('demo-small'));
  const id = res.headers.get('x-tollgate-request-id');
  await settled(server, id);
  const one = (text) => server.sql(text)[0]?.id;
  ids = {
    '/log/{id}': id, '/operator/calls/{id}': id,
    '/keys/{id}': one(`SELECT max(id) AS id FROM api_key`),
    '/billing/ledger/{id}': one(`SELECT max(id) AS id FROM transfer`),
    '/operator/accounts/{id}': 1, '/operator/models/{id}': one(`SELECT model_id AS id FROM target LIMIT 1`),
    '/operator/teams/{id}': one(`SELECT max(id) AS id FROM team`),
  };
  for (const path of ['/operator/models/{id}/prices', '/operator/models/{id}/prices/new']) ids[path] = ids['/operator/models/{id}'];
  for (const [width, scheme] of [[1280, 'light'], [390, 'dark']]) {
    contexts[`NONE${width}`] = await context(scheme, width);
    contexts[`USER${width}`] = await context(scheme, width, { email: owner.email, password });
    contexts[`OPERATOR${width}`] = await context(scheme, width, server.operator);
  }
}, { needs });

async function look(path, who, width) {
  const page = await contexts[`${who}${width}`].newPage();
  const complaints = [];
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') complaints.push(m.text()); });
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('request', (r) => { if (!r.url().startsWith(server.url) && !r.url().startsWith('data:')) complaints.push(`asks ${r.url()}`); });
  try {
    const answer = await page.goto(server.url + path, { waitUntil: 'load' });
    assert.equal(answer.status(), 200, `${path} at ${width}`);
    assert.equal(new URL(page.url()).pathname, path, 'it led elsewhere');
    assert.match(answer.headers()['content-security-policy'] ?? '', /default-src 'none'|default-src 'self'/);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${path} at ${width}: ${wide} px too wide`);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const bad = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
    assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.target + ' ' + (n.any[0]?.message ?? '')).slice(0, 4).join('; ')}`), [], `${path} at ${width}`);
    assert.deepEqual(complaints, [], `${path} at ${width}`);
  } finally {
    await page.close();
  }
}

for (const { path, auth } of pages) {
  if (path.includes('{') && !/^\/(log|keys|billing\/ledger|operator\/(calls|accounts|models|teams))\/\{id\}/.test(path)) continue;
  test(path, async () => {
    const who = auth === 'NONE' || auth === 'OPERATOR' ? auth : 'USER';
    const at = path.replace('{id}', ids[path]);
    await look(at, who, 1280);
    await look(at, who, 390);
  }, { needs });
}

test('without scripts every page still answers', async () => {
  const made = await browser.newContext({ javaScriptEnabled: false });
  const page = await made.newPage();
  for (const { path, auth } of pages.filter((p) => p.auth === 'NONE' && !p.path.includes('{'))) {
    const answer = await page.goto(server.url + path);
    assert.equal(answer.status(), 200, `${path} ${auth}`);
  }
  await made.close();
}, { needs });

test('the browser ends', () => browser.close(), { needs });
