"""What the lints share: the files of the tree, C text taken apart, offences, and the self-test.

A lint is a function `check(tree)` that yields (path, line, sentence). `main(check, cases)` first proves
on small made-up trees that the lint finds what it must find and nothing else, then runs it on the
real tree, prints the offences and exits with 1 if there are any. `--self-test` stops after the proof.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>'(?:\\.|[^'\\\n])+')
      | (?P<directive>^[ \t]*\#[ \t]*\w+[^\n]*)
      | (?P<code>[^\n"'/#][^"'/\n#]*|.)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


class Tree:
    """A source tree and the files in it that are not ignored."""

    def __init__(self, top):
        self.top = Path(top)

    def files(self, *folders, suffixes=None):
        """Paths relative to the top, sorted: tracked and new files, without what is ignored."""
        if (self.top / ".git").exists():
            listed = subprocess.run(
                ["git", "-c", "safe.directory=*", "-C", str(self.top), "ls-files", "-z", "--cached",
                 "--others", "--exclude-standard"], check=True, stdout=subprocess.PIPE)
            paths = [p for p in listed.stdout.decode().split("\0") if p]
        else:
            paths = [str(p.relative_to(self.top)) for p in self.top.rglob("*") if p.is_file()]
        for path in sorted(set(paths)):
            if folders and not any(path == f or path.startswith(f + "/") for f in folders):
                continue
            if suffixes and Path(path).suffix not in suffixes:
                continue
            if (self.top / path).is_file():
                yield path

    def read(self, path):
        return (self.top / path).read_text(encoding="utf-8", errors="replace")


def tokens(text):
    """(kind, text, line) of C source: comment, string, char, directive, code."""
    line = 1
    for match in TOKEN.finditer(text):
        yield match.lastgroup, match.group(), line
        line += match.group().count("\n")


def includes(text):
    """(name, is_system, line) of every #include that is not in a comment."""
    for kind, token, line in tokens(text):
        found = kind == "directive" and re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', token)
        if found:
            yield found.group(2), found.group(1) == "<", line


def strings(text):
    """(content, line) of string literals, adjacent ones joined as the compiler does."""
    joined, start = None, 0
    for kind, token, line in tokens(text):
        if kind == "string":
            joined, start = (token[1:-1], line) if joined is None else (joined + token[1:-1], start)
        elif kind == "comment" or (kind == "code" and not token.strip()):
            continue
        elif joined is not None:
            yield joined, start
            joined = None
    if joined is not None:
        yield joined, start


def code_only(text):
    """The source with comments, strings, characters and directives blanked, lines kept."""
    parts = []
    for kind, token, _ in tokens(text):
        parts.append(token if kind == "code" else "\n" * token.count("\n") + " ")
    return "".join(parts)


def prove(check, cases):
    """Each case: (files, expected), where expected are the "path:line" that must be reported."""
    for files, expected in cases:
        with tempfile.TemporaryDirectory() as top:
            for path, text in files.items():
                target = Path(top) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            found = sorted(f"{path}:{line}" for path, line, _ in check(Tree(top)))
        if found != sorted(expected):
            sys.exit(f"self-test failed: found {found}, expected {sorted(expected)}")
    if not any(expected for _, expected in cases) or all(expected for _, expected in cases):
        sys.exit("self-test proves nothing: it needs cases with and without offences")


def main(check, cases):
    prove(check, cases)
    if "--self-test" in sys.argv[1:]:
        return
    offences = list(check(Tree(TOP)))
    for path, line, sentence in offences:
        print(f"{path}:{line}: {sentence}")
    sys.exit(1 if offences else 0)
