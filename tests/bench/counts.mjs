// counts.mjs: what a call costs in instructions, by function, beside plain forwarding (callgrind). Counts do
// not depend on what else the machine does, so a change of one in a hundred can be seen. For reading.
//
// Both run within valgrind, which counts the loop's thread by itself. The kernel is not in it: system calls
// are strace's (profile.mjs).
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ownDirectory, stopAtEnd } from '../lib/server.mjs';
import * as bench from './bench.mjs';

const dir = ownDirectory('tg-counts-');
stopAtEnd({ stop: () => rmSync(dir, { recursive: true, force: true }) });

// The command line that runs a program within callgrind, which counts while its loop runs.
export const counted = () => ['valgrind', '-q', '--tool=callgrind', '--separate-threads=yes', '--fair-sched=yes',
  '--collect-atstart=no', '--toggle-collect=loop_run', `--callgrind-out-file=${join(dir, 'out.%p')}`];
// A copy that is one instruction which repeats would be counted for each byte.
export const countedEnv = { GLIBC_TUNABLES: 'glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000' };

// The functions of a profile: Map of "file.c:name" to instructions; a function with what was inlined into it
// has several rows, which add up, or, with what it calls, of which the largest counts. Also by library.
function annotated(file, inclusive) {
  const text = execFileSync('callgrind_annotate', [`--inclusive=${inclusive ? 'yes' : 'no'}`, '--threshold=100', '--auto=no', file],
    { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
  const functions = new Map(), objects = new Map();
  for (const [, digits, source, name, object] of text.matchAll(/^\s*([\d,]+) \([^)]*\)\s+(\S*?):([^\s[]+)(?: \[(.*)\])?/gm)) {
    const n = Number(digits.replaceAll(',', ''));
    const key = source === '???' ? `${basename(object ?? '')}:${name}` : `${basename(source)}:${name}`;
    const before = functions.get(key) ?? 0;
    functions.set(key, inclusive ? Math.max(before, n) : before + n);
    objects.set(basename(object ?? '?'), (objects.get(basename(object ?? '?')) ?? 0) + n);
  }
  return { functions, objects };
}

// Runs calls against a target { stop() } that runs within callgrind: instructions of its loop a call, by
// object and by function, its own and those of all it calls. The first calls, which find nothing ready, are
// a few in thousands.
async function count(target, options) {
  const { ok } = await bench.load('sat', target, { ...options, seconds: 12 });
  await target.stop();
  const files = readdirSync(dir).filter((name) => name.startsWith(`out.${target.pid}`)).map((name) => join(dir, name));
  const loop = files.find((file) => /^c?fn=\(\d+\) loop_run/m.test(readFileSync(file, 'utf8')));
  const within = annotated(loop, true), own = annotated(loop, false);
  files.forEach((file) => rmSync(file));
  const each = (map) => new Map([...map].map(([name, n]) => [name, n / ok]));
  return { within: each(within.functions), own: each(own.functions), objects: each(own.objects) };
}

export async function counts({ targets, bytes, connections }) {
  const options = { connections, file: bench.body('bench-plain', bytes) };
  const got = {};
  for (const target of targets) got[target.name] = await count(target, options);
  const names = targets.map((t) => t.name);
  const table = (title, key, least, order) => {
    console.log(`# ${title}, instructions a call: ${names.join(', ')}`);
    const all = new Set(names.flatMap((n) => [...got[n][key].keys()]));
    const rows = [...all].map((name) => ({ name, values: names.map((n) => got[n][key].get(name) ?? 0) }))
      .filter((row) => Math.max(...row.values) >= least).sort((a, b) => order(b) - order(a));
    for (const { name, values } of rows) console.log(`${values.map((v) => v.toFixed(0).padStart(8)).join('')}  ${name}`);
  };
  table('by library', 'objects', 1, (row) => row.values[0]);
  table('functions with what they call', 'within', 150, (row) => row.values[0]);
  table('functions by themselves', 'own', 100, (row) => row.values[0]);
}
