#!/usr/bin/env python3
"""The scanner of client JSON against Python's json on mutated inputs.

    tests/oracle/scan.py build/scan_read [--cases N] [--seed N]

Nothing that we accept may be refused by Python, and what stands at the paths that we read must be what
Python reads there. What only we refuse must be one of our own rules: a key twice where we look, a NUL or
half a surrogate pair in a key, too deep, too much.
"""
import argparse
import json
import random
import struct
import subprocess
import sys
import time

class Raw(str):
    """A number as it was written."""


class RawInt(Raw):
    pass


def refuse_constant(name):
    raise ValueError(name)


class Members(list):
    """Of an object, as pairs; an array is a plain list."""


DECODER = json.JSONDecoder(
    object_pairs_hook=lambda items: Members(items), parse_int=RawInt, parse_float=Raw, parse_constant=refuse_constant)


def python_reads(doc):
    """The value, or None when Python refuses it."""
    try:
        return [DECODER.decode(doc.decode("utf-8"))]
    except (ValueError, RecursionError):
        return None


def is_half(text):
    return any(0xD800 <= ord(c) <= 0xDFFF for c in text)


def own_rule(value, depth=1):
    """True when one of our own rules may refuse what Python takes."""
    if depth > 64 and isinstance(value, (Members, list)):
        return True
    if isinstance(value, Members):
        keys = [k for k, _ in value]
        if any("\0" in k or is_half(k) for k in keys) or len(set(keys)) < len(keys):
            return True
        return any(own_rule(v, depth + 1) for _, v in value)
    if isinstance(value, list):
        return any(own_rule(v, depth + 1) for v in value)
    return False


def decoded(text):
    """As we decode: halves of surrogates become U+FFFD."""
    return "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text).encode("utf-8")


def at_path(value, steps):
    """All values at a path, in order."""
    if not steps:
        return [value]
    step, rest = steps[0], steps[1:]
    if step == "[]":
        if isinstance(value, Members) or not isinstance(value, list):
            return []
        return [found for v in value for found in at_path(v, rest)]
    if not isinstance(value, Members):
        return []
    return [found for k, v in value if k == step for found in at_path(v, rest)]


def steps_of(path):
    steps = []
    for part in path.split("."):
        name = part
        while name.endswith("[]"):
            name = name[:-2]
        steps.append(name)
        steps += ["[]"] * ((len(part) - len(name)) // 2)
    return steps


def word_of(value):
    """What we would print of a value: kind-free text, and the number behind it."""
    if value is None:
        return b"null".hex()
    if value is True or value is False:
        return (b"true" if value else b"false").hex()
    if isinstance(value, Raw):
        text = value.encode().hex()
        if isinstance(value, RawInt) and value.isdigit() and int(value) < 1 << 64:
            text += f"/{int(value)}"
        return text
    if isinstance(value, str):
        return decoded(value).hex()
    return None  # an object or array: its length alone is printed


def compare(doc, line):
    """None, or the sentence that says what is wrong."""
    value = python_reads(doc)
    if line.startswith("fault"):
        return None if value is None or own_rule(value[0]) else "only we refuse it, and by no rule of ours"
    if value is None:
        return "accepted, and Python refuses it"
    for word in line.split()[1:]:
        path, _, said = word.partition("=")
        _, count, text = said.split(":", 2)
        found = at_path(value[0], steps_of(path))
        if int(count) != len(found):
            return f"{path} occurs {count} times, for Python {len(found)}"
        if not found:
            if text != "-":
                return f"{path} is {text}, for Python it is not there"
            continue
        expected = word_of(found[-1])
        if expected is not None and text != expected:
            return f"{path} is {text}, for Python {expected}"
    return None


SEEDS = [
    b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}],"max_tokens":20}',
    b'{"model":"a","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"system","content":'
    b'[{"type":"text","text":"\\u00e9\\ud83d\\ude00"},{"type":"image_url","image_url":{"url":"data:,"}}]},'
    b'{"role":"user","content":"\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80"}],"max_tokens":1e3,"tools":[{"a":[[],{}]}]}',
    b' { "mod\\u0065l" : "x" , "stream" : false , "max_tokens" : 18446744073709551615 , "tools" : null } ',
    b'{"a":{"model":1},"model":{"b":-0.5E+10},"messages":{"role":1},"stream":"true","max_tokens":-1}',
    b'[{"model":"x"},[[["role"]]],"",0,-0,1.0,1e-7,true,false,null,"\\"\\\\\\/\\b\\f\\n\\r\\t"]',
    b'{"messages":[{"role":"a"},{"role":"b","role":"c"},{},[],{"content":[{"type":1},{"type":"\\ud800"}]}]}',
    b'"model"', b"12", b"{}", b"[]", b'{"":{"":{"":[]}}}', b'{"tools":' + b"[" * 60 + b"]" * 60 + b"}",
]
TOKENS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"1", b"-", b"+", b".", b"e", b"E", b"true", b"null", b"NaN",
    b"Infinity", b"\\u", b"\\u0000", b"\\ud800", b"\\udc00", b"\\u0065", b"\0", b"\x1f", b"\x7f", b"\x80", b"\xc0\xaf",
    b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b" ", b"\n", b"\t", b"\r", b"\v", b"/**/",
    b'"model":', b'"stream":true,', b'"role":"x",', b'"max_tokens":7,', b"99999999999999999999", b"1e400", b"01",
]


def mutated(rng):
    doc = bytearray(rng.choice(SEEDS))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        at = rng.randrange(len(doc) + 1)
        how = rng.randrange(5)
        if how == 0:
            doc[at:at] = rng.choice(TOKENS)
        elif how == 1:
            doc[at:at + rng.randrange(1, 4)] = rng.choice(TOKENS)
        elif how == 2:
            del doc[at:at + rng.randrange(1, 8)]
        elif how == 3 and doc:
            doc[min(at, len(doc) - 1)] = rng.randrange(256)
        else:
            begin = rng.randrange(len(doc) + 1)
            doc[at:at] = doc[begin:begin + rng.randrange(24)]
    return bytes(doc)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=200000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    rng = random.Random(args.seed)
    sys.setrecursionlimit(20000)
    differ = accepted = done = 0
    while done < args.cases:
        docs = [mutated(rng) for _ in range(min(20000, args.cases - done))]
        done += len(docs)
        said = subprocess.run([args.program], input=b"".join(struct.pack("<I", len(d)) + d for d in docs),
                              stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
        if len(said) != len(docs):
            sys.exit(f"FAIL oracle-scan: {len(docs)} documents, {len(said)} answers")
        for doc, line in zip(docs, said):
            accepted += line.startswith("ok")
            wrong = compare(doc, line)
            if wrong:
                differ += 1
                if differ <= 10:
                    print(f"{doc!r}: {wrong}: {line}")
    if differ or not accepted or accepted == done:
        print(f"FAIL oracle-scan: seed {args.seed}: {differ} of {done} differ, {accepted} accepted")
        sys.exit(1)
    print(f"ok oracle-scan: {done} documents read as Python reads them, {accepted} of them accepted (seed {args.seed})")


if __name__ == "__main__":
    main()
