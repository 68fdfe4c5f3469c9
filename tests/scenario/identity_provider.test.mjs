// Signing in by an identity provider: a real one (oidc-provider), by discovery alone; who gets an account, whose
// account is linked, what a second factor, an invite, a group and signing out do. Then one that does what none
// should: nobody is signed in by it, each time a page says why, and nothing of a token is in the log.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { exportSPKI } from 'jose';
import { CLIENT, IdentityProvider, ScriptedProvider, serverWith, signInAt } from '../lib/identity_provider.mjs';
import { password, signInOperator, signUp } from '../lib/installation.mjs';
import { eventually, setup, test } from '../lib/story.mjs';
import { code } from '../lib/totp.mjs';
import { Visitor } from '../lib/visitor.mjs';

let server, provider, evil, hostile;
const later = (s = server) => s.psql('DELETE FROM login_attempt');
const people = (email, s = server) => s.sql(`SELECT p.*, (SELECT count(*) FROM federated_identity f WHERE f.user_id = p.id) AS links FROM person p WHERE email = '${email}'`);
const audited = (action, s = server) => s.sql(`SELECT actor_name, after FROM audit WHERE action = '${action}' ORDER BY id`);
const isIn = async (visitor) => (await visitor.get('/account')).url.endsWith('/account');
const account = (login, more = {}) => {
  provider.accounts[login] = { email: `${login}@example.org`, email_verified: true, name: `${login} Example`, ...more };
};
const link = (visitor, given = password) => visitor.submit('/account', /account\/provider$/, { provider_password: given });

setup('a server and a real provider, which tells its claims by userinfo', async () => {
  ({ server, provider } = await serverWith((...at) => new IdentityProvider().start(...at), { OIDC_SCOPES: 'openid email profile groups', OIDC_OPERATOR_GROUP: 'gateway-operators' }));
});

test('somebody new gets an account without a password, with a team of their own, and the same one the next time', async () => {
  account('ada');
  assert.match((await new Visitor(server.url).get('/sign-in')).text, /Continue with Example ID/);
  const { visitor, page } = await signInAt(server, 'ada', '/sign-in/provider?next=/keys');
  assert.equal(page.status, 200, page.text);
  assert.match(page.url, /\/keys$/);
  assert.match(page.text, /ada Example's team/);
  const [ada] = people('ada@example.org');
  assert.deepEqual([ada.name, ada.password_hash, ada.links, ada.is_operator], ['ada Example', null, 1, false]);
  assert.match((await visitor.get('/account')).text, /Linked with ada@example\.org since .* You sign in without one, by Example ID|You sign in without one, by Example ID.*Linked with ada@example\.org/);
  provider.accounts.ada.email = 'ada.renamed@example.org';
  const again = await signInAt(server, 'ada');
  assert.match((await again.visitor.get('/account')).text, /Linked with ada\.renamed@example\.org/);
  assert.equal(people('ada@example.org').length, 1);
  assert.equal(people('ada.renamed@example.org').length, 0);
  assert.deepEqual(audited('user.sign_in').at(-1).after, { by: 'identity provider' });
  assert.equal(audited('user.link_provider').length, 1);
  assert.equal(server.sql('SELECT FROM login_attempt WHERE NOT good').length, 0);
});

test('no password signs them in, and the answer is as to anybody', async () => {
  const visitor = new Visitor(server.url);
  for (const given of ['', 'a guess of somebody']) {
    const page = await visitor.submit('/sign-in', /sign-in$/, { email: 'ada@example.org', password: given || 'x' });
    assert.match(page.text, /E-mail or password is wrong/);
  }
  later();
});

test('an account that has the e-mail is not taken over: its owner links it with the password', async () => {
  const bob = await signUp(server, { email: 'bob@example.org' });
  account('bob');
  const first = await signInAt(server, 'bob');
  assert.equal(first.page.status, 403);
  assert.match(first.page.text, /There is an account with your e-mail already.*Try again with Example ID/);
  assert.ok(!await isIn(first.visitor));
  const wrong = await link(bob, 'not the password');
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /This is not your password/);
  const go = await link(bob);
  assert.match(go.text, /You are on your way to Example ID/);
  const there = go.body.match(/<meta http-equiv="refresh" content="0; url=([^"]+)">/)[1].replaceAll('&amp;', '&');
  const done = await bob.submit(await bob.get(there), /name="login"/, { login: 'bob', password: 'any' });
  assert.match(done.text, /From now on you can sign in by it/);
  assert.match(done.text, /Linked with bob@example\.org/);
  assert.ok(await isIn((await signInAt(server, 'bob')).visitor));
  const { visitor } = await signInAt(server, 'ada');
  assert.ok(!(await visitor.get('/account')).body.includes('/account/provider/unlink'), 'who has no password keeps the link');
  const unlinked = await bob.submit('/account', /provider\/unlink$/);
  assert.match(unlinked.text, /It signs you in no longer/);
  assert.match(unlinked.text, /Not linked/);
  assert.equal((await signInAt(server, 'bob')).page.status, 403);
  assert.equal(audited('user.unlink_provider').length, 1);
  later();
});

