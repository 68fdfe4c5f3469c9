// server.mjs: a real `tollgate up` in a directory of its own: embedded PostgreSQL, demo upstream,
// server. As root everything is started as `nobody`, since PostgreSQL refuses to run as root.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nobody, psql, psqlMeanwhile, rowsOf } from './psql.mjs';
import { shadow } from './shadow.mjs';
import { eventually } from './story.mjs';

export const top = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export { nobody };
const running = new Set();
const atEnd = []; // what else a file started: { stop() }, ended after the servers
let stage;

// The clone may stand where `nobody` may not look: everything is run from a copy.
export function staged() {
  if (stage) return stage;
  const build = join(top, process.env.TOLLGATE_BUILD ?? 'build');
  stage = mkdtempSync(join(tmpdir(), 'tg-stage-'));
  chmodSync(stage, 0o755);
  cpSync(join(build, 'tollgate'), join(stage, 'tollgate'));
  for (const dir of ['templates', 'migrations', 'web/static', 'web/assets', 'server/catalog/data'])
    if (existsSync(join(top, dir))) cpSync(join(top, dir), join(stage, dir), { recursive: true });
  cpSync(join(top, 'tests/lib/races.txt'), join(stage, 'races.txt'));
  execFileSync('chmod', ['-R', 'a+rX', stage]);
  return stage;
}

// Whoever signed its certificate.
const isReady = (url) => new Promise((done, fail) => {
  (url.startsWith('https:') ? https : http)
    .get(url, { rejectUnauthorized: false, agent: false }, (res) => { res.resume(); done(res.statusCode === 200); })
    .on('error', fail);
});

// Below the ports that the kernel hands out for connections and to whoever asks for any: what runs beside
// this does not get it before it is used.
const PORTS = { from: 10000, to: 32000 };
const given = new Set();

export async function freePort() {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (given.has(port)) continue;
    const s = createServer();
    const free = await new Promise((done) => s.on('error', () => done(false)).listen(port, '127.0.0.1', () => done(true)));
    if (!free) continue;
    await new Promise((done) => s.close(done));
    given.add(port);
    return port;
  }
}

export function ownDirectory(prefix) {
  const dir = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(dir, 0o755);
  if (nobody.uid) chownSync(dir, nobody.uid, nobody.gid);
  return dir;
}

export const stopAtEnd = (what) => atEnd.push(what);

export class Server {
  command = 'up';
  under; // a program with its arguments that runs the server within itself

  constructor(env = {}, dataDir = ownDirectory('tg-data-')) {
    this.env = env;
    this.dataDir = dataDir;
    this.log = '';
  }

  async start() {
    const root = staged();
    const first = this.command === 'up' && !existsSync(join(this.dataDir, 'postgres'));
    this.port ??= await freePort();
    this.url = `http${this.env.TLS_CERT_FILE ? 's' : ''}://127.0.0.1:${this.port}`;
    mkdirSync(this.dataDir, { recursive: true });
    const [program, ...args] = [...(this.under ?? []), join(root, 'tollgate'), this.command];
    this.child = spawn(program, args, {
      cwd: root,
      env: this.environment(root),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...nobody,
    });
    running.add(this);
    this.ended = new Promise((done) => this.child.on('exit', (code, signal) => {
      this.exit = { code, signal };
      running.delete(this);
      done(this.exit);
    }));
    const keep = (chunk) => { this.log = (this.log + chunk).slice(-400000); };
    this.child.stdout.on('data', keep);
    this.child.stderr.on('data', keep);
    await eventually(async () => {
      if (this.exit) throw new Error(`tollgate ended at start:\n${this.log.slice(-4000)}`);
      try {
        return await isReady(`${this.url}/readyz`);
      } catch {
        return false;
      }
    }, () => `readiness; its log:\n${this.log.slice(-4000)}`);
    if (first) await eventually(() => /password[^\n]*\n/i.test(this.log), 'the operator in what is printed');
    return this;
  }

  environment(root) {
    return {
      PATH: process.env.PATH,
      HOME: this.dataDir,
      DATA_DIR: this.dataDir,
      LISTEN: '127.0.0.1',
      PORT: String(this.port),
      TEMPLATES_DIR: join(root, 'templates'),
      MIGRATIONS_DIR: join(root, 'migrations'),
      STATIC_DIR: join(root, 'web'),
      CATALOG_FILE: join(root, 'server/catalog/data/models.json'),
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
      TSAN_OPTIONS: `suppressions=${join(root, 'races.txt')}:die_after_fork=0:second_deadlock_stack=1`,
      ...this.env,
    };
  }

