// fronts.mjs: nginx and HAProxy as people put them in front of a server: requests are read, rebuilt
// and sent on over kept connections. Each tells how many requests it has passed on, by its log.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, nobody, ownDirectory, stopAtEnd } from '../lib/server.mjs';
import { eventually } from '../lib/story.mjs';

const nginx = (dir, port, to) => `
daemon off;
worker_processes 1;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 256; }
http {
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  log_format passed '$upstream_status $request_uri';
  access_log ${dir}/access.log passed;
  upstream tollgate { server 127.0.0.1:${to}; keepalive 4; }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 20m;
    location / {
      proxy_pass http://tollgate;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_buffering off;
      proxy_next_upstream off;
    }
  }
}
`;

const haproxy = (dir, port, to) => `
global
  maxconn 256
  log stdout format raw local0
defaults
  mode http
  log global
  log-format "%ST %s %HU"
  option forwardfor
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 60s
frontend clients
  bind 127.0.0.1:${port}
  # HAProxy 2.6 passes a NUL in a header's value on.
  http-request deny deny_status 400 if { req.hdrs -m reg '\\x00' }
  default_backend tollgate
backend tollgate
  server tollgate 127.0.0.1:${to}
`;

// passed(line): was the logged request sent on?
const kinds = {
  nginx: {
    binary: '/usr/sbin/nginx', config: nginx, log: 'access.log',
    argv: (file, dir) => ['-e', join(dir, 'error.log'), '-p', dir, '-c', file],
    passed: (line) => !line.startsWith('-'),
  },
  haproxy: {
    binary: '/usr/sbin/haproxy', config: haproxy, log: 'stdout',
    argv: (file) => ['-db', '-f', file],
    passed: (line) => line.split(' ')[1] !== '<NOSRV>',
  },
};

export const needsFront = (kind) => () => (existsSync(kinds[kind].binary) ? undefined : `${kind} is not on this machine`);

export class Front {
  constructor(kind) {
    Object.assign(this, { kind, ...kinds[kind] });
  }

  async start(to) {
    const dir = ownDirectory(`tg-${this.kind}-`);
    const file = join(dir, 'config');
    this.dir = dir;
    this.port = await freePort();
    writeFileSync(file, this.config(dir, this.port, to), { mode: 0o644 });
    this.child = spawn(this.binary, this.argv(file, dir), { stdio: ['ignore', 'pipe', 'pipe'], ...nobody });
    this.said = '';
    for (const out of [this.child.stdout, this.child.stderr]) out.on('data', (d) => { this.said += d; });
    stopAtEnd({ stop: () => this.stop() });
    this.url = `http://127.0.0.1:${this.port}`;
    await eventually(async () => {
      if (this.child.exitCode !== null) throw new Error(`${this.kind} ended: ${this.said}`);
      return fetch(`${this.url}/livez`).then((r) => r.ok, () => false);
    }, `${this.kind} to pass requests on; it said: ${this.said}`);
    return this;
  }

  lines() {
    const text = this.log === 'stdout' ? this.said : readFileSync(join(this.dir, this.log), 'latin1');
    return text.split('\n').filter(Boolean);
  }

  // Requests passed on so far, those of which the log has not heard yet included.
  async count() {
    const mark = `/livez?mark=${Math.random()}`;
    await fetch(this.url + mark).then((r) => r.text());
    await eventually(() => this.lines().some((l) => l.endsWith(mark)), `the log of ${this.kind}`);
    return this.lines().filter(this.passed).length;
  }

  async stop() {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await new Promise((done) => this.child.on('exit', done));
    }
    execFileSync('rm', ['-rf', this.dir]);
  }
}
