// run.mjs DIR [NAME...]: runs the stories in DIR/*.test.mjs, one after another, each a list of labelled
// tests. Prints `ok FILE: NAME`, `FAIL FILE: NAME` or `skip FILE: NAME (why)`. Everything that a story
// started is stopped before the next one begins; no test is tried twice.
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { takeTests } from './story.mjs';
import { stopEverything } from './server.mjs';

const [dir, ...only] = process.argv.slice(2);
const limitMs = Number(process.env.TEST_LIMIT_MS ?? 240000);
let failed = 0;

function withLimit(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function runFile(path) {
  const file = basename(path, '.test.mjs');
  try {
    await import(pathToFileURL(resolve(path)));
  } catch (error) {
    failed++;
    console.log(`FAIL ${file}: does not load`);
    console.log(error.stack);
    return;
  }
  let broken = false;
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
  failed += await stopEverything(file);
}

const files = readdirSync(dir).filter((f) => f.endsWith('.test.mjs')).sort();
for (const f of files)
  if (!only.length || only.some((o) => f.includes(o))) await runFile(join(dir, f));
process.exit(failed ? 1 : 0);
