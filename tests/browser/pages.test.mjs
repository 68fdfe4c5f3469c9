// Every page of the route table, as everybody, as a team's owner and as an operator, wide and narrow, light
// and dark, with a past and empty: it answers, is quiet, asks nobody else, keeps still, is accessible, fits,
// and works without scripts. Then what keys do, and what a refused form says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { openBrowser, needsBrowser } from '../lib/browser.mjs';
import { call, hello, password, served, signInOperator, signUp, topUp } from '../lib/installation.mjs';
import { addProviders, addTeam, longName, mintKeys, startProvider, traffic } from '../lib/past.mjs';
import { daysAhead, needsFaketime, Server, top } from '../lib/server.mjs';
import { eventually, setup, test } from '../lib/story.mjs';

const needs = () => needsBrowser() ?? needsFaketime();
const AT_ONCE = 3;
const WIDTHS = { wide: 1280, narrow: 390 };
const table = readFileSync(join(top, 'server/routes.c'), 'utf8');
const pages = [...table.matchAll(/SHOW\(\s*"([^"]+)",\s*AUTH_(\w+)/g)].map(([, path, auth]) => ({ path, auth }));
const only = new RegExp(process.env.TEST_PAGES ?? ''); // while working on one
const shots = process.env.TEST_SHOTS; // a directory for a picture of each page at each width in each theme
let server, browser, provider, keys, ids = {}, linked = {};
const contexts = {};

// What moved by itself, and what the policy refused, kept for the test to ask. Until the document is read
// to its end a browser may draw a part of it, on a busy machine more than on an idle one, and the first frame
// that has all of it puts that in its place; from then on scripts, fonts and charts may not move anything by
// as much as a tenth of what passes for still (0.1).
function watch() {
  let drawn = Infinity; // when the frame after that one began
  const shifts = [];
  window.refused = [];
  document.addEventListener('readystatechange', () => {
    if (document.readyState === 'interactive') requestAnimationFrame(() => requestAnimationFrame((at) => { drawn = at; }));
  });
  const keep = (entries) => shifts.push(...entries);
  const observer = new PerformanceObserver((list) => keep(list.getEntries()));
  observer.observe({ type: 'layout-shift', buffered: true });
  window.shifted = () => {
    keep(observer.takeRecords());
    const later = shifts.filter((e) => e.startTime >= drawn && !e.hadRecentInput && e.value > 0.01);
    return {
      drawn: drawn < Infinity,
      whileRead: shifts.filter((e) => e.startTime < drawn).reduce((sum, e) => sum + e.value, 0),
      later: later.map((e) => `${e.value.toFixed(4)} ${e.sources.map((s) => s.node?.className ?? s.node?.nodeName).join(' ')}`),
    };
  };
  document.addEventListener('securitypolicyviolation', (e) => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));
}

async function signedIn(who) {
  const context = await browser.newContext();
  if (who) {
    const page = await context.newPage();
    await page.goto(`${server.url}/sign-in`);
    await page.fill('input[name=email]', who.email);
    await page.fill('input[name=password]', who.password);
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    assert.ok(!page.url().endsWith('/sign-in'), `${who.email} did not get in`);
  }
  const state = await context.storageState();
  await context.close();
  return state;
}