test('one subject is one person: an account at the provider that is somebody else’s is not linked', async () => {
  const carol = await signUp(server);
  const go = await link(carol);
  const there = go.body.match(/url=([^"]+)">/)[1].replaceAll('&amp;', '&');
  const page = await carol.submit(await carol.get(there), /name="login"/, { login: 'ada', password: 'any' });
  assert.equal(page.status, 409);
  assert.match(page.text, /Not linked.*linked to somebody else here/);
  later();
});

test('what one has begun to link is of no use to another session', async () => {
  const dan = await signUp(server), eve = await signUp(server);
  account('dan');
  const go = await link(dan);
  const there = go.body.match(/url=([^"]+)">/)[1].replaceAll('&amp;', '&');
  eve.cookies.set('tollgate_provider', dan.cookies.get('tollgate_provider'));
  const page = await eve.submit(await eve.get(there), /name="login"/, { login: 'dan', password: 'any' });
  assert.equal(page.status, 400);
  assert.match(page.text, /begun in another browser/);
  assert.equal(server.sql(`SELECT FROM federated_identity WHERE subject = 'dan'`).length, 0);
  later();
});

test('who has set up a second factor is asked for it after the provider, too', async () => {
  const fay = await signUp(server, { email: 'fay@example.org' });
  account('fay');
  const go = await link(fay);
  await fay.submit(await fay.get(go.body.match(/url=([^"]+)">/)[1].replaceAll('&amp;', '&')), /name="login"/, { login: 'fay', password: 'any' });
  const setUp = await fay.submit('/account', /\/second-factor$/, { factor_password: password });
  const secret = setUp.body.match(/<code id="typed">([A-Z2-7 ]{39})<\/code>/)[1];
  await fay.submit(setUp, /confirm$/, { code: code(secret) });
  server.psql('UPDATE second_factor SET last_step = 0');
  const { visitor, page } = await signInAt(server, 'fay', '/sign-in/provider?next=/usage');
  assert.match(page.text, /One more step/);
  assert.ok(!await isIn(visitor));
  const inside = await visitor.submit(page, /sign-in\/code$/, { code: code(secret) });
  assert.match(inside.url, /\/usage$/);
  assert.equal(server.sql('SELECT by_provider FROM session ORDER BY created_at DESC LIMIT 1')[0].by_provider, true);
  later();
});

test('signing out ends the session here and goes on to the provider', async () => {
  const { visitor } = await signInAt(server, 'ada');
  const page = await visitor.submit('/overview', /sign-out$/);
  assert.match(page.text, /You are signed out here/);
  const there = page.body.match(/url=([^"]+)">/)[1].replaceAll('&amp;', '&');
  assert.match(there, new RegExp(`^${provider.issuer}/session/end\\?client_id=.*&post_logout_redirect_uri=${encodeURIComponent(server.url)}%2Fsign-in$`));
  assert.ok(!await isIn(visitor));
  assert.equal((await visitor.get(there)).status, 200, 'the provider takes it');
  const gina = await signUp(server);
  assert.match((await gina.submit('/overview', /sign-out$/)).url, /\/$/);
  later();
});

test('a group makes an operator at the next sign-in and ends that; who was made one here stays one', async () => {
  account('hal', { groups: ['staff', 'gateway-operators'] });
  const first = await signInAt(server, 'hal');
  assert.equal((await first.visitor.get('/operator')).status, 200);
  provider.accounts.hal.groups = ['staff'];
  const second = await signInAt(server, 'hal');
  assert.equal((await second.visitor.get('/operator')).status, 403);
  assert.match((await first.visitor.get('/operator')).url, /\/sign-in/, 'what was open as an operator has ended');
  const operator = await signInOperator(server);
  const [{ id }] = people('hal@example.org');
  await operator.submit(`/operator/users?q=hal@`, new RegExp(`${id}/operator$`));
  assert.equal((await (await signInAt(server, 'hal')).visitor.get('/operator')).status, 200);
  later();
});

test('a disabled person is not let in, and is told so', async () => {
  const [{ id }] = people('ada@example.org');
  const operator = await signInOperator(server);
  await operator.submit('/operator/users?q=ada@', new RegExp(`${id}/disable$`));
  const { page } = await signInAt(server, 'ada');
  assert.equal(page.status, 403);
  assert.match(page.text, /Your account here is disabled/);
  await operator.submit('/operator/users?q=ada@', new RegExp(`${id}/enable$`));
  later();
});

test('SIGNUP=invite: strangers are not let in; who follows an invitation joins its team', async () => {
  await server.again({ SIGNUP: 'invite', OIDC_DOMAINS: 'example.org, example.com' });
  account('ivy');
  const stranger = await signInAt(server, 'ivy');
  assert.equal(stranger.page.status, 403);
  assert.match(stranger.page.text, /new ones are by invitation/);
  assert.equal(people('ivy@example.org').length, 0);
  const owner = new Visitor(server.url);
  await owner.submit('/sign-in', /sign-in$/, { email: 'bob@example.org', password });
  const invite = (email) => owner.submit('/members', /invites$/, { role: 'developer', email }).then((p) => p.body.match(/\/invite\/[\w-]{20,}/)[0]);
  const path = await invite('ivy@example.org');
  const page = await new Visitor(server.url).get(path);
  assert.match(page.text, /Continue with Example ID/);
  const start = page.body.match(/href="(\/sign-in\/provider[^"]+)"/)[1].replaceAll('&amp;', '&');
  const { visitor, page: inside } = await signInAt(server, 'ivy', start);
  assert.match(inside.url, /\/overview$/, inside.text);
  const [{ role, teams }] = server.sql(`SELECT m.role, (SELECT count(*) FROM member WHERE user_id = p.id) AS teams FROM person p JOIN member m ON m.user_id = p.id WHERE email = 'ivy@example.org'`);
  assert.deepEqual([role, teams], ['developer', 1]);
  assert.ok(await isIn(visitor));
  const used = await signInAt(server, 'joe-who-is-none', start).catch(() => undefined);
  assert.ok(!used || used.page.status !== 200 || !await isIn(used.visitor));
  account('kim');
  const other = await signInAt(server, 'kim', `/sign-in/provider?invite=${(await invite('lee@example.org')).slice(8)}`);
  assert.match(other.page.text, /This invitation is for another e-mail/);
  assert.equal(people('kim@example.org').length, 0);
  account('bob2', { email: 'x@elsewhere.example' });
  const elsewhere = await signInAt(server, 'bob2');
  assert.match(elsewhere.page.text, /of a domain that may not come in/);
  // The provider still knows that one: tried again, it asks.
  const again = elsewhere.page.body.match(/href="(\/sign-in\/provider\?[^"]+)"/)[1];
  assert.equal((await signInAt(server, 'ivy', again, elsewhere.visitor)).page.status, 200);
  later();
});

test('an account that is there already signs in and is asked whether it joins', async () => {
  const owner = new Visitor(server.url);
  await owner.submit('/sign-in', /sign-in$/, { email: 'bob@example.org', password });
  const path = (await owner.submit('/members', /invites$/, { role: 'viewer' })).body.match(/\/invite\/[\w-]{20,}/)[0];
  const { visitor, page } = await signInAt(server, 'ivy', `/sign-in/provider?invite=${path.slice(8)}`);
  assert.match(page.url, new RegExp(`${path}$`));
  assert.match((await visitor.submit(page, /invite/)).text, /You are a member of this team already/);
  later();
});

test('PASSWORD_SIGN_IN=off: a password lets in operators only, and resets are theirs', async () => {
  const operator = await signInOperator(server);
  const reset = async (q) => (await operator.submit(`/operator/users?q=${q}`, /\/reset$/)).body.match(/\/reset\/[\w-]{20,}/)[0];
  const [bobs, own] = [await reset('bob@'), await reset('operator@')];
  await server.again({ PASSWORD_SIGN_IN: 'off', SIGNUP: 'open' });
  const visitor = new Visitor(server.url);
  const page = await visitor.submit('/sign-in', /sign-in$/, { email: 'bob@example.org', password });
  assert.match(page.text, /Only operators sign in with a password here/);
  assert.ok(!await isIn(visitor));
  assert.match((await visitor.submit('/sign-in', /sign-in$/, { email: 'bob@example.org', password: 'wrong wrong wrong' })).text, /E-mail or password is wrong/);
  assert.ok(await isIn(await signInOperator(server)));
  assert.equal((await visitor.get(bobs)).status, 404);
  assert.equal((await visitor.get(own)).status, 200);
  const signUpPage = await visitor.get('/sign-up');
  assert.ok(!signUpPage.body.includes('name="password"') && signUpPage.body.includes('/sign-in/provider'));
  const forced = await visitor.request('/sign-up', { method: 'POST', body: new URLSearchParams({ name: 'M', email: 'mia@example.org', password }), headers: { origin: server.url } });
  assert.equal(forced.status, 403);
  const { visitor: ivy } = await signInAt(server, 'ivy');
  const { text } = await ivy.get('/account');
  assert.ok(!text.includes('Change password') && text.includes('You sign in without one'));
  await server.again({ PASSWORD_SIGN_IN: 'on' });
  later();
});

test('a provider that is away is said to be, and signing in by password goes on', async () => {
  await provider.stop();
  await server.again();
  const page = await new Visitor(server.url).get('/sign-in/provider');
  assert.equal(page.status, 502);
  assert.match(page.text, /The identity provider does not answer. Try again in a while. Try again with Example ID/);
  assert.ok(await isIn(await signInOperator(server)));
  await eventually(() => /provider_sign_in_failed reason=away detail=/.test(server.log), 'the reason in the log');
});

test('settings that cannot be meant end the start with a sentence', async () => {
  const refused = async (env, sentence) => {
    const { env: before } = server;
    server.env = { ...before, ...env };
    try {
      await assert.rejects(server.beside('check-config'), sentence);
    } finally {
      server.env = before;
    }
  };
  await refused({ OIDC_ISSUER: 'http://id.example.org' }, /OIDC_ISSUER: must begin with https:\/\//);
  await refused({ OIDC_ISSUER: 'https://user:pw@id.example.org' }, /OIDC_ISSUER: is no URL/);
  await refused({ OIDC_CLIENT_ID: '' }, /OIDC_CLIENT_ID: set it with OIDC_ISSUER/);
  await refused({ OIDC_SCOPES: 'email' }, /OIDC_SCOPES: openid has to be one of them/);
  await refused({ OIDC_ISSUER: '', OIDC_CLIENT_ID: '', OIDC_CLIENT_SECRET_FILE: '', PASSWORD_SIGN_IN: 'off' }, /PASSWORD_SIGN_IN: off leaves people no way in/);
});

/* --- one that does what none should --- */

setup('a server and a provider that can be told to misbehave', async () => {
  ({ server: hostile, provider: evil } = await serverWith(() => new ScriptedProvider().start()));
});

// One sign-in by the scripted provider, as it is told to be.
async function tried(script = {}, visitor = new Visitor(hostile.url)) {
  later(hostile);
  evil.reset();
  Object.assign(evil, script);
  const page = await visitor.get('/sign-in/provider');
  return { visitor, page };
}
async function refused(script, status, sentence, reason) {
  const failures = () => hostile.log.split('\n').filter((line) => line.includes('provider_sign_in_failed'));
  const before = failures().length;
  const { visitor, page } = await tried(script);
  assert.equal(page.status, status, page.text);
  assert.match(page.text, sentence);
  assert.match(page.text, /Try again with Example ID/);
  assert.ok(!await isIn(visitor));
  await eventually(() => failures().length > before, 'its line in the log');
  assert.match(failures().at(-1).replaceAll('"', ''), reason);
}

test('RS256, PS256 and ES256 are taken, with what the protocol wants in each request', async () => {
  for (const alg of ['RS256', 'PS256', 'ES256']) {
    const { visitor, page } = await tried({ key: evil.keys[alg] });
    assert.equal(page.status, 200, `${alg}: ${page.text}`);
    assert.ok(await isIn(visitor), alg);
  }
  const [asked] = evil.seen.authorize, [exchanged] = evil.seen.token;
  assert.deepEqual([asked.tenant, asked.response_type, asked.client_id, asked.scope, asked.code_challenge_method], ['one', 'code', CLIENT.id, 'openid email profile', 'S256']);
  assert.equal(asked.redirect_uri, `${hostile.url}/sign-in/provider/callback`);
  for (const secret of [asked.state, asked.nonce, exchanged.code_verifier]) assert.match(secret, /^[\w-]{43}$/);
  const basic = Buffer.from(exchanged.authorization.slice(6), 'base64').toString();
  assert.deepEqual(basic.split(':').map(decodeURIComponent), [CLIENT.id, CLIENT.secret]);
  assert.ok(!('client_secret' in exchanged));
  const byForm = await tried();
  assert.ok(byForm.visitor.cookies.get('tollgate_session'));
});

test('the cookie between is sealed, of this browser, and gone afterwards', async () => {
  evil.reset();
  later(hostile);
  const res = await fetch(`${hostile.url}/sign-in/provider?next=/keys`, { redirect: 'manual' });
  const [cookie] = res.headers.getSetCookie();
  assert.match(cookie, /^tollgate_provider=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
  const { state, nonce } = Object.fromEntries(new URL(res.headers.get('location')).searchParams);
  assert.ok(!cookie.includes(state) && !cookie.includes(nonce));
  assert.ok(!(await tried()).visitor.cookies.has('tollgate_provider'));
});

test('a token that is not for this sign-in, this client, this provider or this time signs nobody in', async () => {
  const token = (change) => ({ claims: (c) => ({ ...c, ...change }) });
  const unverified = /could not be verified, so nobody was signed in/;
  const now = Math.floor(Date.now() / 1000);
  await refused(token({ nonce: 'another' }), 502, unverified, /reason=token detail=nonce/);
  await refused(token({ nonce: undefined }), 502, unverified, /detail=nonce/);
  await refused(token({ aud: 'somebody-else' }), 502, unverified, /detail=audience/);
  await refused(token({ aud: [CLIENT.id, 'somebody-else'] }), 502, unverified, /detail=audience/);
  await refused(token({ aud: [CLIENT.id, 'x'], azp: 'x' }), 502, unverified, /detail=audience/);
  await refused(token({ azp: 'somebody-else' }), 502, unverified, /detail=audience/);
  await refused(token({ iss: 'https://accounts.example.com' }), 502, unverified, /detail=issuer/);
  await refused(token({ sub: '' }), 502, unverified, /detail=form/);
  await refused(token({ sub: 7 }), 502, unverified, /detail=form/);
  await refused(token({ exp: undefined }), 502, unverified, /detail=form/);
  await refused(token({ exp: now - 500, iat: now - 800 }), 502, /clocks of the two differ/, /reason=clock detail=expired/);
  await refused(token({ iat: now + 500, exp: now + 800 }), 502, /clocks of the two differ/, /detail=early/);
  await refused(token({ nbf: now + 500 }), 502, /clocks of the two differ/, /detail=early/);
  for (const fine of [{ aud: [CLIENT.id] }, { aud: [CLIENT.id, 'x'], azp: CLIENT.id }, { exp: now - 60, iat: now - 300 }, { iat: now + 60 }])
    assert.ok(await isIn((await tried(token(fine))).visitor), JSON.stringify(fine));
});

test('a token that the provider’s keys did not sign signs nobody in', async () => {
  const unverified = /could not be verified, so nobody was signed in/;
  const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
  const published = await exportSPKI(evil.keys.RS256.publicKey);
  const byHand = (head, sign) => ({ token: (claims) => { const text = `${part(head)}.${part(claims)}`; return `${text}.${sign(text)}`; } });
  await refused(byHand({ alg: 'none' }, () => ''), 502, unverified, /detail=algorithm/);
  await refused(byHand({ alg: 'None', kid: 'key RS256' }, () => 'AAAA'), 502, unverified, /detail=algorithm/);
  for (const secret of [published, CLIENT.secret])
    await refused(byHand({ alg: 'HS256', kid: 'key RS256' }, (text) => createHmac('sha256', secret).update(text).digest('base64url')), 502, unverified, /detail=algorithm/);
  const stranger = await evil.makeKey('RS256');
  await refused({ token: (c) => evil.sign(c, stranger) }, 502, unverified, /detail=signature/);
  await refused({ head: { kid: 'nobody’s' } }, 502, unverified, /detail=unknown_key/);
  await refused({ head: { jwk: stranger.jwk, kid: 'key RS256' }, token: (c) => evil.sign(c, stranger, { jwk: stranger.jwk }) }, 502, unverified, /detail=signature/);
  await refused({ token: async (c) => { const t = (await evil.sign(c)).split('.'); return `${t[0]}.${part({ ...c, sub: 'admin' })}.${t[2]}`; } }, 502, unverified, /detail=signature/);
  await refused({ token: async (c) => (await evil.sign(c)).replace(/\.[^.]*$/, '') }, 502, unverified, /detail=form/);
  await refused({ token: () => 'x.y.z' }, 502, unverified, /detail=form/);
  await refused({ token: () => 'A'.repeat(100000) }, 502, unverified, /detail=form/);
  await refused({ token: () => undefined }, 502, unverified, /detail=no_id_token/);
  assert.ok(await isIn((await tried({ head: { kid: undefined } })).visitor), 'without a key id, where one key fits');
});

test('a new key is fetched once when a token names it, and not for each that nobody knows', async () => {
  await hostile.again();
  const fresh = await evil.makeKey('ES256', 'fresh');
  await tried();
  const { visitor } = await tried({ published: [...evil.published, fresh.jwk], key: fresh });
  assert.ok(!await isIn(visitor), 'keys that were fetched a moment ago are not fetched again');
  assert.deepEqual(evil.seen.paths.filter((p) => p === '/keys'), []);
  await hostile.again();
  assert.ok(await isIn((await tried({ published: [...evil.published, fresh.jwk], key: fresh })).visitor));
  assert.deepEqual(evil.seen.paths.filter((p) => p === '/keys'), ['/keys']);
});

test('an answer of another issuer, of another sign-in or without a code is not looked into', async () => {
  const change = (fields) => ({ back: (url) => { for (const [k, v] of Object.entries(fields)) if (v === undefined) url.searchParams.delete(k); else url.searchParams.set(k, v); return url; } });
  await refused(change({ iss: 'https://honest.example.org' }), 502, /could not be verified/, /detail=answer_issuer/);
  assert.equal(evil.seen.token.length, 0, 'the code did not go anywhere');
  await hostile.again();
  await refused({ ...change({ iss: undefined }), discovery: (d) => ({ ...d, authorization_response_iss_parameter_supported: true }) }, 502, /could not be verified/, /detail=answer_issuer/);
  await hostile.again();
  await refused(change({ state: 'forged' }), 400, /begun in another browser/, /reason=state/);
  await refused(change({ state: undefined }), 400, /Begin again/, /reason=state/);
  await refused(change({ code: undefined }), 502, /did not go on with this sign-in/, /detail=no_code/);
  await refused(change({ code: 'one that was never given' }), 502, /did not go on/, /reason=refused detail=token_status_400/);
  await refused(change({ code: undefined, error: 'access_denied', error_description: 'no <b>' }), 403, /the sign-in was canceled, or is not allowed/, /reason=denied/);
  await refused(change({ code: undefined, error: 'server_error' }), 502, /did not go on/, /detail=server_error/);
  await refused(change({ code: undefined, error: 'x\r\nforged=line' }), 502, /did not go on/, /detail=error/);
  assert.ok(!/^forged=line/m.test(hostile.log));
});

test('what came back once does not come back a second time', async () => {
  const visitor = new Visitor(hostile.url);
  let address;
  await tried({ back: (url) => { address = url.href; return url; } }, visitor);
  assert.ok(await isIn(visitor));
  const again = await visitor.get(address);
  assert.equal(again.status, 400);
  assert.match(again.text, /has been used already/);
  assert.equal((await new Visitor(hostile.url).get(address)).status, 400, 'nor in another browser');
  // A browser that kept the cookie, which a code that was used once does not help.
  const kept = new Visitor(hostile.url);
  evil.reset();
  const start = await fetch(`${hostile.url}/sign-in/provider`, { redirect: 'manual' });
  const [name, value] = start.headers.getSetCookie()[0].split(';')[0].split(/=(.*)/s);
  kept.cookies.set(name, value);
  const back = (await fetch(start.headers.get('location'), { redirect: 'manual' })).headers.get('location');
  assert.equal((await kept.get(back)).status, 200);
  kept.cookies = new Map([[name, value]]);
  assert.match((await kept.get(back)).text, /did not go on with this sign-in/);
});

test('an e-mail that is not verified, or not told, makes no account and takes none over', async () => {
  const person = (more) => ({ person: { sub: 'mallory', name: 'Mallory', ...more } });
  await refused(person({ email: 'vic@example.org', email_verified: false }), 403, /does not say that your e-mail is verified/, /reason=unverified/);
  await refused(person({ email: 'vic@example.org' }), 403, /verified/, /reason=unverified/);
  await refused(person({}), 403, /does not tell your e-mail/, /reason=no_email/);
  await refused(person({ email: 'not an address', email_verified: true }), 403, /does not tell your e-mail/, /reason=no_email/);
  await refused({ ...person({}), userinfo: () => ({ sub: 'somebody else', email: 'vic@example.org', email_verified: true }) }, 403, /does not tell your e-mail/, /reason=no_email/);
  // An e-mail of the token is not vouched for by what userinfo says of another.
  await refused({ ...person({ email: 'vic@example.org' }), userinfo: () => ({ sub: 'mallory', email: 'mallory@example.org', email_verified: true }) }, 403, /verified/, /reason=unverified/);
  assert.equal(people('vic@example.org', hostile).length, 0);
  assert.ok(await isIn((await tried({ ...person({}), userinfo: (req) => { assert.equal(req.headers.authorization, 'Bearer an access token'); return { sub: 'mallory', email: 'mallory@example.org', email_verified: true }; } })).visitor));
  // Who is linked is known by the subject.
  assert.ok(await isIn((await tried(person({}))).visitor));
});

test('documents that are too large, no documents, of another issuer, slow or broken are told as such', async () => {
  const broken = async (documents, more, status, sentence, reason) => {
    await hostile.again();
    await refused({ documents, ...more }, status, sentence, reason);
  };
  const discovery = '/.well-known/openid-configuration';
  const setUp = /do not know each other as they should/;
  await broken({ '/keys': (res) => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [], padding: 'x'.repeat(2_000_000) })) }, {}, 502, setUp, /reason=setup detail=too_large/);
  await broken({ '/keys': (res) => res.end('no JSON') }, {}, 502, setUp, /detail=keys_form/);
  await broken({ [discovery]: (res) => res.end('<html>') }, {}, 502, setUp, /detail=discovery_form/);
  await broken({}, { discovery: (d) => ({ ...d, issuer: 'https://other.example.org' }) }, 502, setUp, /detail=discovery_issuer/);
  await broken({}, { discovery: ({ token_endpoint, ...d }) => d }, 502, setUp, /detail=discovery_endpoints/);
  await broken({}, { discovery: (d) => ({ ...d, authorization_endpoint: 'javascript:alert(1)' }) }, 502, setUp, /detail=discovery_endpoints/);
  await broken({ [discovery]: (res) => res.writeHead(404).end() }, {}, 502, setUp, /detail=status_404/);
  await broken({ [discovery]: (res) => res.writeHead(503).end() }, {}, 502, /does not answer/, /reason=away detail=status_503/);
  await broken({ '/token': (res, json) => json({ error: 'invalid_client' }, 401) }, {}, 502, setUp, /detail=invalid_client/);
  await broken({ '/token': (res) => res.writeHead(500).end() }, {}, 502, /does not answer/, /detail=token_status_500/);
  await broken({ '/token': (res) => res.destroy() }, {}, 502, /does not answer/, /reason=away/);
  await broken({ '/token': () => {} }, {}, 502, /does not answer/, /reason=away detail=timeout_total/);
  // What is mended works at once, or after the few seconds for which a failure is remembered.
  await hostile.again();
  assert.ok(await isIn((await tried()).visitor));
});

test('many who come at once by a new subject are one person', async () => {
  evil.reset();
  evil.person = { sub: 'crowd', email: 'crowd@example.org', email_verified: true, name: 'Crowd' };
  later(hostile);
  const visitors = Array.from({ length: 6 }, () => new Visitor(hostile.url));
  await Promise.all(visitors.map((v) => v.get('/sign-in/provider')));
  for (const v of visitors) assert.ok(await isIn(v));
  assert.equal(people('crowd@example.org', hostile).length, 1);
});

test('twenty tries of an address in a minute are the limit, as with a password', async () => {
  later(hostile);
  evil.reset();
  evil.claims = (c) => ({ ...c, nonce: 'another' });
  const statuses = [];
  for (let i = 0; i < 21; i++) statuses.push((await new Visitor(hostile.url).get('/sign-in/provider')).status);
  assert.deepEqual(statuses, [...Array(20).fill(502), 429]);
  assert.match((await new Visitor(hostile.url).submit('/sign-in', /sign-in$/, { email: 'a@example.org', password: 'x' })).text, /Too many/i);
  later(hostile);
});

test('OIDC_LINK=email: a verified e-mail links, and ends the password of whoever had made the account; never an operator’s', async () => {
  const squatter = await signUp(hostile, { email: 'nia@example.org' });
  await hostile.again({ OIDC_LINK: 'email', OIDC_EMAILS: 'trusted' });
  const { visitor } = await tried({ person: { sub: 'nia', email: 'Nia@Example.org', name: 'Nia' } });
  assert.ok(await isIn(visitor));
  assert.ok(!await isIn(squatter), 'its sessions are over');
  assert.deepEqual(people('nia@example.org', hostile).map((p) => [p.password_hash, p.links]), [[null, 1]]);
  const { email } = hostile.operator;
  const { page } = await tried({ person: { sub: 'boss', email, email_verified: true } });
  assert.equal(page.status, 403, page.text);
  assert.equal(people(email, hostile)[0].links, 0);
});

test('nothing of codes, tokens and secrets is in the log', () => {
  for (const word of ['an access token', CLIENT.secret, 'eyJ']) assert.ok(!hostile.log.includes(word), word);
  for (const { code: given, code_verifier } of evil.seen.token) assert.ok(!hostile.log.includes(given) && !hostile.log.includes(code_verifier));
  assert.match(hostile.log, /provider_sign_in_failed reason=/);
});
