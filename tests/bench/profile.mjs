// profile.mjs: where the loop's processor time goes at 1 KB and saturation, by library and by function
// (perf), and how many system calls a request takes (strace), where those are on the machine. For reading.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as bench from './bench.mjs';

const has = (program) => {
  try {
    return !!execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'pipe' });
  } catch {
    return false;
  }
};
const loopOf = (target) => bench.threads(target.pid).find((t) => !target.thread || t.name === target.thread).id;
const ended = (child) => new Promise((done) => child.on('exit', done));

// Each sample belongs to the innermost library that is neither the kernel nor libc: it called those. And in
// our own program each function has a share: its own, and that of all it calls.
function shares(script) {
  const owners = new Map();
  const within = new Map();
  const add = (map, name) => map.set(name, (map.get(name) ?? 0) + 1);
  const samples = script.split('\n\n').filter((sample) => sample.trim());
  for (const sample of samples) {
    const frames = [...sample.matchAll(/^\s+[0-9a-f]+ (.+?) \((.+?)\)$/gm)].map((m) => ({ symbol: m[1].replace(/\+0x[0-9a-f]+$/, ''), dso: basename(m[2]) }));
    if (!frames.length) continue;
    const where = /kernel|unknown/.test(frames[0].dso) ? 'in the kernel' : /^libc\.|vdso/.test(frames[0].dso) ? 'in libc' : 'itself';
    add(owners, `${frames.find((f) => !/kernel|^libc\.|vdso|unknown/.test(f.dso))?.dso ?? '?'}, ${where}`);
    for (const name of new Set(frames.filter((f) => /^(tollgate|bench-plain)$/.test(f.dso)).map((f) => f.symbol))) add(within, name);
  }
  const list = (map, least) => [...map].map(([name, n]) => ({ name, share: n / samples.length }))
    .filter((s) => s.share > least).sort((x, y) => y.share - x.share);
  return { owners: list(owners, 0.004), within: list(within, 0.008) };
}

async function record(target, options, dir) {
  const data = join(dir, 'perf.data');
  const run = bench.load('sat', target, { ...options, seconds: 5 });
  const perf = spawn('perf', ['record', '-q', '-e', 'cpu-clock', '-F', '1499', '--call-graph', 'dwarf,2048', '-t', loopOf(target), '-o', data, 'sleep', '4'], { stdio: 'ignore' });
  await ended(perf);
  await run;
  const script = execFileSync('perf', ['script', '--no-inline', '-i', data, '-F', 'ip,sym,dso'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 30 });
  return shares(script);
}

async function count(target, options) {
  const run = bench.load('sat', target, { ...options, seconds: 4 });
  const strace = spawn('timeout', ['-s', 'INT', '2', 'strace', '-c', '-U', 'calls,name', '-p', String(loopOf(target))], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  strace.stderr.on('data', (d) => { text += d; });
  await ended(strace);
  await run;
  return [...text.matchAll(/^\s*(\d+)\s+(\w+)$/gm)].filter((m) => m[2] !== 'total').map((m) => ({ n: Number(m[1]), name: m[2] }));
}

export async function profile({ who, say, bytes, kind = 'plain' }) {
  const options = { connections: 32, file: bench.body(`bench-${kind}`, bytes) };
  const dir = mkdtempSync(join(tmpdir(), 'tg-perf-'));
  for (const name of ['nginx', 'plain', 'one']) {
    const target = who[name](kind);
    const { us } = await bench.load('sat', target, { ...options, seconds: 2 });
    console.log(`# ${name}: ${us.toFixed(1)} us a request`);
    if (has('perf')) {
      const { owners, within } = await record(target, options, dir);
      for (const { name: owner, share } of [...owners, { name: '', share: NaN }, ...within])
        console.log(owner && `${(us * share).toFixed(1).padStart(6)} us  ${owner}`);
    }
    if (has('strace')) {
      const calls = await count(target, options);
      const requests = calls.filter((c) => /^(send|write|sendto|sendmsg|writev)$/.test(c.name)).reduce((sum, c) => sum + c.n, 0) / 2;
      console.log(calls.filter((c) => c.n > requests / 20).map((c) => `${c.name} ${(c.n / requests).toFixed(2)}`).join(', '));
    }
  }
  rmSync(dir, { recursive: true, force: true });
}
