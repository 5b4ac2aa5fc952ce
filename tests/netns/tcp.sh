#!/usr/bin/env bash
# IKE and ESP by TCP (RFC 9329): a firewall that lets no UDP through, connections that are cut under a running stream, a
# listener on another port, strangers at the door, and what tshark makes of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip tc ping ss iperf3 nft python3 "$aditd" "$adit_tool"
test_begin tcp 2
veth 0 1 192.0.2.1/24 192.0.2.2/24 2001:db8::1/64 2001:db8::2/64
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done

connections() { # LOCAL REMOTE ID PEER ADDRESS [OPTION...]
    cat <<CONF
connections {
  gw {
    remote_addrs = $5
    proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768
$(printf '    %s\n' "${@:6}")
    local {
      auth = psk
      id = $3
    }
    remote {
      auth = psk
      id = $4
    }
    children {
      net {
        local_ts = $1
        remote_ts = $2
        esp_proposals = aes256gcm16-x25519
        esp_transport = ${esp_transport:-any}
      }
    }
  }
}
secrets {
  ike {
    secret = "a secret of both"
  }
}
CONF
}
client() { connections 10.0.0.0/16 10.1.0.0/16 client.example gateway.example "$@"; }
server() { connections 10.1.0.0/16 10.0.0.0/16 gateway.example client.example %any "$@"; }
reload() { # I, connections on stdin
    cat >"$test_tmp/$1/swanctl.conf"
    adit "$1" load >/dev/null
}
passes() { quiet_ns 0 ping -q -c 2 -i 0.1 -W 1 -I 10.0.0.1 10.1.0.1; }
connected() { [ -n "$(quiet_ns 0 ss -Htn state established "dport = :${1:-4500}")" ]; }
# Of one tunnel: the client's port.
port_of() { quiet_ns 0 ss -Htn state established 'dport = :4500' | awk '{ sub(/.*:/, "", $3); print $3 }'; }
block() {
    printf 'flush ruleset\ntable inet f {\n chain in {\n  type filter hook input priority 0;\n  %s\n }\n}\n' "$1" |
        quiet_ns 1 nft -f -
}
# Of who opened it, of the other end, or by somebody between them: what crosses is answered with a reset.
reset() { # ROUND
    case $1 in
    1) quiet_ns 0 ss -K dport = :4500 >/dev/null 2>&1 ;;
    2) quiet_ns 1 ss -K sport = :4500 >/dev/null 2>&1 ;;
    *) block 'tcp dport 4500 tcp flags & syn == 0 reject with tcp reset' && sleep 0.3 && block '' ;;
    esac
}
down() {
    adit 0 terminate --ike gw --timeout 8 >/dev/null
    wait_for 5 'both are down' eval 'has_no_sa 0 && has_no_sa 1'
}

gateway 0 < <(client 192.0.2.2 'ike_transport = tcp')
gateway 1 < <(server)

say 'TCP from the start'
check 'somebody listens' wait_for 5 'TCP port 4500' listens 1 4500
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'connected' connected
is 'both know' "$(sa_fact 0 transport) $(sa_fact 1 transport)" 'tcp tcp'
quiet_ns 0 nft add table inet count
quiet_ns 0 nft 'add chain inet count out { type filter hook output priority 0; }'
quiet_ns 0 nft add rule inet count out ip protocol != tcp ip daddr 192.0.2.2 counter
check 'ping' passes
check 'ping from the other side' n1 ping -q -c 3 -i 0.1 -W 1 -I 10.1.0.1 10.0.0.1
is 'nothing but TCP has left' "$(quiet_ns 0 nft list table inet count | grep -o 'packets [0-9]*')" 'packets 0'

