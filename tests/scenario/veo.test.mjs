// Videos of Google's models by OpenAI's library: what Veo is asked for, what it cannot make, how its operations
// end, and where the video is: a file at the provider's own host, one elsewhere, or within the answer.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { addAccount, addModel, booksBalance, mintKey, served, settled, signInOperator, signUp, topUp } from '../lib/installation.mjs';
import { startServer } from '../lib/server.mjs';
import { eventually, setup, test } from '../lib/story.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';

const USD = 1_000_000_000;
const film = Buffer.from(Uint8Array.from({ length: 6_000_001 }, (_, i) => (i * 7919) % 251)); // no multiple of three
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const vertex = '/v1/projects/my-project/locations/europe-west4/publishers/google/models';
const operations = new Map(); // name -> what it has come to
let server, client, up, elsewhere, serial = 0, where = () => `${up.url.replace(/\/v1$/, '')}/v1beta/files/f1:download?alt=media`;

const serviceAccount = () => JSON.stringify({
  type: 'service_account', project_id: 'my-project', private_key_id: 'key-1', client_email: 'gateway@my-project.iam.example',
  private_key: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }), token_uri: `http://127.0.0.1:${up.port}/token`,
});

function begin(res, name) {
  operations.set(name, { name });
  send(res, 200, { name });
}

function script(req, res, seen) {
  const path = req.url.split('?')[0];
  if (path === '/token') return send(res, 200, { access_token: 'ya29.scripted', expires_in: 3600, token_type: 'Bearer' });
  if (path.endsWith(':predictLongRunning'))
    return begin(res, path.startsWith('/v1beta') ? `models/veo-3.1-generate-preview/operations/${++serial}` : `${vertex.slice(4)}/veo-3.1-generate-001/operations/${++serial}`);
  if (path === `${vertex}/veo-3.1-generate-001:fetchPredictOperation`) return send(res, 200, operations.get(seen.body.operationName));
  if (path.startsWith('/v1beta/files/')) {
    res.writeHead(200, { 'content-type': 'video/mp4' });
    return res.end(film);
  }
  if (path === '/openai/v1/videos' || path === '/openai/v1/videos/azure_1')
    return send(res, 200, { id: 'azure_1', object: 'video', status: 'queued', seconds: '12', size: '1024x1792', progress: 0, error: null });
  const operation = operations.get(path.replace('/v1beta/', ''));
  return operation ? send(res, 200, operation) : send(res, 404, { error: { code: 404, message: 'no such operation', status: 'NOT_FOUND' } });
}

const create = (model, more = {}) => client.videos.create({ model, prompt: 'A cat', ...more });
const fails = (promise) => promise.then(() => assert.fail('it did not fail'), (error) => error);
const booked = (video) => settled(server, `call_${video.id.replace(/^video_/, '')}`);
const upstreamId = (video) => server.sql(`SELECT upstream_id FROM video_job WHERE call_id = '${video.id.replace(/^video_/, '')}'`)[0].upstream_id;
const become = (video, end) => operations.set(upstreamId(video), { name: upstreamId(video), done: true, ...end });
const asked = () => up.seen.filter((s) => s.url.includes(':predictLongRunning')).at(-1);
const ended = (video, status) => eventually(async () => {
  const now = await client.videos.retrieve(video.id);
  return now.status === status && now;
}, `the video to be ${status}`);
const content = async (video) => Buffer.from(await (await client.videos.downloadContent(video.id)).arrayBuffer());

