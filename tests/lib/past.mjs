// past.mjs: an installation with a past, made through its own pages and sockets: providers that fail now and
// then, a team with projects, keys, members and limits, and calls of every kind on each of some days. Pages
// are looked at with it (tests/browser), and the pictures of the README are taken of it (pictures.mjs).
import assert from 'node:assert/strict';
import { call, password } from './installation.mjs';
import { anthropic } from './natives.mjs';
import { chat, chunk, send, sse, startUpstream } from './upstream.mjs';
import { Visitor } from './visitor.mjs';

// The same numbers each time, so that pictures differ only where pages do.
export function dice(seed) {
  let state = seed >>> 0;
  const next = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296);
  return { next, upTo: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)] };
}

function asAnthropic(res, body, plan) {
  const used = { input: Number(plan.in ?? 9), output: Number(plan.out ?? 3) };
  const said = ['It ships ', 'on Tuesday.'];
  return body.stream ? anthropic.stream(res, used, said, { cut: plan.die }) : anthropic.plain(res, used, said);
}

// What the scripted provider does is asked for by the call itself: `user` holds the switches, which the
// Messages API has as metadata.user_id.
export async function startProvider(port) {
  return startUpstream((req, res, { body }) => {
    const plan = Object.fromEntries(new URLSearchParams(body?.user ?? body?.metadata?.user_id ?? ''));
    const first = req.url.startsWith('/first');
    if (req.url.endsWith('/models')) return send(res, 200, { object: 'list', data: [{ id: 'gpt-5-mini', object: 'model' }] });
    if (plan.fail && (first || plan.everywhere)) return send(res, Number(plan.fail), { error: { message: plan.says ?? 'The server is overloaded', type: 'server_error', param: null, code: null } });
    const usage = { prompt_tokens: Number(plan.in ?? 9), completion_tokens: Number(plan.out ?? 3), total_tokens: Number(plan.in ?? 9) + Number(plan.out ?? 3), prompt_tokens_details: { cached_tokens: Number(plan.cached ?? 0) } };
    if (req.url.endsWith('/embeddings')) return send(res, 200, { object: 'list', model: body.model, data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }], usage: { prompt_tokens: usage.prompt_tokens, total_tokens: usage.prompt_tokens } });
    const answer = () => {
      if (req.url.endsWith('/messages')) return asAnthropic(res, body, plan);
      if (!body.stream) return send(res, 200, { ...chat('It ships on Tuesday.', usage), model: body.model });
      sse(res, [chunk({ role: 'assistant', content: 'It ships ' }), chunk({ content: 'on Tuesday.' }), chunk({}, 'stop')], { done: !plan.die, usage: plan.die ? undefined : usage });
      if (plan.die) res.destroy();
    };
    setTimeout(answer, Number(plan.wait ?? 0));
  }, port);
}

export async function addProviders(operator, provider) {
  const ids = {};
  for (const [kind, name, path, priority] of [
    ['openai', 'OpenAI, organisation key', '/first/v1', 1], ['openai', 'OpenAI, second organisation', '/second/v1', 2],
    ['anthropic', 'Anthropic', '/second/v1', 1], ['mistral', 'Mistral', '/first/v1', 1]]) {
    const page = await operator.submit(`/operator/accounts/new?kind=${kind}`, /operator\/accounts/, {
      kind, name, base_url: `${provider.url.replace('/v1', '')}${path}`, key: 'sk-upstream-secret', network: 'private', priority: String(priority), weight: '1', enabled: 'on',
    });
    const id = page.url.match(/\/operator\/accounts\/(\d+)/)?.[1];
    assert.ok(id, `${name}: ${page.text.slice(0, 500)}`);
    const adopted = await operator.submit(page, /\/adopt$/);
    assert.equal(adopted.status, 200, adopted.text.slice(0, 500));
    ids[name] = Number(id);
  }
  return ids;
}