// A video that fails, and has given its charge back; its call.
async function failedVideo() {
  const client = (path, body) => fetch(`${server.url}/v1/videos${path}`, {
    method: body ? 'POST' : 'GET', headers: { authorization: `Bearer ${keys.support}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  }).then((res) => res.json());
  const { id } = await client('', { model: 'demo-video', prompt: 'Please fail', seconds: '8', size: '1280x720' });
  assert.match(String(id), /^video_/);
  await eventually(async () => (await client(`/${id}`)).status === 'failed', 'the video to fail');
  await eventually(() => server.sql(`SELECT 1 FROM video_job WHERE returned_nano > 0`).length, 'its charge to be given back');
  return id.replace(/^video/, 'call');
}

setup('an installation with a month behind it, seen by four', async () => {
  // 32 days back is another month, whatever day it is: there will be an invoice.
  // A mail server and an identity provider are set, so that all of every page is there; nobody answers at either.
  server = await new Server({ ...daysAhead(-32), SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'ops@example.org', OIDC_ISSUER: 'http://127.0.0.1:9', OIDC_CLIENT_ID: 'tollgate', OIDC_NAME: 'Example ID' }).start();
  provider = await startProvider();
  await addProviders(await signInOperator(server), provider);
  let owner = await addTeam(server);
  await topUp(owner, 100);
  keys = await mintKeys(owner);
  await served(server, keys.support, 'claude-sonnet-5');
  await traffic(server, keys, 60, { seed: 3 });
  await server.again(daysAhead(0));
  browser = await openBrowser();
  await owner.submit('/sign-in', /sign-in/, { email: owner.email, password });
  await traffic(server, keys, 260, { seed: 4 });
  await call(server, keys.support, hello('demo-small'));
  const one = (text) => server.sql(text)[0]?.id;
  await eventually(() => one(`SELECT max(id) AS id FROM invoice WHERE team_id = 2`), 'the invoice of the month before');
  await eventually(() => one(`SELECT count(*)::int AS id FROM call`) >= 320, 'every call to be settled');
  const video = await failedVideo();
  const order = (await owner.submit('/billing', /top-up/, { amount: '40', provider: 'manual' })).url.match(/orders\/(\d+)/)[1];
  const checkout = (await owner.submit('/billing', /top-up/, { amount: '30', provider: 'sandbox' })).url.match(/checkout\/(\d+)/)[1];
  const invite = (await owner.submit('/members', /invites$/, { role: 'viewer' })).body.match(/\/invite\/([\w-]{20,})/)[1];
  await owner.submit('/budgets', /\/budgets$/, { for: 'team:2', amount: '500', window: 'month' });
  await owner.submit('/alerts', /alerts\/webhook$/, { url: `https://hooks.example.org/${'a-path-without-an-end/'.repeat(9)}` });
  const own = await owner.submit('/provider-keys/new?kind=openai-compatible', /\/provider-keys$/, { kind: 'openai-compatible', name: 'Our own', base_url: 'https://llm.example.org/v1', key: 'sk-own-key-of-the-team-WXYZ' });
  assert.match(own.url, /\/provider-keys\/\d+$/, own.text.slice(0, 600));
  await owner.submit('/guardrails', /\/guardrails$/, { name: longName.replace(/[^\w .-]/g, '').slice(0, 40), finds: 'email', patterns: '\\bEMP-\\d{6}\\b', action: 'redact', place: 'all' });
  const operator = await signInOperator(server);
  await operator.submit('/operator/guardrails', /operator\/guardrails$/, { name: 'house rules', finds: 'secret', words: 'Project Falcon\nProject Eagle', action: 'block', place: 'all' });
  const reset = (await operator.submit('/operator/users?q=ada', /\/reset$/)).body.match(/\/reset\/([\w-]{20,})/)[1];
  await operator.submit('/operator/incidents', /incidents\/off$/, { model: 'gpt-5-nano', reason: 'It answers with other people’s words' });
  for (const fields of [{ name: longName.replace(/[^\w.-]/g, '').slice(0, 40), serves: 'gpt-5-nano', tags: 'plan=free\nplan=trial', max_input_tokens: '4000' },
    { name: 'trial-of-the-new-one', serves: 'claude-sonnet-5', share_percent: '10', share_tag: 'user', asks_not: ['tools', 'vision'] }])
    assert.match((await operator.submit(`/operator/models/${one(`SELECT id FROM model WHERE name = 'gpt-5-mini'`)}/rules`, /\/rules$/, fields)).url, /rules$/);
  const [invoice, paid] = [one(`SELECT max(id) AS id FROM invoice WHERE team_id = 2`), one(`SELECT min(id) AS id FROM topup_order WHERE team_id = 2 AND state = 'paid'`)];
  await operator.submit('/operator/alerts', /operator\/alerts\/webhook$/, { url: `https://127.0.0.1/${'services/'.repeat(12)}alerts` });
  await operator.submit('/operator/alerts', /operator\/alerts\/webhook\/test$/);
  // One that stands, since its account is not asked, and one that is over by when it is looked at.
  server.psql(`INSERT INTO alarm (kind, subject, name, detail, raised_at, seen_at) VALUES
    ('account', 'account:2', '${longName}', 'It refuses our credential (401, 402 or 403).', now(), now() + interval '1 day'),
    ('books', 'finding:0', 'I2 the wallet is what its transfers add up to', 'wallet: off by $0.000000001', now(), now())`);
  await operator.submit('/operator/codes', /operator\/codes$/, { amount: '10', name: 'Conference credit', uses: '50', grant_days: '30', note: 'Handed out in Berlin' });
  await operator.submit(`/operator/teams/2/invoices/${invoice}`, /invoices\/\d+$/, { amount: '0.000001', reason: 'An outage on the 12th' });
  await operator.submit(`/operator/orders/${paid}`, /refund$/, { amount: '1', reason: 'The customer asked for it' });
  const newcomer = await signUp(server, { name: 'Noor Newcomer', team: 'A team whose name is as long as the form allows, for people who like such names' });
  const failed = one(`SELECT 'call_' || replace(call_id::text, '-', '') AS id FROM call WHERE fallback LIMIT 1`);
  const blocked = one(`SELECT 'call_' || replace(call_id::text, '-', '') AS id FROM call WHERE outcome = 'blocked' LIMIT 1`);
  const model = one(`SELECT id FROM model WHERE name = 'gpt-5-mini'`);
  // Its latest calls, as a cheaper model would have answered them.
  server.psql(`SELECT settle_shadows(ARRAY(SELECT jsonb_populate_record(NULL::shadow_call, to_jsonb(c) || jsonb_build_object(
      'call_id', gen_random_uuid(), 'shadow_of', c.call_id, 'shadowed_model_id', ${model}, 'requested_model', 'gpt-5-nano', 'charge_nano', 0, 'transfer_id', NULL, 'price_id', NULL,
      'cost_nano', c.cost_nano / 5, 'latency_us', c.latency_us * 7 / 10, 'ttfb_us', c.ttfb_us * 6 / 10, 'finish_reason', 'length',
      'outcome', CASE WHEN n % 7 = 0 THEN 'upstream_error' ELSE c.outcome END, 'error_code', CASE WHEN n % 7 = 0 THEN 'upstream_error' END))
    FROM (SELECT *, row_number() OVER (ORDER BY posted_at DESC) AS n FROM call WHERE model_id = ${model} AND charge_nano > 0) c WHERE n <= 60))`);
  await operator.submit(`/operator/models/${model}/shadow`, /\/shadow$/, { to_model: String(one(`SELECT id FROM model WHERE name = 'gpt-5-nano'`)), share: '12.5', day_ceiling: '5' });
  const pair = one(`SELECT 'call_' || replace(call_id::text, '-', '') AS id FROM shadow_call WHERE outcome = 'upstream_error' LIMIT 1`);
  ids = {
    '/log/{id}': failed, '/operator/calls/{id}': video,
    '/keys/{id}': one(`SELECT id FROM api_key WHERE name LIKE 'nightly%'`),
    '/billing/ledger/{id}': one(`SELECT max(id) AS id FROM transfer WHERE team_id = 2 AND code = 'USAGE'`),
    '/billing/orders/{id}': order, '/checkout/{id}': checkout,
    '/billing/invoices/{id}': invoice, '/operator/teams/{id}/invoices/{invoice}': [2, invoice],
    '/billing/credit-notes/{id}': one(`SELECT max(id) AS id FROM credit_note WHERE team_id = 2`),
    '/operator/codes/{id}': one(`SELECT max(id) AS id FROM redeem_code`), '/operator/orders/{id}': paid,
    '/reset/{token}': reset, '/invite/{token}': invite,
    '/guardrails/{id}': one('SELECT max(id) AS id FROM guardrail WHERE team_id = 2'),
    '/operator/guardrails/{id}': one('SELECT max(id) AS id FROM guardrail WHERE team_id IS NULL'),
    '/provider-keys/{id}': own.url.match(/\d+$/)[0],
    '/operator/accounts/{id}': 2, '/operator/models/{id}': model,
    '/operator/models/{id}/rules': model, '/operator/rules/{id}': one('SELECT max(id) AS id FROM route_rule'),
    '/operator/models/{id}/prices': model, '/operator/models/{id}/prices/new': model,
    '/operator/models/{id}/shadow': model, '/operator/models/{id}/shadow/{pair}': [model, pair],
    '/operator/teams/{id}': 2,
  };
  linked = { blocked: `/log/${blocked}`, byModel: '/usage?by=model&span=90d', nothing: '/log?status=401' };
  for (const [who, account] of Object.entries({ NONE: undefined, USER: { email: owner.email, password }, OPERATOR: server.operator, NEWCOMER: { email: newcomer.email, password } })) {
    const storageState = await signedIn(account);
    for (const [name, width] of Object.entries(WIDTHS)) {
      contexts[who + name] = await browser.newContext({ storageState, reducedMotion: 'reduce', viewport: { width, height: 850 } });
      await contexts[who + name].addInitScript(watch);
    }
    contexts[`${who}plain`] = await browser.newContext({ storageState, javaScriptEnabled: false, viewport: { width: WIDTHS.wide, height: 850 } });
  }
}, { needs });

// What is beyond the first rows of a list is made of the same template: most of axe's time for nothing new.
// The reference is looked at whole once, light and wide; otherwise the first of each family stand for the rest.
const REPEATED = ['tbody tr', '.rows > li', '.checks label', 'option'].map((one) => [`${one}:nth-child(n+13)`]);
const ALIKE = [...REPEATED, ['.family .operation:nth-of-type(n+5)']];

// All of axe's rules, or only some; evaluated past the page's policy.
async function violations(page, { rules, exclude = REPEATED } = {}) {
  if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(axe.source);
  return page.evaluate(async ([runOnly, without]) => {
    const { violations: found } = await window.axe.run({ exclude: without }, { resultTypes: ['violations'], ...(runOnly ? { runOnly } : {}) });
    return found.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any[0]?.message ?? ''}`).slice(0, 4).join('; ')}`);
  }, [rules, exclude]);
}