say 'much of it'
spawn server n1 iperf3 -s
check 'iperf3 listens' wait_for 5 'iperf3 listens' listens 1 5201
n0 iperf3 -J -c 10.1.0.1 -B 10.0.0.1 -t 2 >"$test_tmp/up.json"
n0 iperf3 -J -R -c 10.1.0.1 -B 10.0.0.1 -t 2 >"$test_tmp/down.json"
rate() { python3 -c 'import json,sys; print(int(json.load(open(sys.argv[1]))["end"]["sum_received"]["bits_per_second"] / 1e6))' "$1"; }
between 'Mbit/s there' "$(rate "$test_tmp/up.json")" 20 100000
between 'Mbit/s back' "$(rate "$test_tmp/down.json")" 20 100000
n0 iperf3 -J -u -b 3G -l 1300 -c 10.1.0.1 -B 10.0.0.1 -t 2 >"$test_tmp/udp.json"
before=$(sa_fact 0 initiator-spi)
adit 0 rekey --ike gw
check 'after more than it can carry IKE gets through' wait_for 5 'a new IKE SA' eval '[ "$(sa_fact 0 initiator-spi)" != "$before" ]'
check 'ping' passes

say 'rekeying'
before=$(sa_fact 0 'child-sas.*.spi-in')
adit 1 rekey --child net
check 'a new Child SA' wait_for 5 'a new inbound SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != "$before" ]'
check 'ping' passes

say 'the connection is killed under a ping'
spawn stream n0 ping -i 0.05 -I 10.0.0.1 10.1.0.1
sleep 0.5
for round in 1 2 3; do
    old=$(port_of)
    reset "$round"
    check "a new one ($round)" wait_for 5 'a new connection' eval '[ -n "$(port_of)" ] && [ "$(port_of)" != "$old" ]'
    check "the peer follows ($round)" wait_for 5 'the new port' eval '[ "$(sa_fact 1 remote-port)" = "$(port_of)" ]'
    sleep 0.5
