// What the quick-start page prints is run as it is printed, with a key of this installation.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { test, setup } from '../lib/story.mjs';
import { pythonWithLibraries, whyNoPython } from '../lib/python.mjs';
import { startServer } from '../lib/server.mjs';
import { startSpeaker } from '../lib/speaker.mjs';
import { addAccount, addModel, booksBalance, mintKey, served, signInOperator, signUp, topUp } from '../lib/installation.mjs';

const tests = join(import.meta.dirname, '..');
const run = promisify(execFile);
const ofCohere = 'command-a-03-2025'; // its library asks its own models, so there is one as the page names it
let server, key, page, model;

const plain = (html) => html.replace(/<[^>]+>/g, '').replace(/&quot;/g, '"').replace(/&#39;|&#x27;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&#x2F;|&#47;/g, '/').replace(/&amp;/g, '&');
const ways = {
  node: (text) => run('node', ['--input-type=module', '-e', text], { cwd: tests }),
  sh: (text) => run('bash', ['-c', text]),
  python: async (text) => run(await pythonWithLibraries() ?? 'python3', ['-c', text]),
};

setup('the page of an installation with the demo upstream, and one model of Cohere', async () => {
  const speaker = await startSpeaker();
  server = await startServer();
  const owner = await signUp(server);
  await topUp(owner, 20);
  key = await mintKey(owner);
  page = await (await fetch(`${server.url}/quickstart`)).text();
  model = page.match(/&quot;model&quot;: &quot;([^&]+)&quot;|"model": "([^"]+)"/)?.slice(1).find(Boolean);
  assert.ok(model, 'the page names a model');
  await served(server, key, model);
  const operator = await signInOperator(server);
  const account = await addAccount(operator, speaker, { kind: 'cohere', name: 'cohere', base_url: `http://127.0.0.1:${speaker.port}`, key: 'co-scripted' });
  await addModel(operator, { name: ofCohere, targets: [{ account, upstreamModel: ofCohere }] });
  await served(server, key, ofCohere);
});

test('every block that says how it is run, runs, and says something', async () => {
  const blocks = [...page.matchAll(/<summary>(.*?)<\/summary>|<pre[^>]* data-run="([^"]+)"[^>]*>([\s\S]*?)<\/pre>/g)];
  let title = '', ran = 0;
  for (const [, summary, how, html] of blocks) {
    if (summary) { title = plain(summary); continue; }
    const [way, needed] = how.split(':');
    const missing = needed && !await pythonWithLibraries() && whyNoPython();
    if (missing) {
      console.log(`skip quickstart: ${title} (${missing})`);
      continue;
    }
    const text = plain(html).replaceAll('tg-…', key);
    const { stdout } = await ways[way](text).catch((e) => { throw new Error(`${title}\n${text}\n${e.stderr || e.message}`); });
    if (way === 'sh') {
      const answer = JSON.parse(stdout);
      assert.ok(answer.content ?? answer.candidates ?? answer.output, `${title}: ${stdout}`);
    } else {
      assert.ok(stdout.trim(), `${title} printed nothing`);
    }
    ran++;
  }
  assert.ok(ran >= 14, `${ran} blocks were run`);
});

test('the books balance', async () => { booksBalance(server); });
