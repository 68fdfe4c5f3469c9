// python.mjs: a Python with the official client libraries, where this machine can have one: the system's
// own if it has them, else an environment beside the build that is filled once and kept.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { top } from './server.mjs';

const run = promisify(execFile);
const libraries = ['openai', 'anthropic'];
const environment = join(top, '.cache/python');
const imports = libraries.map((l) => `import ${l}`).join('; ');
// $0 the environment, $1 what has to work in it, then what is installed for that.
const fill = `environment=$0 imports=$1; shift
"$environment/bin/python" -c "$imports" 2>/dev/null && exit
python3 -m venv --clear "$environment" &&
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$@" && "$environment/bin/python" -c "$imports"`;
let found;
let reason = '';

async function look() {
  if (await run('python3', ['-c', imports]).then(() => true, () => false)) return 'python3';
  mkdirSync(join(top, '.cache'), { recursive: true });
  try {
    // In a new clone several stories want it at once.
    await run('flock', [`${environment}.lock`, 'sh', '-c', fill, environment, imports, ...libraries], { timeout: 360000 });
    return join(environment, 'bin/python');
  } catch (error) {
    reason = (error.stderr || error.message).trim().split('\n').at(-1);
    return undefined;
  }
}

// The interpreter; undefined: it cannot be had here.
export const pythonWithLibraries = () => (found ??= look());
export const whyNoPython = () => `Python’s openai and anthropic cannot be installed here: ${reason}`;