// What a row can do is done without scrolling its table aside, and a list of check boxes stays in its frame.
async function rowsWithin(page, at) {
  const hidden = await page.evaluate(() => [...document.querySelectorAll('.table-wrap')].flatMap((wrap) => {
    const right = wrap.getBoundingClientRect().right;
    return [...wrap.querySelectorAll('button')].filter((b) => b.offsetParent && b.getBoundingClientRect().right > right)
      .map((b) => `${b.textContent.trim()} ${Math.round(b.getBoundingClientRect().right - right)}`);
  }));
  assert.deepEqual(hidden, [], `${at}: out of sight`);
  const over = await page.evaluate(() => [...document.querySelectorAll('.checks')].map((c) => [c.textContent.trim().slice(0, 40), c.scrollWidth - c.clientWidth]).filter(([, n]) => n > 0));
  assert.deepEqual(over, [], `${at}: check boxes beyond their frame`);
}

// Whatever opens on the page opens within its width, one at a time.
async function opensWithin(page, at) {
  const wide = await page.evaluate(() => [...document.querySelectorAll('main details:not([open])')].map((d) => {
    d.open = true;
    const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    d.open = false;
    return over > 0 ? `${d.className} ${over}` : '';
  }).filter(Boolean));
  assert.deepEqual(wide, [], `${at}: too wide when it is opened`);
}

async function picture(page, path, who, size, theme) {
  if (!shots) return;
  const name = path.slice(1).replace(/[^\w-]+/g, '-').slice(0, 60) || 'home';
  const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), 5000);
  await page.screenshot({ path: join(shots, `${name}-${who}-${size}-${theme}.png`), fullPage: true, clip: { x: 0, y: 0, width: WIDTHS[size], height } });
}

// A page of each kind is kept and led from address to address, as a browser's tab is: a process for each
// address would take longer to begin than most of what is looked at. One that a look failed on is not kept.
const kept = {};
async function onPage(kind, fn) {
  const page = kept[kind]?.pop() ?? await contexts[kind].newPage();
  try {
    await fn(page);
  } catch (error) {
    await page.close();
    throw error;
  }
  (kept[kind] ??= []).push(page);
}

