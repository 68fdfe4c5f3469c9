"""Prints one `ok` or `FAIL` line per unit executable and per cmocka test inside it.

Reads meson's testlog.json (one JSON object a line): the executables print cmocka's standard output,
`[       OK ] name` and `[  FAILED  ] name`.
"""
import json
import re
import sys

bad = 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    entry = json.loads(line)
    name = entry["name"]
    text = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    good = sorted(set(re.findall(r"^\[ +OK \] (\S+)", text, re.M)))
    failed = sorted(set(re.findall(r"^\[ +FAILED +\] (\S+)", text, re.M)) - {"tests:"})
    for test in re.findall(r"^\[ +SKIPPED +\] (\S+)", text, re.M):
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
    elif not good and entry["result"] == "OK":
        print(f"FAIL {name}: no cmocka test ran")
        bad += 1
sys.exit(1 if bad else 0)