setup('an account at the Gemini API and one at Vertex AI', async () => {
  up = await startUpstream(script);
  elsewhere = await startUpstream((req, res) => res.end('stolen'));
  const root = up.url.replace(/\/v1$/, '');
  server = await startServer({ POLL_INTERVAL_MS: '200' });
  const operator = await signInOperator(server);
  const gemini = await addAccount(operator, up, { kind: 'google', base_url: `${root}/v1beta`, key: 'AIza-secret' });
  const cloud = await addAccount(operator, up, {
    kind: 'vertex', base_url: root, key: '', region: 'europe-west4', project: 'my-project', service_account: serviceAccount(),
  });
  const azure = await addAccount(operator, up, { kind: 'azure', base_url: `${root}/openai/v1`, key: 'azure-secret' });
  const prices = { second: '0.4', 'second:3840x2160': '0.6' };
  await addModel(operator, { name: 'veo', kind: 'video', prices, targets: [{ account: gemini, upstreamModel: 'veo-3.1-generate-preview' }] });
  await addModel(operator, { name: 'veo-vertex', kind: 'video', prices, targets: [{ account: cloud, upstreamModel: 'veo-3.1-generate-001' }] });
  await addModel(operator, { name: 'veo-plain', kind: 'video', prices: { second: '0.4' }, targets: [{ account: gemini, upstreamModel: 'veo-3.1-generate-preview' }] });
  await addModel(operator, {
    name: 'any', kind: 'video', prices: { second: '0.4', 'second:1024x1792': '0.5' },
    targets: [{ account: gemini, upstreamModel: 'veo-3.1-generate-preview', priority: 1 }, { account: azure, upstreamModel: 'sora-2', priority: 2 }],
  });
  const owner = await signUp(server);
  await topUp(owner, 50);
  const key = await mintKey(owner);
  client = new OpenAI({ apiKey: key, baseURL: `${server.url}/v1`, maxRetries: 0 });
  await served(server, key, 'any');
});

test('a size becomes a shape and a resolution, and is charged as such', async () => {
  const video = await create('veo', { seconds: '8', size: '3840x2160' });
  assert.equal(asked().url, '/v1beta/models/veo-3.1-generate-preview:predictLongRunning');
  assert.equal(asked().headers['x-goog-api-key'], 'AIza-secret');
  assert.deepEqual(asked().body, { instances: [{ prompt: 'A cat' }], parameters: { aspectRatio: '16:9', resolution: '4k', durationSeconds: 8 } });
  assert.deepEqual([video.model, video.status, video.seconds, video.size], ['veo', 'in_progress', '8', '3840x2160']);
  const row = await booked(video);
  assert.deepEqual([row.seconds, row.image_kind, row.charge_nano, row.hold_nano], [8, '3840x2160', 4.8 * USD, 4.8 * USD]);
});

test('what a request leaves open is as OpenAI has it', async () => {
  const video = await create('veo');
  assert.deepEqual(asked().body.parameters, { aspectRatio: '9:16', resolution: '720p', durationSeconds: 4 });
  assert.deepEqual([video.seconds, video.size], ['4', '720x1280']);
  const row = await booked(video);
  assert.deepEqual([row.seconds, row.image_kind, row.charge_nano], [4, null, 1.6 * USD]);
  assert.equal(row.hold_nano, 2.4 * USD, 'it might have been the dearest');
});

for (const [what, more, param] of [
  ['a length', { seconds: '12' }, 'seconds'],
  ['a size', { size: '1024x1792' }, 'size'],
  ['a length in that size', { size: '1920x1080', seconds: '4' }, 'seconds'],
  ['an image by its id', { input_reference: { file_id: 'file-1' } }, 'input_reference'],
  ['an image elsewhere', { input_reference: { image_url: 'https://example.com/x.png' } }, 'input_reference.image_url'],
])
  test(`${what} that Veo cannot take is refused before it is asked`, async () => {
    const before = up.seen.length;
    const error = await fails(client.post('/videos', { body: { model: 'veo', prompt: 'A cat', ...more } }));
    assert.deepEqual([error.status, error.param], [400, param], error.message);
    assert.equal(up.seen.length, before);
  });

test('the largest size is refused where the price does not name it', async () => {
  const before = up.seen.length;
  const error = await fails(create('veo-plain', { seconds: '8', size: '3840x2160' }));
  assert.deepEqual([error.status, error.param], [400, 'size'], error.message);
  assert.match(error.message, /price/);
  assert.ok(!up.seen.slice(before).some((s) => s.url.includes(':predictLongRunning')));
});

test('an image goes along, as a file', async () => {
  await create('veo', { input_reference: await toFile(png, 'cat.png', { type: 'image/png' }) });
  assert.deepEqual(asked().body.instances[0].image, { bytesBase64Encoded: png.toString('base64'), mimeType: 'image/png' });
});

