#!/usr/bin/env bash
# The data plane in user space between namespaces, without IKE: two ends with fixed keys (tests/tools/dp_pair.c).
#
#   n0 (10.1.0.0/16, fd00:1::/32) --- n2, a router --- n1 (10.2.0.0/16, fd00:2::/32)
#      192.0.2.1  2001:db8:1::1                198.51.100.1  2001:db8:2::1
#
# DP_ARGS="--workers 4" runs everything with other options.
. "$(dirname "$0")/lib.sh"
need root tun netns ip ping iperf3 tcpdump python3 nft
dp_pair=$test_build/tests/tools/dp_pair
need "$dp_pair"
test_begin dp 3

veth 0 2 192.0.2.1/24 192.0.2.254/24 2001:db8:1::1/64 2001:db8:1::fe/64
veth 1 2 198.51.100.1/24 198.51.100.254/24 2001:db8:2::1/64 2001:db8:2::fe/64
n2 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
n0 ip route add default via 192.0.2.254
n0 ip -6 route add default via 2001:db8:1::fe
n1 ip route add default via 198.51.100.254
n1 ip -6 route add default via 2001:db8:2::fe
n0 ip addr add 10.1.0.1/32 dev lo
n0 ip addr add fd00:1::1/128 dev lo
n1 ip addr add 10.2.0.1/32 dev lo
n1 ip addr add fd00:2::1/128 dev lo
wait_for 5 'the router forwards' quiet_ns 0 ping -c 1 -W 0.3 198.51.100.1
wait_for 5 'the router forwards v6' quiet_ns 0 ping -c 1 -W 0.3 2001:db8:2::1

nets_a=(--local-ts 10.1.0.0/16 --local-ts fd00:1::/32 --remote-ts 10.2.0.0/16 --remote-ts fd00:2::/32 --routes)
nets_b=(--local-ts 10.2.0.0/16 --local-ts fd00:2::/32 --remote-ts 10.1.0.0/16 --remote-ts fd00:1::/32 --routes)
outer4_a=(--local 192.0.2.1 --peer 198.51.100.1)
outer4_b=(--local 198.51.100.1 --peer 192.0.2.1)
outer6_a=(--local 2001:db8:1::1 --peer 2001:db8:2::1)
outer6_b=(--local 2001:db8:2::1 --peer 2001:db8:1::1)

# one SIDE nI ARGUMENTS...: starts an end; $a and $b are their pids.
one() {
    local side=$1 ns=$2
    shift 2
    rm -f "$test_tmp/fifo-$side"
    mkfifo "$test_tmp/fifo-$side"
    spawn "$side" "$ns" "$dp_pair" "-$side" --fifo "$test_tmp/fifo-$side" "$@" ${DP_ARGS:-}
}
up() {
    wait_for 5 'end a' logged "$a_log" '^ready' && wait_for 5 'end b' logged "$b_log" '^ready'
}
# Both ends stop, and without complaint (a sanitizer's, for example).
down() {
    local end log
    for end in a b; do
        log=${end}_log
        kill "${!end}"
        wait "${!end}" && continue
        fail "end $end stops cleanly" "code $?"
        tail -n 40 "${!log}" | sed 's/^/#   | /'
    done
}
tell() {
    printf '# [%s] %s\n' "$1" "${*:2}" >&2
    printf '%s\n' "${*:2}" >"$test_tmp/fifo-$1"
}
# counter SIDE NAME: its value now
counter() {
    local log=$1_log before
    before=$(grep -c '^counters' "${!log}")
    printf 'counters\n' >"$test_tmp/fifo-$1"
    wait_for 2 "counters of $1" more_counters "${!log}" "$before"
    grep '^counters' "${!log}" | tail -n 1 | tr ' ' '\n' | sed -n "s/^$2=//p"
}
more_counters() { [ "$(grep -c '^counters' "$1")" -gt "$2" ]; }
pings() { in_ns "$1" ping -c 3 -i 0.05 -W 1 "$2"; }
mtu_of_path() {
    ip -n "$test_prefix-2" link set w1 mtu "$1"
    ip -n "$test_prefix-1" link set w2 mtu "${2:-1500}"
}

