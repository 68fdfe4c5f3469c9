#!/usr/bin/env python3
"""price.py: the price functions against exact rational arithmetic.

  price.py PRICE_CASES [--cases N] [--seed S]

Runs the program that writes cases (price_cases.c) and works every one of them out again from the
bare figures: what stands in for what, which step and service tier hold, the sum as a fraction and its
one rounding. Written from the rules in server/ledger/price.h and server/model/usage.def, not from the
code. Prints `ok` or `FAIL` lines for ./check; a failing case prints the line it came from.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from math import ceil

TIERS = ["standard", "flex", "priority"]

# What each unit covers, and which unit's price stands in for one that is not named.
UNITS = {
    "input": ("prompt", None),
    "cached_input": ("prompt", "input"),
    "cache_write_5m": ("prompt", "input"),
    "cache_write_1h": ("prompt", "cache_write_5m"),
    "output": ("output", None),
    "reasoning": ("output", "output"),
    "audio_input": ("prompt", "input"),
    "audio_output": ("output", "output"),
    "image_input": ("prompt", "input"),
    "image_output": ("output", "output"),
    "image": ("other", None),
    "second": ("other", None),
    "character": ("other", None),
    "page": ("other", None),
    "search": ("other", None),
    "request": ("other", None),
}
NAMES = list(UNITS)
N = len(NAMES)
AT = {name: i for i, name in enumerate(NAMES)}
PROMPT = [i for i, n in enumerate(NAMES) if UNITS[n][0] == "prompt"]
OUTPUT = [i for i, n in enumerate(NAMES) if UNITS[n][0] == "output"]
OTHER = [i for i, n in enumerate(NAMES) if UNITS[n][0] == "other"]
AUDIO = (AT["audio_input"], AT["audio_output"])

MILLION = 10**6
CALL_LIMIT = 10**13  # $10,000 in nano-dollars
MOST_TOKENS = 2**31 - 1
OK, UNNAMED, LIMIT = 0, 1, 2


def named(steps, above, unit):
    """The figure that the longest step up to `above` names for the unit."""
    for length in sorted((s for s in steps if s <= above), reverse=True):
        if unit in steps[length]:
            return steps[length][unit]
    return None


def figure(tiers, tier, above, unit):
    """(charge, cost) of a unit at one step of a service tier; None: it has no price."""
    steps = tiers[tier]
    wanted = unit
    while True:
        found = named(steps, above, wanted)
        if found is not None:
            return found
        stand_in = UNITS[wanted][1]
        if stand_in is None:
            break
        wanted = stand_in
    if UNITS[unit][0] == "other" and tier != 0:
        return figure(tiers, 0, 0, unit)
    return (0, 0) if unit == "request" else None


class Step:
    """All figures of one step, and the dearest that a hold has to reckon with."""

    def __init__(self, tiers, tier, above):
        got = [figure(tiers, tier, above, name) for name in NAMES]
        self.above = above
        self.charge = [None if f is None else f[0] for f in got]
        self.cost = [None if f is None else f[1] for f in got]
        self.text = self.dearest(PROMPT, False)
        self.sound = self.dearest(PROMPT, True)
        self.out = [self.dearest(OUTPUT, False), self.dearest(OUTPUT, True)]

    def dearest(self, units, audio):
        return max((self.charge[i] for i in units
                    if self.charge[i] is not None and (audio or i not in AUDIO)), default=None)


def read_price(words):
    """The steps of each tier; under "visuals" the figures by (quality, size), each None for
    any, and under "visual_unit" the place of the unit whose they are."""
    tiers, visuals, visual_unit = {0: {0: {}}}, {}, "image"
    for i in range(0, len(words), 6):
        tier, unit, above, kind = int(words[i]), words[i + 1], int(words[i + 2]), words[i + 3]
        figures = (int(words[i + 4]), int(words[i + 5]))
        if kind not in ("-", ""):
            visuals[halves(kind)] = figures
            visual_unit = unit
            continue
        steps = tiers.setdefault(tier, {0: {}})
        steps.setdefault(above, {})[unit] = figures
    price = {t: [Step(tiers, t, a) for a in sorted(tiers[t])] for t in tiers}
    price["visual_unit"] = AT[visual_unit]
    price["visuals"] = dict(sorted(visuals.items(), key=lambda i: "/".join(filter(None, i[0]))))
    return price


def halves(kind):
    """What "high/1024x1024", "high" or "1024x1024" says of quality and size."""
    quality, slash, size = kind.partition("/")
    if slash:
        return quality, size
    return (None, kind) if kind[0].isdigit() else (kind, None)


def kind_of(price, quality, size):
    """The halves of the figure that such an image is charged at; None: the plain one."""
    for wanted in ((quality, size), (None, size), (quality, None)):
        if wanted != (None, None) and wanted in price["visuals"]:
            return wanted
    if price[0][0].charge[price["visual_unit"]] is not None:
        return None
    fitting = possible(price, quality, size)
    return max(fitting, key=lambda k: price["visuals"][k][0]) if fitting else None


def possible(price, quality, size):
    """Figures that an image can have of which no more is said than this."""
    return [k for k in price["visuals"]
            if all(None in pair or pair[0] == pair[1] for pair in zip(k, (quality, size)))]


def visual_most(price, quality, size, plain):
    if size and (quality or price["visual_unit"] == AT["second"]):  # a video has no quality
        kind = kind_of(price, quality, size)
        return price["visuals"][kind][0] if kind else plain
    return max([price["visuals"][k][0] for k in possible(price, quality, size)]
               + ([] if plain is None else [plain]), default=None)


def exact(prices, quantities):
    """Nano-dollars before rounding, as a fraction; None: a unit without a price was used."""
    total = 0
    for i, n in enumerate(quantities):
        if n:
            if prices[i] is None:
                return None
            total += prices[i] * n
    return Fraction(total, MILLION)


def with_visual(prices, unit, figure):
    return prices if figure is None else [figure if i == unit else p for i, p in enumerate(prices)]


def charge_of(tiers, tier, used, kind=None):
    """(outcome, charge, cost); kind: the halves of the figure of visuals, None: the plain one"""
    steps = tiers.get(tier, tiers[0])
    prompt = sum(used[i] for i in PROMPT)
    step = [s for s in steps if s.above == 0 or prompt > s.above][-1]
    visual = tiers["visuals"][kind] if kind else (None, None)
    charge = exact(with_visual(step.charge, tiers["visual_unit"], visual[0]), used)
    if charge is None:
        return UNNAMED, 0, 0
    if ceil(charge) > CALL_LIMIT:
        return LIMIT, 0, 0
    cost = exact(with_visual(step.cost, tiers["visual_unit"], visual[1]), used)
    if cost is None:
        return UNNAMED, 0, 0
    if ceil(cost) > CALL_LIMIT:
        return LIMIT, 0, 0
    return OK, ceil(charge), ceil(cost)


def reachable(tiers, asked, tokens):
    for tier in {0, asked} & set(tiers) - {"visuals", "visual_unit"}:
        for step in tiers[tier]:
            if step.above == 0 or tokens > step.above:
                yield step


def most_of(tiers, e, output):
    """The most that the estimate with so much output costs, in millionths of a nano-dollar; None:
    a unit without a price may be used."""
    asked, text, sound, loud, things, visual = e
    visual_unit = tiers["visual_unit"]
    most = 0
    for step in reachable(tiers, asked, text + sound):
        out = step.out[loud]
        if (text and step.text is None) or (sound and step.sound is None) or (output and out is None):
            return None
        charges = [step.charge[i] for i in OTHER if things[i] and i not in (AT["request"], visual_unit)]
        if things[visual_unit]:
            charges.append(visual_most(tiers, *visual, step.charge[visual_unit]))
        if not text and not sound and charges and all(c is None for c in charges):
            return None
        total = (text * (step.text or 0) + sound * (step.sound or 0) + output * (out or 0) +
                 sum(things[i] * (step.charge[i] or 0) for i in OTHER if i != visual_unit) +
                 things[visual_unit] * (visual_most(tiers, *visual, step.charge[visual_unit]) or 0))
        most = max(most, total)
    return most


def covers(tiers, e, output, nano):
    most = most_of(tiers, e, output)
    return most is not None and most <= min(nano, CALL_LIMIT) * MILLION


def within(e, output, served, used, made):
    asked, text, sound, loud, things, visual = e
    return (all(said in (None, is_) for said, is_ in zip(visual, made)) and served in (0, asked) and sum(used[i] for i in PROMPT) <= text + sound
            and used[AUDIO[0]] <= sound and sum(used[i] for i in OUTPUT) <= output
            and (loud or not used[AUDIO[1]]) and all(used[i] <= things[i] for i in OTHER))


def check(tiers, words, counts):
    """A sentence about what is wrong, or None."""
    v = list(map(int, words[:2] + words[7:]))
    asked, served = v[0], v[1]
    visual, made = [tuple(None if w == "-" else w for w in words[i:i + 2]) for i in (2, 4)]
    used = v[2:2 + N]
    code, charge, cost, text, sound, output, loud = v[2 + N:9 + N]
    things = v[9 + N:9 + 2 * N]
    held, hold, nano, bought = v[9 + 2 * N:]
    e = (asked, text, sound, loud, things, visual)
    counts["cases"] += 1
    kind = kind_of(tiers, *made)
    counts["visuals"] += kind is not None and used[tiers["visual_unit"]] > 0
    if words[6] != ("/".join(filter(None, kind)) if kind else "-"):
        return f"price_visual_of said {words[6]}, exact is {kind}"
    want = charge_of(tiers, served, used, kind)
    if (code, charge, cost) != want:
        return f"price_charge said {code} {charge} {cost}, exact is {want}"
    most = most_of(tiers, e, output)
    want = (UNNAMED, 0) if most is None else (OK, ceil(Fraction(most, MILLION)))
    if want[1] > CALL_LIMIT:
        want = (LIMIT, 0)
    if (held, hold) != want:
        return f"price_hold said {held} {hold}, exact is {want}"
    if code == OK and held == OK and within(e, output, served, used, made):
        counts["held"] += 1
        counts["full"] += charge == hold
        if charge > hold:
            return f"a call within its estimate is charged {charge}, its hold is {hold}"
    counts["refused"] += code == LIMIT
    counts["bought"] += 0 < bought < MOST_TOKENS
    if bought and not covers(tiers, e, bought, nano):
        return f"price_affords_output said {bought}, which {nano} does not cover"
    if bought < MOST_TOKENS and covers(tiers, e, bought + 1, nano):
        return f"price_affords_output said {bought}, but {nano} covers one more"
    return None


def run(program, seed, prices, usages):
    counts = {"cases": 0, "held": 0, "full": 0, "refused": 0, "bought": 0, "visuals": 0}
    faults = []
    tiers = price_line = None
    with subprocess.Popen([program, str(seed), str(prices), str(usages)], stdout=subprocess.PIPE,
                          text=True, bufsize=1 << 20) as p:
        for line in p.stdout:
            words = line.split()
            if words[0] == "P":
                price_line = line
                tiers = read_price(words[1:])
                continue
            fault = check(tiers, words[1:], counts)
            if fault and len(faults) < 3:
                faults.append(f"seed {seed}: {fault}\n  {price_line}  {line}")
    return p.returncode, counts, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20261128)
    o = parser.parse_args()
    usages, parts = 50, 20
    prices = -(-o.cases // (usages * parts))
    total, faults, bad = {}, [], 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run, o.program, o.seed + i, prices, usages) for i in range(parts)]
        for job in jobs:
            code, counts, found = job.result()
            bad += code != 0
            faults += found
            for k, n in counts.items():
                total[k] = total.get(k, 0) + n
    for fault in faults[:5]:
        print(fault)
    print(", ".join(f"{n} {k}" for k, n in total.items()))
    # What was meant to be tried has been: calls at their hold's edge, refusals, affordable output.
    wanted = {"cases": o.cases, "held": o.cases // 20, "full": o.cases // 200,
              "visuals": o.cases // 20, "refused": o.cases // 200, "bought": o.cases // 200}
    tried = all(total[k] >= n for k, n in wanted.items())
    if not tried:
        print(f"too few of some kind: wanted at least {wanted}")
    good = not faults and not bad and tried
    print(("ok" if good else "FAIL") + " oracle-price")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