test('the file is fetched with the key from the provider’s own host', async () => {
  const video = await create('veo');
  assert.equal((await fails(content(video))).status, 400, 'not ready');
  become(video, { response: { generateVideoResponse: { generatedSamples: [{ video: { uri: where() } }] } } });
  await ended(video, 'completed');
  assert.ok((await content(video)).equals(film));
  assert.equal(up.seen.at(-1).headers['x-goog-api-key'], 'AIza-secret');
  assert.equal((await fails(client.videos.downloadContent(video.id, { variant: 'thumbnail' }))).status, 400);
  assert.equal((await client.videos.delete(video.id)).deleted, true);
});

test('a file elsewhere gets no key, and a private address is not asked at all', async () => {
  const video = await create('veo');
  become(video, { response: { generateVideoResponse: { generatedSamples: [{ video: { uri: `http://127.0.0.1:${elsewhere.port}/f` } }] } } });
  await ended(video, 'completed');
  assert.equal((await fails(content(video))).status, 502);
  assert.equal(elsewhere.seen.length, 0);
});

test('what was filtered out is given back, with the reason', async () => {
  const video = await create('veo');
  become(video, { response: { generateVideoResponse: { raiMediaFilteredCount: 1, raiMediaFilteredReasons: ['The prompt was blocked.'] } } });
  const failed = await ended(video, 'failed');
  assert.deepEqual(failed.error, { code: 'moderation_blocked', message: 'The prompt was blocked.' });
  await eventually(() => server.sql(`SELECT count(*)::int AS n FROM transfer WHERE code = 'ADJUST' AND ref LIKE '${video.id}%'`)[0].n === 1, 'the charge to be returned');
});

test('an operation that failed says so', async () => {
  const video = await create('veo-vertex');
  become(video, { error: { code: 8, message: 'Quota exceeded.' } });
  assert.deepEqual((await ended(video, 'failed')).error, { code: 'rate_limit_exceeded', message: 'Quota exceeded.' });
});

test('Vertex AI has the video in its answer, and it is poured out of it', async () => {
  const video = await create('veo-vertex', { seconds: '6', size: '1920x1080' });
  assert.equal(asked().url, `${vertex}/veo-3.1-generate-001:predictLongRunning`);
  assert.equal(asked().headers.authorization, 'Bearer ya29.scripted');
  assert.deepEqual(asked().body.parameters, { aspectRatio: '16:9', resolution: '1080p', durationSeconds: 6, sampleCount: 1, generateAudio: true });
  become(video, { response: { videos: [{ bytesBase64Encoded: film.toString('base64'), mimeType: 'video/mp4' }] } });
  await ended(video, 'completed');
  assert.ok((await content(video)).equals(film));
  // A client that does not read for a while gets all of it, too.
  const slow = (await client.videos.downloadContent(video.id)).body.getReader();
  const parts = [Buffer.from((await slow.read()).value)];
  await new Promise((done) => setTimeout(done, 300));
  for (let part = await slow.read(); !part.done; part = await slow.read()) parts.push(Buffer.from(part.value));
  assert.ok(Buffer.concat(parts).equals(film));
});

test('what Veo cannot make is made by the next account, as the client has asked for it', async () => {
  const video = await create('any', { seconds: '12', size: '1024x1792' });
  const { url, headers, raw } = up.seen.at(-1);
  assert.deepEqual([url, headers['api-key']], ['/openai/v1/videos', 'azure-secret']);
  assert.match(raw, /sora-2/);
  assert.deepEqual([video.status, video.seconds, video.size], ['queued', '12', '1024x1792']);
  const row = await booked(video);
  assert.deepEqual([row.seconds, row.image_kind, row.charge_nano, row.basis], [12, '1024x1792', 6 * USD, 'provider']);
});

test('what Veo has no word for is lost or refused as the model says', async () => {
  const error = await fails(client.post('/videos', { body: { model: 'veo', prompt: 'A cat', guidance: 3 } }));
  assert.deepEqual([error.status, error.param], [400, 'guidance']);
});

test('the books balance', () => booksBalance(server));
