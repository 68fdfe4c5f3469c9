// bench.mjs: what the measurements of the hot path are made of: processes and their processor time,
// nginx, bodies, the load generator, medians.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, nobody, stopAtEnd, top } from '../lib/server.mjs';
import { eventually } from '../lib/story.mjs';

const build = join(top, process.env.TOLLGATE_BUILD ?? 'build');
const dir = mkdtempSync(join(tmpdir(), 'tg-bench-'));
stopAtEnd({ stop: () => rmSync(dir, { recursive: true, force: true }) });

// What is measured has the last processor for itself, as far as this bench decides; everything else the
// first.
export const measured = String(cpus().length - 1);
export const others = '0';

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // has ended meanwhile
  }
};
const listed = (path) => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};
const told = (program, ...args) => {
  try {
    execFileSync(program, args.map(String), { stdio: 'ignore' });
    return true;
  } catch { // has ended, or is not ours to tell
    return false;
  }
};
// Processes with all their threads, and single threads.
export const pin = (cpu, ...pids) => pids.forEach((pid) => told('taskset', '-acp', cpu, pid));
export const pinThreads = (cpu, ...ids) => ids.forEach((id) => told('taskset', '-cp', cpu, id));
// Whether a process runs before all others of its processor now (SCHED_FIFO), or as all do again.
export const goFirst = (pid) => told('chrt', '-a', '-f', '-p', 1, pid);
export const goAsAll = (pid) => told('chrt', '-a', '-o', '-p', 0, pid);

// Threads of a process: [{ id, name }].
export const threads = (pid) => listed(`/proc/${pid}/task`).map((id) => ({ id, name: read(`/proc/${pid}/task/${id}/comm`).trim() }));
// Processor time that they have had, ns; of all, or of those of a name.
export const processorNs = (pid, name) => threads(pid)
  .filter((t) => !name || t.name === name)
  .reduce((sum, t) => sum + Number(read(`/proc/${pid}/task/${t.id}/schedstat`).split(' ')[0] || 0), 0);
