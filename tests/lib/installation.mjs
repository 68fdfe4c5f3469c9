// installation.mjs: an installation as its people make it, through its pages: an operator who adds a
// provider account with its models and prices, and a team that has topped up and holds a key.
import assert from 'node:assert/strict';
import { startServer } from './server.mjs';
import { Visitor } from './visitor.mjs';
import { eventually } from './story.mjs';

export const password = 'correct horse battery staple';
let serial = 0;

export async function signUp(server, { email = `owner${++serial}@example.org`, name = 'Ada Owner', team = `Team ${serial}` } = {}) {
  const visitor = new Visitor(server.url);
  const page = await visitor.submit('/sign-up', /sign-up/, { email, name, password, team_name: team });
  assert.equal(page.status, 200, page.text.slice(0, 400));
  assert.ok(!/\/sign-up$/.test(page.url), `sign-up stayed on its page: ${page.text.slice(0, 400)}`);
  return Object.assign(visitor, { email, team });
}

export async function signInOperator(server) {
  // What is printed once may come a moment after readiness.
  await eventually(() => server.knownOperator || /password[^\n]*\n/i.test(server.log), 'the operator in what is printed');
  const visitor = new Visitor(server.url);
  const page = await visitor.submit('/sign-in', /sign-in/, server.operator);
  assert.equal(page.status, 200, page.text.slice(0, 400));
  return visitor;
}

// Pays dollars with the sandbox card; play is what is pressed on its page.
export async function topUp(visitor, dollars, play = 'succeed') {
  let page = await visitor.submit('/billing', /top-up/, { amount: String(dollars), provider: 'sandbox' });
  assert.equal(page.status, 200, page.text.slice(0, 400));
  page = await visitor.submit(page, new RegExp(`value="${play}"`), { play });
  assert.equal(page.status, 200, page.text.slice(0, 400));
  return page;
}

// Mints a key on the page and returns its secret, which is shown that once.
export async function mintKey(visitor, fields = {}) {
  const page = await visitor.submit('/keys/new', /keys/, { name: `key ${++serial}`, ...fields });
  const secret = page.body.match(/\btg-[A-Za-z0-9]{49}\b/)?.[0];
  assert.ok(secret, `no key on the page: ${page.status} ${page.text.slice(0, 600)}`);
  return secret;
}

// A provider account of the operator's, at a loopback upstream.
export async function addAccount(operator, upstream, fields = {}) {
  const name = fields.name ?? `upstream ${++serial}`;
  const page = await operator.submit('/operator/accounts/new?kind=openai-compatible', /operator\/accounts/, {
    kind: 'openai-compatible', name, base_url: upstream.url, key: 'sk-upstream-secret', network: 'private',
    priority: '1', weight: '1', enabled: 'on', ...fields,
  });
  assert.equal(page.status, 200, page.text.slice(0, 600));
  const id = Number(page.url.match(/\/operator\/accounts\/(\d+)/)?.[1]);
  assert.ok(id, `no account page after adding: ${page.url} ${page.text.slice(0, 600)}`);
  return { id, name };
}

// A public model with a price (dollars per million) and targets [{account, upstreamModel, priority, weight}].
// prices, by unit ("image:hd/1024x1024"), in the place of tokens: pieces each, all else per million.
export async function addModel(operator, { name, kind = 'chat', input = '1', output = '2', request, cached, prices, targets = [], fields = {} }) {
  let page = await operator.submit('/operator/models/new', /operator\/models/, {
    name, kind, vendor: 'scripted', max_output_tokens: '1000', context_tokens: '100000', enabled: 'on', ...fields,
  });
  const id = Number(page.url.match(/\/operator\/models\/(\d+)/)?.[1]);
  assert.ok(id, `no model page after adding: ${page.url} ${page.text.slice(0, 600)}`);
  if (prices) {
    const figures = Object.entries(prices).flatMap(([unit, price]) => [[`charge_${unit}`, price], [`cost_${unit}`, price]]);
    page = await operator.submit(`/operator/models/${id}/prices/new`, /prices/, Object.fromEntries(figures));
    assert.ok(page.status === 200 && page.url.endsWith('/prices'), page.text.slice(0, 900));
  } else if (input !== null) {
    page = await operator.submit(`/operator/models/${id}/prices/new`, /prices/, {
      charge_input: input, cost_input: input, charge_output: output, cost_output: output,
      ...(cached === undefined ? {} : { charge_cached_input: cached, cost_cached_input: cached }),
      ...(request === undefined ? {} : { charge_request: request, cost_request: request }),
    });
    assert.equal(page.status, 200, page.text.slice(0, 600));
  }
  for (const t of targets) {
    page = await operator.submit(`/operator/models/${id}`, /\/targets$/, {
      account: String(t.account.id), upstream_model: t.upstreamModel ?? name,
      priority: String(t.priority ?? 1), weight: String(t.weight ?? 1), enabled: 'on', ...t.fields,
    });
    assert.equal(page.status, 200, page.text.slice(0, 600));
  }
  return { id, name };
}

