// The whole job in a real browser: from sign-up to the invoice that was downloaded.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { openBrowser, needsBrowser } from '../lib/browser.mjs';
import { password, settled, booksBalance } from '../lib/installation.mjs';
import { startServer, needsFaketime, daysAhead } from '../lib/server.mjs';
import { setup, test } from '../lib/story.mjs';

const needs = () => needsBrowser() ?? needsFaketime();
const email = 'zoe@example.org';
let server, browser, page, key, ids = [];
const files = mkdtempSync(join(tmpdir(), 'tg-story-'));
const nano = (text) => {
  const [, sign, whole, part = ''] = text.replace(/[$,\s]/g, '').match(/^([-−]?)(\d+)(?:\.(\d{1,9}))?$/);
  return BigInt(whole + part.padEnd(9, '0')) * (sign ? -1n : 1n);
};

async function press(locator) {
  await Promise.all([page.waitForEvent('load'), locator.click()]);
}
async function download(locator, name) {
  const [got] = await Promise.all([page.waitForEvent('download'), locator.click()]);
  await got.saveAs(join(files, name));
  return join(files, name);
}
// Rows of a CSV file by their head's names.
function csv(path) {
  const rows = readFileSync(path, 'utf8').replace(/^\uFEFF/, '').trimEnd().split(/\r?\n/)
    .map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare));
  const head = rows.shift();
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
}

setup('a fresh installation and a browser', async () => {
  server = await startServer();
  browser = await openBrowser();
  const context = await browser.newContext({ acceptDownloads: true, permissions: ['clipboard-read', 'clipboard-write'] });
  page = await context.newPage();
}, { needs });

setup('signs up', async () => {
  await page.goto(`${server.url}/sign-up`);
  await page.fill('input[name=email]', email);
  await page.fill('input[name=name]', 'Zoë Müller');
  await page.fill('input[name=password]', password);
  await page.fill('input[name=team_name]', 'Überland 株式会社');
  await press(page.locator('main form button').last());
  assert.match(await page.locator('body').innerText(), /Überland 株式会社/);
}, { needs });

setup('tops up with a card of the sandbox', async () => {
  await page.goto(`${server.url}/billing`);
  await page.fill('input[name=amount]', '25');
  await page.locator('select[name=provider]').selectOption('sandbox').catch(() => {});
  await press(page.locator('form[action="/billing/top-up"] button'));
  await press(page.locator('button[value=succeed]'));
  await page.goto(`${server.url}/billing`);
  assert.match(await page.locator('.stats').innerText(), /\$25\.00/);
}, { needs });

setup('mints a key, which is shown once and can be copied', async () => {
  await page.goto(`${server.url}/keys/new`);
  await page.fill('input[name=name]', 'laptop');
  await press(page.locator('form[action="/keys"] button').last());
  key = await page.locator('#secret').innerText();
  assert.match(key, /^tg-[A-Za-z0-9]{49}$/);
  await page.locator('[data-copy="#secret"]').click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await page.goto(`${server.url}/keys`);
  assert.ok(!(await page.content()).includes(key));
}, { needs });

setup('calls models through the openai library', async () => {
  const client = new OpenAI({ apiKey: key, baseURL: `${server.url}/v1`, maxRetries: 0 });
  const ask = { model: 'demo-large', max_tokens: 60, messages: [{ role: 'user', content: 'Tell me about toll gates.' }] };
  const plain = await client.chat.completions.create(ask).withResponse();
  assert.ok(plain.data.choices[0].message.content);
  const stream = await client.chat.completions.create({ ...ask, model: 'demo-small', stream: true }).withResponse();
  let text = '';
  for await (const part of stream.data) text += part.choices[0]?.delta?.content ?? '';
  assert.ok(text);
  ids = [plain, stream].map((r) => r.response.headers.get('x-tollgate-request-id'));
  for (const id of ids) await settled(server, id);
}, { needs });

