// What a node knows of the catalogue. A load that fails is tried again until it is done, also when nothing else
// changes; and what the database says now holds, also where it has lost changes that it had counted.
import assert from 'node:assert/strict';
import { setup, sleep, test, eventually } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { ask } from '../lib/client.mjs';
import { hello } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
let node, secret;

setup('a node and a model', async () => {
  await cluster.start();
  const upstream = await startUpstream((req, res) =>
    send(res, 200, { ...chat(), usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }));
  node = await cluster.add('one');
  await cluster.install([upstream]);
  await cluster.model({ name: 'scripted', input: '1', output: '2' });
  secret = (await cluster.key(await cluster.team(900_000_000_000))).key;
  await cluster.everywhere(secret, 'scripted');
});

const serves = (model) => eventually(async () => (await ask(node.url, secret, hello(model))).status === 200, `${model} to be served`);
const failures = () => node.log.split('catalogue_not_reloaded').length - 1;

test('a load that fails is tried again until it is done, also when nothing changes any more', async () => {
  node.arm('catalog.load=error:ECONNRESET');
  await cluster.model({ name: 'late', input: '1', output: '2' });
  await eventually(failures, 'a load to fail');
  await sleep(500); // for the node to have heard of all that there is to hear
  const before = failures();
  await eventually(() => failures() > before, 'it to be tried again');
  assert.equal((await ask(node.url, secret, hello('late'))).status, 404);
  assert.equal((await ask(node.url, secret, hello('scripted'))).status, 200, 'what it knew goes on');
  node.arm('');
  await serves('late');
  sameBooks(cluster);
});

test('after a failover that lost changes the node takes what the database says now', async () => {
  cluster.postgres.psql('UPDATE change_epoch SET epoch = 1');
  await cluster.model({ name: 'after', input: '1', output: '2' });
  await serves('after');
  sameBooks(cluster);
});
