# lib.sh - tests between network namespaces as a readable transcript: what runs where is printed before it runs,
# conditions are waited for, and everything that was made goes away at the end, however it ends.
# Source it (bash); it is not a test itself, hence not executable.
#
#   . "$(dirname "$0")/lib.sh"
#   need root tun netns ip ping            ends the script with code 77 and the reason if one is missing
#   test_begin dp 2                        namespaces adt-dp-<pid>-0 and -1, as n0 and n1 (up to n9)
#   veth 0 1 192.0.2.1/24 192.0.2.2/24 2001:db8::1/64 2001:db8::2/64      device w1 in n0, w0 in n1
#   spawn server n1 iperf3 -s -1           in the background; $server = its pid, $server_log = its output
#   wait_for 5 'iperf3 listens' listens 1 5201
#   check 'IPv4 passes' n0 ping -c 1 10.2.0.1
#   refuse 'nothing leaks' n0 ping -c 1 10.3.0.1
#   is 'ten packets' "$n" 10
#   skip 'with USO' 'this kernel has none'
#   test_end                               summary on stderr, exit code
# shellcheck shell=bash

set -u -o pipefail
export LC_ALL=C
test_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Where the programs under test are: ADIT_BUILD, or what scripts/build made.
test_build=${ADIT_BUILD:-$test_root/build}
test_passed=0 test_failed=0
test_pids=()
test_spaces=()
test_tmp=

say() { printf '# %s\n' "$*"; }

# Ends the script as skipped unless everything named is there: root, tun, netns, or programs.
need() {
    local thing
    for thing in "$@"; do
        case $thing in
        root) [ "$(id -u)" = 0 ] || test_cannot 'not root' ;;
        tun) [ -c /dev/net/tun ] || test_cannot 'no /dev/net/tun' ;;
        netns) unshare -n true 2>/dev/null || test_cannot 'no network namespaces' ;;
        *) command -v "$thing" >/dev/null || [ -x "$thing" ] || test_cannot "no $thing" ;;
        esac
    done
}
test_cannot() {
    printf '%s\n' "$1"
    exit 77
}

# test_begin NAME [HOW_MANY]: namespaces with loopback up, a temporary directory $test_tmp, removal at exit.
test_begin() {
    local i
    test_name=$1
    test_prefix=adt-$1-$$
    test_tmp=$(mktemp -d "/tmp/$test_prefix.XXXXXX")
    trap test_cleanup EXIT
    trap 'exit 130' INT TERM HUP
    for ((i = 0; i < ${2:-2}; i++)); do
        ip netns add "$test_prefix-$i"
        test_spaces+=("$test_prefix-$i")
        ip -n "$test_prefix-$i" link set lo up
        # Addresses are usable at once, and unrelated multicast stays out of captures.
        ip netns exec "$test_prefix-$i" sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0 \
            net.ipv6.conf.{all,default}.router_solicitations=0 net.ipv4.conf.{all,default}.rp_filter=0
    done
}

test_cleanup() {
    local code=$? pid ns
    trap '' INT TERM HUP
    for pid in "${test_pids[@]:+${test_pids[@]}}"; do kill "$pid" 2>/dev/null; done
    for pid in "${test_pids[@]:+${test_pids[@]}}"; do test_reap "$pid"; done
    for ns in "${test_spaces[@]:+${test_spaces[@]}}"; do ip netns del "$ns" 2>/dev/null; done
    if [ "$test_failed" = 0 ] && [ "$code" = 0 ] && [ -z "${KEEP:-}" ]; then rm -rf "$test_tmp"; else say "logs: $test_tmp"; fi
    exit "$code"
}