// What a page says by itself while fn runs: complaints of its scripts, and whom it asks.
async function complaintsOf(page, fn) {
  const complaints = [];
  const heard = {
    console: (m) => { if (/error|warning/.test(m.type()) && !/status of 4\d\d/.test(m.text())) complaints.push(m.text()); },
    pageerror: (e) => complaints.push(String(e)),
    request: (r) => { if (!r.url().startsWith(server.url) && !r.url().startsWith('data:')) complaints.push(`asks ${r.url()}`); },
  };
  for (const [event, hear] of Object.entries(heard)) page.on(event, hear);
  try {
    await fn();
  } finally {
    for (const [event, hear] of Object.entries(heard)) page.off(event, hear);
  }
  return complaints;
}

const look = (path, who, size, status = 200) => onPage(who + size, async (page) => {
  const at = `${path} as ${who}, ${size}`;
  assert.deepEqual(await complaintsOf(page, () => lookAt(page, at, path, who, size, status)), [], at);
});

async function lookAt(page, at, path, who, size, status) {
  await page.emulateMedia({ colorScheme: 'light' }); // as it was when it was new
  const answer = await page.goto(server.url + path, { waitUntil: 'load' });
  assert.equal(answer.status(), status, at);
  assert.equal(new URL(page.url()).pathname, path.split('?')[0], `${at} led elsewhere`);
  const policy = answer.headers()['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'none'/, at);
  assert.doesNotMatch(policy, /unsafe|\*/, at);
  const seen = await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return {
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      headings: [...document.querySelectorAll('h1')].length, shifted: window.shifted(), refused: window.refused,
      twice: [...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, i, all) => all.indexOf(id) !== i),
    };
  });
  assert.ok(seen.wide <= 0, `${at}: ${seen.wide} px too wide`);
  assert.equal(seen.headings, 1, `${at}: headings`);
  assert.deepEqual(seen.twice, [], `${at}: ids that stand there twice`);
  assert.ok(seen.shifted.drawn, `${at}: drawn`);
  assert.deepEqual(seen.shifted.later, [], `${at}: it moves`);
  assert.ok(seen.shifted.whileRead < 0.1, `${at}: it moves while it is read: ${seen.shifted.whileRead}`);
  assert.deepEqual(seen.refused, [], `${at}: the policy refused something`);
  await rowsWithin(page, at);
  await opensWithin(page, at);
  for (const [i, theme] of (size === 'wide' ? ['light', 'dark'] : ['dark', 'light']).entries()) {
    await page.emulateMedia({ colorScheme: theme });
    await picture(page, path, who, size, theme);
    const part = { rules: i ? ['color-contrast'] : undefined, exclude: i || size !== 'wide' ? ALIKE : REPEATED };
    assert.deepEqual(await violations(page, part), [], `${at}, ${theme}`);
  }
}

// Read and sent by somebody who has no scripts: nothing is shown that would not do anything, and every form
// that changes something has its button.
const lookPlain = (path, who) => onPage(`${who}plain`, async (page) => {
  assert.equal((await page.goto(server.url + path)).status(), 200, `${path} without scripts`);
  const seen = await page.evaluate(() => {
    const all = (what) => [...document.querySelectorAll(what)];
    const isSeen = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 0 && one.getBoundingClientRect().height > 0;
    return {
      headings: all('h1').map(isSeen), scripted: all('.needs-script').filter(isSeen).length, charts: all('.chart').filter(isSeen).length,
      mute: all('#content form, main form').filter((form) => !form.querySelector('button')).length,
    };
  });
  assert.deepEqual(seen.headings, [true], `${path} has no heading without scripts`);
  assert.equal(seen.scripted, 0, `${path} shows what needs scripts`);
  assert.equal(seen.mute, 0, `${path}: a form without a button`);
  assert.equal(seen.charts, 0, `${path}: an empty chart`);
});

const whoSees = (auth) => (auth === 'NONE' || auth === 'OPERATOR' ? auth : 'USER');
// A path with two holes has two ids.
function address(path) {
  let n = 0;
  return path.replace(/\{\w+\}/g, () => [].concat(ids[path])[n++]);
}
let free = AT_ONCE;
const waiting = [];

// Several at a time; a test is told of its own page only.
async function inTurn(fn) {
  if (free === 0) await new Promise((go) => waiting.push(go));
  else free--;
  try {
    await fn();
  } finally {
    if (waiting.length) waiting.shift()();
    else free++;
  }
}

const jobs = pages.map(({ path, auth }) => [path, () => address(path), whoSees(auth)]);
for (const name of ['blocked', 'byModel', 'nothing']) jobs.push([name, () => linked[name], 'USER']);
for (const kind of ['bedrock', 'openai-compatible']) jobs.push([`a key of one's own at ${kind}`, () => `/provider-keys/new?kind=${kind}`, 'USER']);
for (const kind of ['bedrock', 'vertex', 'azure', 'openai-compatible'])
  jobs.push([`a new account of ${kind}`, () => `/operator/accounts/new?kind=${kind}`, 'OPERATOR']);
for (const path of ['/overview', '/keys', '/log', '/usage', '/billing', '/billing/ledger', '/budgets', '/guardrails', '/members', '/settings'])
  jobs.push([`${path} of a new team`, () => path, 'NEWCOMER']);
jobs.splice(0, jobs.length, ...jobs.filter(([name]) => only.test(name)));