done
kill -INT "$stream"
wait "$stream" 2>/dev/null
lost=$(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$stream_log" | awk '{ print $1 - $2 }')
between 'packets lost' "$lost" 0 20
is 'one IKE SA all the time' "$(sa_count 0) $(sa_count 1)" '1 1'
check 'ping' passes
down
check 'closed' wait_for 12 'no connection is left' eval '! connected'

say 'UDP is blocked'
reload 0 < <(client 192.0.2.2 'ike_transport = auto' 'tcp_fallback_after = 1')
if block 'udp dport { 500, 4500 } drop'; then
    check 'adit initiate' adit 0 initiate --child net --timeout 30
    is 'by TCP' "$(sa_fact 0 transport)" tcp
    check 'ping' passes
    down
    block ''
else skip 'a firewall' 'no nftables here'; fi
check 'adit initiate' adit 0 initiate --child net --timeout 10
is 'by UDP where it works' "$(sa_fact 0 transport)" ''
check 'ping' passes
down

say 'UDP dies under a tunnel, and lives again in the next network'
n0 sysctl -qw net.ipv4.conf.w1.promote_secondaries=1
reload 0 < <(client 192.0.2.2 'ike_transport = auto' 'tcp_fallback_after = 1' 'dpd_delay = 1s')
check 'adit initiate' adit 0 initiate --child net --timeout 10
before=$(sa_fact 0 initiator-spi)
by_tcp() { [ "$(sa_fact 0 transport)/$(sa_fact 1 transport)" = tcp/tcp ]; }
by_udp() { [ "$(sa_fact 0 transport)/$(sa_fact 1 transport)" = / ]; }
if block 'udp dport { 500, 4500 } drop'; then
    check 'it goes on by TCP' wait_for 20 'TCP' by_tcp
    check 'ping' passes
    is 'ESP too' "$(sa_fact 0 'child-sas.*.esp-transport') $(sa_fact 1 'child-sas.*.esp-transport')" 'tcp tcp'
    move() { ip -n "$test_prefix-0" addr add "$2/24" dev w1 && ip -n "$test_prefix-0" addr del "$1/24" dev w1; }
    move 192.0.2.1 192.0.2.11
    check 'from another address, still by TCP' wait_for 20 'the new address' \
        eval '[ "$(sa_fact 0 transport)/$(sa_fact 1 remote-host)" = tcp/192.0.2.11 ]'
    check 'ping' passes
    block ''
    move 192.0.2.11 192.0.2.1
    check 'by UDP where it works' wait_for 20 'UDP' by_udp
    check 'ping' passes
    check 'the connection is closed' wait_for 12 'no connection' eval '! connected'
    is 'one IKE SA all the time' "$(sa_count 0) $(sa_count 1) $(sa_fact 0 initiator-spi)" "1 1 $before"
else skip 'a firewall' 'no nftables here'; fi
down

say 'cut in the middle of a megabyte'
reload 0 < <(client 192.0.2.2 'ike_transport = tcp' |
    sed 's/ke1_mlkem768/ke1_mceliece6688128f/')
sed -i 's/ke1_mlkem768/ke1_mlkem768, aes256gcm16-prfsha384-x25519-ke1_mceliece6688128f/' "$test_tmp/1/swanctl.conf"
adit 1 load >/dev/null
if tc -n "$test_prefix-0" qdisc add dev w1 root tbf rate 4mbit burst 16kb latency 400ms 2>/dev/null; then
    spawn calls n0 "$adit_tool" --socket "$test_tmp/0/vici" initiate --child net --timeout 30
    check 'it is under way' wait_for 10 'a part of it' eval '[ "$(quiet_ns 0 ss -Htin state established "dport = :4500" | grep -o "bytes_acked:[0-9]*" | cut -d: -f2 | sort -n | tail -n 1)" -gt 200000 ]'
    old=$(port_of)
    reset 3
    check 'another connection' wait_for 10 'a new connection' eval '[ -n "$(port_of)" ] && [ "$(port_of)" != "$old" ]'
    check 'and all of it arrives' wait_for 30 'a tunnel' eval 'is_up 0 && is_up 1'
    wait "$calls" 2>/dev/null
    tc -n "$test_prefix-0" qdisc del dev w1 root
    check 'ping' passes
    down
else skip 'a slow link' 'no tbf in this kernel'; fi

say 'IPv6'
reload 0 < <(client 2001:db8::2 'ike_transport = tcp')
check 'adit initiate' adit 0 initiate --child net --timeout 10
is 'by TCP' "$(sa_fact 0 transport) $(sa_fact 0 remote-host)" 'tcp 2001:db8::2'
check 'ping' passes
down

say 'a way that takes 600 octets and loses IP fragments'
reload 0 < <(client 192.0.2.2 'ike_transport = udp')
no_fragments() { # I: before the kernel puts them together again
    printf 'table ip pieces {\n chain pre {\n  type filter hook prerouting priority -450;\n  ip frag-off & 0x3fff != 0 drop\n }\n}\n' |
        quiet_ns "$1" nft -f -
}
if no_fragments 0 && no_fragments 1; then
    ip -n "$test_prefix-0" link set w1 mtu 600
    ip -n "$test_prefix-1" link set w0 mtu 600
    check 'adit initiate' adit 0 initiate --child net --timeout 40
    is 'by smaller fragments' "$(sa_fact 0 fragment-size) $(sa_fact 1 fragment-size)" '576 576'
    check 'ping' passes
    before=$(sa_fact 0 initiator-spi)
    adit 1 rekey --ike gw
    check 'the other end has learned it' wait_for 3 'a new IKE SA' eval '[ "$(sa_fact 0 initiator-spi)" != "$before" ]'
    down
    ip -n "$test_prefix-0" link set w1 mtu 1500
    ip -n "$test_prefix-1" link set w0 mtu 1500
    for i in 0 1; do quiet_ns "$i" nft delete table ip pieces; done
else skip 'IP fragments' 'no nftables here'; fi

say 'ESP goes another way'
reload 0 < <(client 192.0.2.2 'ike_transport = tcp' 'septransport = yes')
check 'adit initiate' adit 0 initiate --child net --timeout 10
is 'both know' "$(sa_fact 0 transport) $(sa_fact 0 separate-transports) $(sa_fact 1 separate-transports)" 'tcp yes yes'
check 'ping' passes
spawn stream n0 ping -i 0.05 -I 10.0.0.1 10.1.0.1
sleep 0.5
old=$(port_of)
reset 1
check 'a new connection' wait_for 5 'a new connection' eval '[ -n "$(port_of)" ] && [ "$(port_of)" != "$old" ]'
check 'the peer follows' wait_for 5 'the new port' eval '[ "$(sa_fact 1 remote-port)" = "$(port_of)" ]'
sleep 0.5
kill -INT "$stream"
wait "$stream" 2>/dev/null
is 'ESP did not notice' "$(grep -o '[0-9.]*% packet loss' "$stream_log")" '0% packet loss'
down
nat() { printf 'flush ruleset\ntable ip nat {\n chain post {\n  type nat hook postrouting priority 100;\n %s\n }\n}\n' "$1" | quiet_ns 0 nft -f -; }
ip -n "$test_prefix-0" addr add 192.0.2.9/24 dev w1
if nat 'oifname "w1" ip protocol udp snat to 192.0.2.9:20000-29999; oifname "w1" ip protocol tcp snat to 192.0.2.9:30000-39999;'; then
    check 'adit initiate' adit 0 initiate --child net --timeout 10
    is 'we know that we are behind a NAT' "$(sa_fact 0 nat-local)/$(sa_fact 1 nat-remote)" yes/yes
    is 'ESP in UDP' "$(sa_fact 0 'child-sas.*.encap') $(sa_fact 1 'child-sas.*.encap')" 'yes yes'
    check 'the outer side speaks once it knows where to' wait_for 5 'ping from outside' \
        quiet_ns 1 ping -q -c 1 -W 1 -I 10.1.0.1 10.0.0.1
    check 'ping' passes
    down
    quiet_ns 0 nft flush ruleset
else skip 'NAT' 'nftables has no NAT in this kernel'; fi
ip -n "$test_prefix-0" addr del 192.0.2.9/24 dev w1

say 'ESP goes as its Child SA wants'
way() { echo "$(sa_fact 0 transport)/$(sa_fact 0 'child-sas.*.esp-transport')/$(sa_fact 1 'child-sas.*.esp-transport')"; }
for row in udp/raw udp/udp tcp/raw tcp/udp tcp/tcp; do
    esp_transport=${row#*/}
    reload 0 < <(client 192.0.2.2 "ike_transport = ${row%/*}")
    check "adit initiate ($row)" adit 0 initiate --child net --timeout 10
    is "as wanted ($row)" "$(way)" "$([ "${row%/*}" = udp ] || echo tcp)/${row#*/}/${row#*/}"
    check "ping ($row)" wait_for 5 'ping' passes
    down
done
esp_transport=tcp
reload 0 < <(client 192.0.2.2 'ike_transport = auto')
refuse 'no Child SA rather than another way' adit 0 initiate --child net --timeout 10
check 'with the reason' grep -q 'esp_transport = tcp, but IKE goes by UDP' "$test_tmp/gw0.log"
adit 0 terminate --ike gw --timeout 8 >/dev/null
client 192.0.2.2 'ike_transport = udp' >"$test_tmp/0/swanctl.conf"
adit 0 load >"$test_tmp/said" 2>&1
check 'what contradicts itself is not loaded' grep -q 'esp_transport = tcp contradicts ike_transport = udp' "$test_tmp/said"
esp_transport=

say 'strangers'
reload 0 < <(client 192.0.2.2 'ike_transport = tcp')
quiet_ns 0 python3 - <<'PY' >"$test_tmp/strangers" || true
import socket
def ask(data):
    s = socket.create_connection(("192.0.2.2", 4500)); s.settimeout(3)
    s.sendall(data)
    try: got = s.recv(100)
    except (ConnectionResetError, BrokenPipeError): got = b""
    except socket.timeout: got = None
    return got == b""
print(ask(b"GET / HTTP/1.0\r\n\r\n"), ask(b"IKETCP\0\0"), ask(b"IKETCP\0\1"), ask(b"IKETCP" + b"\0\3\1" * 200))
loris = [socket.create_connection(("192.0.2.2", 4500)) for i in range(50)]
for s in loris:
    try: s.send(b"IKE")
    except OSError: pass
print(len(loris))
PY
is 'who lies about frames is cut off' "$(head -n 1 "$test_tmp/strangers")" 'True True True True'
check 'others get in' adit 0 initiate --child net --timeout 10
check 'ping' passes
down

say 'another port'
stop "$gw1"
sed -i 's/^adit {/adit {\n  tcp_ports = 443, 4500/' "$test_tmp/1/adit.conf"
gateway_start 1
reload 0 < <(client 192.0.2.2 'ike_transport = tcp' 'tcp_port = 443')
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'connected' connected 443
check 'ping' passes
down

say 'what tshark sees'
unframe='
import struct, sys
ends = {}
for line in sys.stdin:
    port, _, octets = line.rstrip("\n").partition("\t")
    ends.setdefault("4500" if port == "4500" else "client", bytearray()).extend(bytes.fromhex(octets))
prefix = ends["client"][:6]; del ends["client"][:6]
out = open(sys.argv[1], "wb")
out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
for who, data in ends.items():
    while len(data) >= 2 and len(data) >= (n := struct.unpack(">H", data[:2])[0]) >= 2:
        body = bytes(data[2:n]); del data[:n]
        udp = struct.pack(">HHHH", 4500, 4500, 8 + len(body), 0) + body
        ip = struct.pack(">BBHHHBBHII", 69, 0, 20 + len(udp), 0, 0, 64, 17, 0, 1 + (who == "client"), 2) + udp
        out.write(struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip)
print("prefix", prefix.hex() + ", rest", *(len(d) for d in ends.values()))
'
if command -v tshark >/dev/null; then
    reload 0 < <(client 192.0.2.2 'ike_transport = tcp')
    spawn shark n0 tshark -q -i w1 -w "$test_tmp/tcp.pcap" -f 'tcp port 4500'
    wait_for 10 'tshark captures' logged "$test_tmp/shark.log" Capturing
    sleep 0.5
    adit 0 initiate --child net --timeout 10 >/dev/null
    passes
    down
    sleep 0.5
    stop "$shark"
    # Debian 12's tshark does not know RFC 9329 (its "tcpencap" is a vendor's): the frames become datagrams of port 4500.
    tshark -r "$test_tmp/tcp.pcap" -T fields -e tcp.srcport -e tcp.payload 2>/dev/null |
        python3 -c "$unframe" "$test_tmp/udp.pcap" >"$test_tmp/frames"
    is 'one prefix, and frames without rest' "$(cat "$test_tmp/frames")" 'prefix 494b45544350, rest 0 0'
    tshark -r "$test_tmp/udp.pcap" -T fields -e isakmp.exchangetype -e esp.spi -e _ws.malformed 2>/dev/null >"$test_tmp/fields"
    for x in 34 43 35 37; do check "exchange $x there and back" [ "$(grep -c "^$x" "$test_tmp/fields")" -ge 2 ]; done
    is 'ESP there and back' "$(grep -c '0x[0-9a-f]' "$test_tmp/fields")" 4
    refuse 'nothing malformed' grep -qi malformed "$test_tmp/fields"
else skip 'tshark' 'not there'; fi
test_end
