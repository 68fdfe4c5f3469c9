"""docker-compose.yml is accepted by `docker compose config` where that is to be had, and in any case
names only settings that the binary knows, and images that the Dockerfile builds."""
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
sys.exit(1 if bad else 0)
