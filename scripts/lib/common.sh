# Helpers shared by the scripts of this folder. Source it; it needs bash.
# shellcheck shell=bash

adit_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
adit_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/adit
adit_jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
adit_me=$(basename "$0")

say() { printf '%s\n' "$*" >&2; }
warn() { printf '%s: %s\n' "$adit_me" "$*" >&2; }
die() { warn "$@"; exit 1; }

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }
is_root() { [ "$(id -u)" = 0 ]; }

# A short content hash of stdin.
short_hash() { sha256sum | cut -c1-16; }

# locked FILE COMMAND...: run COMMAND while holding FILE, telling the user when somebody else holds it.
locked() {
    local file=$1 fd rc=0
    shift
    mkdir -p "$(dirname "$file")"
    exec {fd}>"$file"
    if ! flock -n "$fd"; then
        say "waiting for another run that holds $file ..."
        flock "$fd"
    fi
    # The commands below must not inherit the lock: a daemon left over by a package's scripts would keep it.
    "$@" {fd}>&- || rc=$?
    exec {fd}>&-
    return "$rc"
}

# step LABEL LOG COMMAND...: run a long command with its output in LOG and a line of progress now and then.
# On failure shows the end of LOG and returns the command's code.
step() {
    local label=$1 log=$2 t0=$SECONDS next=10 pid rc=0
    shift 2
    say "  $label ..."
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        if [ $((SECONDS - t0)) -ge "$next" ]; then
            say "  $label ... $((SECONDS - t0)) s"
            next=$((next + 20))
        fi
    done
    wait "$pid" || rc=$?
    if [ "$rc" != 0 ]; then
        say "  $label FAILED (code $rc) after $((SECONDS - t0)) s; the end of $log:"
        tail -n 25 "$log" | sed 's/^/    | /' >&2
        return "$rc"
    fi
    say "  $label: done in $((SECONDS - t0)) s"
}
