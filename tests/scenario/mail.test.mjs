// What is mailed: invitations and links to a new password, through a real mail server, by two nodes.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster } from '../lib/cluster.mjs';
import { Authority } from '../lib/certificates.mjs';
import { password, signUp } from '../lib/installation.mjs';
import { MailServer } from '../lib/mailserver.mjs';
import { ownDirectory } from '../lib/server.mjs';
import { eventually, setup, test } from '../lib/story.mjs';
import { Visitor } from '../lib/visitor.mjs';

let mail, cluster, one, two, owner;
setup('two nodes and a mail server', async () => {
  mail = await new MailServer().start();
  cluster = await new Cluster().start();
  one = await cluster.add('one', mail.env({ POLL_INTERVAL_MS: '200' }));
  two = await cluster.add('two', mail.env({ POLL_INTERVAL_MS: '200' }));
  owner = await signUp(one, { name: 'Ada Owner', team: 'Team of Ada' });
});

const invite = (email, visitor = owner) => visitor.submit('/members', /\/members\/invites$/, { email, role: 'viewer' });
const forgot = (email, node = one) => new Visitor(node.url).submit('/forgot', /\/forgot$/, { email });
const row = (email) => cluster.sql(`SELECT * FROM outbox WHERE recipient = '${email}' ORDER BY id DESC LIMIT 1`)[0];
const soon = (email) => cluster.postgres.psql(`UPDATE outbox SET next_at = now() WHERE recipient = '${email}' AND sealed IS NOT NULL`);
const sent = (email) => eventually(() => row(email)?.sent_at, `the mail to ${email} to be noted as sent`);

test('an invitation is mailed over TLS, and its link lets in', async () => {
  const page = await invite('bob@example.org');
  assert.equal(page.status, 200);
  assert.match(page.text, /The invitation is on its way to bob@example\.org/);
  const got = await mail.got('bob@example.org');
  assert.deepEqual([got.from, got.secure], ['ops@example.org', true]);
  assert.deepEqual(got.headers.from, ['"Tollgate" <ops@example.org>']);
  assert.equal(got.subject, 'Invitation to Team of Ada');
  assert.match(got.text, /Ada Owner invites you to the team Team of Ada, as viewer\./);
  assert.ok(got.html.includes(`href="${got.link}"`), got.html);
  assert.match(got.headers['auto-submitted'][0], /auto-generated/);
  const bob = new Visitor(two.url);
  const offer = await bob.get(new URL(got.link).pathname);
  assert.match(offer.text, /Team of Ada/);
  await sent('bob@example.org');
  const { sealed, given_up_at: givenUp, outcome } = row('bob@example.org');
  assert.deepEqual([sealed, givenUp], [null, null]);
  assert.match(outcome, /^250/);
});