# Waits up to two seconds for a process that was told to end, then insists.
test_reap() {
    local i
    for ((i = 0; i < 40; i++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.05
    done
    kill -9 "$1" 2>/dev/null
}

# Runs a command in namespace I, saying so.
in_ns() {
    local i=$1
    shift
    printf '# [n%s] %s\n' "$i" "$*" >&2
    ip netns exec "$test_prefix-$i" "$@"
}
# The same without a word, for polling.
quiet_ns() {
    local i=$1
    shift
    ip netns exec "$test_prefix-$i" "$@"
}
n0() { in_ns 0 "$@"; }
n1() { in_ns 1 "$@"; }
n2() { in_ns 2 "$@"; }
n3() { in_ns 3 "$@"; }
n4() { in_ns 4 "$@"; }
n5() { in_ns 5 "$@"; }
n6() { in_ns 6 "$@"; }
n7() { in_ns 7 "$@"; }
n8() { in_ns 8 "$@"; }
n9() { in_ns 9 "$@"; }

# veth A B A4/LEN B4/LEN [A6/LEN B6/LEN] [mtu N]: joins namespaces A and B; the device is named after the other end.
veth() {
    local a=$1 b=$2 to=
    ip link add "w$b" netns "$test_prefix-$a" type veth peer name "w$a" netns "$test_prefix-$b"
    shift 2
    while [ $# -ge 2 ]; do
        if [ "$1" = mtu ]; then
            ip -n "$test_prefix-$a" link set "w$b" mtu "$2"
            ip -n "$test_prefix-$b" link set "w$a" mtu "$2"
        else
            ip -n "$test_prefix-$a" addr add "$1" dev "w$b"
            ip -n "$test_prefix-$b" addr add "$2" dev "w$a"
            to=${2%/*}
        fi
        shift 2
    done
    ip -n "$test_prefix-$a" link set "w$b" up
    ip -n "$test_prefix-$b" link set "w$a" up
    # The kernel takes up to a second to call the link ready; until then the first packets are lost.
    if [ -n "$to" ]; then wait_for 5 "link $a-$b" quiet_ns "$a" ping -c 1 -W 0.2 "$to"; fi
}

# spawn NAME nI COMMAND...: in the background; $NAME is its pid, $NAME_log the file with its output.
spawn() {
    local name=$1 ns=${2#n} log=$test_tmp/$1.log
    shift 2
    printf '# [n%s] %s &\n' "$ns" "$*" >&2
    : >"$log" # now: what an earlier one of this name said must not be taken for this one's words
    ip netns exec "$test_prefix-$ns" "$@" >"$log" 2>&1 </dev/null &
    test_pids+=($!)
    printf -v "$name" %s "$!"
    printf -v "${name}_log" %s "$log"
}
# stop PID: ends a spawned process politely and waits for it.
stop() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    return 0
}

# wait_for SECONDS WHAT COMMAND...: until COMMAND succeeds; fails after that many seconds.
wait_for() {
    local seconds=$1 what=$2 end
    shift 2
    end=$((${EPOCHREALTIME/./} + seconds * 1000000))
    while ! "$@" >/dev/null 2>&1; do
        if [ "${EPOCHREALTIME/./}" -ge "$end" ]; then
            say "waited $seconds s in vain: $what"
            return 1
        fi
        sleep 0.02
    done
}
# listens I PORT: somebody listens on the TCP port in namespace I.
listens() { [ -n "$(quiet_ns "$1" ss -Hltn "sport = :$2")" ]; }
# bound I PORT: somebody has the UDP port in namespace I.
bound() { [ -n "$(quiet_ns "$1" ss -Hlun "sport = :$2")" ]; }
# logged FILE REGEX
logged() { grep -Eq -- "$2" "$1"; }

pass() {
    test_passed=$((test_passed + 1))
    printf 'ok - %s\n' "$1"
}
fail() {
    test_failed=$((test_failed + 1))
    printf 'not ok - %s%s\n' "$1" "${2:+ ($2)}"
}
skip() { printf 'ok - %s # SKIP %s\n' "$1" "$2"; }
# check NAME COMMAND...: passes if the command succeeds; its output is shown if not.
check() {
    local name=$1 log=$test_tmp/check.log
    shift
    if "$@" >"$log" 2>&1; then pass "$name"; else
        sed 's/^/#   | /' "$log"
        fail "$name"
    fi
}
# refuse NAME COMMAND...: passes if the command fails.
refuse() {
    local name=$1
    shift
    if "$@" >"$test_tmp/check.log" 2>&1; then fail "$name"; else pass "$name"; fi
}
# is NAME GOT WANTED
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got '$2', wanted '$3'"; fi; }
# between NAME GOT LOWEST HIGHEST: whole numbers
between() {
    if [ "${2:-x}" -ge "$3" ] 2>/dev/null && [ "$2" -le "$4" ]; then pass "$1"; else fail "$1" "got '$2', wanted $3..$4"; fi
}

test_end() {
    say "$test_name: $test_passed passed, $test_failed failed"
    [ "$test_failed" = 0 ]
    exit
}