export const children = (pid) => read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
export const wakeUps = (pid) => threads(pid).map((t) => ({
  name: t.name, n: Number(read(`/proc/${pid}/task/${t.id}/status`).match(/voluntary_ctxt_switches:\s+(\d+)/)?.[1] ?? 0),
}));
const kib = (text, field) => Number(text.match(new RegExp(`^${field}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);
export const residentKib = (pid) => kib(read(`/proc/${pid}/status`), 'VmRSS');
export const ownKib = (pid) => kib(read(`/proc/${pid}/smaps_rollup`), 'Pss');

export function median(list) {
  const sorted = list.filter((v) => Number.isFinite(v)).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : NaN;
}

// A program of the bench that prints its port and serves.
export const serve = (name, ...args) => serveUnder([], name, ...args);
// The same, run by another program within itself.
export async function serveUnder(under, name, ...args) {
  const [program, ...all] = [...under, join(build, `bench-${name}`), ...args];
  const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (d) => { text += d; });
  stopAtEnd({ stop: () => child.kill() });
  await eventually(() => text.includes('\n') || child.exitCode !== null, `bench-${name} to serve`);
  if (child.exitCode !== null) throw new Error(`bench-${name} ended with ${child.exitCode}`);
  const ended = new Promise((done) => child.on('exit', done));
  return { pid: child.pid, port: Number(text), stop: () => { child.kill(); return ended; } };
}

// Debian's nginx: the machine's, else unpacked from its package, so that no service is installed.
function nginxProgram() {
  const kept = join(top, '.cache/nginx');
  for (const path of ['/usr/sbin/nginx', join(kept, 'usr/sbin/nginx')]) if (existsSync(path)) return path;
  mkdirSync(kept, { recursive: true });
  try {
    execFileSync('apt-get', ['download', 'nginx'], { cwd: kept, stdio: 'pipe' });
  } catch {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'pipe' });
    execFileSync('apt-get', ['download', 'nginx'], { cwd: kept, stdio: 'pipe' });
  }
  execFileSync('dpkg', ['-x', readdirSync(kept).find((f) => f.endsWith('.deb')), '.'], { cwd: kept });
  return join(kept, 'usr/sbin/nginx');
}

// A plain reverse proxy with one worker and kept connections; streams are not buffered.
export async function nginx(upstream) {
  const port = await freePort();
  const home = mkdtempSync(join(dir, 'nginx-'));
  const config = `daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log warn;
    ${nobody.uid ? 'user root;' : ''} worker_rlimit_nofile 20000;
    events { worker_connections 19900; }
    http {
      access_log off; keepalive_requests 100000000; keepalive_timeout 300s; tcp_nodelay on;
      client_max_body_size 20m; client_body_buffer_size 2m;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((t) => `${t}_temp_path ${home}/${t};`).join(' ')}
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_read_timeout 300s;
      upstream mock { server 127.0.0.1:${upstream.port}; keepalive 1024; keepalive_requests 100000000; }
      server {
        listen 127.0.0.1:${port} backlog=16384;
        location / { proxy_buffering off; proxy_pass http://mock; }
        location /plain/ { proxy_pass http://mock; }
      }
    }`;
  writeFileSync(join(home, 'nginx.conf'), config);
  const child = spawn(nginxProgram(), ['-p', home, '-c', join(home, 'nginx.conf')], { stdio: ['ignore', 'inherit', 'inherit'] });
  stopAtEnd({ stop: () => child.kill() });
  await eventually(() => children(child.pid).length === 1 || child.exitCode !== null, 'nginx to start');
  if (child.exitCode !== null) throw new Error(`nginx ended: ${read(join(home, 'error.log'))}`);
  return { pid: children(child.pid)[0], port };
}

// --- requests ---

const words = 'the quick gateway routes a request to its model "quoted" text with\nnewlines and\ttabs, unicode é ü 漢字 and code `x = f(y)`; budget stream token'.split(' ');
function prose(bytes, from) {
  let text = '';
  for (let i = from; Buffer.byteLength(text) < bytes; i++) text += `${words[(i * 7) % words.length]} `;
  return text;
}

// A chat request of about so many bytes: messages of a conversation, and tools in the larger ones.
// messages: as a client of Anthropic's sends it.
export function body(model, bytes, { stream = false, messages = false } = {}) {
  const chat = {
    model, messages: [{ role: 'system', content: `You are a helpful assistant. ${prose(120, 0)}` }],
    temperature: 0.7, max_tokens: 256, user: 'user-1234',
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
  if (bytes > 8000)
    chat.tools = Array.from({ length: bytes > 500000 ? 20 : 8 }, (_, i) => ({
      type: 'function',
      function: {
        name: `tool_${i}`, description: prose(150, i),
        parameters: { type: 'object', properties: { a: { type: 'string', description: prose(40, i) }, b: { type: 'number' } }, required: ['a'] },
      },
    }));
  let size = Buffer.byteLength(JSON.stringify(chat));
  for (let i = 0; size < bytes - 60; i++) {
    const content = prose(Math.min(bytes - size - 40, bytes > 200000 ? 8000 : 1500), i);
    chat.messages.push({ role: i % 2 ? 'assistant' : 'user', content });
    size += Buffer.byteLength(JSON.stringify(content)) + 30;
  }
  if (messages) {
    chat.system = chat.messages.shift().content;
    for (const name of ['user', 'stream_options']) delete chat[name];
    if (!chat.messages.length) chat.messages.push({ role: 'user', content: 'Hello' });
  }
  mkdirSync(dir, { recursive: true }); // it goes with each story
  const file = join(dir, `body-${model}-${bytes}-${stream}-${messages}`);
  writeFileSync(file, JSON.stringify(chat));
  return file;
}

function generator(mode, target, connections, seconds, file, more) {
  const args = [mode, target.port, connections, Math.round(seconds * 1000), file, target.path, ...more,
    ...(target.key ? [`Authorization: Bearer ${target.key}`] : []), ...(target.headers ?? [])].map(String);
  const child = spawn('taskset', ['-c', others, join(build, 'bench-load'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (d) => { text += d; });
  const ended = new Promise((done) => child.on('exit', done));
  return { child, ended, figures: () => JSON.parse(text), printed: () => text.includes('\n') };
}

// shed: so many may be refused, which is what a node does while other work has the machine.
function sound(figures, target, mode, shed = 0) {
  const lost = Math.max(figures.refused - shed, 0) + figures.errors + (mode === 'hold' ? 0 : figures.unanswered);
  if (lost || !(mode === 'hold' ? figures.opened : figures.ok))
    throw new Error(`${mode} on ${target.name}: ${JSON.stringify(figures)}`);
  return figures;
}

// Runs the load generator against a target { name, port, path, pid }; its figures, and the processor
// time that the target took meanwhile. ahead: the generator goes first.
export async function load(mode, target, { connections, seconds, file, rate, shed, ahead }) {
  const spent = () => ({ all: target.pid ? processorNs(target.pid) : 0, loop: target.pid ? processorNs(target.pid, target.thread) : 0 });
  const from = spent();
  const run = generator(mode, target, connections, seconds, file, rate ? [Math.round(rate)] : []);
  if (ahead) goFirst(run.child.pid);
  const code = await run.ended;
  const to = spent();
  if (code !== 0) throw new Error(`${mode} on ${target.name}: the load generator ended with ${code}`);
  const figures = sound(run.figures(), target, mode, shed);
  const unit = mode === 'stream' ? figures.chunks : figures.ok;
  return { ...figures, rate: unit / figures.seconds, us: (to.loop - from.loop) / 1000 / unit, allUs: (to.all - from.all) / 1000 / unit };
}

// Opens streams and keeps them until close() is called.
export async function hold(target, { connections, file }) {
  const run = generator('hold', target, connections, 0, file, []);
  await eventually(() => run.printed() || run.child.exitCode !== null, `${connections} streams to be open`, 120000);
  if (!run.printed()) throw new Error(`hold on ${target.name}: the load generator ended with ${run.child.exitCode}`);
  sound(run.figures(), target, 'hold');
  return { figures: run.figures(), close: () => { run.child.stdin.end(); return run.ended; } };
}
