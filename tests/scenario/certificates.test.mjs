// Providers behind TLS: one whose certificate is as it should be is asked; one whose certificate is
// another host's, has expired, is signed by nobody known, or who speaks TLS 1.0 alone, hears nothing of
// the request. Each is named in the record of the attempt, and the next provider serves.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { eventually, setup, test } from '../lib/story.mjs';
import { startUpstream, send, chat } from '../lib/upstream.mjs';
import { Authority } from '../lib/certificates.mjs';
import { Cluster } from '../lib/cluster.mjs';
import { addModel, attemptsOf, call, hello, settled } from '../lib/installation.mjs';
import { sameBooks } from '../lib/shadow.mjs';

const cluster = new Cluster();
const known = new Authority(), unknown = new Authority('Nobody');
const answer = (req, res) => send(res, 200, chat());
let node, secret, spare;

const providers = {
  good: { tls: known.sign(), reason: 'ok' },
  'another-host': { tls: known.sign('DNS:provider.example'), reason: 'tls_host' },
  expired: { tls: known.sign('IP:127.0.0.1', -1), reason: 'tls_expired' },
  'self-signed': { tls: unknown.sign(), reason: 'tls_untrusted' },
  old: { tls: { ...known.sign(), minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }, reason: 'tls' },
};

setup('a node that knows an authority, and providers of every kind', async () => {
  await cluster.start();
  node = await cluster.add('one', { UPSTREAM_CA_FILE: known.file });
  spare = await startUpstream(answer);
  for (const p of Object.values(providers)) p.upstream = await startUpstream(answer, 0, p.tls);
  await cluster.install([...Object.values(providers).map((p) => p.upstream), spare]);
  const last = cluster.accounts.at(-1);
  for (const [i, name] of Object.keys(providers).entries())
    await addModel(cluster.operator, { name, targets: [{ account: cluster.accounts[i], priority: 1 }, { account: last, priority: 2 }] });
  secret = (await cluster.key(await cluster.team(1_000_000_000))).key;
  await cluster.everywhere(secret, 'old');
});

for (const [name, p] of Object.entries(providers)) {
  test(`a provider whose TLS is ${name}: ${p.reason}`, async () => {
    const before = spare.seen.length;
    const res = await call(node, secret, hello(name));
    const id = res.headers.get('x-tollgate-request-id');
    assert.equal(res.status, 200, res.text);
    const row = await settled(cluster, id), attempts = attemptsOf(cluster, id);
    assert.equal(row.outcome, 'ok');
    assert.equal(attempts[0].reason, p.reason);
    if (p.reason === 'ok') {
      assert.equal(attempts.length, 1);
      assert.equal(p.upstream.seen.length, 1);
      assert.equal(spare.seen.length, before);
      return;
    }
    assert.equal(attempts.length, 2);
    assert.equal(attempts[1].reason, 'ok');
    assert.equal(p.upstream.seen.length, 0, 'nothing of the request has been sent');
    assert.equal(spare.seen.length, before + 1);
  });
}

test('a file that holds no certificate is said at the start', async () => {
  const empty = join(known.dir, 'nothing.pem');
  writeFileSync(empty, 'nothing\n');
  for (const file of [empty, join(known.dir, 'missing.pem')])
    await assert.rejects(cluster.add('two', { UPSTREAM_CA_FILE: file }), /UPSTREAM_CA_FILE cannot be read, or holds no certificate/);
});

// The certificate that a new connection is shown, and whether the authority stands behind it.
const shown = (port) => new Promise((done, fail) => {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: readFileSync(known.file) }, () => {
    const { serialNumber } = socket.getPeerCertificate();
    const own = socket.authorized;
    socket.end();
    done({ serialNumber, own });
  });
  socket.on('error', fail);
});

test('a node that ends TLS itself shows another certificate after SIGHUP, and keeps the old one when the new is wrong', async () => {
  const files = { TLS_CERT_FILE: join(known.dir, 'own.pem'), TLS_KEY_FILE: join(known.dir, 'own.key') };
  const write = (pair) => {
    writeFileSync(files.TLS_CERT_FILE, pair.cert);
    writeFileSync(files.TLS_KEY_FILE, pair.key, { mode: 0o644 });
  };
  const first = known.sign(), second = known.sign();
  write(first);
  const secure = await cluster.add('secure', files);
  const before = await shown(secure.port);
  assert.ok(before.own);
  write({ ...second, cert: first.cert });
  secure.child.kill('SIGHUP');
  await eventually(() => secure.log.includes('certificate_not_changed'), 'the refusal in the log');
  assert.deepEqual(await shown(secure.port), before);
  write(second);
  secure.child.kill('SIGHUP');
  const after = await eventually(async () => {
    const now = await shown(secure.port);
    return now.serialNumber !== before.serialNumber && now;
  }, 'the other certificate');
  assert.ok(after.own);
  assert.equal(secure.exit, undefined);
});

test('the books are right', () => sameBooks(cluster));