export async function addTeam(server, { email = 'ada@northwind.example', name = 'Ada Lindqvist', team = 'Northwind Robotics' } = {}) {
  const owner = new Visitor(server.url);
  const page = await owner.submit('/sign-up', /sign-up/, { email, name, password, team_name: team });
  assert.ok(!page.url.endsWith('/sign-up'), page.text.slice(0, 500));
  await owner.submit('/settings', /\/settings\/buyer$/, {
    legal_name: 'Northwind Robotics AB', address: 'Sveavägen 44\n111 34 Stockholm', country: 'SE', tax_id: 'SE556677889901', billing_email: 'invoices@northwind.example',
  });
  for (const project of ['Support desk', 'Product search', 'Internal tools'])
    await owner.submit('/settings', /\/settings\/projects$/, { name: project });
  const choices = (await owner.get('/keys/new')).body.match(/id="f-project"[^]*?<\/select>/)[0];
  const projects = Object.fromEntries([...choices.matchAll(/value="(\d+)"[^>]*>\s*([^<]+)/g)].map(([, id, label]) => [label.trim(), id]));
  assert.equal(Object.keys(projects).length, 3, choices);
  return Object.assign(owner, { email, team, projects });
}

export async function mint(owner, fields) {
  const page = await owner.submit('/keys/new', /keys/, fields);
  const secret = page.body.match(/\btg-[A-Za-z0-9]{49}\b/)?.[0];
  assert.ok(secret, `no key: ${page.status} ${page.text.slice(0, 500)}`);
  return secret;
}

export const longName = 'nightly re-indexing of the product catalogue, Malmö and Gdańsk (owner: platform)';

export async function mintKeys(owner) {
  const of = owner.projects;
  return {
    support: await mint(owner, { name: 'support desk, production', project: of['Support desk'], budget: '400', budget_window: 'month', tags: 'env=production' }),
    search: await mint(owner, { name: 'product search', project: of['Product search'], rpm: '6000' }),
    nightly: await mint(owner, { name: longName, project: of['Product search'], tags: 'env=production\nteam=platform' }),
    laptop: await mint(owner, { name: 'Ada’s laptop', project: of['Internal tools'], models: ['gpt-5-mini', 'claude-haiku-4-5'], expires_at: '2031-12-31' }),
    tight: await mint(owner, { name: 'trial with a tight budget', budget: '0.000001', budget_window: 'lifetime' }),
  };
}

// What applications ask for, how often, and with how many tokens.
const work = [
  { key: 'support', model: 'gpt-5-mini', in: 1800, out: 260, cached: 1200, share: 40, stream: true },
  { key: 'support', model: 'claude-sonnet-5', in: 2600, out: 420, cached: 0, share: 16, stream: true },
  { key: 'search', model: 'text-embedding-3-small', in: 900, out: 0, cached: 0, share: 22 },
  { key: 'nightly', model: 'mistral-small-latest', in: 3200, out: 180, cached: 0, share: 10 },
  { key: 'nightly', model: 'gpt-5.4-nano', in: 2400, out: 90, cached: 0, share: 6 },
  { key: 'laptop', model: 'claude-haiku-4-5', in: 700, out: 500, cached: 0, share: 6, stream: true },
];

function drawn(d) {
  let at = d.upTo(work.reduce((sum, w) => sum + w.share, 0));
  return work.find((w) => (at -= w.share) < 0);
}

function bodyOf(w, plan) {
  const user = new URLSearchParams(plan).toString();
  if (w.model.startsWith('text-embedding')) return ['/v1/embeddings', { model: w.model, user, input: 'blue bicycle helmet' }];
  return ['/v1/chat/completions', { model: w.model, user, stream: w.stream ?? false, max_tokens: 1000, messages: [{ role: 'user', content: 'When does my order ship?' }] }];
}

// One call of an application: now and then the first provider is away, the answer dies midway, or a limit refuses.
async function one(server, keys, d) {
  const w = drawn(d), luck = d.next(), scale = 0.6 + d.next();
  const plan = { in: Math.round(w.in * scale), out: Math.round(w.out * scale), cached: Math.round(w.cached * scale), wait: d.upTo(30) };
  if (luck < 0.03) plan.fail = 503;
  else if (luck < 0.036) Object.assign(plan, { fail: 500, everywhere: 1 });
  else if (luck < 0.040 && w.stream) plan.die = 1;
  const [path, body] = bodyOf(w, plan);
  if (luck > 0.995) return call(server, keys.tight, { ...body, max_tokens: 500 }, { path });
  if (luck > 0.991) return call(server, keys.laptop, { ...body, model: 'gpt-5.6-sol' }, { path });
  return call(server, keys[w.key], body, { path });
}

export async function traffic(server, keys, n, { seed = 1, width = 16 } = {}) {
  const d = dice(seed);
  let left = n;
  const statuses = {};
  await Promise.all(Array.from({ length: Math.min(width, n) }, async () => {
    while (left-- > 0) {
      const { status } = await one(server, keys, d);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }));
  return statuses;
}
