"""Prints one `ok` or `FAIL` line per unit executable and per cmocka test inside it, and after each
`FAIL` line, moved in by two, why.

Reads meson's testlog.json (one JSON object a line). cmocka says `[ RUN      ] name` and how that ended on
the standard output, and what did not hold on the standard error, without the name: there each failure
ends with a line `[   LINE   ] --- FILE:LINE: error`, in the order in which the tests failed.
"""
import json
import re
import sys

REPORT_LINES = 60  # of what a program said that ended badly outside any assertion


def tests(result, text):
    """The names behind a result; cmocka's closing lines carry it too, with a count or `tests:`."""
    names = re.findall(rf"^\[ *{result} *\] ([A-Za-z_]\w*)", text, re.M)
    return list(dict.fromkeys(name for name in names if name != "tests"))


def causes(errors, failed):
    """What cmocka said of each failed test; where its words do not fit the tests, all of them, once."""
    errors = re.split(r"^\[ +(?:PASSED|FAILED) +\] \d+ test", errors, maxsplit=1, flags=re.M)[0]
    parts = re.findall(r".*?^\[ +LINE +\] --- [^\n]*", errors, re.M | re.S)
    if len(parts) != len(failed):
        parts = [errors] + [""] * len(failed)
    return dict(zip(failed, parts))


def explain(text):
    """The report of a sanitizer from its head, of all else the end."""
    lines = text.strip("\n").splitlines()
    head = next((i for i, line in enumerate(lines) if re.search("Sanitizer|runtime error:", line)), None)
    for line in lines[-REPORT_LINES:] if head is None else lines[head:head + REPORT_LINES]:
        print(f"  {line}")


def report(entry):
    """Prints the lines of one executable; says how many failed."""
    name, out, errors = entry["name"], entry.get("stdout") or "", entry.get("stderr") or ""
    good, failed, skipped = tests("OK", out), tests("FAILED", out), tests("SKIPPED", out)
    unprepared = tests("ERROR", errors)
    unended = [test for test in tests("RUN", out) if test not in good + failed + skipped + unprepared]
    for test in skipped:
        print(f"skip {name}.{test} (see its output)")
    for test in good:
        if test not in failed:
            print(f"ok {name}.{test}")
    why = causes(errors, failed)
    for test in failed:
        print(f"FAIL {name}.{test}")
        explain(why[test])
    for test in unprepared:
        print(f"FAIL {name}.{test}: its setup or teardown failed")
        explain(errors)
    bad = len(failed) + len(unprepared)
    well = entry["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
    if not well and (unended or not bad):
        print(f"FAIL {name}: {entry['result']} (exit {entry.get('returncode')})"
              + (f" within {unended[-1]}" if unended else ""))
        explain(errors or out)
        bad += 1
    elif entry["result"] == "OK" and not good and not skipped:
        print(f"FAIL {name}: no cmocka test ran")
        bad += 1
    return bad


with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
    sys.exit(1 if sum([report(json.loads(line)) for line in log]) else 0)
