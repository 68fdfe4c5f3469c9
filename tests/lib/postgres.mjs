// postgres.mjs: a PostgreSQL of the test's own, reached over TCP like one on another machine, that can
// be stopped in each of its ways and started again.
import { execFileSync, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { nobody, program, psql, rowsOf } from './psql.mjs';
import { freePort, ownDirectory, stopAtEnd } from './server.mjs';
import { eventually } from './story.mjs';

const signals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' };

export class Postgres {
  // settings: postgresql.conf names and values. dir: where its files are to be.
  constructor({ settings = {}, dir, env = {} } = {}) {
    this.env = env;
    this.dir = dir ?? ownDirectory('tg-pg-');
    this.own = !dir;
    this.data = join(this.dir, 'data');
    this.settings = settings;
    this.log = '';
    stopAtEnd({ stop: () => this.remove() });
  }

  async create() {
    this.port = await freePort();
    execFileSync(program('initdb'), ['-D', this.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8',
      '--locale=C', '--no-sync', '--no-instructions'], { stdio: 'pipe', cwd: '/', ...nobody });
    await this.start();
    this.psql('CREATE DATABASE tollgate', 'postgres');
    return this;
  }

  // A process that dies leaves its pages to the kernel, so fsync tells nothing here and is left out.
  async start(more = {}) {
    const settings = {
      port: this.port, listen_addresses: '127.0.0.1', unix_socket_directories: this.dir, fsync: 'off',
      max_connections: 120, shared_buffers: '64MB', log_min_messages: 'warning', ...this.settings, ...more,
    };
    this.exit = undefined;
    this.child = spawn(program('postgres'), ['-D', this.data, ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])],
      { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', env: { ...process.env, ...this.env }, ...nobody });
    this.child.stderr.on('data', (d) => { this.log = (this.log + d).slice(-100000); });
    this.ended = new Promise((done) => this.child.on('exit', (code, signal) => done(this.exit = { code, signal })));
    await eventually(() => {
      if (this.exit) throw new Error(`PostgreSQL ended at its start:\n${this.log.slice(-3000)}`);
      try {
        return this.psql('SELECT 1', 'postgres').trim() === '1';
      } catch {
        return false;
      }
    }, 'PostgreSQL to answer');
    return this;
  }

  // how: smart, fast, immediate or kill.
  async stop(how = 'fast') {
    if (!this.exit) this.child.kill(signals[how]);
    return this.ended;
  }

  async restart(how = 'fast', more = {}) {
    await this.stop(how);
    return this.start(more);
  }

  async remove() {
    if (this.child) await this.stop('immediate');
    if (this.own) rmSync(this.dir, { recursive: true, force: true });
  }

  url(role, port = this.port) {
    return `postgresql://${role}:${role}@127.0.0.1:${port}/tollgate`;
  }

  get psqlArguments() {
    return ['-h', this.dir, '-p', String(this.port), '-U', 'postgres', '-d', 'tollgate'];
  }

  psql(text, database = 'tollgate') {
    return psql([...this.psqlArguments.slice(0, -1), database], text,
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PGOPTIONS: '-c default_transaction_read_only=off' } });
  }

  sql(text) {
    return rowsOf((query) => this.psql(query), text);
  }
}
