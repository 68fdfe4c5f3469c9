// framing_cases.mjs: requests whose framing is doubtful, as data. Each stands before a second, proper
// request on the same connection; what is written here is what this server, alone, does with the two.
//
// REFUSED: 400, and the connection is closed: nothing behind the doubtful request is read as a request.
// status(N): refused by the library before the gate sees it, with that status, and closed.
// CUT: the library closes without a word.
// TAKEN(N): answered with N, and the second request is answered too, as both sides read the same bytes.
// UNSEEN(N): as TAKEN, but not because it is proper: libmicrohttpd 0.9.75 hides what is wrong from the
// gate (README, "Behind a proxy").
const crlf = '\r\n';
const head = (first, headers, body = '') => [first, ...headers, '', ''].join(crlf) + body;
const post = (headers, body = '', first = 'POST /v1/chat/completions HTTP/1.1') => head(first, ['Host: gate.test', ...headers], body);
const get = (headers = [], first = 'GET /livez HTTP/1.1') => head(first, ['Host: gate.test', ...headers]);
const chunked = 'Transfer-Encoding: chunked';
const empty = `0${crlf}${crlf}`;
const one = `3${crlf}abc${crlf}`;

export const REFUSED = { status: 400, closes: true };
export const status = (n) => ({ status: n, closes: true });
export const CUT = { closes: true };
export const TAKEN = (n) => ({ status: n });
export const UNSEEN = (n) => ({ status: n, unseen: true });