// All are begun at once, in this order, and each test waits for its own.
const looked = new Map();
test('there is a thing for every page that wants one', () => {
  for (const { path } of pages.filter((p) => p.path.includes('{'))) assert.ok(ids[path], `nothing stands for ${path}`);
  for (const [name, path, who] of jobs) {
    const done = Promise.all([
      ...Object.keys(WIDTHS).map((size) => inTurn(() => look(path(), who, size))), inTurn(() => lookPlain(path(), who)),
    ]);
    done.catch(() => {}); // told by its test
    looked.set(name, done);
  }
}, { needs });
for (const [name] of jobs) test(name, () => looked.get(name), { needs });

test('a page that is not there says so, and is a page', () => look('/nowhere', 'USER', 'wide', 404), { needs });

test('the account menu is within reach in a low window, whose list is longer', async () => {
  const page = await contexts.OPERATORwide.newPage();
  await page.setViewportSize({ width: WIDTHS.wide, height: 480 });
  await page.goto(`${server.url}/operator/audit`);
  const seen = await page.evaluate(() => ({
    list: document.querySelector('.rail').scrollHeight, window: innerHeight,
    menu: document.querySelector('.rail > .menu.up').getBoundingClientRect().bottom,
  }));
  assert.ok(seen.list > seen.window, 'the list is longer than the window');
  assert.ok(seen.menu <= seen.window);
  await page.locator('.rail > .menu.up summary').click();
  await page.locator('.rail > .menu.up .menu-item', { hasText: 'Account' }).click();
  await page.waitForURL('**/account');
  await page.close();
}, { needs });

test('the section that one is in stands in sight, though the list is longer than the window', async () => {
  const page = await contexts.OPERATORwide.newPage();
  await page.setViewportSize({ width: WIDTHS.wide, height: 480 });
  await page.goto(`${server.url}/operator/installation`);
  const [here, account] = await Promise.all(['.rail [aria-current]', '.rail > .menu.up'].map((one) => page.locator(one).boundingBox()));
  assert.ok(here.y >= 0 && here.y + here.height <= account.y, `${JSON.stringify(here)} behind ${JSON.stringify(account)}`);
  await page.close();
}, { needs });

test('amounts stand in sight on a narrow screen', async () => {
  for (const [who, path] of [['USER', '/billing/ledger/{id}'], ['USER', '/billing/invoices/{id}'], ['OPERATOR', '/operator/orders'], ['OPERATOR', '/operator/teams/{id}/invoices/{invoice}']]) {
    const page = await contexts[`${who}narrow`].newPage();
    await page.goto(server.url + (ids[path] ? address(path) : path));
    const amounts = await page.evaluate(() => [...document.querySelectorAll('.table .money')].filter((m) => m.offsetParent).map((m) => m.getBoundingClientRect().right - innerWidth));
    assert.ok(amounts.length > 0, path);
    assert.deepEqual(amounts.filter((over) => over > 0), [], path);
    await page.close();
  }
}, { needs });

test('the requests of one transfer are told apart on a narrow screen', async () => {
  const page = await contexts.USERnarrow.newPage();
  await page.goto(server.url + address('/billing/ledger/{id}'));
  const seen = await page.locator('.from-end').evaluateAll((cells) => cells.map((cell) => {
    const text = cell.querySelector('bdi').firstChild, at = cell.getBoundingClientRect(), range = document.createRange();
    const isSeen = (i) => {
      range.setStart(text, i);
      range.setEnd(text, i + 1);
      const letter = range.getBoundingClientRect();
      return letter.left >= at.left && letter.right <= at.right;
    };
    return [...text.data].filter((_, i) => isSeen(i)).join('');
  }));
  assert.ok(seen.length > 0);
  assert.equal(new Set(seen).size, seen.length, seen.join(' '));
  const ends = await page.locator('.from-end').evaluateAll((cells) => cells.map((cell) => cell.textContent.slice(-6)));
  seen.forEach((part, i) => assert.ok(part.endsWith(ends[i]), `${part} of ${ends[i]}`));
  await page.close();
}, { needs });

test('a rule of a model is added, refused by field, moved, switched, tried and deleted by hand', async () => {
  const page = await contexts.OPERATORwide.newPage();
  const sent = (button) => Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: button, exact: true }).click()]);
  const names = () => page.locator('tbody .row-link').allTextContents();
  const [{ id }] = server.sql(`SELECT id FROM model WHERE name = 'gpt-5-nano'`);
  await page.goto(`${server.url}/operator/models/${id}`);
  await Promise.all([page.waitForURL(/rules$/), page.getByRole('link', { name: 'Add a rule' }).click()]);
  await page.fill('input[name=name]', 'tools');
  await page.fill('input[name=serves]', 'text-embedding-3-small');
  await sent('Add rule');
  assert.match(await page.locator('main .fault').first().textContent(), /another kind/);
  assert.deepEqual(await violations(page), []);
  await page.fill('input[name=serves]', 'gpt-5-mini');
  await page.locator('input[name=asks][value=tools]').check();
  await page.fill('input[name=team_ids]', '2');
  await sent('Add rule');
  assert.match(await page.locator('tr', { hasText: 'tools' }).textContent(), /team .+; asks for tool calls\s+gpt-5-mini\s+On/);
  await page.fill('input[name=name]', 'free');
  await page.fill('input[name=serves]', 'demo-small');
  await page.fill('textarea[name=tags]', 'plan=free');
  await page.fill('input[name=max_input_tokens]', '4000');
  await sent('Add rule');
  assert.deepEqual(await names(), ['tools', 'free']);
  await sent('Ask free earlier');
  assert.deepEqual(await names(), ['free', 'tools']);
  await page.fill('textarea[name=try_tags]', 'plan=free');
  await sent('Try');
  assert.match(await page.locator('#try .note').textContent(), /By free: demo-small/);
  assert.deepEqual(await violations(page), []);
  await sent('Switch free off');
  assert.match(await page.locator('tr', { hasText: 'free' }).textContent(), /plan=free; 4,000 input tokens or fewer\s+demo-small\s+Off/);
  await page.fill('textarea[name=try_tags]', 'plan=free');
  await sent('Try');
  assert.match(await page.locator('#try .note').textContent(), /No rule holds: gpt-5-nano/);
  await Promise.all([page.waitForURL(/rules\/\d+$/), page.getByRole('link', { name: 'free', exact: true }).click()]);
  assert.equal(await page.inputValue('textarea[name=tags]'), 'plan=free');
  await page.selectOption('select[name=position]', { label: '2, behind tools' });
  await sent('Save');
  assert.deepEqual(await names(), ['tools', 'free']);
  await Promise.all([page.waitForURL(/rules\/\d+$/), page.getByRole('link', { name: 'tools', exact: true }).click()]);
  await page.getByRole('button', { name: 'Delete rule' }).click();
  await Promise.all([page.waitForEvent('load'), page.locator('#ask').getByRole('button', { name: 'Delete rule' }).click()]);
  assert.deepEqual(await names(), ['free']);
  await page.close();
}, { needs });

