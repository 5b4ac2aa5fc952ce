#!/usr/bin/env bash
# Throughput of a tunnel between two namespaces on this machine, and of the bare link beside it: ratios count, since both
# ends, source and sink share the same cores.
#
#   bench/e2e/run.sh [--json] [--seconds N]
. "$(dirname "$0")/../../tests/netns/lib.sh"
json= seconds=5
while [ $# -gt 0 ]; do
    case $1 in
    --json) json=1 ;;
    --seconds) seconds=$2; shift ;;
    *) sed -n '2,/^\. /{/^\. /!s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
    shift
done
need root tun netns ip iperf3 python3
dp_pair=$test_build/tests/tools/dp_pair
need "$dp_pair"
test_begin bench 2 2>/dev/null
veth 0 1 192.0.2.1/24 192.0.2.2/24 2>/dev/null
ip -n "$test_prefix-0" addr add 10.1.0.1/32 dev lo
ip -n "$test_prefix-1" addr add 10.2.0.1/32 dev lo
results=$test_tmp/results
: >"$results"

# tunnelled: packets that arrived through the tunnel so far (0 without one)
tunnelled() {
    [ -n "${b_fifo:-}" ] || { echo 0; return; }
    printf 'counters\n' >"$b_fifo"
    sleep 0.2
    sed -n 's/^counters packets_in=\([0-9]*\).*/\1/p' "$b_log" | tail -n 1
}
start() {
    b_fifo=$test_tmp/fifo
    mkfifo "$b_fifo"
    spawn a n0 "$dp_pair" -a --local 192.0.2.1 --peer 192.0.2.2 --local-ts 10.1.0.0/16 --remote-ts 10.2.0.0/16 --routes "$@"
    spawn b n1 "$dp_pair" -b --local 192.0.2.2 --peer 192.0.2.1 --local-ts 10.2.0.0/16 --remote-ts 10.1.0.0/16 --routes --fifo "$b_fifo" "$@"
    wait_for 5 'both ends' logged "$a_log" '^ready' && wait_for 5 'both ends' logged "$b_log" '^ready'
}
finish() {
    stop "$a"
    stop "$b"
    rm "$b_fifo"
}
# measure NAME ADDRESS IPERF3-ARGUMENTS...: adds a line to the results
measure() {
    local name=$1 to=$2
    shift 2
    local before
    before=$(tunnelled)
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    quiet_ns 0 timeout $((seconds + 20)) iperf3 -J -c "$to" -t "$seconds" "$@" >"$test_tmp/run.json"
    stop "$server"
    python3 - "$name" "$test_tmp/run.json" $(($(tunnelled) - before)) >>"$results" <<'PY'
import json, sys
name, run, tunnelled = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
end = run.get('end', {})
if 'sum_received' in end and 'retransmits' in end.get('sum_sent', {}):
    row = {'name': name, 'gbit_s': end['sum_received']['bits_per_second'] / 1e9, 'retransmits': end['sum_sent']['retransmits']}
elif 'sum' in end:
    s = end['sum']
    got = s['packets'] - s['lost_packets']
    row = {'name': name, 'gbit_s': s['bits_per_second'] * (got / max(1, s['packets'])) / 1e9,
           'packets_s': got / s['seconds'], 'lost_percent': s['lost_percent']}
    if tunnelled:  # the rest overran the sink's socket, not the tunnel
        row['tunnelled_packets_s'] = tunnelled / s['seconds']
else:
    row = {'name': name, 'error': run.get('error', 'no result')}
print(json.dumps(row))
PY
}

{
    measure 'bare veth, TCP 1 stream' 192.0.2.2
    measure 'bare veth, TCP 4 streams' 192.0.2.2 -P 4
    measure 'bare veth, UDP 64 B' 192.0.2.2 -u -b 0 -l 64
    measure 'bare veth, UDP 1350 B' 192.0.2.2 -u -b 0 -l 1350
    start --encap
    measure 'ESP in UDP, TCP 1 stream' 10.2.0.1
    measure 'ESP in UDP, TCP 4 streams' 10.2.0.1 -P 4
    measure 'ESP in UDP, UDP 64 B' 10.2.0.1 -u -b 0 -l 64
    measure 'ESP in UDP, UDP 1350 B' 10.2.0.1 -u -b 0 -l 1350
    finish
    start
    measure 'ESP, TCP 1 stream' 10.2.0.1
    measure 'ESP, TCP 4 streams' 10.2.0.1 -P 4
    finish
} 2>/dev/null >&2

python3 - "$results" "$json" "$seconds" <<'PY'
import json, os, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
cpu = next((l.split(':', 1)[1].strip() for l in open('/proc/cpuinfo') if l.startswith('model name')), 'unknown')
about = {'cpu': cpu, 'cores': os.cpu_count(), 'kernel': os.uname().release, 'mtu': 1500, 'cipher': 'AES-256-GCM',
         'seconds': int(sys.argv[3])}
if sys.argv[2]:
    print(json.dumps({'about': about, 'results': rows}, indent=1))
    sys.exit()
print('{cpu}, {cores} cores for both ends, source and sink; Linux {kernel}; MTU {mtu}, {cipher}, {seconds} s each'.format(**about))
for r in rows:
    if 'error' in r:
        print(f"{r['name']:28} {r['error']}")
        continue
    extra = f"{r['packets_s'] / 1e3:8.0f} kpackets/s, {r['lost_percent']:.0f}% lost" if 'packets_s' in r else f"{r['retransmits']:8} retransmitted"
    if 'tunnelled_packets_s' in r:
        extra += f"; {r['tunnelled_packets_s'] / 1e3:.0f} kpackets/s came through the tunnel"
    print(f"{r['name']:28} {r['gbit_s']:7.2f} Gbit/s {extra}")
PY