test_carries() { # WHAT OUTER ENCAP
    local -n oa=$2_a ob=$2_b
    one a n0 "${oa[@]}" "${nets_a[@]}" $3
    one b n1 "${ob[@]}" "${nets_b[@]}" $3
    check "$1: both ends start" up
    check "$1: inner IPv4" pings 0 10.2.0.1
    check "$1: inner IPv6" pings 0 fd00:2::1
    check "$1: the other way" pings 1 10.1.0.1
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP" n0 iperf3 -c 10.2.0.1 -n 200M
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP over IPv6, reverse, 4 streams" n0 iperf3 -c fd00:2::1 -R -P 4 -n 100M
    is "$1: nothing was dropped on arrival" "$(counter b drops)" 0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
    down
}

# 4000 numbered datagrams a second; the sink's buffer is large enough for a machine with other work.
udp_source='
import socket, sys, time
s, n, t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), int(sys.argv[1]), time.monotonic()
for i in range(n):
    s.sendto(i.to_bytes(500, "big"), ("10.2.0.1", 7000))
    time.sleep(max(0, t + i / 4000 - time.monotonic()))
'
udp_sink='
import socket, sys
s, n, seen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), int(sys.argv[1]), set()
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24) # SO_RCVBUFFORCE
s.bind(("10.2.0.1", 7000))
s.settimeout(10)
try:
    while len(seen) < n:
        seen.add(s.recv(2048))
        s.settimeout(2)
except TimeoutError:
    pass
print(len(seen), "of", n)
'
# Numbers of packets that a flood ping lost while the SA is replaced 5 times, as IKE does it (RFC 7296 s2.8): the
# responder has the new SA on standby, the initiator uses it at once, then the old one goes.
test_rekey() { # WHAT ENCAP
    local i
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" $2
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" $2
    check "$1: both ends start" up
    pings 0 10.2.0.1 >/dev/null
    between "$1: the TUN's queue holds a burst" "$(n0 cat /sys/class/net/adit0/tx_queue_len)" 1000 2000
    # On a busy machine the kernel's queue in front of a worker that has to wait for the CPU would overflow.
    n0 ip link set adit0 txqueuelen 20000
    n1 ip link set adit0 txqueuelen 20000
    spawn sink n1 python3 -c "$udp_sink" 16000
    wait_for 5 'the sink listens' bound 1 7000
    spawn stream n0 python3 -c "$udp_source" 16000
    spawn flood n0 ping -q -i 0.002 -c 1500 -W 2 10.2.0.1
    for i in 2 3 4 5 6; do
        sleep 0.4
        tell b add $i replaces $((i - 1)) standby
        wait_for 2 "b has SA $i" logged "$b_log" "^added $i"
        tell a add $i replaces $((i - 1))
        wait_for 2 "b uses SA $i" logged "$b_log" "first-in id=$i"
        tell a del $((i - 1)) 1000
        tell b del $((i - 1)) 1000
    done
    wait "$flood" "$stream"
    is "$1: 5 changes of SA lose no ping" "$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' "$flood_log")" 0
    wait "$sink"
    is "$1: 5 changes of SA lose no datagram" "$(cat "$sink_log")" '16000 of 16000'
    check "$1: the last SA carried the traffic" logged "$a_log" '^deleted 5 packets_in=[1-9]'
    down
}

# Trains of tiny datagrams of one flow: what comes in together is more than the TUN takes as one UDP super-packet.
test_small_datagrams() {
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" --encap
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" --encap
    check 'tiny datagrams: both ends start' up
    pings 0 10.2.0.1 >/dev/null
    spawn sink n1 python3 -c "$udp_sink" 12800
    wait_for 5 'the sink listens' bound 1 7000
    in_ns 0 python3 - <<'PY'
import socket, time
s, n = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
s.setsockopt(socket.SOL_UDP, 103, 20) # UDP_SEGMENT
for burst in range(25):
    for train in range(8):
        s.sendto(b"".join((n + i).to_bytes(20, "big") for i in range(64)), ("10.2.0.1", 7000))
        n += 64
    time.sleep(0.02)
PY
    wait "$sink"
    is 'tiny datagrams: all arrive' "$(cat "$sink_log")" '12800 of 12800'
    is 'tiny datagrams: the TUN refused none' "$(counter b rx_errors)" 0
    down
}