test('names that would be markup or headers stay names', async () => {
  const name = 'Ünïcode "Bcc: x@y" <b>&\\ 日本語のとても長い名前のチームです、ほんとうに長い';
  const visitor = await signUp(one, { name: '"Eve" <eve@example.org>, =?UTF-8?Q?x?=', team: name });
  await invite('carol@example.org', visitor);
  const got = await mail.got('carol@example.org');
  assert.equal(got.subject, `Invitation to ${name}`);
  assert.ok(got.text.includes(`"Eve" <eve@example.org>, =?UTF-8?Q?x?= invites you to the team ${name}`), got.text);
  assert.ok(!/<b>/.test(got.html), got.html);
  assert.deepEqual(Object.keys(got.headers).sort(), ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to']);
  assert.ok(got.source.split('\r\n').every((line) => line.length <= 76 && /^[\x20-\x7e]*$/.test(line)), got.source);
});

test('without an address nothing is mailed', async () => {
  const before = cluster.sql('SELECT count(*) AS n FROM outbox')[0].n;
  const page = await invite('');
  assert.match(page.text, /The invitation is made\. Send this link/);
  assert.equal(cluster.sql('SELECT count(*) AS n FROM outbox')[0].n, before);
});

test('a team makes a hundred invitations a day, those that it took back among them', async () => {
  const visitor = await signUp(one);
  cluster.postgres.psql(`INSERT INTO invite (team_id, digest, role, created_at, expires_at, revoked_at)
    SELECT (SELECT max(team_id) FROM member), sha256(g::text::bytea), 'viewer', now() - interval '2 hours', now() + interval '7 days', now() FROM generate_series(1, 99) g`);
  assert.equal((await invite('hundredth@example.org', visitor)).status, 200);
  const refused = await invite('one-more@example.org', visitor);
  assert.equal(refused.status, 422);
  assert.match(refused.text, /100 invitations were made within a day/);
  assert.equal(row('one-more@example.org'), undefined);
  cluster.postgres.psql(`UPDATE invite SET created_at = now() - interval '25 hours' WHERE revoked_at IS NOT NULL`);
  assert.equal((await invite('one-more@example.org', visitor)).status, 200);
});

test('a link to a new password comes by mail, to who is known; the answer is the same to others', async () => {
  const person = await signUp(one);
  const known = await forgot(person.email);
  const unknown = await forgot('nobody-here@example.org', two);
  assert.deepEqual([known.status, unknown.status], [200, 200]);
  assert.equal(known.text, unknown.text);
  const got = await mail.got(person.email);
  assert.equal(got.subject, 'Your new password at 127.0.0.1');
  const visitor = new Visitor(two.url);
  const page = await visitor.submit(new URL(got.link).pathname, /\/reset\//, { password: `${password} anew` });
  assert.match(page.text, /Your new password is set/);
  const again = await new Visitor(one.url).get(new URL(got.link).pathname);
  assert.equal(again.status, 404);
  for (const said of [known.text, got.text.replace(/\s+/g, ' '), again.text]) assert.match(said, /(for|within|older than) 30 minutes/);
  assert.match(again.text, /Ask for a new one where you sign in\./);
  await eventually(() => cluster.sql('SELECT count(*) AS n FROM reset_wish')[0].n === 0, 'every wish to be looked at');
  assert.equal(mail.to('nobody-here@example.org').length, 0);
  assert.equal(row('nobody-here@example.org'), undefined);
  const [audit] = cluster.sql(`SELECT actor_kind FROM audit WHERE action = 'user.make_reset_link'`);
  assert.equal(audit.actor_kind, 'system');
});

test('who asks again and again is told to wait, and nobody is locked out of signing in', async () => {
  const person = await signUp(one);
  for (let i = 0; i < 5; i++) assert.equal((await forgot(person.email)).status, 200);
  assert.equal((await forgot(person.email, two)).status, 429);
  const page = await new Visitor(one.url).submit('/sign-in', /sign-in/, { email: person.email, password });
  assert.equal(page.status, 200);
  await eventually(() => cluster.sql(`SELECT count(*) AS n FROM outbox WHERE recipient = '${person.email}' AND sent_at IS NOT NULL`)[0].n === 5, 'five mails');
  assert.equal(mail.to(person.email).length, 5);
});

test('a disabled person gets none', async () => {
  const person = await signUp(one);
  cluster.postgres.psql(`UPDATE person SET disabled_at = now() WHERE email = '${person.email}'`);
  assert.equal((await forgot(person.email)).status, 200);
  await eventually(() => cluster.sql('SELECT count(*) AS n FROM reset_wish')[0].n === 0, 'the wish to be looked at');
  assert.equal(row(person.email), undefined);
});

test('each of many is mailed once, whichever node sends it', async () => {
  const many = Array.from({ length: 30 }, (_, i) => `guest${i}@example.org`);
  await Promise.all(many.map((email) => invite(email)));
  await eventually(() => cluster.sql(`SELECT count(*) AS n FROM outbox WHERE recipient LIKE 'guest%' AND sent_at IS NOT NULL`)[0].n === many.length, 'all to be sent');
  for (const email of many) assert.equal(mail.to(email).length, 1, email);
  assert.equal(new Set(many.map((email) => mail.to(email)[0].id)).size, many.length);
});

test('an address that is refused for good is given up at once; others are not held up', async () => {
  mail.refusals['gone@example.org'] = { code: 550, times: Infinity, says: 'no such mailbox' };
  await invite('gone@example.org');
  await invite('there@example.org');
  await eventually(() => row('gone@example.org').given_up_at, 'the mail to be given up');
  const { tries, outcome, sealed } = row('gone@example.org');
  assert.deepEqual([tries, sealed], [1, null]);
  assert.match(outcome, /550.*no such mailbox/);
  await mail.got('there@example.org');
  await eventually(() => [one, two].some((node) => /notice_given_up.*gone@example\.org/.test(node.log)), 'a line in the log');
});

test('an address that is refused for a while is tried again, later each time', async () => {
  mail.refusals['busy@example.org'] = { code: 451, times: 2, says: 'come back' };
  await invite('busy@example.org');
  const waits = [];
  for (const tries of [1, 2]) {
    await eventually(() => row('busy@example.org').tries === tries && row('busy@example.org').outcome, `try ${tries}`);
    waits.push(cluster.sql(`SELECT extract(epoch FROM next_at - clock_timestamp())::float8 AS s FROM outbox WHERE recipient = 'busy@example.org'`)[0].s);
    assert.match(row('busy@example.org').outcome, /451.*come back/);
    cluster.postgres.psql(`UPDATE outbox SET outcome = '' WHERE recipient = 'busy@example.org'`);
    soon('busy@example.org');
  }
  assert.ok(waits[0] <= 15 && waits[1] > 15 && waits[1] <= 60, waits.join());
  await sent('busy@example.org');
  assert.equal(mail.to('busy@example.org').length, 1);
});

test('what waits is given up after a day, with a line in the log', async () => {
  mail.refusals['never@example.org'] = { code: 451, times: Infinity };
  await invite('never@example.org');
  await eventually(() => row('never@example.org').outcome, 'the first try');
  cluster.postgres.psql(`UPDATE outbox SET useless_at = now() + interval '1 second', next_at = now() WHERE recipient = 'never@example.org'`);
  await eventually(() => row('never@example.org').given_up_at, 'the mail to be given up');
  assert.equal(row('never@example.org').sealed, null);
});

test('what is rolled back is not mailed, and what cannot be mailed is not done', async () => {
  cluster.postgres.psql(`CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'for the test'; END $$;
    CREATE CONSTRAINT TRIGGER refuse_at_commit AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.recipient = 'undone@example.org') EXECUTE FUNCTION refuse_at_commit()`);
  const page = await invite('undone@example.org');
  assert.ok(page.status >= 500, `${page.status}`);
  assert.equal(cluster.sql(`SELECT FROM invite WHERE email = 'undone@example.org'`).length, 0);
  assert.equal(row('undone@example.org'), undefined);
  cluster.postgres.psql('DROP TRIGGER refuse_at_commit ON outbox');
  const refused = await owner.request('/members/invites', { method: 'POST', body: new URLSearchParams({ email: 'forged@example.org', role: 'viewer' }), headers: { origin: one.url } });
  assert.ok(refused.status >= 400, `${refused.status}`);
  assert.equal(row('forged@example.org'), undefined);
  assert.equal(mail.tries.filter((to) => /undone|forged/.test(to)).length, 0);
});

test('mail waits for a server that is down, through a restart of the nodes', async () => {
  await mail.stop();
  await invite('patient@example.org');
  await invite('patient2@example.org');
  await eventually(() => row('patient@example.org').tries > 0 && row('patient@example.org').outcome, 'a try');
  await eventually(() => [one, two].some((node) => /mail_server_fails/.test(node.log)), 'a line in the log');
  await Promise.all([one, two].map((node) => node.stop('SIGKILL')));
  await Promise.all([one, two].map((node) => node.revive()));
  await mail.start();
  soon('patient@example.org');
  soon('patient2@example.org');
  await sent('patient@example.org');
  await sent('patient2@example.org');
  assert.deepEqual([mail.to('patient@example.org').length, mail.to('patient2@example.org').length], [1, 1]);
});

test('a node that dies while it sends: another sends it, under the same Message-ID', async () => {
  const stuck = new Promise((done) => { mail.stall = { to: 'again@example.org', done }; });
  await invite('again@example.org');
  await stuck; // the server has the mail and says nothing
  mail.stall = undefined;
  await Promise.all([one, two].map((node) => node.stop('SIGKILL')));
  await two.revive();
  soon('again@example.org'); // as when the time of who had taken it is over
  await sent('again@example.org');
  const [first, second, ...more] = mail.to('again@example.org');
  assert.deepEqual([first.id, more.length], [second.id, 0]);
  assert.equal(first.id, `<${row('again@example.org').tag}@127.0.0.1>`);
  assert.equal(row('again@example.org').tries, 2);
  await one.revive();
});

test('who is not the server that its certificate names gets nothing', async () => {
  const other = new Authority();
  const file = other.file;
  await two.stop();
  await one.stop();
  await one.revive({ UPSTREAM_CA_FILE: file });
  owner = Object.assign(owner, { base: one.url });
  const before = mail.mails.length;
  await invite('unread@example.org');
  await eventually(() => row('unread@example.org').outcome, 'the try');
  assert.match(row('unread@example.org').outcome, /certificate/i);
  assert.equal(mail.mails.length, before);
  await one.stop();
});

test('a server that asks who it is: by a password in a file; TLS from the first byte', async () => {
  const strict = await new MailServer({ secure: true, users: { relay: 'let me, in' } }).start();
  const file = join(ownDirectory('tg-password-'), 'password');
  writeFileSync(file, 'let me, in\n');
  await one.revive(strict.env({ SMTP_USER: 'relay', SMTP_PASSWORD_FILE: file }));
  soon('unread@example.org');
  const got = await strict.got('unread@example.org');
  assert.deepEqual([got.secure, got.user], [true, 'relay']);
  await one.stop();
  writeFileSync(file, 'wrong\n');
  await one.revive();
  await invite('locked@example.org');
  await eventually(() => row('locked@example.org').outcome, 'the try');
  assert.match(row('locked@example.org').outcome, /denied|535/i);
  assert.equal(row('locked@example.org').given_up_at, null);
  assert.ok(!one.log.includes('let me') && !one.log.includes('wrong'));
  await one.stop();
  await strict.stop();
});

test('a server on loopback need not offer TLS', async () => {
  const plain = await new MailServer({ plain: true }).start();
  await one.revive({ ...plain.env(), SMTP_USER: '', SMTP_PASSWORD_FILE: '' });
  soon('locked@example.org');
  assert.equal((await plain.got('locked@example.org')).secure, false);
  await one.stop();
});

for (const [name, env, says] of [
  ['a server without a sender', { MAIL_FROM: '' }, /SMTP_URL and MAIL_FROM: set both or neither/],
  ['a sender that is none', { MAIL_FROM: 'nobody' }, /MAIL_FROM: use/],
  ['a server that is none', { SMTP_URL: 'http://127.0.0.1' }, /SMTP_URL: must begin with/],
  ['a user without a password', { SMTP_USER: 'relay' }, /SMTP_USER and SMTP_PASSWORD_FILE: set both/],
  ['a password that is not there', { SMTP_USER: 'relay', SMTP_PASSWORD_FILE: '/nonexistent' }, /SMTP_PASSWORD_FILE cannot be read/],
]) {
  test(`${name} is named at the start`, async () => {
    await assert.rejects(one.revive({ ...mail.env(), SMTP_USER: '', SMTP_PASSWORD_FILE: '', ...env }), (e) => says.test(e.message) || assert.fail(e.message));
    assert.equal(one.exit.signal, null, 'it ends by itself');
  });
}

test('without the settings nothing is mailed, and pages say so', async () => {
  await one.revive({ SMTP_URL: '', MAIL_FROM: '', SMTP_USER: '', SMTP_PASSWORD_FILE: '' });
  const visitor = new Visitor(one.url);
  assert.match((await visitor.get('/sign-in')).text, /An operator can make you a reset link/);
  assert.equal((await visitor.get('/forgot')).status, 404);
  const page = await invite('unmailed@example.org');
  assert.match(page.text, /The invitation is made\. Send this link/);
  assert.match(page.text, /nothing is mailed/);
  assert.equal(row('unmailed@example.org'), undefined);
});
