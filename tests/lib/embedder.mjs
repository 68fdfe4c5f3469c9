// embedder.mjs: a scripted model for embeddings behind a real socket, in every format that upstreams are
// asked in, chosen by the path. A text's vector follows from the text: its numbers are of the kinds that
// providers write, and what a client must get of them is known: `vectorOf`. Texts that begin with
//   "fail", "busy"     400, 429           "broken"     a vector that has a null in it
//   "quiet"            no figures
import { startUpstream, send } from './upstream.mjs';

export const tokens = 7;

// As it is written: more digits than a float has, small and whole ones.
export function numbersOf(text) {
  const n = Buffer.byteLength(text);
  return [`${n}`, `-0.0${n}20176059007645`, `${n}.9625785e-06`, '0.10000000149011612', '1e-40'];
}
export const vectorOf = (text) => numbersOf(text).map((n) => Math.fround(Number(n)));
export const base64Of = (text) => Buffer.from(new Float32Array(vectorOf(text)).buffer).toString('base64');

let wide = 1; // times the numbers of a vector stand in it
const row = (text) => `[${Array(wide).fill(numbersOf(text).join(',')).join(',')}]`;
const rows = (texts) => `[${texts.map(row).join(',')}]`;
const list = (v) => (Array.isArray(v) ? v : [v]);

// texts: of a request; put: an answer of rows of them, with so many tokens (null: without figures).
const formats = [
  [/\/embeddings$/, {
    texts: (b) => list(b.input),
    put: (texts, n, b) => `{"object":"list","model":"up-1","data":[${texts.map((t, i) => `{"object":"embedding","index":${i},"embedding":${b.encoding_format === 'base64' ? `"${base64Of(t)}"` : row(t)}}`).join(',')}]${n === null ? '' : `,"usage":{"prompt_tokens":${n},"total_tokens":${n}}`}}`,
  }],
  [/:batchEmbedContents$/, {
    texts: (b) => b.requests.map((r) => r.content.parts[0].text),
    put: (texts, n) => `{"embeddings":[${texts.map((t) => `{"values":${row(t)}}`).join(',')}]${n === null ? '' : `,"usageMetadata":{"promptTokenCount":${n}}`}}`,
  }],
  [/\/v2\/embed$/, {
    texts: (b) => b.texts,
    put: (texts, n) => `{"id":"e-1","embeddings":{"float":${rows(texts)}},"texts":${JSON.stringify(texts)},"meta":{"api_version":{"version":"2"}${n === null ? '' : `,"billed_units":{"input_tokens":${n}}`}}}`,
  }],
  [/\/api\/embed$/, {
    texts: (b) => list(b.input),
    put: (texts, n) => `{"model":"up-1","embeddings":${rows(texts)}${n === null ? '' : `,"prompt_eval_count":${n}`}}`,
  }],
  [/:predict$/, {
    texts: (b) => b.instances.map((i) => i.content),
    put: (texts, n) => `{"predictions":[${texts.map((t, i) => `{"embeddings":{"values":${row(t)}${n === null ? '' : `,"statistics":{"truncated":false,"token_count":${i ? 0 : n}}`}}}`).join(',')}]}`,
  }],
  [/\/model\/amazon\.titan-embed[^/]*\/invoke$/, {
    texts: (b) => [b.inputText],
    put: (texts, n) => `{"embedding":${row(texts[0] ?? '')}${n === null ? '' : `,"inputTextTokenCount":${n}`}}`,
  }],
  // Its figures stand in the head.
  [/\/model\/[^/]+\/invoke$/, {
    texts: (b) => b.texts,
    put: (texts) => `{"embeddings":${rows(texts)},"id":"e-2","response_type":"embeddings_floats","texts":${JSON.stringify(texts)}}`,
    head: (n) => (n === null ? {} : { 'x-amzn-bedrock-input-token-count': `${n}` }),
  }],
];

// Its `wide` makes vectors as many times longer; what `spoil` matches of paths is answered as if broken.
export const startEmbedder = async () => {
  const up = await startUpstream((req, res, seen) => embed(up, req, res, seen));
  return up;
};

export function embed(up, req, res, seen) {
  const path = decodeURIComponent(new URL(req.url, 'http://upstream').pathname);
  const format = formats.find(([pattern]) => pattern.test(path))?.[1];
  if (!format) return send(res, 404, { error: { message: `Nothing answers at ${path}.` } });
  const texts = format.texts(seen.body);
  const first = String(texts[0]);
  if (first.startsWith('fail')) return send(res, 400, { error: { message: 'The scripted refusal.' } });
  if (first.startsWith('busy')) return send(res, 429, { error: { message: 'The scripted limit.' } });
  const n = first.startsWith('quiet') ? null : tokens;
  res.writeHead(200, { 'content-type': 'application/json', ...format.head?.(n) });
  wide = up.wide ?? 1;
  const body = format.put(texts, n, seen.body);
  res.end(first.startsWith('broken') || up.spoil?.test(path) ? body.replace('0.10000000149011612', 'null') : body);
}

const aws = { key: '', region: 'us-east-1', access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
// The kinds of accounts that speak each format, and where it is spoken.
export const embedders = [
  { format: 'openai', kind: 'openai-compatible', base: '/v1', path: '/v1/embeddings', fields: { key: 'sk-scripted' } },
  { format: 'voyage', kind: 'voyage', base: '/v1', path: '/v1/embeddings', fields: { key: 'pa-scripted' } },
  { format: 'gemini', kind: 'google', base: '/v1beta', path: '/v1beta/models/scripted-1:batchEmbedContents', fields: { key: 'AIza-scripted' } },
  { format: 'cohere', kind: 'cohere', base: '', path: '/v2/embed', fields: { key: 'co-scripted' } },
  { format: 'ollama', kind: 'ollama-native', base: '/api', path: '/api/embed', fields: {} },
  { format: 'bedrock-cohere', kind: 'bedrock', base: '', model: 'cohere.embed-english-v3', path: '/model/cohere.embed-english-v3/invoke', fields: aws },
  { format: 'bedrock-titan', kind: 'bedrock', base: '', model: 'amazon.titan-embed-text-v2:0', path: '/model/amazon.titan-embed-text-v2%3A0/invoke', fields: aws, single: true },
];
