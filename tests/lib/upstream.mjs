// upstream.mjs: a scripted OpenAI-compatible upstream on a real socket. A script is a function
// (request, response, body) or the name of an answer below; what was asked is kept in `.seen`.
import http from 'node:http';
import https from 'node:https';

export const chat = (text = 'Hello there.', usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }) => ({
  id: 'chatcmpl-1', object: 'chat.completion', created: 1700000000, model: 'scripted',
  choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage,
});

export function send(res, status, value, headers = {}) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers });
  res.end(text);
}

export function sse(res, events, { done = true, usage } = {}) {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const e of events) res.write(`data: ${JSON.stringify(e)}\n\n`);
  if (usage) res.write(`data: ${JSON.stringify({ ...events[0], choices: [], usage })}\n\n`);
  if (done) res.end('data: [DONE]\n\n');
}

export const chunk = (delta, finish = null) => ({
  id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1700000000, model: 'scripted',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
});

export class Upstream {
  // tls: what a server with a certificate is made of (key, cert, versions).
  constructor(script, tls) {
    this.script = script;
    this.tls = tls;
    this.seen = [];
    this.aborted = 0;
  }

  async start(port = 0) {
    this.server = (this.tls ? https : http).createServer(this.tls ?? {}, (req, res) => {
      const parts = [];
      req.on('data', (d) => parts.push(d));
      req.on('end', async () => {
        const bytes = Buffer.concat(parts), raw = bytes.toString();
        const seen = { method: req.method, url: req.url, headers: req.headers, raw, bytes };
        try {
          seen.body = raw ? JSON.parse(raw) : undefined;
        } catch {
          seen.body = undefined;
        }
        this.seen.push(seen);
        res.on('close', () => { if (!res.writableFinished) this.aborted++; });
        try {
          await this.script(req, res, seen);
        } catch (error) {
          if (!res.headersSent) send(res, 500, { error: { message: String(error) } });
        }
      });
    });
    await new Promise((done) => this.server.listen({ port, host: '127.0.0.1', backlog: 4096 }, done));
    this.port = this.server.address().port;
    this.url = `http${this.tls ? 's' : ''}://127.0.0.1:${this.port}/v1`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
}

export const startUpstream = (script, port, tls) => new Upstream(script, tls).start(port);
