// proxy.mjs: a TCP proxy in front of PostgreSQL that a test can make cut connections at a chosen place:
// when a message of the client's matches (before it is passed on), or after so many bytes of the
// server's answer to it. It reads the protocol's framing only as far as finding messages takes: after
// the start-up packet each message is a type byte and a length of four bytes that counts itself.
import net from 'node:net';
import { stopAtEnd } from './server.mjs';

export class Proxy {
  constructor() {
    this.pairs = new Set();
    this.wish = undefined;
    this.cuts = 0;
    this.open = true;
    this.hushed = false;
    this.accepted = 0; // connections, ever
  }

  async start(targetPort) {
    this.targetPort = targetPort;
    this.server = net.createServer((client) => this.accept(client));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.port = this.server.address().port;
    stopAtEnd({ stop: () => this.stop() });
  }

  stop() {
    this.cutAll();
    this.server.close();
  }

  // The next message whose text has `sql` in it cuts its connection: where 'before': it never arrives;
  // a number: after so many bytes of the answer have gone back.
  cutAt(sql, where, times = 1) {
    this.wish = { sql: Buffer.from(sql), where, times };
    this.cuts = 0;
  }

  cutAll() {
    for (const end of this.pairs) end();
  }

  // What is open now, and what comes until `false`, passes nothing on any more in either direction, and
  // stays open: a server that hangs.
  hush(hushed = true) {
    this.hushed = hushed;
    if (hushed) for (const end of this.pairs) end.silent = true;
  }

  // Connections are refused, or accepted again.
  refuse(refused = true) {
    this.open = !refused;
    if (refused) this.cutAll();
  }

  accept(client) {
    if (!this.open) return client.destroy();
    this.accepted++;
    const server = net.connect(this.targetPort, '127.0.0.1');
    const end = () => { this.pairs.delete(end); client.destroy(); server.destroy(); };
    end.silent = this.hushed;
    let left; // bytes of an answer that still go back; undefined: all of them

    this.pairs.add(end);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on('data', (bytes) => {
      if (end.silent) return;
      const wish = this.wish;
      if (wish && left === undefined && bytes.includes(wish.sql)) {
        if (--wish.times === 0) this.wish = undefined;
        this.cuts++;
        if (wish.where === 'before') return end();
        left = wish.where;
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (end.silent) return;
      if (left === undefined) {
        client.write(bytes);
      } else if (bytes.length > left) {
        client.write(bytes.subarray(0, left), end);
        left = 0;
      } else {
        left -= bytes.length;
        client.write(bytes);
      }
    });
    for (const socket of [client, server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  }
}
