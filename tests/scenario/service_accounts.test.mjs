// A node keeps tokens of so many service accounts at a time: those that are gone take no room from those that
// came in their place.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { eventually, setup, test } from '../lib/story.mjs';
import { send, startUpstream } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';

const AT_A_TIME = 256; // TOKEN_SLOTS in server/providers/tokens.h
const AT_ONCE = 8; // requests of the operator's
const cluster = new Cluster();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const lent = new Set(); // who got a token
let up;

const lend = (req, res, { raw }) => {
  const claims = new URLSearchParams(raw).get('assertion').split('.')[1];
  const { iss } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  lent.add(iss.split('@')[0]);
  send(res, 200, { access_token: `ya29.${iss}`, expires_in: 3600, token_type: 'Bearer' });
};

async function add(name) {
  const made = await cluster.ask('POST', '/accounts', {
    kind: 'vertex', name, base_url: up.url, network: 'private', region: 'global', project: 'p',
    service_account: JSON.stringify({
      type: 'service_account', project_id: 'p', private_key_id: 'key-1', client_email: `${name}@p.iam.example`, private_key: rsa, token_uri: `${up.url}/token`,
    }),
  });
  assert.equal(made.status, 201, made.text);
  return made.json.id;
}

async function each(list, what) {
  for (let i = 0; i < list.length; i += AT_ONCE) await Promise.all(list.slice(i, i + AT_ONCE).map(what));
}

setup('as many service accounts as a node has tokens for', async () => {
  await cluster.start();
  up = await startUpstream((req, res, seen) => lend(req, res, seen));
  await cluster.add('one');
  await cluster.install([]);
});

test('those that come in the place of others get their tokens', async () => {
  const ids = [];
  await each(Array.from({ length: AT_A_TIME }, (_, i) => `first-${i}`), async (name) => ids.push(await add(name)));
  await eventually(() => lent.size === AT_A_TIME, 'a token for each', 120000);
  await each(ids, async (id) => assert.ok((await cluster.ask('DELETE', `/accounts/${id}`)).status < 300));
  const another = await add('another');
  await eventually(() => lent.has('another'), 'a token for the one that came later');
  const [row] = cluster.sql(`SELECT last_error FROM provider_account WHERE id = ${another}`);
  assert.equal(row.last_error ?? '', '');
});