test('a guardrail is added, refused by field, changed and taken away by hand', async () => {
  const page = await contexts.NEWCOMERwide.newPage();
  const sent = (button) => Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: button }).click()]);
  await page.goto(`${server.url}/guardrails`);
  await page.fill('input[name=name]', 'staff');
  await page.fill('textarea[name=patterns]', '(a+)+[bc]\\d');
  await sent('Add guardrail');
  assert.match(await page.locator('main .fault').first().textContent(), /takes too long/);
  assert.deepEqual(await violations(page), []);
  await page.fill('textarea[name=patterns]', '\\bEMP-\\d{6}\\b');
  await page.getByLabel('E-mail addresses').check();
  await page.getByLabel('What models answer').check();
  await page.selectOption('select[name=action]', 'redact');
  await sent('Add guardrail');
  const row = page.locator('tr', { hasText: 'staff' });
  assert.match(await row.textContent(), /Redacts\s+email, 1 pattern\s+requests and answers\s+every key/);
  await Promise.all([page.waitForURL(/guardrails\/\d+$/), row.getByRole('link', { name: 'staff' }).click()]);
  assert.ok(await page.getByLabel('E-mail addresses').isChecked());
  assert.equal(await page.inputValue('textarea[name=patterns]'), '\\bEMP-\\d{6}\\b');
  await page.getByLabel('Off for now').check();
  await sent('Save');
  assert.match(await page.locator('tr', { hasText: 'staff' }).textContent(), /Off/);
  await page.locator('tr', { hasText: 'staff' }).getByRole('button', { name: 'Take away' }).click();
  await Promise.all([page.waitForEvent('load'), page.locator('#ask').getByRole('button', { name: 'Take away' }).click()]);
  assert.equal(await page.locator('tr', { hasText: 'staff' }).count(), 0);
  await page.close();
}, { needs });

test('the audit log tells who did it on a narrow screen, too', async () => {
  const page = await contexts.OPERATORnarrow.newPage();
  await page.goto(`${server.url}/operator/audit`);
  const actors = await page.locator('.entry > .muted.clip').evaluateAll((all) => all.map((one) => [one.textContent, one.scrollWidth - one.clientWidth]));
  assert.ok(actors.length > 5);
  assert.deepEqual(actors.filter(([name, over]) => over > 0 && name.length < 30), []);
  await page.close();
}, { needs });

// --- keys ---

const ask = async (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.className);

test('/ finds, g goes, ? lists, Esc closes', async () => {
  const page = await contexts.USERwide.newPage();
  await page.goto(`${server.url}/log`);
  await page.keyboard.press('k'); // a letter alone, however soon
  await page.waitForTimeout(100);
  assert.ok(page.url().endsWith('/log'), page.url());
  await page.keyboard.press('/');
  assert.equal(await ask(page), 'find');
  await page.keyboard.press('Escape');
  await page.locator('h1').click();
  await page.keyboard.press('?');
  assert.ok(await page.locator('#keys-help').isVisible());
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  assert.ok(!await page.locator('#keys-help').isVisible());
  await page.keyboard.press('g');
  await Promise.all([page.waitForURL('**/keys'), page.keyboard.press('k')]);
  await page.close();
}, { needs });

test('a request opens beside the list, and j and k go on', async () => {
  const page = await contexts.USERwide.newPage();
  await page.goto(`${server.url}/log`);
  await page.locator('.log tbody tr').nth(1).locator('td').nth(2).click();
  const title = page.locator('.panel h1');
  await title.waitFor();
  const first = await page.locator('.panel #call-id').textContent();
  assert.ok(page.url().endsWith(`#${first}`), page.url());
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('j');
  await page.waitForFunction((id) => document.querySelector('.panel #call-id')?.textContent !== id, first);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.panel').count(), 0);
  assert.equal(await ask(page), 'row-link', 'the row has the focus again');
  await page.close();
}, { needs });