export async function call(server, key, body, { path = '/v1/chat/completions', headers = {}, signal } = {}) {
  const res = await fetch(server.url + path, {
    method: 'POST', signal,
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await res.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch { /* not JSON */ }
  return { status: res.status, headers: res.headers, text, json };
}

export const hello = (model, more = {}) => ({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20, ...more });

const USUALLY_NONE = [
  'cached_input_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens', 'audio_input_tokens', 'image_input_tokens',
  'reasoning_tokens', 'audio_output_tokens', 'image_output_tokens', 'images', 'seconds', 'characters', 'pages',
  'searches', 'requests',
];

// The settled row of a call, as the database has it, with 0 for what it used none of.
export async function settled(server, id) {
  const uuid = id.replace(/^call_/, '');
  const row = await eventually(() => server.sql(`SELECT * FROM call WHERE call_id = '${uuid}'`)[0], `the record of ${id}`);
  for (const field of USUALLY_NONE) row[field] ??= 0;
  return row;
}
// What fn answers, which makes one call, and the record of that call. Those before are booked first, else
// one of them would be taken for it.
export async function recorded(server, fn) {
  const count = () => Number(server.sql('SELECT count(*) AS n FROM call')[0].n);
  await server.allSettled();
  const before = count();
  const answer = await fn();
  await eventually(() => count() > before, 'the record');
  const [row] = server.sql('SELECT charge_nano, basis, outcome FROM call ORDER BY posted_at DESC, call_id DESC LIMIT 1');
  return { answer, row };
}
export const attemptsOf = (server, id) =>
  server.sql(`SELECT * FROM attempt WHERE call_id = '${id.replace(/^call_/, '')}' ORDER BY ordinal`);

// Waits until the model is served to this key: the catalogue reaches the loops by message.
export const served = (server, key, model) => eventually(async () => {
  const res = await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  return res.ok && (await res.json()).data.some((m) => m.id === model);
}, `${model} to be served`);

// What must hold at any time: calls = roll-up = transfers = balances, to the nano-dollar.
export function booksBalance(server) {
  const [books] = server.sql(`SELECT
    (SELECT coalesce(sum(charge_nano), 0)::text FROM call) AS calls,
    (SELECT coalesce(sum(charge_nano), 0)::text FROM usage_day) AS days,
    (SELECT coalesce(sum(amount_nano), 0)::text FROM transfer WHERE code IN ('USAGE', 'LATE_USAGE')) AS transfers,
    (SELECT coalesce(sum(debits_nano), 0)::text FROM account) AS debits,
    (SELECT coalesce(sum(credits_nano), 0)::text FROM account) AS credits`);
  assert.equal(books.calls, books.days, 'calls = roll-up');
  assert.equal(books.calls, books.transfers, 'calls = transfers');
  assert.equal(books.debits, books.credits, 'debits = credits');
}

export async function standardInstallation(upstreams, options = {}) {
  const server = await startServer(options.env);
  const operator = await signInOperator(server);
  const accounts = [];
  for (const [i, upstream] of upstreams.entries())
    accounts.push(await addAccount(operator, upstream, { name: `upstream-${i + 1}` }));
  const model = await addModel(operator, {
    name: 'scripted', ...options.model,
    targets: accounts.map((account, i) => ({ account, upstreamModel: `up-${i + 1}`, priority: i + 1 })),
  });
  const owner = await signUp(server);
  await topUp(owner, options.balance ?? 20);
  const key = await mintKey(owner);
  await served(server, key, 'scripted');
  return { server, operator, accounts, model, owner, key };
}

// An account at a scripted upstream that speaks several formats (speaker.mjs, embedder.mjs): u, a row of
// their lists, says which and where.
export const accountAt = (operator, upstream, u, name = u.format) =>
  addAccount(operator, upstream, { kind: u.kind, name, base_url: `http://127.0.0.1:${upstream.port}${u.base}`, ...u.fields });

// An installation with such an account for each row, and a model by-FORMAT at each. model: fields of all of
// them; more(operator, accounts): what a test wants beside them, before the key is minted.
export async function installationOfFormats(upstream, rows, { model = {}, more } = {}) {
  const server = await startServer();
  const operator = await signInOperator(server);
  const accounts = {};
  for (const u of rows) {
    accounts[u.format] = await accountAt(operator, upstream, u);
    await addModel(operator, { name: `by-${u.format}`, ...model, targets: [{ account: accounts[u.format], upstreamModel: u.model ?? 'scripted-1' }] });
  }
  await more?.(operator, accounts);
  const owner = await signUp(server);
  await topUp(owner, 20);
  const key = await mintKey(owner);
  for (const u of rows) await served(server, key, `by-${u.format}`);
  return { server, operator, accounts, owner, key };
}

// A management key of the visitor's team, minted on the settings page.
export async function mintManagementKey(visitor, role = 'admin') {
  const page = await visitor.submit('/settings', /\/settings\/management-keys$/, { name: `program ${++serial}`, role });
  const secret = page.body.match(/\btgm-[A-Za-z0-9]{20,}\b/)?.[0];
  assert.ok(secret, `no management key on the page: ${page.status} ${page.text.slice(0, 600)}`);
  return secret;
}

// A key of the whole installation, minted on the operator's page.
export async function installationKey(operator) {
  const page = await operator.submit('/operator/management-keys', /\/operator\/management-keys$/, { name: `program ${++serial}`, life: 'never' });
  const secret = page.body.match(/\btgm-[A-Za-z0-9]{20,}\b/)?.[0];
  assert.ok(secret, `no management key on the page: ${page.status} ${page.text.slice(0, 600)}`);
  return secret;
}

// Asks the management API: (method, path under /api/v1, body).
export const manage = (server, key) => async (method, path, body) => {
  const res = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await res.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch { /* not JSON */ }
  return { status: res.status, headers: res.headers, text, json };
};