# A router on the way has a smaller link. TCP's MSS is not clamped here, so that everything rests on ICMP.
test_path_mtu() { # WHAT OUTER ENCAP MTU INNER4
    local -n oa=$2_a ob=$2_b
    local told
    mtu_of_path 1500
    one a n0 "${oa[@]}" "${nets_a[@]}" $3 --no-clamp
    one b n1 "${ob[@]}" "${nets_b[@]}" $3 --no-clamp
    check "$1: both ends start" up
    pings 0 10.2.0.1 >/dev/null
    mtu_of_path "$4" "$4"
    quiet_ns 0 ip route flush cache
    quiet_ns 0 ping -c 2 -i 0.3 -W 0.3 -M do -s 1390 10.2.0.1 >/dev/null 2>&1
    quiet_ns 1 ping -c 2 -i 0.3 -W 0.3 -M do -s 1390 10.1.0.1 >/dev/null 2>&1 # the other end learns it from its own link
    between "$1: the router's word is taken" "$(counter a ptb_taken)" 1 10
    told=$(quiet_ns 0 ping -c 2 -i 0.2 -W 0.5 -M do -s 1390 10.2.0.1 2>&1 | sed -n 's/.*mtu *= *\([0-9]*\).*/\1/p' | head -n 1)
    is "$1: the sender learns the inner MTU" "$told" "$5"
    check "$1: exactly that fits" n0 ping -c 1 -W 1 -M do -s $(($5 - 28)) 10.2.0.1
    check "$1: without DF a longer packet is cut" n0 ping -c 2 -i 0.1 -W 1 -M dont -s 1400 10.2.0.1
    check "$1: IPv6 inside" n0 ping -c 5 -i 0.1 -W 1 -M want -s 1300 fd00:2::1
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP" n0 timeout 20 iperf3 -c 10.2.0.1 -n 20M
    down
    mtu_of_path 1500
    quiet_ns 0 ip route flush cache
    quiet_ns 1 ip route flush cache
}