test('of days and a period the log shows what was chosen last', async () => {
  const page = await contexts.USERwide.newPage();
  const day = new Date().toISOString().slice(0, 10);
  const at = (name) => page.locator(`.filters [name=${name}]`);
  const chips = () => page.locator('.filter-chip').allTextContents();
  const asks = (what, fn) => Promise.all([page.waitForURL(what), fn()]);
  await page.goto(`${server.url}/log?from=${day}&to=${day}`);
  assert.equal(await at('period').inputValue(), '');
  await asks(/\?period=7d$/, () => at('period').selectOption('7d'));
  await page.locator('.filter-chip', { hasText: '7d' }).waitFor();
  assert.deepEqual([await at('from').inputValue(), await at('to').inputValue()], ['', '']);
  await page.locator('.more-filters summary').click();
  await asks(new RegExp(`\\?from=${day}$`), () => at('from').fill(day));
  await page.locator('.filter-chip', { hasText: day }).waitFor();
  assert.equal(await at('period').inputValue(), '');
  assert.equal((await chips()).length, 1);
  await asks(/\?period=24h$/, () => at('from').fill(''));
  assert.equal(await at('period').inputValue(), '24h');
  await page.close();
}, { needs });

test('a role is not changed before its button is pressed', async () => {
  const page = await contexts.USERwide.newPage();
  const sent = [];
  page.on('request', (r) => { if (r.method() === 'POST') sent.push(r.url()); });
  await page.goto(`${server.url}/members`);
  const role = page.locator('td select[name=role]').first();
  await role.focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  assert.notEqual(await role.inputValue(), 'owner');
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  assert.deepEqual(sent, []);
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Set' }).first().click()]);
  assert.equal(sent.length, 1);
  await page.close();
}, { needs });

test('columns that were hidden stay hidden', async () => {
  const page = await contexts.USERwide.newPage();
  await page.goto(`${server.url}/log`);
  await page.locator('.columns-menu summary').click();
  await page.locator('[data-columns] [value=key]').uncheck();
  await page.locator('[data-columns] [value=ttfb]').check();
  await page.goto(`${server.url}/log?status=ok`);
  assert.ok(!await page.locator('th.c-key').isVisible());
  assert.ok(await page.locator('th.c-ttfb').isVisible());
  await page.close();
}, { needs });

test('live shows a call that has just been made', async () => {
  const page = await contexts.USERwide.newPage();
  await page.goto(`${server.url}/log`);
  const before = await page.locator('.log .row-link').first().getAttribute('href');
  await page.locator('[data-live]').click();
  await call(server, keys.support, hello('demo-small'));
  await page.waitForFunction((href) => document.querySelector('.log .row-link').getAttribute('href') !== href, before);
  await page.close();
}, { needs });

test('what is dangerous asks first, and does nothing when the answer is no', async () => {
  const page = await contexts.USERwide.newPage();
  await page.goto(`${server.url}/settings`);
  const archive = page.locator('button[data-confirm]', { hasText: 'Archive' }).first();
  const count = await page.locator('button[data-confirm]', { hasText: 'Archive' }).count();
  await archive.click();
  assert.ok(await page.locator('#ask').isVisible());
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('button[data-confirm]', { hasText: 'Archive' }).count(), count);
  await archive.click();
  await Promise.all([page.waitForEvent('load'), page.locator('#ask [value=yes]').click()]);
  assert.equal(await page.locator('button[data-confirm]', { hasText: 'Archive' }).count(), count - 1);
  await page.close();
}, { needs });

// --- forms ---

for (const [name, who, path, fill, said] of [
  ['sign-up', 'NONE', '/sign-up', { email: 'no-address', name: 'Ada', password: 'short', team_name: 'T' }, 2],
  ['a key', 'USER', '/keys/new', { name: longName, budget: 'much' }, 1],
  ['a top-up', 'USER', '/billing', { amount: '0.001' }, 1],
  ['a switch', 'OPERATOR', '/operator/incidents', { 'form[action$=off] [name=model]': 'no-such-model', 'form[action$=off] [name=reason]': 'It lies' }, 1],
]) {
  test(`a refused form says what is wrong beside the field: ${name}`, async () => {
    const page = await contexts[`${who}narrow`].newPage();
    await page.goto(server.url + path);
    const names = Object.entries(fill).map(([key, value]) => [/\[/.test(key) ? key : `#content [name=${key}], main [name=${key}]`, value]);
    for (const [at, value] of names) await page.locator(at).first().fill(value);
    const form = page.locator(names[0][0]).first().locator('xpath=ancestor::form');
    await form.evaluate((f) => { f.noValidate = true; });
    await Promise.all([page.waitForEvent('load'), form.locator('button').last().click()]);
    assert.ok(await page.locator('[aria-invalid]').count() >= said, 'no field is marked');
    assert.ok(await page.locator('.fault').first().isVisible());
    const kept = names.find(([at]) => !/password/.test(at));
    assert.equal(await page.locator(kept[0]).first().inputValue(), kept[1], 'what was typed is gone');
    assert.deepEqual(await violations(page), []);
    await page.close();
  }, { needs });
}

test('a project’s name that is taken is told in its row, also without scripts', async () => {
  for (const size of ['wide', 'narrow', 'plain']) {
    const page = await contexts[`USER${size}`].newPage();
    await page.goto(`${server.url}/settings`);
    const row = page.locator('.line', { hasText: 'Support desk' });
    const form = row.locator('form[action$=rename]');
    if (size === 'plain') await page.setContent((await page.content()).replaceAll(' popover=""', '')); // what one without popovers sees
    else await row.getByRole('button', { name: 'Rename' }).click();
    await form.locator('[name=name]').fill('product SEARCH');
    await Promise.all([page.waitForEvent('load'), form.getByRole('button', { name: 'Rename' }).click()]);
    const field = form.locator('[name=name]');
    assert.equal(await field.inputValue(), 'product SEARCH');
    assert.ok(await field.isVisible());
    assert.match(await row.locator('.fault').innerText(), /name/);
    assert.equal(await page.locator('.note.bad').count(), 0);
    if (size !== 'plain') {
      assert.ok(await field.evaluate((one) => one === document.activeElement), 'one types on where it was refused');
      assert.deepEqual(await violations(page), []);
      for (const theme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme: theme });
        await picture(page, '/settings-refused', 'USER', size, theme);
      }
    }
    await row.getByRole('link', { name: 'Cancel' }).click();
    await page.waitForURL('**/settings');
    await page.close();
  }
}, { needs });

