// mailserver.mjs: a mail server on loopback that keeps what it takes, refuses as it is told, and can be
// stopped and come back on its port.
import { SMTPServer } from 'smtp-server';
import { Authority } from './certificates.mjs';
import { freePort, stopAtEnd } from './server.mjs';
import { eventually } from './story.mjs';

const words = (s) => s.replace(/\r\n /g, ' ').replace(/=\?UTF-8\?B\?([^?]*)\?=\s*/g, (_, b) => Buffer.from(b, 'base64').toString());
const quoted = (s) => Buffer.from(s.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, h) => String.fromCharCode(parseInt(h, 16))), 'latin1').toString();

// A mail as its headers and its two parts.
export function readMail(source) {
  const [head, ...rest] = source.split('\r\n\r\n');
  const headers = {};
  for (const line of head.split(/\r\n(?! )/)) {
    const at = line.indexOf(': ');
    (headers[line.slice(0, at).toLowerCase()] ??= []).push(words(line.slice(at + 2)));
  }
  const boundary = headers['content-type'][0].match(/boundary="([^"]+)"/)[1];
  const parts = rest.join('\r\n\r\n').split(`--${boundary}`).slice(1, -1).map((part) => {
    const [, body] = part.match(/\r\n\r\n([\s\S]*)$/);
    return quoted(body);
  });
  const link = parts[0].match(/^https?:\/\/\S+/m)?.[0];
  return { source, headers, subject: headers.subject?.[0], id: headers['message-id']?.[0], text: parts[0], html: parts[1], link };
}

export class MailServer {
  mails = []; // { from, to, subject, ... }
  refusals = {}; // by address: [code, how often]
  tries = []; // the address of every RCPT
  stall; // { to, done }: takes that address's mail and says nothing

  // secure: TLS from the first byte; plain: no STARTTLS; users: {name: password}, without which nobody mails.
  constructor({ secure = false, plain = false, users, names = 'IP:127.0.0.1' } = {}) {
    this.options = { secure, plain, users };
    this.authority = new Authority();
    this.certificate = this.authority.sign(names);
    stopAtEnd({ stop: () => this.stop() });
  }

  async start() {
    const { secure, plain, users } = this.options;
    this.port ??= await freePort();
    this.server = new SMTPServer({
      secure, ...this.certificate, hideSTARTTLS: plain, disabledCommands: plain ? ['STARTTLS'] : [],
      authOptional: !users, allowInsecureAuth: plain, disableReverseLookup: true, closeTimeout: 50,
      onAuth: (auth, session, done) =>
        (users?.[auth.username] === auth.password ? done(null, { user: auth.username }) : done(new Error('no'))),
      onRcptTo: ({ address }, session, done) => {
        this.tries.push(address);
        const refusal = this.refusals[address];
        if (!refusal || refusal.times-- <= 0) return done();
        done(Object.assign(new Error(refusal.says ?? 'not wanted'), { responseCode: refusal.code }));
      },
      onData: (stream, session, done) => {
        const chunks = [];
        stream.on('data', (c) => chunks.push(c));
        stream.on('end', () => {
          this.mails.push({
            from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((r) => r.address),
            secure: session.secure, user: session.user, ...readMail(Buffer.concat(chunks).toString()),
          });
          const [to] = this.mails.at(-1).to;
          if (this.stall?.to === to) this.stall.done(); // has it, and never says so
          else done(null, 'taken');
        });
      },
    });
    this.server.on('error', () => {}); // a client that hangs up
    await new Promise((done) => this.server.listen(this.port, '127.0.0.1', done));
    return this;
  }

  async stop() {
    const server = this.server;
    this.server = undefined;
    if (server) await new Promise((done) => server.close(done));
  }

  // What a node is told of it.
  env(more = {}) {
    return {
      SMTP_URL: `${this.options.secure ? 'smtps' : 'smtp'}://127.0.0.1:${this.port}`,
      MAIL_FROM: 'Tollgate <ops@example.org>', UPSTREAM_CA_FILE: this.authority.file, ...more,
    };
  }

  to(address) {
    return this.mails.filter((m) => m.to.includes(address));
  }

  // The only mail to somebody with such a subject.
  got(address, subject = /./) {
    return eventually(() => this.to(address).find((m) => subject.test(m.subject)), `a mail to ${address} like ${subject}`);
  }
}

