// run.mjs DIR [NAME...]: runs the stories in DIR/*.test.mjs, each a list of labelled tests, several
// stories at a time (TEST_JOBS), each in a process of its own. Prints `ok FILE: NAME`, `FAIL FILE: NAME`
// or `skip FILE: NAME (why)`, story by story in the order of their names, and how long each story took, with
// TEST_TIMES each test. TEST_FIRST names stories that are begun before the others: those that wait longest.
// Everything that a story started is stopped when it ends; no test is tried twice.
import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { takeTests } from './story.mjs';
import { stopEverything } from './server.mjs';

const limitMs = Number(process.env.TEST_LIMIT_MS ?? 240000);
const FAILED = 3; // the status of a story that failed and has said so
const nameOf = (path) => basename(path, '.test.mjs');

function withLimit(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Runs a story in this process; says how much of it failed.
async function runFile(path) {
  const file = nameOf(path);
  let failed = 0, broken = false;
  try {
    await import(pathToFileURL(resolve(path)));
  } catch (error) {
    console.log(`FAIL ${file}: does not load`);
    console.log(error.stack);
    return 1;
  }
  for (const { name, fn, needs, setup } of takeTests()) {
    const missing = needs?.();
    if (missing) {
      console.log(`skip ${file}: ${name} (${missing})`);
      continue;
    }
    if (broken) {
      failed++;
      console.log(`FAIL ${file}: ${name} (its setup failed)`);
      continue;
    }
    const began = Date.now();
    try {
      await withLimit(fn(), limitMs);
      console.log(`ok ${file}: ${name}${process.env.TEST_TIMES ? ` [${Date.now() - began} ms]` : ''}`);
    } catch (error) {
      failed++;
      broken = setup;
      console.log(`FAIL ${file}: ${name}`);
      console.log(error.stack ?? error);
    }
  }
  return failed + await stopEverything(file);
}

// The other end of runFile: a process that runs one story, once start() is called. What it says is kept until
// say() is called, and passed on from then on; `ended` becomes whether it ended well.
function storyOf(path) {
  let said = '', show, finish;
  const ended = new Promise((done) => { finish = done; });
  const tell = (text) => { if (show) show(text); else said += text; };
  const start = () => {
    const began = Date.now();
    const child = fork(fileURLToPath(import.meta.url), ['--story', path], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', tell);
    child.on('close', (code, signal) => {
      if (code !== 0 && code !== FAILED) tell(`FAIL ${nameOf(path)}: its process ended with ${signal ?? code}\n`);
      tell(`   ${nameOf(path)}: ${Math.round((Date.now() - began) / 1000)} s\n`);
      finish(code === 0);
    });
  };
  const say = () => {
    show = (text) => process.stdout.write(text);
    show(said);
  };
  return { name: nameOf(path), start, ended, say };
}

// The stories of a directory, so many at a time.
async function runDirectory(dir, only, jobs) {
  const stories = readdirSync(dir).filter((f) => f.endsWith('.test.mjs')).sort()
    .filter((f) => !only.length || only.some((o) => f.includes(o))).map((f) => storyOf(join(dir, f)));
  const early = (process.env.TEST_FIRST ?? '').split(' ');
  const waiting = [...stories.filter((s) => early.includes(s.name)), ...stories.filter((s) => !early.includes(s.name))];
  const startOne = () => {
    const story = waiting.shift();
    story?.start();
    story?.ended.then(startOne);
  };
  for (let i = 0; i < jobs; i++) startOne();
  let well = true;
  for (const story of stories) {
    story.say();
    well = await story.ended && well;
  }
  return well;
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--story') {
  // Whoever asked for this story is gone, or wants it to end: nothing is left running.
  const leave = async () => { await stopEverything(nameOf(rest[0])); process.exit(2); };
  for (const event of ['disconnect', 'SIGINT', 'SIGTERM']) process.once(event, leave);
  const failed = await runFile(rest[0]);
  process.exit(failed ? FAILED : 0);
} else {
  process.exit(await runDirectory(first, rest, Number(process.env.TEST_JOBS ?? availableParallelism() + 1)) ? 0 : 1);
}