test('a figure is whole under the pointer, a time in UTC', async () => {
  const page = await contexts.USERwide.newPage();
  await page.goto(`${server.url}/log`);
  for (const money of await page.locator('.log .money').all()) assert.match(await money.getAttribute('title'), /^\d[\d.]*\d USD$/);
  for (const time of (await page.locator('.log time').all()).slice(0, 5)) assert.match(await time.getAttribute('title'), /\d{4}-\d\d-\d\dT[\d:.]+Z/);
  await page.close();
}, { needs });

test('a day of the chart leads to its requests', async () => {
  const page = await contexts.USERwide.newPage();
  await page.goto(`${server.url}/overview`);
  const over = page.locator('.chart .u-over');
  const { width, height } = await over.boundingBox();
  await over.hover({ position: { x: width - 8, y: height - 8 } });
  const day = new Date().toISOString().slice(0, 10);
  await Promise.all([page.waitForURL(new RegExp(`/log\\?from=${day}&to=${day}`)), over.click({ position: { x: width - 8, y: height - 8 } })]);
  await page.close();
}, { needs });

// --- keys of the team's own at providers ---

test('a key of one’s own is added on its page, and never shown', async () => {
  const page = await contexts.USERwide.newPage();
  const secret = 'sk-own-typed-in-a-browser-QRST';
  await page.goto(`${server.url}/provider-keys/new?kind=openai-compatible`);
  await page.fill('[name=name]', 'Typed here');
  await page.fill('[name=key]', secret);
  await page.fill('[name=base_url]', 'http://llm.example.org/v1');
  await page.click('text=Add key');
  assert.ok(await page.locator('#e-base_url').isVisible(), 'plain http is refused beside the field');
  assert.equal(await page.inputValue('[name=key]'), '');
  await page.fill('[name=base_url]', 'https://llm.example.org/v1');
  await page.fill('[name=key]', secret);
  await page.check('[name=own_only]');
  await Promise.all([page.waitForURL(/\/provider-keys\/\d+$/), page.click('text=Add key')]);
  assert.ok(!(await page.content()).includes(secret));
  assert.match(await page.textContent('dl.facts'), /with this key only[\s\S]*QRST/);
  await Promise.all([page.waitForLoadState('load'), page.click('text=Disable')]);
  await page.getByRole('button', { name: 'Enable' }).waitFor();
  await page.goto(`${server.url}/provider-keys`);
  assert.match(await page.textContent('table'), /Typed here[\s\S]*Off[\s\S]*this key only/);
  assert.ok(!(await page.content()).includes(secret));
  await page.close();
}, { needs });

// --- without a mouse ---

test('from sign-up to the first key with the keyboard alone, and the snippets work as pasted', async () => {
  const page = await (await browser.newContext({ viewport: { width: WIDTHS.wide, height: 850 } })).newPage();
  const press = (key) => page.keyboard.press(key);
  const reach = async (selector) => {
    for (let i = 0; i < 80; i++) {
      await press('Tab');
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    }
    assert.fail(`Tab never comes to ${selector} on ${page.url()}`);
  };
  const go = (key, where) => Promise.all([page.waitForURL(where), press(key)]);
  await page.goto(`${server.url}/`);
  await reach('header a[href="/sign-up"]');
  await go('Enter', '**/sign-up');
  for (const [name, text] of [['name', 'Kim Keyboard'], ['email', 'kim@keys.example'], ['password', password], ['team_name', 'Keys']]) {
    await reach(`[name=${name}]`);
    await page.keyboard.type(text);
  }
  await go('Enter', '**/overview');
  await press('g');
  await go('b', '**/billing');
  await reach('[name=amount]');
  await page.keyboard.type('20');
  await go('Enter', '**/checkout/*');
  await reach('[value=succeed]');
  await go('Enter', '**/billing/orders/*');
  await press('g');
  await go('k', '**/keys');
  await reach('a[href="/keys/new"]');
  await go('Enter', '**/keys/new');
  await reach('[name=name]');
  await page.keyboard.type('made without a mouse');
  await go('Enter', '**/keys');
  await reach('.secret button');
  await reach('#snippet > input');
  await press('ArrowRight');
  assert.ok(await page.locator('#snippet pre').nth(1).isVisible(), 'the arrow chooses the next language');
  const [curl, python, node] = await page.locator('#snippet pre').allTextContents();
  const run = promisify(execFile); // the provider that answers is this process
  const said = JSON.parse((await run('bash', ['-c', `${curl} -sS`])).stdout);
  assert.ok(said.choices?.[0].message.content, JSON.stringify(said));
  assert.ok((await run('node', ['--input-type=module', '-e', node], { cwd: join(top, 'tests') })).stdout.trim());
  await run('python3', ['-c', 'import ast, sys; ast.parse(sys.argv[1])', python]);
  await page.context().close();
}, { needs });

test('the browser ends', async () => {
  await browser.close();
  await provider.stop();
}, { needs });
