// rivals.mjs: other gateways in the same run, where the network brings them: Portkey's, which runs on Node
// and does none of the things that are on here.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, stopAtEnd, top } from '../lib/server.mjs';
import { eventually } from '../lib/story.mjs';
import * as bench from './bench.mjs';

const home = join(top, '.cache/portkey');
const portkey = join(home, 'node_modules/@portkey-ai/gateway');

function bring() {
  if (existsSync(portkey)) return true;
  try {
    execFileSync('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', '--silent', '--ignore-scripts', '@portkey-ai/gateway@1.15.2'], { stdio: 'pipe', timeout: 180000 });
  } catch {
    return false;
  }
  return existsSync(portkey);
}

async function start(mock) {
  const port = await freePort();
  const child = spawn(process.execPath, [join(portkey, 'build/start-server.js'), `--port=${port}`, '--headless'], { stdio: 'ignore', env: { ...process.env, NODE_ENV: 'production' } });
  stopAtEnd({ stop: () => child.kill() });
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`Portkey ended with ${child.exitCode}`);
    return fetch(`http://127.0.0.1:${port}/`).then((r) => r.ok, () => false);
  }, 'Portkey to serve', 30000);
  bench.pin(bench.measured, child.pid);
  return {
    name: 'Portkey', pid: child.pid, port, path: '/v1/chat/completions',
    headers: ['x-portkey-provider: openai', `x-portkey-custom-host: http://127.0.0.1:${mock}/plain/v1`, 'Authorization: Bearer sk-upstream'],
  };
}

export async function rivals({ who, say, short, rounds, seconds }) {
  if (short || !bring()) return;
  const target = await start(who.direct('plain').port);
  const options = { connections: 32, seconds, file: bench.body('bench-plain', 1000) };
  const times = [];
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    const own = await bench.load('sat', who.one(), options);
    const theirs = await bench.load('sat', target, options);
    times.push({ rate: own.rate / theirs.rate, us: theirs.allUs / own.allUs });
  }
  say('Tollgate / Portkey, rate', bench.median(times.map((t) => t.rate)), 1, 'times', 'at least 30');
  say('Portkey / Tollgate, processor time', bench.median(times.map((t) => t.us)), 1, 'times', '');
}
