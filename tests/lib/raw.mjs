// raw.mjs: a client of bare bytes, for what no HTTP library does: half a request, half a close.
import net from 'node:net';
import { eventually } from './story.mjs';

export class RawClient {
  constructor(server) {
    this.text = '';
    this.socket = net.connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (d) => { this.text += d; });
    this.socket.on('error', () => { this.closed = true; });
    this.socket.on('end', () => { this.ended = true; });
    this.socket.on('close', () => { this.closed = true; });
  }

  write(text) {
    this.socket.write(text);
    return this;
  }

  // A chat request; upTo: only so many bytes of its body, which is announced whole.
  ask(key, body, upTo) {
    const text = JSON.stringify(body);
    return this.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n`
      + `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text.slice(0, upTo)}`);
  }

  until(text) {
    return eventually(() => this.text.includes(text), `${JSON.stringify(text)} on a raw connection, got ${JSON.stringify(this.text.slice(-300))}`);
  }

  get requestId() {
    return this.text.match(/x-tollgate-request-id: (\S+)/i)?.[1];
  }

  // Leaves at once, by a reset; politely, by a FIN for both directions; or by half a close.
  leave(how = 'close') {
    if (how === 'reset') this.socket.resetAndDestroy();
    else if (how === 'half') this.socket.end();
    else this.socket.destroy();
  }
}
