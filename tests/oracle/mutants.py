#!/usr/bin/env python3
"""mutants.py: mistakes put into copies of the price code, each of which the oracle has to notice.

  mutants.py [--cases N]

Needs gcc and libsodium. Prints `ok` or `FAIL` per mistake; a mistake whose place is not found any more
is a failure too, so that the list follows the code."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
MUTANTS = [
    ("round the sum down", "base/money.c",
     "sum = sum / million + (sum % million > 0);", "sum = sum / million;"),
    ("multiply in 64 bits", "base/money.c",
     "(__int128)quantity[i] * price_per_million[i]", "(int64_t)((uint64_t)quantity[i] * (uint64_t)price_per_million[i])"),
    ("begin a step at N, not above it", "model/price.c",
     "prompt_tokens <= steps->v[i - 1].above_input_tokens", "prompt_tokens < steps->v[i - 1].above_input_tokens"),
    ("let a step forget the one below", "model/price.c", "inherit(s->v[i].charge, s->v[i - 1].charge);", ""),
    ("let nothing stand in", "model/price.c", "figures[i] = figures[unit->fallback];", ""),
    ("let things of another tier be free", "model/price.c", "figures[i] = standard[i];", "figures[i] = 0;"),
    ("count reasoning as no output", "model/usage.def", '"reasoning tokens", OUTPUT, OUTPUT', '"reasoning tokens", OTHER, OUTPUT'),
    ("price writes for an hour as input", "model/usage.def", "PROMPT, CACHE_WRITE_5M", "PROMPT, INPUT"),
    ("refuse the dearest call that is allowed", "ledger/price.c",
     "total.nano > BOUND_CALL_COST_NANO", "total.nano >= BOUND_CALL_COST_NANO"),
    ("round the hold down", "ledger/price.c",
     "h.most / PER_MILLION + (h.most % PER_MILLION > 0)", "h.most / PER_MILLION"),
    ("hold sound as text", "ledger/price.c", "dearest(step, USAGE_COVERS_PROMPT, true)", "text"),
    ("hold by the step of the text alone", "ledger/price.c", "e->input_tokens + e->audio_input_tokens <=", "e->input_tokens <="),
    ("hold at the standard tier only", "ledger/price.c", "price_sells(p, e->service) ? 2 : 1", "price_sells(p, e->service) ? 1 : 1"),
    ("hold no things", "ledger/price.c", "sum += (__int128)e->things.n[u]", "sum += 0 * (__int128)e->things.n[u]"),
    ("charge an image by its quality before its size", "model/price_visual.c",
     "(k.size.p ? 2 : 0) + (k.quality.p ? 1 : 0)", "(k.size.p ? 1 : 0) + (k.quality.p ? 2 : 0)"),
    ("charge an image that nobody described as the cheapest", "model/price_visual.c",
     "p->visual[i].charge > most->charge", "p->visual[i].charge < most->charge"),
    ("hold an image that is left open as all others", "model/price_visual.c",
     "MAX(visual->charge, plain)", "MAX(plain, (int64_t)0)"),
    ("charge all images alike", "ledger/price.c", "u == unit && kind != PRICE_NONE ? kind", "false ? kind"),
    ("hold a video as if it had a quality", "model/price_visual.c", "|| p->visual_unit == USAGE_SECOND", "|| false"),
    ("afford one token too many", "ledger/price.c", "(int64_t)(left / m->each);", "(int64_t)(left / m->each) + 1;"),
    ("afford more than a call may cost", "ledger/price.c", "MIN(list_of(e, available), BOUND_CALL_COST_NANO)", "list_of(e, available)"),
]


def build(source, program):
    files = [source / f for f in ("model/price.c", "model/price_visual.c", "model/usage.c", "model/service.c", "ledger/price.c")]
    files += sorted((source / "base").glob("*.c"))
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-w", f"-I{source}",
                    TOP / "tests/oracle/price_cases.c", *files, "-lsodium", "-pthread", "-o", program], check=True)


def notices(program, cases):
    return subprocess.run([sys.executable, TOP / "tests/oracle/price.py", program, "--cases", str(cases)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=40000)
    cases = parser.parse_args().cases
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        source, program = Path(directory) / "server", Path(directory) / "price_cases"
        shutil.copytree(TOP / "server", source)
        build(source, program)
        if notices(program, cases):
            print("FAIL mutants: the oracle finds fault with the code as it is")
            return 1
        for name, file, right, wrong in MUTANTS:
            text = (source / file).read_text()
            if right in text:
                (source / file).write_text(text.replace(right, wrong, 1))
                build(source, program)
                (source / file).write_text(text)
            caught = right in text and notices(program, cases)
            print(("ok" if caught else "FAIL") + f" mutants: {name}" + ("" if right in text else " (its place is gone)"))
            missed += not caught
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
