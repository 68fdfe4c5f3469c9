// Calls told to an OpenTelemetry collector: a program that traces itself with OpenTelemetry's own library
// finds its calls, and the tries at providers, in its trace. The collector is a scripted one.
import assert from 'node:assert/strict';
import { ROOT_CONTEXT, trace, propagation, SpanKind, defaultTextMapSetter } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { eventually, setup, test } from '../lib/story.mjs';
import { startUpstream, send, chat, chunk, sse } from '../lib/upstream.mjs';
import { standardInstallation, call, hello, mintKey } from '../lib/installation.mjs';
import { startServer } from '../lib/server.mjs';

let it, collector, firstAnswer = 200, answer = 200, told = [];
const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };

setup('an installation with a collector', async () => {
  collector = await startUpstream((req, res, seen) => {
    assert.equal(req.method, 'POST');
    if (answer === 200) told.push(...seen.body.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)));
    send(res, answer, {});
  });
  const upstreams = [
    await startUpstream((req, res) => send(res, firstAnswer, firstAnswer === 200 ? chat() : { error: { message: 'busy' } })),
    await startUpstream((req, res, seen) => (seen.body.stream ? sse(res, [chunk({ content: 'Hi' }), chunk({}, 'stop')], { usage }) : send(res, 200, chat()))),
  ];
  it = await standardInstallation(upstreams, {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}/`, OTEL_EXPORTER_OTLP_HEADERS: 'x-scope=the%20tests,api-key=secret', OTEL_SERVICE_NAME: 'gateway under test' },
  });
});

const values = (span) => Object.fromEntries(span.attributes.map(({ key, value }) => {
  const [[kind, v]] = Object.entries(value);
  return [key, kind === 'intValue' ? Number(v) : kind === 'arrayValue' ? v.values.map((x) => x.stringValue) : v];
}));

// The spans of a call, the call's own first.
const spansOf = async (id) => {
  let own;
  await eventually(() => {
    own = told.find((s) => values(s)['tollgate.request_id'] === id);
    return own;
  }, 'the collector to have heard of the call');
  return [own, ...told.filter((s) => s.traceId === own.traceId && s.parentSpanId === own.spanId)];
};

const traced = (headers, body = hello('scripted'), key = it.key) => call(it.server, key, body, { headers });
const idOf = (told) => told.headers.get('x-tollgate-request-id');

test('a program\'s trace goes on in its call and in each try', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const span = provider.getTracer('a program').startSpan('answer a question', { kind: SpanKind.CLIENT });
  const headers = {};
  new W3CTraceContextPropagator().inject(trace.setSpan(ROOT_CONTEXT, span), headers, defaultTextMapSetter);

  firstAnswer = 500;
  const answered = await traced(headers);
  firstAnswer = 200;
  span.end();
  assert.equal(answered.status, 200, answered.text);
  const [own, ...tries] = await spansOf(idOf(answered));
  assert.equal(own.traceId, span.spanContext().traceId);
  assert.equal(own.parentSpanId, span.spanContext().spanId);
  assert.deepEqual([own.name, own.kind, own.status], ['chat scripted', 2, undefined]);

  const [{ id, charge_nano: charge, latency_us: us, started_at: started }] = it.server.sql(
    `SELECT call_id AS id, charge_nano::text, latency_us::text, (extract(epoch FROM started_at) * 1000000)::bigint::text AS started_at
       FROM call WHERE call_id = '${idOf(answered).replace('call_', '')}'`);
  assert.ok(id);
  const of = values(own);
  assert.equal(of['tollgate.charge_nano_usd'], Number(charge));
  assert.equal(own.startTimeUnixNano, `${started}000`);
  assert.equal(BigInt(own.endTimeUnixNano) - BigInt(own.startTimeUnixNano), BigInt(us) * 1000n);
  assert.deepEqual([of['http.response.status_code'], of['tollgate.outcome'], of['tollgate.attempts'], of['tollgate.fallback']], [200, 'ok', 2, true]);

  assert.equal(tries.length, 2);
  const [failed, served] = tries.map((s) => ({ ...s, of: values(s) }));
  assert.deepEqual([failed.kind, failed.status.code, failed.of['error.type'], failed.of['http.response.status_code'], failed.of['gen_ai.request.model']],
    [3, 2, 'server_error', 500, 'up-1']);
  assert.equal(failed.of['gen_ai.usage.input_tokens'], undefined);
  assert.deepEqual([served.status, served.of['gen_ai.operation.name'], served.of['gen_ai.request.model'], served.of['gen_ai.usage.input_tokens'], served.of['gen_ai.usage.output_tokens']],
    [undefined, 'chat', 'up-2', 9, 3]);
  assert.deepEqual(served.of['gen_ai.response.finish_reasons'], ['stop']);
  assert.ok(BigInt(served.startTimeUnixNano) >= BigInt(failed.endTimeUnixNano), 'one after the other');

  // What OpenTelemetry's own exporter writes has every member that ours has, of the same kind.
  const theirs = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(exporter.getFinishedSpans())));
  const [pattern] = theirs.resourceSpans[0].scopeSpans[0].spans;
  for (const member of Object.keys(own).filter((m) => m !== 'parentSpanId'))
    assert.equal(typeof own[member], typeof pattern[member], member);
  const { headers: sent, url, body } = collector.seen.at(-1);
  assert.deepEqual([url, sent['content-type'], sent['x-scope'], sent['api-key']], ['/v1/traces', 'application/json', 'the tests', 'secret']);
  const resource = values(body.resourceSpans[0].resource);
  assert.equal(resource['service.name'], 'gateway under test');
});

test('a call without a trace begins one, whose id is its own; what a client does not keep is not told', async () => {
  const unkept = await traced({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' });
  const own = await traced({ traceparent: 'nonsense' }, hello('scripted', { stream: true }));
  const [span] = await spansOf(idOf(own));
  assert.equal(`call_${span.traceId}`, idOf(own));
  assert.equal(span.parentSpanId, undefined);
  assert.equal(values(span)['tollgate.stream'], true);
  assert.equal(told.find((s) => values(s)['tollgate.request_id'] === idOf(unkept)), undefined);
  assert.equal(unkept.status, 200);
});

test('a refused call is told, and no word of what anybody said', async () => {
  const key = await mintKey(it.owner, { budget: '0.000001' });
  const refused = await traced({}, hello('scripted', { messages: [{ role: 'user', content: 'a secret word' }] }), key);
  assert.equal(refused.status, 402, refused.text);
  const spans = await spansOf(idOf(refused));
  assert.equal(spans.length, 1);
  assert.deepEqual([spans[0].status, values(spans[0])['error.type'], values(spans[0])['tollgate.outcome']], [undefined, 'key_limit_exceeded', 'blocked']);
  assert.ok(!collector.seen.some((s) => /secret word|Hello there|tg-/.test(s.raw)));
});

test('a collector that is away hears of the same calls later, once', async () => {
  answer = 503;
  const before = collector.seen.length;
  const answered = await traced({});
  await eventually(() => collector.seen.length > before, 'the collector to be asked');
  answer = 200;
  await spansOf(idOf(answered));
  const waited = async () => (await it.server.metrics()).tollgate_traces_waiting_bytes;
  await eventually(async () => (await waited()) === 0, 'nothing to wait');
  assert.equal(told.filter((s) => values(s)['tollgate.request_id'] === idOf(answered)).length, 1);
});

test('what a collector refuses for good is counted, and not sent again', async () => {
  answer = 400;
  const metrics = await it.server.metrics();
  assert.equal((await traced({})).status, 200);
  await eventually(async () => (await it.server.metrics()).tollgate_traces_dropped_total === metrics.tollgate_traces_dropped_total + 1, 'it to be counted');
  answer = 200;
  const after = await traced({});
  await spansOf(idOf(after));
  assert.match(it.server.log, / traces_not_sent status=400 /);
});

test('what waits at the end is sent', async () => {
  const last = await traced({});
  await it.server.stop('SIGTERM');
  await spansOf(idOf(last));
});

for (const [name, value] of [['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'], ['OTEL_EXPORTER_OTLP_HEADERS', 'a secret without a name'], ['OTEL_TRACES_SAMPLER_ARG', '1.5']])
  test(`a wrong ${name} is named at the start`, async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`, [name]: value };
    await assert.rejects(startServer(env), (error) => {
      assert.match(error.message, new RegExp(`tollgate: ${name}: use `));
      assert.doesNotMatch(error.message, /a secret without a name/);
      return true;
    });
  });
