// Python's official libraries through the gateway, each before an account of every format: text, a stream,
// tools in two rounds, structured output, an image, an error and a client that leaves.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { eventually, test, setup } from '../lib/story.mjs';
import { pythonWithLibraries, whyNoPython } from '../lib/python.mjs';
import { startSpeaker, upstreams, ollamaUpstream, figures, city } from '../lib/speaker.mjs';
import { booksBalance, installationOfFormats, served } from '../lib/installation.mjs';

const run = promisify(execFile);
const script = join(import.meta.dirname, 'python_clients.py');
const all = [...upstreams, ollamaUpstream];
let server, speaker, key, python;

setup('an installation with an account for each format, and a Python with the libraries', async () => {
  python = await pythonWithLibraries();
  if (!python) return;
  speaker = await startSpeaker();
  ({ server, key } = await installationOfFormats(speaker, all));
});

const told = 'The weather: Paris is sunny and Rome is sunny.';
for (const library of ['openai', 'anthropic'])
  for (const u of all)
    test(`${library} before ${u.format}`, async () => {
      if (!python) {
        console.log(`skip python: ${library} before ${u.format} (${whyNoPython()})`);
        return;
      }
      const { stdout } = await run(python, [script, library, server.url, key, `by-${u.format}`], { timeout: 100000 });
      const r = JSON.parse(stdout);
      assert.deepEqual(r.text, { text: 'Hello there.', input: figures.input, output: figures.output });
      assert.equal(r.stream, 'Hello there.');
      assert.deepEqual(r.calls, ['Paris', 'Rome']);
      assert.equal(r.after, told);
      assert.deepEqual(JSON.parse(r.structured), city);
      assert.equal(r.image, 'I see 1 image.');
      assert.equal(r.refused.status, 400);
      assert.match(r.refused.message, /scripted refusal/);
      assert.equal(r.busy, 429);
      assert.equal(r.left, 3);
    });

test('openai makes videos, here those of the demo', async () => {
  if (!python) {
    console.log(`skip python: videos (${whyNoPython()})`);
    return;
  }
  await served(server, key, 'demo-video');
  const { stdout } = await run(python, [script, 'videos', server.url, key, 'demo-video'], { timeout: 100000 });
  const { bytes, ...said } = JSON.parse(stdout);
  assert.deepEqual(said, { status: 'completed', seconds: '8', film: 'ftyp', failed: ['failed', 'video_generation_failed'], listed: true, deleted: true, gone: 404 });
  assert.ok(bytes > 10000, `${bytes} bytes`);
  await eventually(() => server.sql("SELECT 1 FROM video_job WHERE state = 'failed' AND returned_nano = 40000000").length, 'the charge of the one that failed to be given back');
});

test('the books balance', async () => { if (python) booksBalance(server); });
