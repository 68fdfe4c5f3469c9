// An account of each kind of provider serves a client that knows only OpenAI's chat: what arrives there is
// in the provider's own format, at its own address and with its own credential; what the client gets back
// is its own format, priced by the provider's own figures. Signatures of AWS are checked by the signer of
// its SDK, assertions of service accounts by the public half of their key.
import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, verify } from 'node:crypto';
import { test, setup, eventually } from '../lib/story.mjs';
import { embed, tokens, vectorOf } from '../lib/embedder.mjs';
import { answer, figures, words } from '../lib/natives.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';
import { addAccount, addModel, attemptsOf, booksBalance, call, hello, mintKey, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';
import { startServer } from '../lib/server.mjs';

let server, operator, key, up;
const lent = []; // tokens that the scripted token endpoint gave out
let refuses = false; // the token endpoint
let lifetime = 3600;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const serviceAccount = (more = {}) => JSON.stringify({
  type: 'service_account', project_id: 'my-project', private_key_id: 'key-1', client_email: 'gateway@my-project.iam.example',
  private_key: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }), token_uri: `http://127.0.0.1:${up.port}/token`, ...more,
});

// What Google's token endpoint checks of an assertion.
function lend(req, res, { raw }) {
  const form = new URLSearchParams(raw);
  assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
  const [head, claims, signature] = form.get('assertion').split('.');
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
  assert.deepEqual(read(head), { alg: 'RS256', typ: 'JWT', kid: 'key-1' });
  const { iss, aud, scope, iat, exp } = read(claims);
  assert.equal(iss, 'gateway@my-project.iam.example');
  assert.equal(aud, `http://127.0.0.1:${up.port}/token`);
  assert.match(scope, /cloud-platform$/);
  assert.ok(exp - iat <= 3600 && exp > Date.now() / 1000, 'an hour at most');
  assert.ok(verify('sha256', Buffer.from(`${head}.${claims}`), rsa.publicKey, Buffer.from(signature, 'base64url')), 'the signature is of this key');
  if (refuses) return send(res, 400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
  lent.push(`ya29.scripted-${lent.length + 1}`);
  return send(res, 200, { access_token: lent.at(-1), expires_in: lifetime, token_type: 'Bearer' });
}

// AWS Signature Version 4 worked out from its description, independently of the server's: every step
// from what arrived.
function assertSigned(seen, { id, secret, region, session }) {
  const [, credential, names, signature] = seen.headers.authorization.match(/^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/);
  const date = seen.headers['x-amz-date'];
  assert.ok(Math.abs(Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z')) - Date.now()) < 300000, date);
  const scope = `${date.slice(0, 8)}/${region}/bedrock/aws4_request`;
  assert.equal(credential, `${id}/${scope}`);
  assert.equal(seen.headers['x-amz-security-token'], session);
  assert.equal(names.split(';').includes('x-amz-security-token'), session !== undefined);
  const sha = (text) => createHash('sha256').update(text).digest('hex');
  const path = seen.url.split('?')[0].split('/').map(encodeURIComponent).join('/');
  const canonical = ['POST', path, '', ...names.split(';').map((n) => `${n}:${seen.headers[n]}`), '', names, sha(seen.raw)].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\n');
  const under = [date.slice(0, 8), region, 'bedrock', 'aws4_request'].reduce((k, part) => createHmac('sha256', k).update(part).digest(), `AWS4${secret}`);
  assert.equal(signature, createHmac('sha256', under).update(text).digest('hex'));
}

const anthropicAsks = (model) => (b) => assert.deepEqual([b.model, b.max_tokens, b.messages], [model, 20, [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }]]);
const geminiAsks = (b) => assert.deepEqual([b.generationConfig.maxOutputTokens, b.contents], [20, [{ role: 'user', parts: [{ text: 'Hello' }] }]]);
const openaiAsks = (model, limit = 'max_tokens') => (b) => assert.deepEqual([b.model, b[limit] ?? b.max_tokens, b.messages], [model, 20, [{ role: 'user', content: 'Hello' }]]);
const converseAsks = (b) => assert.deepEqual([b.inferenceConfig.maxTokens, b.messages, b.model], [20, [{ role: 'user', content: [{ text: 'Hello' }] }], undefined]);
const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc';
const vertexBase = '/v1/projects/my-project/locations/europe-west4/publishers';

// What each kind is asked: where, with which headers, and with which fields of its own. lists: its list of
// models is what the account's test asks for; else it is asked for a word.
const kinds = [
  {
    kind: 'anthropic', base: '/v1', fields: { key: 'sk-ant-secret' }, model: 'claude-scripted', lists: true,
    plain: '/v1/messages', stream: '/v1/messages', body: anthropicAsks('claude-scripted'),
    headers: { 'x-api-key': 'sk-ant-secret', 'anthropic-version': '2023-06-01', authorization: undefined },
  },
  {
    kind: 'google', base: '/v1beta', fields: { key: 'AIza-secret' }, model: 'gemini-scripted', lists: true,
    plain: '/v1beta/models/gemini-scripted:generateContent',
    stream: '/v1beta/models/gemini-scripted:streamGenerateContent?alt=sse', body: geminiAsks,
    headers: { 'x-goog-api-key': 'AIza-secret', authorization: undefined },
  },
  {
    kind: 'openai-compatible', base: '/v1', fields: { key: 'sk-secret' }, model: 'gpt-scripted', lists: true,
    plain: '/v1/chat/completions', stream: '/v1/chat/completions', body: openaiAsks('gpt-scripted'),
    headers: { authorization: 'Bearer sk-secret' },
  },
  {
    kind: 'azure', base: '', fields: { key: '0123456789abcdef' }, model: 'my-deployment', lists: true,
    plain: '/openai/v1/chat/completions', stream: '/openai/v1/chat/completions', body: openaiAsks('my-deployment', 'max_completion_tokens'),
    headers: { 'api-key': '0123456789abcdef', authorization: undefined },
  },
  {
    kind: 'azure-deployments', base: '?api-version=2024-10-21', fields: { key: '0123456789abcdef' }, model: 'my deployment', lists: true,
    plain: '/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21',
    stream: '/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21', body: openaiAsks('my deployment', 'max_completion_tokens'),
    headers: { 'api-key': '0123456789abcdef', authorization: undefined },
  },
  {
    kind: 'bedrock', base: '', model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    fields: { region: 'us-east-1', access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    plain: '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse',
    stream: '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream', body: converseAsks, headers: {},
    check: (seen) => assertSigned(seen, { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', region: 'us-east-1' }),
  },
  {
    kind: 'bedrock', name: 'bedrock, a temporary key and an ARN', base: '', model: arn,
    fields: { region: 'eu-west-1', access_key_id: 'ASIAIOSFODNN7EXAMPLE', secret_access_key: 'temporary-secret-of-a-role', session_token: 'FwoGZXIvYXdzEJr+/=' },
    plain: `/model/${encodeURIComponent(arn)}/converse`, stream: `/model/${encodeURIComponent(arn)}/converse-stream`, body: converseAsks, headers: {},
    check: (seen) => assertSigned(seen, { id: 'ASIAIOSFODNN7EXAMPLE', secret: 'temporary-secret-of-a-role', region: 'eu-west-1', session: 'FwoGZXIvYXdzEJr+/=' }),
  },
  {
    kind: 'bedrock', name: 'bedrock, an API key', base: '', model: 'amazon.nova-lite-v1:0', fields: { region: 'us-east-1', key: 'bedrock-api-key-secret' },
    plain: '/model/amazon.nova-lite-v1%3A0/converse', stream: '/model/amazon.nova-lite-v1%3A0/converse-stream', body: converseAsks,
    headers: { authorization: 'Bearer bedrock-api-key-secret', 'x-amz-date': undefined },
  },
  {
    kind: 'ollama-native', base: '/api', model: 'scripted:latest', fields: {}, lists: true, plain: '/api/chat', stream: '/api/chat',
    body: (b) => assert.deepEqual([b.model, b.options.num_predict, b.messages, typeof b.stream], ['scripted:latest', 20, [{ role: 'user', content: 'Hello' }], 'boolean']),
    headers: { authorization: undefined },
  },
  {
    kind: 'ollama-native', name: 'ollama-native, behind a proxy with a key', base: '', model: 'scripted:latest', fields: { key: 'proxy-secret' }, lists: true,
    plain: '/api/chat', stream: '/api/chat', body: (b) => assert.equal(b.model, 'scripted:latest'), headers: { authorization: 'Bearer proxy-secret' },
  },
  {
    kind: 'vertex', base: '', model: 'gemini-scripted', service: true, fields: { region: 'europe-west4', project: 'my-project' },
    plain: `${vertexBase}/google/models/gemini-scripted:generateContent`,
    stream: `${vertexBase}/google/models/gemini-scripted:streamGenerateContent?alt=sse`, body: geminiAsks,
    headers: {}, check: (seen) => assert.ok(lent.some((token) => seen.headers.authorization === `Bearer ${token}`), seen.headers.authorization),
  },
  {
    kind: 'vertex', name: 'vertex, a model of Anthropic', base: '', model: 'claude-scripted@20250929', service: true, fields: { region: 'europe-west4', project: 'my-project' },
    plain: `${vertexBase}/anthropic/models/claude-scripted%4020250929:rawPredict`,
    stream: `${vertexBase}/anthropic/models/claude-scripted%4020250929:streamRawPredict`,
    body: (b) => { assert.equal(b.anthropic_version, 'vertex-2023-10-16'); anthropicAsks(undefined)(b); },
    headers: { 'anthropic-version': undefined }, check: (seen) => assert.match(seen.headers.authorization, /^Bearer ya29\./),
  },
];
for (const [i, k] of kinds.entries()) Object.assign(k, { name: k.name ?? k.kind, public: `by-${i}-${k.kind}` });

const base = (path) => `http://127.0.0.1:${up.port}${path}`;
const events = (text) => text.split('\n\n').filter((e) => e.startsWith('data: {')).map((e) => JSON.parse(e.slice(6)));
const asked = () => up.seen.filter((s) => s.url !== '/token');

function assertAsked(k, seen, url) {
  assert.equal(seen.method, 'POST');
  assert.equal(seen.url, url);
  assert.match(seen.headers['content-type'], /^application\/json/);
  for (const [name, value] of Object.entries(k.headers)) assert.equal(seen.headers[name], value, name);
  k.check?.(seen);
  k.body(seen.body);
  assert.ok(!JSON.stringify(seen).includes(key), 'the client’s key stays here');
}

async function assertCharged(res) {
  const row = await settled(server, res.headers.get('x-tollgate-request-id'));
  assert.equal(row.input_tokens, figures.input);
  assert.equal(row.output_tokens, figures.output);
  assert.equal(row.charge_nano, figures.input * 1000 + figures.output * 2000);
  assert.equal(row.basis, 'provider');
  assert.equal(row.outcome, 'ok');
}

const addOne = (k, more = {}) => addAccount(operator, up, {
  kind: k.kind, name: k.name, base_url: base(k.base), key: '', ...k.fields, ...(k.service ? { service_account: serviceAccount() } : {}), ...more,
});

setup('an installation with an account of each kind', async () => {
  up = await startUpstream((req, res, seen) => {
    if (req.url === '/token') return lend(req, res, seen);
    return /:predict$|\/invoke$/.test(req.url) ? embed(up, req, res, seen) : answer(req, res, seen);
  });
  server = await startServer();
  operator = await signInOperator(server);
  for (const k of kinds) {
    k.account = await addOne(k);
    await addModel(operator, { name: k.public, targets: [{ account: k.account, upstreamModel: k.model }] });
  }
  const owner = await signUp(server);
  await topUp(owner, 20);
  key = await mintKey(owner);
  for (const k of kinds) await served(server, key, k.public);
  const services = kinds.filter((k) => k.service).length;
  await eventually(() => lent.length >= services, 'a token for each service account, ahead of the first call');
});

for (const k of kinds) {
  test(`${k.name}: a plain call`, async () => {
    up.seen.length = 0;
    const res = await call(server, key, hello(k.public));
    assert.equal(res.status, 200, res.text);
    assertAsked(k, asked()[0], k.plain);
    assert.equal(res.json.object, 'chat.completion');
    assert.equal(res.json.choices[0].message.content, words.join(''));
    assert.equal(res.json.choices[0].finish_reason, 'stop');
    assert.equal(res.json.usage.prompt_tokens, figures.input);
    assert.equal(res.json.usage.completion_tokens, figures.output);
    assert.equal(res.headers.get('x-tollgate-provider'), k.kind);
    await assertCharged(res);
  });

  test(`${k.name}: a stream`, async () => {
    up.seen.length = 0;
    const res = await call(server, key, hello(k.public, { stream: true, stream_options: { include_usage: true } }));
    assert.equal(res.status, 200, res.text);
    assertAsked(k, asked()[0], k.stream);
    const all = events(res.text);
    assert.equal(all.map((e) => e.choices[0]?.delta?.content ?? '').join(''), words.join(''));
    assert.equal(all.findLast((e) => e.choices[0]?.finish_reason)?.choices[0].finish_reason, 'stop');
    assert.equal(all.findLast((e) => e.usage)?.usage.completion_tokens, figures.output);
    assert.match(res.text, /data: \[DONE\]\n\n$/);
    await assertCharged(res);
  });

  test(`${k.name}: the provider’s refusal, in the client’s format`, async () => {
    const res = await call(server, key, hello(k.public, { messages: [{ role: 'user', content: 'fail' }] }));
    assert.equal(res.status, 400, res.text);
    assert.match(res.json.error.message, /The scripted refusal\./);
    assert.equal(res.json.error.type, 'invalid_request_error');
    assert.equal(res.json.error.param, null);
    const row = await settled(server, res.headers.get('x-tollgate-request-id'));
    assert.equal(row.charge_nano, 0);
  });

  test(`${k.name}: the account is tried out`, async () => {
    up.seen.length = 0;
    const page = await operator.submit(`/operator/accounts/${k.account.id}`, /\/test$/);
    assert.match(page.text, k.lists ? /It works\..*it lists 1 model/s : /It works\./);
    assert.equal(asked()[0].method, k.lists ? 'GET' : 'POST');
    for (const [name, value] of Object.entries(k.headers)) assert.equal(asked()[0].headers[name], value, name);
    k.check?.(asked()[0]);
  });

  test(`${k.name}: its credential is shown nowhere`, async () => {
    const page = await operator.get(`/operator/accounts/${k.account.id}`);
    for (const part of ['key', 'secret_access_key', 'session_token'])
      if (k.fields[part]) assert.ok(!page.body.includes(k.fields[part]), part);
    assert.ok(!page.body.includes('PRIVATE KEY'));
    const [row] = server.sql(`SELECT coalesce(encode(key_sealed, 'escape'), '') AS sealed FROM provider_account WHERE id = ${k.account.id}`);
    assert.ok(!/AKIA|secret|PRIVATE/.test(row.sealed));
  });
}

test('embeddings by Vertex and by Bedrock, with a lent token and with a signature', async () => {
  const cases = [
    ['vertex', 'text-embedding-005', `${vertexBase}/google/models/text-embedding-005:predict`, (b) => assert.deepEqual(b.instances, [{ content: 'One', task_type: 'RETRIEVAL_QUERY' }])],
    ['bedrock', 'amazon.titan-embed-text-v2:0', '/model/amazon.titan-embed-text-v2%3A0/invoke', (b) => assert.deepEqual(b, { inputText: 'One' })],
    ['bedrock', 'eu.cohere.embed-v4:0', '/model/eu.cohere.embed-v4%3A0/invoke', (b) => assert.deepEqual(b, { texts: ['One'], input_type: 'search_query' })],
  ];
  for (const [kind, model, url, body] of cases) {
    const k = kinds.find((x) => x.kind === kind);
    await addModel(operator, { name: `embed/${model}`, kind: 'embedding', output: '0', fields: { max_output_tokens: '' }, targets: [{ account: k.account, upstreamModel: model }] });
    await served(server, key, `embed/${model}`);
    up.seen.length = 0;
    const task = model.startsWith('amazon') ? {} : { input_type: 'query' };
    const res = await call(server, key, { model: `embed/${model}`, input: 'One', ...task }, { path: '/v1/embeddings' });
    assert.equal(res.status, 200, res.text);
    assert.deepEqual(res.json.data[0].embedding.map(Math.fround), vectorOf('One'));
    assert.equal(asked()[0].url, url);
    k.check?.(asked()[0]);
    body(asked()[0].body);
    const row = await settled(server, res.headers.get('x-tollgate-request-id'));
    assert.deepEqual([row.input_tokens, row.charge_nano, row.basis], [tokens, tokens * 1000, 'provider']);
  }
});

test('a wrong credential is refused beside its field, and not sent back', async () => {
  const refused = async (kind, fields, sentence) => {
    const page = await operator.submit(`/operator/accounts/new?kind=${kind}`, /operator\/accounts$/, {
      kind, name: `refused ${kind}`, base_url: base(''), network: 'private', priority: '1', weight: '1', enabled: 'on', ...fields,
    });
    assert.equal(page.status, 422, page.text.slice(0, 300));
    assert.match(page.text, sentence);
    assert.ok(!/PRIVATE KEY|half-secret/.test(page.body), 'what was typed of it is gone');
  };
  await refused('bedrock', { region: '', access_key_id: 'AKIA', secret_access_key: 'half-secret' }, /needs a region/);
  await refused('bedrock', { region: 'us-east-1' }, /needs an access key or an API key/);
  await refused('bedrock', { region: 'us-east-1', access_key_id: 'AKIA' }, /wants its secret access key/);
  await refused('bedrock', { region: 'us-east-1', secret_access_key: 'half-secret' }, /access key id: it is missing/);
  await refused('bedrock', { region: 'us-east-1', access_key_id: 'AKIA', secret_access_key: 'half-secret', key: 'k' }, /not both/);
  await refused('bedrock', { region: 'us/../east', access_key_id: 'AKIA', secret_access_key: 'half-secret' }, /needs a region/);
  await refused('vertex', { region: 'global', project: 'p' }, /needs the JSON file of a service account/);
  await refused('vertex', { region: 'global', project: '', service_account: serviceAccount() }, /needs the id of a project/);
  await refused('vertex', { region: 'global', project: 'p', service_account: 'nonsense' }, /not the JSON file of a service account/);
  await refused('vertex', { region: 'global', project: 'p', service_account: serviceAccount({ type: 'authorized_user' }) }, /another type than service_account/);
  await refused('vertex', { region: 'global', project: 'p', service_account: serviceAccount({ private_key: 'none' }) }, /not an RSA key in PEM form/);
  await refused('vertex', { region: 'global', project: 'p', service_account: serviceAccount({ token_uri: '' }) }, /no token_uri/);
});

test('a service account that is refused says why, serves nothing, and serves again once it is not', async () => {
  const k = kinds.find((other) => other.kind === 'vertex');
  refuses = true;
  const account = await addOne(k, { name: 'refused service account' });
  await addModel(operator, { name: 'without-token', targets: [{ account, upstreamModel: k.model }] });
  await served(server, key, 'without-token');
  await eventually(async () => /No token for the service account \(400\): Invalid JWT Signature\./.test((await operator.get(`/operator/accounts/${account.id}`)).text), 'the account’s page to say why');
  up.seen.length = 0;
  const res = await call(server, key, hello('without-token'));
  assert.equal(res.status, 503, res.text);
  assert.deepEqual(asked(), []);
  const id = res.headers.get('x-tollgate-request-id');
  assert.equal((await settled(server, id)).charge_nano, 0);
  assert.deepEqual(attemptsOf(server, id).map((a) => a.reason), ['skipped: no_token']);
  const page = await operator.submit(`/operator/accounts/${account.id}`, /\/test$/);
  assert.match(page.text, /The test failed.*Invalid JWT Signature\./s);
  refuses = false;
  await eventually(async () => (await call(server, key, hello('without-token'))).status === 200, 'a token, and a call that is served');
});

test('a token is asked for anew ahead of its end, and calls go on meanwhile', async () => {
  const k = kinds.find((other) => other.kind === 'vertex');
  lifetime = 34; // of which 30 seconds are left as room for clocks that differ
  const account = await addOne(k, { name: 'short tokens' });
  await addModel(operator, { name: 'short-tokens', targets: [{ account, upstreamModel: k.model }] });
  await served(server, key, 'short-tokens');
  const seen = new Set();
  await eventually(async () => {
    up.seen.length = 0;
    const res = await call(server, key, hello('short-tokens'));
    if (res.status === 200) seen.add(asked()[0].headers.authorization);
    return seen.size >= 3;
  }, 'three tokens in use, one after the other');
  lifetime = 3600;
});

// Facts of the catalogue about a model decide what a request in another format says.
test('a model that thinks by effort and takes no sampling is asked so, and refused what it cannot be told', async () => {
  const [claude] = kinds;
  await addModel(operator, { name: 'adaptive', targets: [{ account: claude.account, upstreamModel: claude.model }], fields: { abilities_known: 'on', abilities: ['reasoning', 'adaptive', 'no_sampling'] } });
  await served(server, key, 'adaptive');
  up.seen.length = 0;
  const res = await call(server, key, hello('adaptive', { reasoning_effort: 'high' }));
  assert.equal(res.status, 200, res.text);
  assert.equal(asked()[0].body.thinking.type, 'adaptive');
  const refused = await call(server, key, hello('adaptive', { temperature: 0.5 }));
  assert.equal(refused.status, 400, refused.text);
  assert.equal(refused.json.error.param, 'temperature');
  assert.equal(asked().length, 1);
  const plain = await call(server, key, hello(claude.public, { temperature: 0.5 }));
  assert.equal(plain.status, 200, plain.text);
  assert.equal(asked()[1].body.temperature, 0.5);
});

test('an effort reaches Claude at Bedrock beside its thoughts', async () => {
  const k = kinds.find((other) => other.kind === 'bedrock');
  await addModel(operator, { name: 'adaptive-at-bedrock', targets: [{ account: k.account, upstreamModel: k.model }], fields: { abilities_known: 'on', abilities: ['streaming', 'reasoning', 'adaptive'] } });
  await served(server, key, 'adaptive-at-bedrock');
  up.seen.length = 0;
  const res = await call(server, key, hello('adaptive-at-bedrock', { reasoning_effort: 'low' }));
  assert.equal(res.status, 200, res.text);
  assert.deepEqual(asked()[0].body.additionalModelRequestFields, { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } });
});

test('that it shall not think is told to no model that is known not to, nor to OpenAI’s where nobody knows', async () => {
  const off = async (kind, abilities) => {
    const k = kinds.find((other) => other.kind === kind);
    const name = `${kind}-${abilities ? abilities.join('-') : 'unknown'}`;
    await addModel(operator, { name, targets: [{ account: k.account, upstreamModel: k.model }], fields: abilities ? { abilities_known: 'on', abilities } : {} });
    await served(server, key, name);
    up.seen.length = 0;
    const res = await call(server, key, { model: name, max_tokens: 20, thinking: { type: 'disabled' }, messages: [{ role: 'user', content: 'Hello' }] }, { path: '/v1/messages' });
    assert.equal(res.status, 200, res.text);
    return asked()[0].body.reasoning_effort;
  };
  assert.equal(await off('azure', ['streaming']), undefined);
  assert.equal(await off('azure', ['streaming', 'reasoning']), 'none');
  assert.equal(await off('azure', null), undefined);
  assert.equal(await off('openai-compatible', null), 'none');
});

test('an account of the newer version of Anthropic’s API sends it, and takes no sampling', async () => {
  const [claude] = kinds;
  const account = await addOne(claude, { name: 'newer version', extra_headers: '{"anthropic-version": "2026-10-21"}' });
  await addModel(operator, { name: 'newer', targets: [{ account, upstreamModel: claude.model }] });
  await served(server, key, 'newer');
  up.seen.length = 0;
  assert.equal((await call(server, key, hello('newer'))).status, 200);
  assert.equal(asked()[0].headers['anthropic-version'], '2026-10-21');
  const refused = await call(server, key, hello('newer', { temperature: 0.5 }));
  assert.equal(refused.status, 400, refused.text);
  assert.equal(refused.json.error.param, 'temperature');
});

test('a client of Anthropic’s API chooses its version and betas itself', async () => {
  const [claude] = kinds;
  const body = { model: claude.public, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }], future_field: { kept: true } };
  up.seen.length = 0;
  const res = await call(server, key, body, { path: '/v1/messages', headers: { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'one-2026-01-01,two-2026-02-02', 'x-other': 'stays here' } });
  assert.equal(res.status, 200, res.text);
  const [seen] = asked();
  assert.equal(seen.headers['anthropic-version'], '2026-10-21');
  assert.equal(seen.headers['anthropic-beta'], 'one-2026-01-01,two-2026-02-02');
  assert.equal(seen.headers['x-other'], undefined);
  assert.equal(seen.headers['x-api-key'], 'sk-ant-secret');
  assert.deepEqual(seen.body, { ...body, model: claude.model });
  // Google's servers of Claude take the betas in the same header, and the version in the body only.
  up.seen.length = 0;
  const vertex = kinds.find((k) => k.name === 'vertex, a model of Anthropic');
  const there = await call(server, key, { ...body, model: vertex.public }, { path: '/v1/messages', headers: { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'one-2026-01-01' } });
  assert.equal(there.status, 200, there.text);
  assert.equal(asked()[0].headers['anthropic-beta'], 'one-2026-01-01');
  assert.equal(asked()[0].headers['anthropic-version'], undefined);
  assert.equal(asked()[0].body.anthropic_version, 'vertex-2023-10-16');
  // Served by a provider of another format, its headers mean nothing there.
  up.seen.length = 0;
  const other = kinds.find((k) => k.kind === 'openai-compatible');
  const translated = await call(server, key, { ...body, future_field: undefined, model: other.public }, { path: '/v1/messages', headers: { 'anthropic-version': '2026-10-21' } });
  assert.equal(translated.status, 200, translated.text);
  assert.equal(asked()[0].headers['anthropic-version'], undefined);
  assert.equal(translated.json.content[0].text, words.join(''));
});

test('a header that cannot be sent is refused by its name, and is no fault of the accounts', async () => {
  const [claude] = kinds;
  const accounts = [];
  for (const name of ['first', 'second']) accounts.push(await addOne(claude, { name }));
  await addModel(operator, { name: 'two-claudes', targets: accounts.map((account, i) => ({ account, upstreamModel: claude.model, priority: i + 1 })) });
  await served(server, key, 'two-claudes');
  const body = { model: 'two-claudes', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] };
  const ask = (headers) => call(server, key, body, { path: '/v1/messages', headers });
  up.seen.length = 0;
  for (const [name, value] of [['anthropic-beta', 'caf\u00e9'], ['anthropic-version', '\u00ff'], ['anthropic-beta', 'x'.repeat(2001)], ['anthropic-beta', '\u0080']]) {
    const res = await ask({ [name]: value });
    assert.equal(res.status, 400, res.text);
    assert.equal(res.json.error.type, 'invalid_request_error');
    assert.match(res.json.error.message, new RegExp('`' + name + '`'));
    const row = await settled(server, res.headers.get('x-tollgate-request-id'));
    assert.deepEqual([row.charge_nano, row.outcome, row.error_code], [0, 'client_error', 'invalid_value']);
  }
  assert.equal(asked().length, 0);
  const res = await ask({ 'anthropic-beta': 'one-2026-01-01' });
  assert.equal(res.status, 200, res.text);
  assert.equal((await settled(server, res.headers.get('x-tollgate-request-id'))).account_name, 'first');
  // Where its provider has another format, nobody would be sent it.
  const other = kinds.find((k) => k.kind === 'openai-compatible');
  const translated = await call(server, key, { ...body, model: other.public }, { path: '/v1/messages', headers: { 'anthropic-beta': 'caf\u00e9' } });
  assert.equal(translated.status, 200, translated.text);
});

test('nor can an account be given one', async () => {
  const page = await operator.submit('/operator/accounts/new?kind=openai-compatible', /operator\/accounts/, {
    kind: 'openai-compatible', name: 'accented', base_url: base('/v1'), key: 'k', network: 'private', priority: '1', weight: '1', enabled: 'on', extra_headers: '{"x-label": "caf\u00e9"}',
  });
  assert.match(page.text, /with a text of ASCII as its value/);
});

test('an account that has one from earlier is passed over without a mark against it', async () => {
  server.psql(`UPDATE provider_account SET extra_headers = '{"x-label": "caf\u00e9"}' WHERE name = 'first'`);
  await addModel(operator, { name: 'seen-last', targets: [{ account: kinds[0].account, upstreamModel: kinds[0].model }] });
  await served(server, key, 'seen-last');
  for (let i = 0; i < 5; i++) {
    const res = await call(server, key, hello('two-claudes'));
    assert.equal(res.status, 200, res.text);
    const id = res.headers.get('x-tollgate-request-id');
    assert.equal((await settled(server, id)).account_name, 'second');
    assert.deepEqual(attemptsOf(server, id).map((a) => [a.account_name, a.reason]), [['first', 'connect'], ['second', 'ok']]);
  }
});

test('the books balance', () => booksBalance(server));