test('sees the calls in the log, and one with its attempt and its ledger entry', async () => {
  await page.goto(`${server.url}/log`);
  const rows = page.locator('#results tbody tr');
  assert.equal(await rows.count(), 2);
  assert.match(await rows.first().innerText(), /demo-small/);
  await rows.last().locator('a').first().click(); // it opens beside the list, and from there as a page
  await press(page.getByRole('link', { name: 'Open its page' }));
  assert.ok(page.url().includes(ids[0]) || (await page.content()).includes(ids[0]));
  const whole = await page.locator('main').innerText();
  assert.match(whole, /Attempts/);
  assert.match(whole, /demo-large/);
  const [row] = server.sql(`SELECT charge_nano, output_tokens FROM call WHERE call_id = '${ids[0].slice(5)}'`);
  assert.ok(row.charge_nano > 0);
  assert.match(whole, new RegExp(`\\b${row.output_tokens}\\b`));
  const exact = `0.${String(row.charge_nano).padStart(9, '0')}`.replace(/0+$/, '');
  assert.ok(whole.includes(exact), `${exact} is not on the page: ${whole}`);
  await press(page.locator('a[href^="/billing/ledger/"]').first());
  assert.ok((await page.locator('main').innerText()).includes('demo-large'));
}, { needs });

test('sees the spend on the usage page and on the running month', async () => {
  await page.goto(`${server.url}/usage`);
  assert.match(await page.locator('main').innerText(), /demo-large[\s\S]*demo-small|demo-small[\s\S]*demo-large|Requests/);
  await page.goto(`${server.url}/billing/preview`);
  const preview = await page.locator('article.invoice').innerText();
  assert.match(preview, /Usage, 2/);
  assert.match(preview, /25\.00/);
}, { needs });

setup('the month ends', async () => {
  const now = new Date();
  const next = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  await server.again(daysAhead(Math.ceil((next - now) / 86400000) + 2));
  await page.context().clearCookies();
  await page.goto(`${server.url}/sign-in`);
  await page.fill('input[name=email]', email);
  await page.fill('input[name=password]', password);
  await press(page.locator('main form button').last());
  for (let i = 0; i < 60; i++) {
    await page.goto(`${server.url}/billing`);
    if (await page.locator('a[href$="/pdf"]').count()) return;
    await page.waitForTimeout(1000);
  }
  throw new Error('no invoice was issued');
}, { needs });

test('downloads the invoice: its total is the log\'s and the ledger\'s', async () => {
  await press(page.locator('main a.row-link', { hasText: /^TG-/ }).first());
  const number = (await page.locator('h1').innerText()).match(/TG-\d{4}-00000[12]/)?.[0];
  assert.ok(number, await page.locator('h1').innerText());
  const pdf = await download(page.locator('a[href$="/pdf"]').first(), 'invoice.pdf');
  const sheet = await download(page.locator('a[href$="/csv"]').first(), 'invoice.csv');
  const text = execFileSync('pdftotext', ['-layout', pdf, '-'], { encoding: 'utf8' });
  assert.ok(text.includes(number), text);
  assert.match(text, /Überland 株式会社/);
  const [ledger] = server.sql(`SELECT -sum(CASE WHEN code = 'USAGE' THEN amount_nano ELSE 0 END)::bigint AS usage FROM transfer`);
  const used = BigInt(ledger.usage < 0 ? -ledger.usage : ledger.usage);
  const inPdf = text.match(/^\s*Usage\s+([-−]?[\d,]+\.\d+)\s*$/m)?.[1];
  assert.ok(inPdf, text);
  const size = (n) => (n < 0n ? -n : n);
  assert.equal(size(nano(inPdf)), used);
  const lines = csv(sheet);
  assert.ok(lines.length, readFileSync(sheet, 'utf8'));
  assert.ok(readFileSync(sheet, 'utf8').includes('demo-large'));

  const exported = await page.request.get(`${server.url}/log/export?from=2020-01-01`);
  assert.equal(exported.status(), 200, await exported.text());
  const path = join(files, 'log.csv');
  writeFileSync(path, await exported.body());
  const calls = csv(path);
  const column = Object.keys(calls[0]).find((name) => /charge|cost/.test(name));
  assert.equal(calls.length, 2, readFileSync(path, 'utf8'));
  assert.equal(calls.reduce((sum, row) => sum + nano(row[column]), 0n), used);
  booksBalance(server);
}, { needs });

test('the browser ends', async () => {
  await browser.close();
  rmSync(files, { recursive: true, force: true });
}, { needs });
