// identity_provider.mjs: identity providers on loopback. IdentityProvider is oidc-provider, a certified one, which
// asks for a login on a page of its own; ScriptedProvider lets everybody in at once and does to its answers what a
// test wants, in particular what none should.
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { freePort, ownDirectory, Server, stopAtEnd } from './server.mjs';
import { Visitor } from './visitor.mjs';

export const CLIENT = { id: 'tollgate: a client', secret: 'a secret/with+signs %of all:kinds' };

// The settings of a server that is signed in to by the provider.
export function settings(issuer, more = {}) {
  const file = join(ownDirectory('tg-oidc-'), 'secret');
  writeFileSync(file, `${CLIENT.secret}\n`, { mode: 0o644 });
  return { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: CLIENT.id, OIDC_CLIENT_SECRET_FILE: file, OIDC_NAME: 'Example ID', ...more };
}

// A server and its provider, which know each other: make(callback) makes the provider.
export async function serverWith(make, env = {}) {
  const server = new Server();
  server.port = await freePort();
  const base = `http://127.0.0.1:${server.port}`;
  const provider = await make(`${base}/sign-in/provider/callback`, `${base}/sign-in`);
  server.env = settings(provider.issuer, env);
  await server.start();
  return { server, provider };
}

const listen = (handler, port = 0) => new Promise((done) => {
  const server = http.createServer(handler).listen(port, '127.0.0.1', () => done(server));
});
const close = (server) => {
  server.closeAllConnections();
  return new Promise((done) => server.close(done));
};

export class IdentityProvider {
  accounts = {}; // by login: { email, email_verified, name, groups }

  async start(callback, signedOut, { idTokenHasClaims = false, method = 'client_secret_basic' } = {}) {
    const { default: Provider } = await import('oidc-provider');
    const port = await freePort();
    this.issuer = `http://127.0.0.1:${port}`;
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [callback], post_logout_redirect_uris: [signedOut], token_endpoint_auth_method: method }],
      clientAuthMethods: [method],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
      conformIdTokenClaims: !idTokenHasClaims,
      pkce: { required: () => true },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      findAccount: (ctx, id) => this.accounts[id] && { accountId: id, claims: () => ({ sub: id, ...this.accounts[id] }) },
      // Nobody is asked whether we may know what we ask for.
      loadExistingGrant: async (ctx) => {
        const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid email profile groups');
        await grant.save();
        return grant;
      },
    });
    this.server = await listen(provider.callback(), port);
    stopAtEnd(this);
    return this;
  }

  stop() {
    return close(this.server);
  }
}

// Somebody goes to path, which leads to the provider's page, and says there who he is.
export async function signInAt(server, login, path = '/sign-in/provider', visitor = new Visitor(server.url)) {
  const page = await visitor.get(path);
  return { visitor, page: await visitor.submit(page, /name="login"/, { login, password: 'any' }) };
}

const s256 = (text) => createHash('sha256').update(text).digest('base64url');

export class ScriptedProvider {
  // What a test changes; reset() puts it back.
  reset() {
    Object.assign(this, {
      person: { sub: 'eve-1', email: 'eve@example.org', email_verified: true, name: 'Eve Example' },
      claims: (c) => c, // of the ID token
      token: undefined, // (claims) => the ID token's text
      head: {}, // of the ID token, beside alg and kid
      key: this.keys.RS256,
      published: Object.values(this.keys).map((k) => k.jwk), // in the key set
      back: (url) => url, // where the browser is sent after signing in
      documents: {}, // by path: what is answered in the document's place: (res) => ...
      discovery: (d) => d,
      userinfo: undefined,
    });
    this.seen = { authorize: [], token: [], paths: [] };
    return this;
  }

  async makeKey(alg, kid = `key ${alg}`) {
    const pair = await generateKeyPair(alg, { extractable: true });
    return { alg, kid, ...pair, jwk: { ...await exportJWK(pair.publicKey), kid, alg, use: 'sig' } };
  }

  async start() {
    this.keys = {};
    for (const alg of ['RS256', 'PS256', 'ES256']) this.keys[alg] = await this.makeKey(alg);
    this.codes = new Map();
    this.reset();
    this.server = await listen((req, res) => this.answer(req, res).catch((e) => res.destroy(e)));
    this.issuer = `http://127.0.0.1:${this.server.address().port}`;
    stopAtEnd(this);
    return this;
  }

  stop() {
    return close(this.server);
  }

  async answer(req, res) {
    const url = new URL(req.url, this.issuer);
    let body = '';
    for await (const part of req) body += part;
    this.seen.paths.push(url.pathname);
    const json = (value, status = 200) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (this.documents[url.pathname]) return this.documents[url.pathname](res, json);
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json(this.discovery({
          issuer: this.issuer, authorization_endpoint: `${this.issuer}/authorize?tenant=one`, token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/keys`, userinfo_endpoint: `${this.issuer}/userinfo`, end_session_endpoint: `${this.issuer}/logout`,
        }));
      case '/keys':
        return json({ keys: this.published });
      case '/authorize':
        return this.authorize(url.searchParams, res);
      case '/token':
        return this.exchange(req, new URLSearchParams(body), json);
      case '/userinfo':
        return json(this.userinfo?.(req) ?? {});
      default:
        return res.writeHead(404).end();
    }
  }

  authorize(asked, res) {
    const code = randomBytes(12).toString('hex');
    this.seen.authorize.push(Object.fromEntries(asked));
    this.codes.set(code, Object.fromEntries(asked));
    const back = new URL(asked.get('redirect_uri'));
    back.search = new URLSearchParams({ code, state: asked.get('state'), iss: this.issuer });
    res.writeHead(303, { location: this.back(back).href }).end();
  }

  async exchange(req, form, json) {
    const asked = this.codes.get(form.get('code'));
    this.seen.token.push({ ...Object.fromEntries(form), authorization: req.headers.authorization });
    this.codes.delete(form.get('code')); // once
    if (!asked || s256(form.get('code_verifier') ?? '') !== asked.code_challenge || form.get('redirect_uri') !== asked.redirect_uri)
      return json({ error: 'invalid_grant' }, 400);
    const now = Math.floor(Date.now() / 1000);
    const claims = this.claims({ iss: this.issuer, aud: CLIENT.id, iat: now, exp: now + 300, nonce: asked.nonce, ...this.person });
    const text = this.token ? await this.token(claims) : await this.sign(claims);
    return json({ access_token: 'an access token', token_type: 'Bearer', expires_in: 300, id_token: text });
  }

  sign(claims, key = this.key, head = this.head) {
    return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...head }).sign(key.privateKey);
  }
}
