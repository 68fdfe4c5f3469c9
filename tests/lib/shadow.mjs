// shadow.mjs: holds the product's books against those that shadow_ledger.py works out from the calls and
// transfers, and against its own invariants.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = join(dirname(fileURLToPath(import.meta.url)), 'shadow_ledger.py');

// What the shadow books say of a server's or cluster's database: {same, text}. answers: of client.mjs.
export function shadow(where, answers) {
  const psql = (where.postgres ?? where).psqlArguments;
  const dir = mkdtempSync(join(tmpdir(), 'tg-answers-'));
  const file = join(dir, 'answers');
  if (answers)
    writeFileSync(file, answers.map(({ id, status, whole, cost }) => JSON.stringify({ id, status, whole, cost: cost?.toString() })).join('\n'));
  const done = spawnSync('python3', [script, ...(answers ? ['--answers', file] : []), '--user', '65534', ...psql], { encoding: 'utf8', maxBuffer: 1 << 28 });
  rmSync(dir, { recursive: true });
  return { same: done.status === 0 && / no differences$/m.test(done.stdout), text: done.stdout + done.stderr };
}

// Fails with what differs: shadow books, and the invariants that the product itself knows.
export function sameBooks(where, answers) {
  const { same, text } = shadow(where, answers);
  assert.ok(same, `the shadow books differ:\n${text}`);
  const findings = (where.postgres ?? where).sql('SELECT * FROM ledger_findings()');
  assert.deepEqual(findings, [], 'ledger_findings()');
  return text;
}
