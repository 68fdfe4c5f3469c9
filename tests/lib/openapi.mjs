// openapi.mjs: the management API's own document, and answers held against it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { top } from './server.mjs';

export const document = JSON.parse(readFileSync(join(top, 'server/admin/openapi.json'), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(document, 'openapi');
const pointer = (...steps) => `openapi#/${steps.map((s) => s.replace(/~/g, '~0').replace(/\//g, '~1').replace(/[{}]/g, encodeURIComponent)).join('/')}`;

// The check of a schema among the components.
export const schemaOf = (name) => ajv.getSchema(pointer('components', 'schemas', name));

// What is wrong with the example of an operation's body; [] when its schema takes it.
export function exampleFaults({ requestBody }) {
  const { schema, example } = requestBody.content['application/json'];
  const check = ajv.compile({ $ref: `openapi${schema.$ref}` });
  return example === undefined ? ['there is none'] : check(example) ? [] : check.errors;
}

// The answer of a status, where it is described, and the steps that lead to it.
function answerOf(path, method, status) {
  const { responses } = document.paths[path][method.toLowerCase()];
  const code = String(status) in responses ? String(status) : 'default';
  const shared = responses[code].$ref?.split('/').slice(1);
  return { code, steps: shared ?? ['paths', path, method.toLowerCase(), 'responses', code] };
}

// A request that is wrong in its own way is told of by its operation; what any may end with is not.
export const isNamed = (path, method, status) => status < 400 || status === 500 || answerOf(path, method, status).code !== 'default';

// Asks with a program's key (manage() in installation.mjs), and returns an answer that has the status
// and is what the document says of the path. address: the path with its id put in.
export const described = (ask) => async (method, path, status, body, address = path) => {
  const res = await ask(method, address.replace('/api/v1', ''), body);
  assert.equal(res.status, status, res.text);
  const check = ajv.getSchema(pointer(...answerOf(path, method, status).steps, 'content', 'application/json', 'schema'));
  assert.ok(check, `${method} ${path} ${status} has no schema`);
  assert.ok(isNamed(path, method, status), `${method} ${path} does not tell of ${status}`);
  assert.ok(check(res.json), `${JSON.stringify(check.errors, null, 1)}\n${res.text.slice(0, 1500)}`);
  return res.json;
};