  // What one of the binary's other commands prints, run beside the server with its settings.
  beside(...args) {
    const root = staged();
    return new Promise((done, fail) => {
      execFile(join(root, 'tollgate'), args, { cwd: root, env: this.environment(root), ...nobody },
        (error, out, complaint) => (error ? fail(new Error(complaint || error.message)) : done(out)));
    });
  }

  // Ends and comes up again on the same data, with other settings.
  async again(env = {}) {
    await this.stop();
    const operator = this.operator;
    Object.assign(this, { env: { ...this.env, ...env }, exit: undefined, log: `${this.log}\n-- again\n`, knownOperator: operator });
    return this.start();
  }

  async stop(signal = 'SIGTERM') {
    if (!this.exit) this.child.kill(signal);
    return this.ended;
  }

  // The operator account that the first start made, as printed.
  get operator() {
    if (this.knownOperator) return this.knownOperator;
    const email = this.log.match(/operator(?:'s)? (?:e-?mail|account)[^\n]*?([^\s@"']+@[^\s"']+)/i)?.[1];
    const password = this.log.match(/password[^\n]*?\s([A-Za-z0-9_-]{12,})/i)?.[1];
    if (!email || !password) throw new Error(`no operator in the log:\n${this.log.slice(0, 3000)}`);
    return { email, password };
  }

  // Where the schema's owner reaches the database, past row-level security.
  get psqlArguments() {
    const pidFile = readFileSync(join(this.dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n');
    return ['-h', pidFile[4], '-p', pidFile[3] || '5432', '-U', 'postgres', '-d', 'tollgate'];
  }

  // { name: value }
  async metrics() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return Object.fromEntries([...text.matchAll(/^(\w+(?:\{[^}]*\})?) (\S+)$/gm)].map((m) => [m[1], Number(m[2])]));
  }

  // Is every call that has ended in the database?
  async isSettled() {
    return (await this.metrics()).tollgate_settle_waiting === 0;
  }

  allSettled(patience) {
    return eventually(() => this.isSettled(), 'the calls to be settled', patience);
  }

  // What psql says.
  psql(text) {
    return psql(this.psqlArguments, text);
  }

  // The same while the test goes on: a promise.
  psqlMeanwhile(text) {
    return psqlMeanwhile(this.psqlArguments, text);
  }

  // Rows of a query.
  sql(text) {
    return rowsOf((query) => this.psql(query), text);
  }
}

// Debian's libfaketime: a server whose clock, with its database's, is days ahead.
export const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
export const needsFaketime = () => (existsSync(faketime) ? undefined : 'libfaketime is not on this machine');
export const daysAhead = (days) => ({ LD_PRELOAD: faketime, FAKETIME: `${days < 0 ? '' : '+'}${days}d`, DONT_FAKE_MONOTONIC: '1', FAKETIME_NO_CACHE: '0' });

export async function startServer(env) {
  return new Server(env).start();
}

const reports = /ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|assertion .*failed|Assertion/i;

// Stops what a file left running; returns how many ended badly (sanitizer reports, asserts).
export async function stopEverything(file) {
  let bad = 0;
  const books = new Map([...running].map((s) => [s.psqlArguments.join(' '), s])); // one server of each database
  for (const s of books.values()) {
    const { same, text } = shadow(s);
    console.log(`${same ? 'ok' : 'FAIL'} ${file}: the shadow books are the same${same ? '' : `\n${text}`}`);
    bad += !same;
    const open = s.sql('SELECT invariant, team_id, subject, detail FROM recon_finding WHERE closed_at IS NULL');
    console.log(`${open.length ? 'FAIL' : 'ok'} ${file}: no check of the books found anything${open.length ? `\n${JSON.stringify(open, null, 1)}` : ''}`);
    bad += open.length > 0;
  }
  for (const s of [...running]) {
    const result = await s.stop();
    const report = s.log.match(reports);
    if (report || result.code !== 0) {
      bad++;
      console.log(`FAIL ${file}: server ended well (${JSON.stringify(result)})`);
      console.log(report ? s.log.slice(Math.max(report.index - 300, 0), report.index + 6000) : s.log.slice(-6000));
    } else {
      console.log(`ok ${file}: server ended well`);
    }
    rmSync(s.dataDir, { recursive: true, force: true });
  }
  for (const what of atEnd.splice(0).reverse()) await what.stop();
  if (stage) rmSync(stage, { recursive: true, force: true });
  stage = undefined;
  return bad;
}
