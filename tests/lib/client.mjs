// client.mjs: a client that notes what it was told: which calls ended whole, and at what cost. It
// never throws for what a server does; a connection that breaks is an answer too.
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

const costOf = (text) => text.match(/"cost":\s*([0-9.]+)/)?.[1] ?? text.match(/^: .*?cost[^0-9]*([0-9.]+)/m)?.[1];

// Decimal dollars to nano-dollars, exactly.
export function nano(text) {
  const [whole, part = ''] = text.split('.');
  return BigInt(whole) * 1000000000n + BigInt(part.padEnd(9, '0').slice(0, 9));
}

// One call. The answer: {status, id, whole, cost (nano-dollars), text, headers, error, began (Unix
// milliseconds)}. whole: the client has all of it. onData(text so far) sees a stream as it comes; abort() hangs up.
export function ask(base, secret, body, { onData, path = '/v1/chat/completions' } = {}) {
  const text = JSON.stringify(body);
  const told = { base, status: 0, whole: false, text: '', headers: {}, began: Date.now() };
  let request;
  const done = new Promise((resolve) => {
    request = http.request(base + path, {
      method: 'POST', agent,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
    }, (res) => {
      told.status = res.statusCode;
      told.headers = res.headers;
      told.id = res.headers['x-tollgate-request-id'];
      res.setEncoding('utf8');
      res.on('data', (d) => { told.text += d; onData?.(told.text); });
      res.on('error', (e) => { told.error = e.code ?? e.message; });
      res.on('close', () => {
        told.whole = res.complete && (!body.stream || told.status !== 200 || told.text.includes('data: [DONE]'));
        if (told.status === 200 && told.whole) {
          const cost = told.headers['x-tollgate-cost'] ?? costOf(told.text);
          told.cost = cost === undefined ? undefined : nano(cost);
        }
        resolve(told);
      });
    });
    request.on('error', (e) => { told.error = e.code ?? e.message; resolve(told); });
    request.end(text);
  });
  return Object.assign(done, { abort: () => request.destroy(), told });
}

// Workers that call without a pause until stopped; every answer is kept in .answers.
export class Load {
  // bases: where to; who: [{ secret }]; bodies: one is taken at random for each call.
  constructor({ bases, secrets, bodies, workers = 8, pauseMs = 0 }) {
    Object.assign(this, { bases, secrets, bodies, pauseMs, answers: [], running: true });
    this.workers = Array.from({ length: workers }, (_, i) => this.work(i));
  }

  async work(i) {
    for (let n = i; this.running; n++) {
      const pick = (list) => list[n % list.length];
      const told = await ask(this.bases[i % this.bases.length], pick(this.secrets), pick(this.bodies));
      this.answers.push(told);
      if (this.pauseMs || !told.status) await new Promise((next) => setTimeout(next, this.pauseMs || 20));
    }
  }

  async stop() {
    this.running = false;
    await Promise.all(this.workers);
    return this.answers;
  }
}
