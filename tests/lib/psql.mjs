// psql.mjs: PostgreSQL's programs, those of the newest version on this machine, past Debian's wrapper: that is
// in Perl, and takes five times as long to start as psql itself, which stories ask thousands of times.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};

let bin;
export function program(name) {
  const root = '/usr/lib/postgresql';
  bin ??= join(root, readdirSync(root).sort((a, b) => b - a).find((v) => existsSync(join(root, v, 'bin/postgres'))), 'bin');
  return join(bin, name);
}

const options = (more) => ({ encoding: 'utf8', maxBuffer: 1 << 28, ...nobody, ...more });
const words = (where, text) => ['-XqAt', '-v', 'ON_ERROR_STOP=1', ...where, '-c', text];

// What psql says; where: its arguments that name the database.
export const psql = (where, text, more) => execFileSync(program('psql'), words(where, text), options(more));

// The same while the test goes on.
export const psqlMeanwhile = (where, text) => new Promise((done, fail) => {
  execFile(program('psql'), words(where, text), options(), (error, out) => (error ? fail(error) : done(out)));
});

// Rows of a query, by a function that has psql say something.
export const rowsOf = (say, query) => JSON.parse(say(`SELECT coalesce(json_agg(row_to_json(q)), '[]') FROM (${query}) q`));
