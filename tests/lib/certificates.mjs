// certificates.mjs: certificates made by openssl for servers on loopback, good ones and those that nobody
// should take: { key, cert } as files' contents.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownDirectory } from './server.mjs';

const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Authority {
  constructor(name = 'Authority of a test') {
    this.dir = ownDirectory('tg-certificates-');
    this.file = join(this.dir, 'authority.pem');
    openssl('req', '-x509', ...curve, '-days', '2', '-subj', `/CN=${name}`,
      '-keyout', join(this.dir, 'authority.key'), '-out', this.file);
  }

  // names as in "IP:127.0.0.1,DNS:localhost"; days -1: it has expired.
  sign(names = 'IP:127.0.0.1', days = 2) {
    const at = (end) => join(this.dir, `${++this.made}.${end}`);
    const [key, request, extensions, cert] = ['key', 'csr', 'ext', 'pem'].map(at);
    openssl('req', ...curve, '-subj', '/CN=test', '-keyout', key, '-out', request);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl('x509', '-req', '-in', request, '-CA', this.file, '-CAkey', join(this.dir, 'authority.key'),
      '-CAcreateserial', '-days', String(days), '-extfile', extensions, '-out', cert);
    return { key: readFileSync(key), cert: readFileSync(cert) };
  }

  made = 0;
}
