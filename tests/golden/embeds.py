"""Golden cases of embeddings between wire formats, and recorded exchanges read anew, for tests/golden/run.

tests/golden/embeds/cases/FORMAT/NAME.{request,answer}.json are requests of clients and answers of
upstreams. A request is written as every format that upstreams are asked in. An answer is written for
each client's request of as many inputs (the first word of both names) that is no bad one. What comes out stands in
tests/golden/embeds/expected/FORMAT/TO/.

Every vector that comes out, of the cases and of the recordings, is compared here with what went in: the
same numbers, or the floats nearest to them, to the bit.
"""
import base64
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CLIENTS = ["openai_embeddings", "gemini_embed", "gemini_embed_batch", "cohere_embed"]
UPSTREAMS = ["openai_embeddings", "gemini_embed_batch", "cohere_embed", "ollama_embed", "vertex_predict",
             "bedrock_titan_embed", "bedrock_cohere_embed"]
RECORDED = [("openai_embeddings", "openai/embeddings"), ("openai_embeddings", "voyage/embeddings"),
            ("gemini_embed_batch", "gemini/batchEmbedContents"), ("vertex_predict", "vertex/predict"),
            ("bedrock_cohere_embed", "bedrock/invoke")]


def translate(jobs):
    """jobs: (kind, from, to, asked, path); gives (line, bytes) for each."""
    program = os.path.join(TOP, os.environ.get("TOLLGATE_BUILD", "build"), "translate_embeds")
    with tempfile.TemporaryDirectory() as d:
        lines = [" ".join(job) + f" {d}/{i}\n" for i, job in enumerate(jobs)]
        run = subprocess.run([program], input="".join(lines), text=True, capture_output=True, check=False)
        said = run.stdout.splitlines()
        if run.returncode or len(said) != len(jobs):
            sys.exit(f"FAIL translate_embeds: exit {run.returncode} {run.stderr[-500:]}")
        return [(said[i], open(f"{d}/{i}", "rb").read()) for i in range(len(jobs))]


# --- vectors ---

def floats(text):
    raw = base64.b64decode(text, validate=True)
    return struct.unpack(f"<{len(raw) // 4}f", raw)


def nearest(number):
    """The float of 32 bits that is nearest to a number, by exact arithmetic."""
    exact = Fraction(number)
    bits = struct.unpack("<I", struct.pack("<f", abs(float(exact))))[0]
    around = [b for b in (bits - 1, bits, bits + 1) if 0 <= b < 0x7f800000]
    best = min(around, key=lambda b: (abs(Fraction(struct.unpack("<f", struct.pack("<I", b))[0]) - abs(exact)), b & 1))
    return best | (0x80000000 if number.startswith("-") else 0)


def bits(vector):
    """A vector, of whatever kind, as the bits of its floats."""
    if isinstance(vector, str):
        return [struct.unpack("<I", struct.pack("<f", f))[0] for f in floats(vector)]
    return [nearest(n) for n in vector]


def answer_vectors(form, doc):
    """The vectors of an answer in their order; base64 as text, numbers as their own text."""
    v = json.loads(doc, parse_float=str, parse_int=str)
    if form == "openai_embeddings":
        items = v["data"]
        return [x["embedding"] for x in sorted(items, key=lambda x: int(x.get("index", items.index(x))))]
    if form == "vertex_predict":
        return [x["embeddings"]["values"] for x in v["predictions"]]
    if form == "bedrock_titan_embed":
        return [v["embedding"]]
    if form == "gemini_embed":
        return [v["embedding"]["values"]]
    if form == "gemini_embed_batch":
        return [x["values"] for x in v["embeddings"]]
    rows = v["embeddings"]
    return rows if isinstance(rows, list) else rows.get("float", rows.get("base64"))


def same_vectors(source, was, to, now):
    before, after = answer_vectors(source, was), answer_vectors(to, now)
    if len(before) != len(after):
        return "another number of vectors"
    for i, (a, b) in enumerate(zip(before, after)):
        if bits(a) != bits(b) or (isinstance(a, list) and isinstance(b, list) and a != b):
            return f"vector {i} is another one"
    return ""


# --- cases ---

def requests_of(client, stem):
    """Requests of a client that have as many inputs as the first word of the stem says."""
    return sorted(p for p in glob.glob(f"{HERE}/embeds/cases/{client}/*.request.json")
                  if os.path.basename(p).split(".")[0].split("-")[0] == stem.split("-")[0])


def jobs_of_cases():
    for path in sorted(glob.glob(f"{HERE}/embeds/cases/*/*.json")):
        source, name = path.split("/")[-2:]
        stem, kind, _ = name.split(".")
        if kind == "request":
            for to in UPSTREAMS:
                yield ("request", source, to, "-", path), f"{source}/{to}/{name}"
        else:
            for to in CLIENTS:
                for asked in requests_of(to, stem):
                    what = os.path.basename(asked).split(".")[0]
                    yield ("answer", source, to, asked, path), f"{source}/{to}/{stem}.to-{what}.answer.json"


def cases(tell, update):
    jobs = list(jobs_of_cases())
    for (job, name), (line, out) in zip(jobs, translate([j for j, _ in jobs])):
        expected = f"{HERE}/embeds/expected/{name}"
        made = line.encode() + b"\n" + out + b"\n"
        if update:
            os.makedirs(os.path.dirname(expected), exist_ok=True)
            open(expected, "wb").write(made)
        if not os.path.exists(expected):
            tell(False, f"embed-{name}", "no expected file; UPDATE=1 writes it")
            continue
        tell(open(expected, "rb").read() == made, f"embed-{name}", "differs from what is expected")
        if job[0] == "answer" and line == "ok":
            tell(not (why := same_vectors(job[1], open(job[4], "rb").read(), job[2], out)), f"embed-vectors-{name}", why)


# --- recordings ---

def number_of_inputs(v):
    inputs = v.get("input") or v.get("requests") or v.get("texts") or v.get("instances")
    return 1 if isinstance(inputs, str) else len(inputs)


def recordings(tell, root):
    """Recorded answers, for each client in the kinds that it can ask for."""
    jobs = []
    for source, folder in RECORDED:
        for path in sorted(glob.glob(f"{root}/{folder}/*.res.json")):
            number = {1: "one", 2: "two"}.get(number_of_inputs(json.load(open(path.replace(".res.", ".req.")))))
            if "error" in json.load(open(path)):
                continue
            for to in CLIENTS:
                for asked in requests_of(to, number or "none"):
                    jobs.append(("answer", source, to, asked, path))
    for job, (line, out) in zip(jobs, translate(jobs)):
        name = f"embed-recorded-{job[1]}-{job[2]}-{os.path.basename(job[3])[:-13]}-{os.path.basename(job[4])[:-9]}"
        tell(line == "ok" and not (why := same_vectors(job[1], open(job[4], "rb").read(), job[2], out)),
             name, line if line != "ok" else why)
    tell(len(jobs) > 0, "embed-recorded-some", "no recording was read")
