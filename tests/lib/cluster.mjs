// cluster.mjs: several real `tollgate serve` on one PostgreSQL, each with a journal of its own, and a
// scripted upstream; set up as an operator would, then by the management API.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, nobody, ownDirectory, staged } from './server.mjs';
import { Postgres } from './postgres.mjs';
import { addAccount, addModel, installationKey, manage, served, signInOperator, signUp } from './installation.mjs';
import { eventually } from './story.mjs';

export class Replica extends Server {
  command = 'serve';

  constructor(cluster, name, env = {}) {
    super({
      DATABASE_URL: cluster.databaseUrl, SECRET_FILE: cluster.secret, NODE_NAME: name, SIGNUP: 'open',
      SANDBOX_PAYMENTS: 'on', LOOPS: '2', LOG_LEVEL: 'info', ...env,
    });
    this.cluster = cluster;
    this.name = name;
    this.failpoints = join(this.dataDir, 'failpoints');
    if (/fault|asan|tsan/.test(process.env.TOLLGATE_BUILD)) this.env.TOLLGATE_FAILPOINTS_FILE = this.failpoints;
  }

  get psqlArguments() {
    return this.cluster.postgres.psqlArguments;
  }

  // Arms failpoints of the running process, or of the next start: "name=action,name=action*N"; '' none.
  arm(text) {
    writeFileSync(`${this.failpoints}.new`, text);
    if (nobody.uid) chownSync(`${this.failpoints}.new`, nobody.uid, nobody.gid);
    renameSync(`${this.failpoints}.new`, this.failpoints);
  }

  // Comes up again on the same data after it has ended.
  async revive(env = {}) {
    await this.ended;
    this.knownOperator = undefined;
    Object.assign(this, { env: { ...this.env, ...env }, exit: undefined, log: `${this.log}\n-- again\n` });
    return this.start();
  }

  // The session that this replica opened last.
  get session() {
    const [row] = this.sql(`SELECT max(id) AS id FROM node_session WHERE node_name = '${this.name}'`);
    return row.id;
  }
}

export class Cluster {
  constructor() {
    this.replicas = [];
  }

  // Settings of PostgreSQL, a directory for its files, what is in its environment; a proxy that the
  // replicas connect to.
  async start({ settings, dir, env, proxy } = {}) {
    const home = ownDirectory('tg-secret-');
    this.postgres = await new Postgres({ settings, dir, env }).create();
    this.secret = join(home, 'secret');
    writeFileSync(this.secret, randomBytes(32), { mode: 0o600 });
    if (nobody.uid) chownSync(this.secret, nobody.uid, nobody.gid);
    this.proxy = proxy;
    if (proxy) await proxy.start(this.postgres.port);
    this.databaseUrl = this.postgres.url('tollgate_app', proxy?.port);
    this.migrate();
    return this;
  }

  migrate() {
    const root = staged();
    execFileSync(join(root, 'tollgate'), ['migrate'], {
      cwd: root, stdio: 'pipe', ...nobody,
      env: {
        DATABASE_OWNER_URL: this.postgres.url('postgres'), DATABASE_URL: this.postgres.url('tollgate_app'),
        MIGRATIONS_DIR: join(root, 'migrations'), DATA_DIR: '/nonexistent', HOME: '/nonexistent',
      },
    });
  }

  async add(name, env, under) {
    const replica = Object.assign(new Replica(this, name, env), { under });

    await replica.start();

    this.replicas.push(replica);
    return replica;
  }

  // The installation on its first replica: an operator, a provider account per upstream, a program's key.
  async install(upstreams) {
    const [first] = this.replicas;
    this.operator = await signInOperator(first);
    this.accounts = [];
    for (const upstream of upstreams) this.accounts.push(await addAccount(this.operator, upstream));
    this.owner = await signUp(first);
    this.ask = manage(first, await installationKey(this.operator));
  }

  // A model at all accounts; see addModel.
  model(wish) {
    return addModel(this.operator, { ...wish, targets: this.accounts.map((account, i) => ({ account, priority: i + 1 })) });
  }

  // A team with its own wallet. Amounts are nano-dollars.
  async team(nano, name = `team ${++this.teams}`) {
    const made = await this.ask('POST', '/teams', { name });
    if (made.status >= 300) throw new Error(made.text);
    this.fund(made.json.id, nano);
    return made.json.id;
  }

  teams = 0;

  fund(team, nano) {
    if (nano)
      this.postgres.psql(`SELECT set_config('app.scope', 'system', false); SELECT post_adjustment(${team}, gen_random_uuid()::text, ${nano}, 'for the test', 'system', NULL, 'test')`);
  }

  // A key's secret; budget in nano-dollars.
  async key(team, fields = {}) {
    const made = await this.ask('POST', `/keys?team=${team}`, { name: `key ${++this.keys}`, ...fields });
    if (made.status >= 300) throw new Error(made.text);
    return made.json;
  }

  keys = 0;

  sql(text) {
    return this.postgres.sql(text);
  }

  // Waits until these calls are in the books; their rows by id.
  async recorded(ids, ms = 60000) {
    const wanted = [...new Set(ids)].map((id) => id.replace(/^call_/, ''));
    let rows;
    await eventually(() => {
      rows = this.sql(`SELECT * FROM call WHERE call_id = ANY ('{${wanted.join()}}'::uuid[])`);
      return rows.length === wanted.length;
    }, `the records of ${wanted.length} calls`, ms);
    return new Map(rows.map((row) => [`call_${row.call_id.replaceAll('-', '')}`, row]));
  }

  // What is leased of a team's purses of a kind, to whomever.
  leased(team, kind = 'wallet') {
    return Number(this.postgres.psql(`SELECT coalesce(sum(leased), 0) FROM purse WHERE team_id = ${team} AND kind = '${kind}'`));
  }

  async everywhere(secret, model) {
    for (const r of this.replicas.filter((x) => !x.exit)) await served(r, secret, model);
  }
}
