"""Prints one `ok` or `FAIL` line per unit executable and per cmocka test inside it.

Reads meson's testlog.json (one JSON object a line): the executables print cmocka's standard output,
`[       OK ] name` and `[  FAILED  ] name`.
"""
import json
import re
import sys


def tests(result, text):
    """The names behind a result; cmocka's closing lines carry it too, with a count or `tests:`."""
    names = set(re.findall(rf"^\[ +{result} +\] ([A-Za-z_]\w*)", text, re.M))
    return sorted(names - {"tests"})


bad = 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    entry = json.loads(line)
    name = entry["name"]
    text = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    good, failed, skipped = tests("OK", text), tests("FAILED", text), tests("SKIPPED", text)
    for test in skipped:
        print(f"skip {name}.{test} (see its output)")
    for test in good:
        if test not in failed:
            print(f"ok {name}.{test}")
    for test in failed:
        print(f"FAIL {name}.{test}")
        bad += 1
    if entry["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and not failed:
        print(f"FAIL {name}: {entry['result']} (exit {entry.get('returncode')})")
        print("\n".join(text.splitlines()[-25:]))
        bad += 1
    elif not good and not skipped and entry["result"] == "OK":
        print(f"FAIL {name}: no cmocka test ran")
        bad += 1
sys.exit(1 if bad else 0)
