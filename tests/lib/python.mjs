// python.mjs: a Python with the official client libraries, where this machine can have one: the system's
// own if it has them, else an environment beside the build that is filled once and kept.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { top } from './server.mjs';

const run = promisify(execFile);
const libraries = ['openai', 'anthropic'];
const environment = join(top, '.cache/python');
const imports = ['-c', libraries.map((l) => `import ${l}`).join('; ')];
let found;

const has = (python) => run(python, imports).then(() => python, () => undefined);

async function look() {
  const python = join(environment, 'bin/python');
  const there = await has('python3') ?? (existsSync(python) ? await has(python) : undefined);
  if (there) return there;
  try {
    await run('python3', ['-m', 'venv', environment], { timeout: 120000 });
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...libraries], { timeout: 240000 });
    return await has(python);
  } catch {
    return undefined;
  }
}

// The interpreter; undefined: it cannot be had here.
export const pythonWithLibraries = () => (found ??= look());
export const whyNoPython = 'Python’s openai and anthropic cannot be installed here';
