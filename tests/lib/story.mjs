// story.mjs: how a test file says what it tests. Tests of a file run in order and share what the
// file's variables hold; `setup` marks one without which the rest cannot run.
import { existsSync } from 'node:fs';

let tests = [];

export function test(name, fn, options = {}) {
  tests.push({ name, fn, ...options });
}
export function setup(name, fn, options = {}) {
  tests.push({ name, fn, ...options, setup: true });
}
export function takeTests() {
  const taken = tests;
  tests = [];
  return taken;
}
// For { needs }: the reason why a test cannot run here, or undefined.
export function needsPath(path, what) {
  return () => (existsSync(path) ? undefined : `${what} is not on this machine`);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Asks until fn gives something true. How long that takes is not judged: only what hangs takes all of ms. what
// it waits for is a text, or a function that says it when it has waited in vain.
export async function eventually(fn, what, ms = 60000) {
  const end = Date.now() + ms;
  for (let pause = 30; ; pause = Math.min(pause * 1.2, 250)) { // the longer it takes, the less it is worth to ask
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${typeof what === 'function' ? what() : what}`);
    await sleep(pause);
  }
}