// A POST without a key is read whole and answered 401; a GET of /livez is 200.
export const cases = [
  ['a length', post(['Content-Length: 3'], 'abc'), TAKEN(401)],
  ['chunks', post([chunked], one + empty), TAKEN(401)],

  ['two lengths, 3 and 40', post(['Content-Length: 3', 'Content-Length: 40'], 'abc'), REFUSED],
  ['two lengths, 0 and 35', post(['Content-Length: 0', 'Content-Length: 35']), REFUSED],
  ['the same length twice', post(['Content-Length: 3', 'Content-Length: 3'], 'abc'), REFUSED],
  ['a list of lengths', post(['Content-Length: 3, 3'], 'abc'), REFUSED],
  ['a length with a plus', post(['Content-Length: +3'], 'abc'), REFUSED],
  ['a length below zero', post(['Content-Length: -3'], 'abc'), REFUSED],
  ['a hexadecimal length', post(['Content-Length: 0x3'], 'abc'), REFUSED],
  ['a length with a space behind', post(['Content-Length: 3 '], 'abc'), REFUSED],
  ['an empty length', post(['Content-Length: ']), REFUSED],
  ['a length beyond 64 bits', post(['Content-Length: 18446744073709551619'], 'abc'), status(413)],

  ['a length, then chunks', post(['Content-Length: 5', chunked], empty), REFUSED],
  ['chunks, then a length', post([chunked, 'Content-Length: 5'], empty), REFUSED],
  ['an unknown coding', post(['Transfer-Encoding: xchunked'], empty), REFUSED],
  ['an unknown coding with a length', post(['Transfer-Encoding: xchunked', 'Content-Length: 5'], empty), REFUSED],
  ['gzip, chunked', post(['Transfer-Encoding: gzip, chunked'], empty), REFUSED],
  ['chunked, identity', post(['Transfer-Encoding: chunked, identity'], empty), REFUSED],
  ['identity with a length', post(['Transfer-Encoding: identity', 'Content-Length: 3'], 'abc'), REFUSED],
  ['identity and chunked in two headers', post(['Transfer-Encoding: identity', chunked], empty), REFUSED],
  ['chunked and identity in two headers', post([chunked, 'Transfer-Encoding: identity'], empty), REFUSED],
  ['a vertical tab before chunked', post(['Transfer-Encoding: \x0bchunked'], empty), REFUSED],
  ['a space before the colon of a coding', post(['Transfer-Encoding : chunked'], empty), REFUSED],
  ['the same with a length', post(['Content-Length: 5', 'Transfer-Encoding : chunked'], empty), REFUSED],
  ['a coding on a folded line', post(['Transfer-Encoding:', ' chunked'], empty), REFUSED],
  ['chunks in HTTP/1.0', post(['Connection: keep-alive', chunked], empty, 'POST /v1/chat/completions HTTP/1.0'), REFUSED],

  ['a chunk with an extension', post([chunked], `3;a=b${crlf}abc${crlf}${empty}`), UNSEEN(401)],
  ['an extension with a bare LF', post([chunked], `3;a\nabc${crlf}${empty}`), UNSEEN(401)],
  ['chunks with bare LFs', post([chunked], '3\nabc\n0\n\n'), UNSEEN(401)],
  ['a hexadecimal prefix of a chunk', post([chunked], `0x3${crlf}abc${crlf}${empty}`), REFUSED],
  ['a chunk size with a space behind', post([chunked], `3 ${crlf}abc${crlf}${empty}`), REFUSED],
  ['a chunk size with a plus', post([chunked], `+3${crlf}abc${crlf}${empty}`), REFUSED],
  ['a chunk size beyond 64 bits', post([chunked], `10000000000000003${crlf}abc${crlf}${empty}`), status(413)],
  ['a chunk without its line end', post([chunked], `3${crlf}abcXX${empty}`), REFUSED],
  ['a chunk size of 31 digits', post([chunked], `${'0'.repeat(30)}3${crlf}abc${crlf}${empty}`), TAKEN(401)],
  ['a length among the trailers', post([chunked], `${one}0${crlf}Content-Length: 50${crlf}${crlf}`), TAKEN(401)],

  ['bare LFs in the head', 'POST /v1/chat/completions HTTP/1.1\nHost: gate.test\nContent-Length: 3\n\nabc', UNSEEN(401)],
  ['a bare CR in a value', get(['X-A: b\rX-Evil: 1']), REFUSED],
  ['a NUL in a value', get(['X-A: b\0c']), UNSEEN(200)],
  ['a NUL in a name', get(['X-A\0b: c']), REFUSED],
  ['a NUL in the target', get([], 'GET /livez\0y HTTP/1.1'), UNSEEN(200)],
  ['%00 in the target', get([], 'GET /livez%00y HTTP/1.1'), TAKEN(404)],
  ['a header without a colon', get(['garbage']), REFUSED],
  ['a space in a name', get(['Foo Bar: 1']), REFUSED],
  ['a space before the first header', 'GET /livez HTTP/1.1\r\n X: 1\r\nHost: gate.test\r\n\r\n', REFUSED],
  ['no host', head('GET /livez HTTP/1.1', []), REFUSED],
  ['two hosts', head('GET /livez HTTP/1.1', ['Host: gate.test', 'Host: other.test']), REFUSED],
  ['a space in the target', get([], 'GET /livez y HTTP/1.1'), CUT],
  ['tabs in the request line', get([], 'GET\t/livez\tHTTP/1.1'), CUT],
  ['HTTP/1.9', get([], 'GET /livez HTTP/1.9'), REFUSED],
  ['HTTP/2.0', get([], 'GET /livez HTTP/2.0'), status(505)],
  ['http/1.1 in small letters', get([], 'GET /livez http/1.1'), REFUSED],
  ['GET with a body', head('GET /livez HTTP/1.1', ['Host: gate.test', 'Content-Length: 3'], 'abc'), REFUSED],
  ['an absolute target', get([], 'GET http://other.test/livez HTTP/1.1'), REFUSED],
  ['a hundred empty lines first', crlf.repeat(100) + get(), UNSEEN(200)],
  ['two authorizations', get(['Authorization: Bearer a', 'Authorization: Bearer b']), REFUSED],
  ['two headers of 6 KB', get(['X', 'Y'].map((name) => `${name}: ${'a'.repeat(6000)}`)), TAKEN(200)],
  ['a header of 20 KB', get([`X: ${'a'.repeat(20000)}`]), status(431)],
  ['a header of 40 KB', get([`X: ${'a'.repeat(40000)}`]), status(431)],
  ['a target of 40 KB', get([], `GET /${'a'.repeat(40000)} HTTP/1.1`), status(414)],
  ['2,000 headers', get(Array.from({ length: 2000 }, (_, i) => `X${i}: 1`)), status(431)],
  ['an unknown expectation', post(['Expect: foo', 'Content-Length: 3'], 'abc'), REFUSED],
  ['an upgrade to h2c', get(['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AA']), TAKEN(200)],
].map(([name, bytes, expected]) => ({ name, bytes: Buffer.from(bytes, 'latin1'), ...expected }));

export const second = Buffer.from(get([], 'GET /livez?second HTTP/1.1'), 'latin1');
