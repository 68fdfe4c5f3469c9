// openai_schema.mjs: answers against OpenAI's own OpenAPI document, where the machine has it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { top } from './server.mjs';

const path = join(process.env.TOLLGATE_SHARED ?? join(top, '../shared'), 'specs/openai-openapi.json');
let ajv;

function load() {
  const document = JSON.parse(readFileSync(path, 'utf8'));
  ajv = new Ajv({ strict: false, allErrors: false, logger: false });
  addFormats(ajv);
  for (const format of ['unixtime', 'binary', 'int64']) if (!ajv.formats[format]) ajv.addFormat(format, true);
  ajv.addSchema(document, 'openai');
}

export const needsSchema = () => (existsSync(path) ? undefined : 'OpenAI’s OpenAPI document is not on this machine');

// Asserts that value is what the document calls name.
export function isOpenAI(name, value) {
  if (!ajv) load();
  const check = ajv.getSchema(`openai#/components/schemas/${name}`);
  assert.ok(check, `the document has no ${name}`);
  assert.ok(check(value), `${name}: ${JSON.stringify(check.errors?.slice(0, 4), null, 1)}\n${JSON.stringify(value).slice(0, 1500)}`);
}