# ICMP errors that anybody may forge (esp.md s6): quoted SPI and sequence number have to be ours, of late.
test_forged_ptb() {
    one a n0 "${outer4_a[@]}" "${nets_a[@]}"
    one b n1 "${outer4_b[@]}" "${nets_b[@]}"
    check 'forged PTB: both ends start' up
    pings 0 10.2.0.1 >/dev/null
    forge() { # SPI SEQ MTU
        in_ns 2 python3 - "$@" <<'PY'
import socket, struct, sys
spi, seq, mtu = (int(x, 0) for x in sys.argv[1:])
def csum(b):
    s = sum(struct.unpack('!%dH' % (len(b) // 2), b)); s = (s >> 16) + (s & 65535); return ~(s + (s >> 16)) & 65535
ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 1500, 0, 0x4000, 60, 50, 0, socket.inet_aton('192.0.2.1'), socket.inet_aton('198.51.100.1'))
ip = ip[:10] + struct.pack('!H', csum(ip)) + ip[12:]
body = ip + struct.pack('!II', spi, seq)
icmp = struct.pack('!BBHHH', 3, 4, 0, 0, mtu) + body
icmp = icmp[:2] + struct.pack('!H', csum(icmp)) + icmp[4:]
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(icmp, ('192.0.2.1', 0))
PY
    }
    forge 0x1234 1 1000
    sleep 0.2
    is 'forged PTB: unknown SPI is refused' "$(counter a ptb_refused) $(counter a ptb_taken)" '1 0'
    forge 0x1003 99999 1000
    sleep 0.2
    is 'forged PTB: a number never sent is refused' "$(counter a ptb_refused) $(counter a ptb_taken)" '2 0'
    forge 0x1003 2 68
    sleep 0.2
    is 'forged PTB: at most down to the floor' "$(quiet_ns 0 ping -c 1 -W 1 -M do -s 700 10.2.0.1 2>&1 | sed -n 's/.*mtu *= *\([0-9]*\).*/\1/p' | head -n 1)" 522
    check 'forged PTB: traffic goes on' n0 ping -c 1 -W 1 -M do -s $((522 - 28)) 10.2.0.1
    down
    quiet_ns 0 ip route flush cache
}

test_mss() {
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" --encap
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" --encap
    check 'MSS: both ends start' up
    spawn server n1 iperf3 -s
    wait_for 5 'iperf3 listens' listens 1 5201
    spawn dump n1 tcpdump -nlvi adit0 'tcp[tcpflags] & tcp-syn != 0 and not src net 10.2.0.0/16'
    wait_for 5 'tcpdump' logged "$dump_log" 'listening on'
    # As a host behind the gateway would, the sender offers what suits Ethernet.
    n0 ip route change 10.2.0.0/16 dev adit0 src 10.1.0.1 advmss 1460
    check 'MSS: TCP' n0 iperf3 -c 10.2.0.1 -n 1M
    check 'MSS: lowered to the tunnel in SYNs' wait_for 3 'the SYN in the capture' logged "$dump_log" 'mss 1398'
    refuse 'MSS: nothing else is seen' logged "$dump_log" 'mss 1460'
    between 'MSS: counted' "$(counter a mss_clamped)" 1 100
    stop "$server"
    stop "$dump"
    down
}

test_roaming() {
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" --encap
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" --encap
    check 'roaming: both ends start' up
    check 'roaming: before' pings 0 10.2.0.1
    n0 ip addr add 192.0.2.77/24 dev w2
    tell a local 192.0.2.77
    tell a path 1 198.51.100.1 4500
    wait_for 2 'a moves' logged "$a_log" 'path 1 set'
    quiet_ns 0 ping -c 2 -i 0.1 -W 0.2 10.2.0.1 >/dev/null
    check 'roaming: the new address is told' wait_for 2 'event path' logged "$b_log" 'event path id=1 .*from=192.0.2.77\[4500\]'
    tell b path 1 192.0.2.77 4500
    wait_for 2 'b follows' logged "$b_log" 'path 1 set'
    check 'roaming: after' pings 0 10.2.0.1
    n0 ip addr del 192.0.2.77/24 dev w2
    down
}

# The first packet raises ACQUIRE, waits, and is delivered once there is an SA.
test_trap() {
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" --encap --trap
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" --encap
    check 'trap: both ends start' up
    spawn first n0 ping -c 3 -i 0.1 -W 5 10.2.0.1
    check 'trap: ACQUIRE names the packet' wait_for 2 'event acquire' logged "$a_log" \
        'event acquire .*reqid=1 10.1.0.1/32.* === 10.2.0.1/32'
    sleep 0.5
    tell a add 1
    wait "$first"
    is 'trap: the waiting packets were sent' "$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' "$first_log")" 0
    is 'trap: one ACQUIRE' "$(grep -c 'event acquire' "$a_log")" 1
    down
}

test_ike() {
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" --encap
    one b n1 "${outer6_b[@]}" "${nets_b[@]}" --encap
    check 'IKE on the NAT-T port: both ends start' up
    tell a ike 198.51.100.1 4500 hello
    check 'IKE on the NAT-T port: arrives without marker' wait_for 2 'event ike' logged "$b_log" \
        'event ike .*from=192.0.2.1\[4500\] data=hello$'
    tell a keepalive 198.51.100.1 4500
    tell b local 2001:db8:2::1
    tell b ike 2001:db8:1::1 4500 six
    check 'IKE on the NAT-T port: IPv6' wait_for 2 'event ike' logged "$a_log" 'event ike .*2001:db8:2::1\[4500\] data=six$'
    is 'IKE on the NAT-T port: a keepalive is nothing' "$(grep -c 'event ike' "$b_log")" 1
    down
}

# The peer's own address lies inside what is tunnelled: our packets may not loop.
test_peer_inside() {
    one a n0 "${outer4_a[@]}" --local-ts 10.1.0.0/16 --remote-ts 0.0.0.0/0 --routes --encap
    one b n1 "${outer4_b[@]}" --local-ts 0.0.0.0/0 --remote-ts 10.1.0.0/16 --routes --encap
    check 'peer inside the tunnel: both ends start' up
    check 'peer inside the tunnel: traffic passes' pings 0 10.2.0.1
    is 'peer inside the tunnel: host route around it' "$(quiet_ns 0 ip route get 198.51.100.1 | grep -c 'via 192.0.2.254')" 1
    is 'peer inside the tunnel: everything else goes in' "$(quiet_ns 0 ip route get 203.0.113.9 | grep -c 'dev adit0')" 1
    down
    is 'peer inside the tunnel: the route is removed' "$(n0 ip route show 198.51.100.1)" ''
    # Host to host: the selector *is* the peer; only a mark can tell our packets.
    one a n0 "${outer4_a[@]}" --local-ts 192.0.2.1 --remote-ts 198.51.100.1 --routes --encap --mark 0x77 --table 220
    one b n1 "${outer4_b[@]}" --local-ts 198.51.100.1 --remote-ts 192.0.2.1 --routes --encap --mark 0x77 --table 220
    check 'host to host: both ends start' up
    check 'host to host: traffic passes' pings 0 198.51.100.1
    between 'host to host: through the tunnel' "$(counter b packets_in)" 3 100
    down
    is 'host to host: the rule is removed' "$(n0 ip rule | grep -c 220)" 0
    one a n0 "${outer4_a[@]}" --local-ts 192.0.2.1 --remote-ts 198.51.100.1 --routes --transport --mark 0x77 --table 220
    one b n1 "${outer4_b[@]}" --local-ts 198.51.100.1 --remote-ts 192.0.2.1 --routes --transport --mark 0x77 --table 220
    check 'transport mode: both ends start' up
    check 'transport mode: traffic passes' pings 0 198.51.100.1
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check 'transport mode: TCP' n0 timeout 20 iperf3 -c 198.51.100.1 -n 50M
    down
}

test_limits() {
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" --encap --soft-packets 5 --hard-packets 10 --inactivity 700
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" --encap
    check 'limits: both ends start' up
    quiet_ns 0 ping -c 12 -i 0.02 -W 0.2 10.2.0.1 >"$test_tmp/limits"
    check 'limits: soft' wait_for 2 'event soft' logged "$a_log" 'event soft id=1'
    check 'limits: hard' wait_for 2 'event hard' logged "$a_log" 'event hard id=1'
    between 'limits: nothing goes out beyond' "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$test_tmp/limits")" 1 10
    check 'limits: inactivity' wait_for 3 'event inactive' logged "$a_log" 'event inactive id=1'
    down
}

# sizes LOG: lengths of the outer packets that tcpdump -v saw, each once
# (several UDP datagrams of a train count as what each of them is: the virtual link does not cut them)
sizes() {
    sed -n 's/.*proto [A-Z]* ([0-9]*), length \([0-9]*\).*/\1/p' "$1" |
        awk -v one="$2" '{ print (($1 > one && ($1 - 28) % (one - 28) == 0) ? one : $1) }' | sort -n | uniq | tr '\n' ' '
}
# Whatever is sent, all that is seen outside has one length; what means nothing does not reach anybody.
test_padding() { # WHAT ENCAP LENGTH FILTER
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" $2 --tfc mtu --dummies 200 --inactivity 1500
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" $2 --tfc mtu
    check "$1: both ends start" up
    pings 0 10.2.0.1 >/dev/null
    spawn dump n2 tcpdump -nvli w0 "$4 and src 192.0.2.1"
    wait_for 5 'tcpdump' logged "$dump_log" 'listening on'
    sleep 1
    check "$1: small packets" n0 ping -c 20 -i 0.01 -W 1 -s 20 10.2.0.1
    check "$1: large packets" n0 ping -c 20 -i 0.01 -W 1 -s 1300 fd00:2::1
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP" n0 iperf3 -c 10.2.0.1 -n 5M
    stop "$dump"
    is "$1: one length outside" "$(sizes "$dump_log" "$3")" "$3 "
    tell b stats 1
    wait_for 2 'stats' logged "$b_log" '^stats 1'
    between "$1: dummies came" "$(sed -n 's/^stats 1 .*dummies_in=\([0-9]*\) .*/\1/p' "$b_log")" 150 2000
    is "$1: and are nobody's errors" "$(sed -n 's/^stats 1 .*errors_in=\([0-9]*\) .*/\1/p' "$b_log")" 0
    check "$1: dummies are no activity" wait_for 4 'event inactive' logged "$a_log" 'event inactive id=1'
    down
}

# stat SIDE NAME: of SA 1, now
stat() {
    local log=$1_log before
    before=$(grep -c '^stats 1' "${!log}")
    printf 'stats 1\n' >"$test_tmp/fifo-$1"
    wait_for 2 "stats of $1" more_stats "${!log}" "$before"
    grep '^stats 1' "${!log}" | tail -n 1 | tr ' ' '\n' | sed -n "s/^$2=//p"
}
more_stats() { [ "$(grep -c '^stats 1' "$1")" -gt "$2" ]; }

# Inner packets as a stream (RFC 9347), on demand: long ones need no path that takes them, short ones share a payload.
test_stream() { # WHAT OUTER ENCAP ARGS
    local -n oa=$2_a ob=$2_b
    one a n0 "${oa[@]}" "${nets_a[@]}" $3 --stream ${4:-}
    one b n1 "${ob[@]}" "${nets_b[@]}" $3 --stream ${4:-}
    check "$1: both ends start" up
    check "$1: inner IPv4" pings 0 10.2.0.1
    check "$1: inner IPv6" pings 0 fd00:2::1
    check "$1: what is longer than the path takes" n0 ping -c 3 -i 0.05 -W 1 -M do -s $((${5:-1500} - 28)) 10.2.0.1
    check "$1: many short ones" n0 ping -q -f -c 2000 -l 50 -s 20 10.2.0.1
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP" n0 timeout 60 iperf3 -c 10.2.0.1 -n 50M
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP over IPv6, reverse" n0 timeout 60 iperf3 -c fd00:2::1 -R -n 20M
    is "$1: no errors" "$(stat b errors_in) $(stat a errors_in)" '0 0'
    down
}

# rates LOG: packets of each whole second but the first and the last, the lowest and the highest
rates() { awk '{ n[substr($1, 1, 8)]++ } END { for (s in n) print s, n[s] }' "$1" | sort | sed '1d;$d' | awk '{ print $2 }' | sort -n | sed -n '1p;$p' | tr '\n' ' '; }
# Idle or loaded, the same packets at the same times.
test_constant_rate() { # WHAT ENCAP SIZE FILTER
    local rates
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" $2 --stream --rate 500 --size "$3" --inactivity 20000
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" $2 --stream --rate 500 --size "$3"
    check "$1: both ends start" up
    spawn dump n2 tcpdump -nvli w0 "$4 and src 192.0.2.1"
    spawn times n2 tcpdump -nqli w0 "$4 and src 192.0.2.1"
    wait_for 5 'tcpdump' logged "$dump_log" 'listening on' && wait_for 5 'tcpdump' logged "$times_log" 'listening on'
    sleep 3.2
    check "$1: ping" n0 ping -c 10 -i 0.02 -W 2 -s 1000 10.2.0.1
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP" n0 timeout 30 iperf3 -c 10.2.0.1 -t 3
    sleep 1.2
    stop "$dump"
    stop "$times"
    is "$1: one length outside" "$(sizes "$dump_log" "$3")" "$3 "
    rates=$(rates <(grep '^[0-9][0-9]:' "$times_log"))
    between "$1: the lowest rate ($rates)" "${rates%% *}" 450 505
    rates=${rates#* }
    between "$1: the highest rate" "${rates%% *}" 450 550
    between "$1: payloads of padding" "$(stat b dummies_in)" 500 100000
    is "$1: no errors" "$(stat b errors_in)" 0
    down
}

# Packets without DF that are too long: who cuts them, and what DF the outer packets have.
test_fragments() { # WHAT ARGS PING FRAGMENTS-OF
    one a n0 "${outer4_a[@]}" "${nets_a[@]}" $2
    one b n1 "${outer4_b[@]}" "${nets_b[@]}" $2
    check "$1: both ends start" up
    pings 0 10.2.0.1 >/dev/null
    spawn outer n2 tcpdump -nvli w0 'src 192.0.2.1'
    spawn inner n1 tcpdump -nvli adit0 'src 10.1.0.1'
    wait_for 5 'tcpdump' logged "$outer_log" 'listening on' && wait_for 5 'tcpdump' logged "$inner_log" 'listening on'
    check "$1: a long packet arrives" n0 ping -c 3 -i 0.1 -W 1 $3 10.2.0.1
    sleep 0.2
    stop "$outer"
    stop "$inner"
    is "$1: fragments inside" "$(grep -c 'offset [1-9]' "$inner_log" | sed 's/[1-9][0-9]*/yes/')" "$4"
    is "$1: fragments outside" "$(grep -c 'offset [1-9]' "$outer_log" | sed 's/[1-9][0-9]*/yes/')" "$5"
    is "$1: DF outside" "$(grep -c 'flags \[DF\]' "$outer_log" | sed 's/[1-9][0-9]*/yes/')" "$6"
    down
}

test_carries 'ESP in UDP over IPv4' outer4 --encap
test_carries 'ESP over IPv4' outer4 ''
test_carries 'ESP in UDP over IPv6' outer6 --encap
test_carries 'ESP over IPv6' outer6 ''
test_rekey 'rekey, in UDP' --encap
test_rekey 'rekey, raw' ''
test_small_datagrams
test_path_mtu 'path MTU 1400, in UDP' outer4 --encap 1400 1338
test_path_mtu 'path MTU 1400, raw' outer4 '' 1400 1346
test_path_mtu 'path MTU 1280, raw IPv6' outer6 '' 1280 1206
test_path_mtu 'path MTU 1350, in UDP over IPv6' outer6 --encap 1350 1266
test_padding 'padding and dummies, raw' '' 1500 'ip proto 50'
test_padding 'padding and dummies, in UDP' --encap 1500 'udp port 4500'
for encap in '' --encap; do
    test_fragments "cut before encryption $encap" "$encap" '-M dont -s 1472' yes 0 0
    test_fragments "cut after encryption $encap" "$encap --cut-after" '-M dont -s 1472' 0 yes 0
    test_fragments "DF copied $encap" "$encap" '-M do -s 1000' 0 0 yes
    test_fragments "DF set $encap" "$encap --df set" '-M dont -s 1000' 0 0 yes
    test_fragments "DF cleared $encap" "$encap --df clear" '-M do -s 1000' 0 0 0
done
test_stream 'stream, raw' outer4 ''
test_stream 'stream, in UDP' outer4 --encap
test_stream 'stream over IPv6, small packets' outer6 '' '--size 700'
test_stream 'stream that waits for company' outer4 --encap '--delay 2000'
test_stream 'stream of whole packets' outer4 '' --whole 1440
test_constant_rate 'constant rate, raw' '' 1000 'ip proto 50'
test_constant_rate 'constant rate, in UDP' --encap 1200 'udp port 4500'
test_forged_ptb
test_mss
test_roaming
test_trap
test_ike
test_peer_inside
test_limits
is 'no TUN is left' "$(quiet_ns 0 ip -o link | grep -c adit)" 0
test_end
