"""docker-compose.yml is accepted by `docker compose config` where that is to be had, and in any case
names only settings that the binary knows, and images that the Dockerfile builds. What it names as secrets beside
it, and what git leaves out of a clone, is not copied into a build: .dockerignore has it, and no source."""
import os
import re
import shutil
import subprocess
import sys

bad = 0


def say(good, name, why=""):
    global bad
    print(("ok " if good else "FAIL ") + name + (": " + why if why and not good else ""))
    bad += not good


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return [line.strip() for line in f if line.strip() and not line.startswith("#")]


text = open("docker-compose.yml", encoding="utf-8").read()
env = dict(os.environ, DOMAIN="llm.example.org", POSTGRES_PASSWORD="a", APP_PASSWORD="b")
plugin = shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
compose = ["docker", "compose"] if plugin else ["docker-compose"]
if shutil.which(compose[0]):
    run = subprocess.run([*compose, "config", "-q"], env=env, capture_output=True, text=True)
    say(run.returncode == 0, "compose-config", run.stderr.strip())
    run = subprocess.run([*compose, "config", "-q"], env={**env, "DOMAIN": ""}, capture_output=True, text=True)
    say(run.returncode != 0, "compose-names-missing-variable")
else:
    print("skip compose-config (no docker compose on this machine)")

known = subprocess.run(["build/tollgate", "--help"], capture_output=True, text=True).stdout
names = set(re.findall(r"^    ([A-Z][A-Z_]+):", text, re.M)) | set(re.findall(r"^      ([A-Z][A-Z_]+):", text, re.M))
names -= {n for n in names if n.startswith("POSTGRES_")}
missing = sorted(n for n in names if not re.search(rf"\b{n}\b", known))
say(not missing, "compose-settings-known", "unknown: " + ", ".join(missing))


def pattern(line):
    """A line of .dockerignore: from the top, `*` within a name, `**/` any directories, and all that is beneath."""
    text = re.escape(line.strip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(f"{text}(?:/.*)?")


ignored = [pattern(line) for line in lines_of(".dockerignore")]


def is_ignored(path):
    return any(p.fullmatch(path) for p in ignored)


wanted = {".env", ".git", "build", "build-run", "build-asan"}
wanted |= set(re.findall(r"(?:file: |in )\./(\w+)", text))
for line in lines_of(".gitignore"):
    name = line.strip("/").replace("*", "x")
    wanted |= {name} if line.startswith("/") else {name, f"web/{name}", f"server/http/{name}"}
copied = sorted(name for name in wanted if not is_ignored(name))
say({"secret", "oidc_secret"} <= wanted, "compose-secrets-found", ", ".join(sorted(wanted)))
say(not copied, "image-without-what-is-no-source", "not in .dockerignore: " + ", ".join(copied))
sources = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split("\n")
left_out = sorted(name for name in sources if name and is_ignored(name))
say(not left_out, "image-with-every-source", "in .dockerignore: " + ", ".join(left_out[:5]))
sys.exit(1 if bad else 0)
