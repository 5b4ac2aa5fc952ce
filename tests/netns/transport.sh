#!/usr/bin/env bash
# Transport mode between two hosts: their own traffic, to each other's own address, is what ESP carries; first on one
# link, then with a NAT (nftables, in a namespace between) in front of the client. Policy routing (fwmark, route_table)
# leads the hosts' packets into the TUN and keeps IKE and ESP out of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping iperf3 nft python3 tcpdump "$aditd" "$adit_tool"
test_begin transport 3
settings='  fwmark = 119
  route_table = 220'

host() { # ID PEER_ID ADDRESSES...
    printf 'connections {\n host {\n%s\n' "${*:3}"
    printf '  proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768\n'
    printf '  local {\n   auth = psk\n   id = %s\n  }\n  remote {\n   auth = psk\n   id = %s\n  }\n' "$1" "$2"
    printf '  children {\n   net {\n    mode = transport\n    esp_proposals = aes256gcm16-x25519\n   }\n  }\n }\n}\n'
    printf 'secrets {\n ike {\n  secret = "a secret of both"\n }\n}\n'
}
traffic() { # WORDS I FROM J TO: real TCP and UDP between two hosts, in both directions
    check "$1: ping" in_ns "$2" ping -q -c 5 -i 0.1 -W 2 "$5"
    spawn server "n$4" iperf3 -s
    wait_for 5 'iperf3 listens' listens "$4" 5201
    check "$1: TCP there" in_ns "$2" timeout 20 iperf3 -c "$5" -n 20M
    check "$1: TCP back" in_ns "$2" timeout 20 iperf3 -R -c "$5" -n 20M
    in_ns "$2" timeout 20 iperf3 -J -u -b 20M -l 1200 -w 2M -c "$5" -t 2 >"$test_tmp/udp.json"
    is "$1: UDP datagrams lost" "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["end"]["sum"]["lost_packets"])' "$test_tmp/udp.json")" 0
    stop "$server"
}
sees_only_esp() { # I DEV FILTER COMMAND...: nothing but ESP and IKE is on the wire meanwhile
    local i=$1 dev=$2
    shift 2
    spawn wire "n$i" tcpdump -lni "$dev" 'not arp and not icmp6 and not esp and not udp port 500 and not udp port 4500'
    wait_for 5 'tcpdump listens' logged "$wire_log" 'listening on'
    "$@" >/dev/null 2>&1
    stop "$wire"
    ! grep -E '^[0-9:.]+ IP' "$wire_log"
}

say 'on one link'
veth 0 1 192.0.2.1/24 192.0.2.2/24 2001:db8::1/64 2001:db8::2/64
gateway 0 < <(host a.example b.example 'remote_addrs = 192.0.2.2')
gateway 1 < <(host b.example a.example 'local_addrs = 192.0.2.2')
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
is 'transport mode' "$(sa_fact 0 'child-sas.*.mode') $(sa_fact 1 'child-sas.*.mode')" 'TRANSPORT TRANSPORT'
is 'ESP is not in UDP' "$(sa_fact 0 'child-sas.*.encap')" ''
traffic 'plain' 0 192.0.2.1 1 192.0.2.2
check 'nothing else on the wire' sees_only_esp 0 w1 quiet_ns 0 ping -q -c 3 -i 0.1 -W 2 192.0.2.2
before=$(sa_fact 0 'child-sas.*.spi-in')
adit 1 rekey --child net
check 'a new Child SA' wait_for 5 'a new inbound SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != "$before" ]'
check 'after rekeying: ping' n0 ping -q -c 3 -i 0.1 -W 2 192.0.2.2
# The peer's address leads into the TUN, so that by strict reverse path filtering its ESP comes from the wrong device.
n0 sysctl -qw net.ipv4.conf.w1.rp_filter=1
refuse 'strict rp_filter drops ESP' n0 ping -q -c 1 -W 1 192.0.2.2
n0 sysctl -qw net.ipv4.conf.w1.rp_filter=2
check 'loose rp_filter does not' n0 ping -q -c 3 -i 0.1 -W 2 192.0.2.2
n0 sysctl -qw net.ipv4.conf.w1.rp_filter=0
check 'adit terminate' adit 0 terminate --ike host --timeout 8
check 'in the clear again, as nothing forbids it' wait_for 5 'a ping passes' quiet_ns 0 ping -q -c 1 -W 1 192.0.2.2
stop "$gw0"
stop "$gw1"
ip -n "$test_prefix-0" link del w1

say 'over IPv6'
veth 0 1 192.0.2.1/24 192.0.2.2/24 2001:db8::1/64 2001:db8::2/64
gateway 0 < <(host a.example b.example 'remote_addrs = 2001:db8::2')
gateway 1 < <(host b.example a.example 'local_addrs = 2001:db8::2')
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
traffic 'IPv6' 0 2001:db8::1 1 2001:db8::2
stop "$gw0"
stop "$gw1"
ip -n "$test_prefix-0" link del w1

say 'the client behind a NAT'
veth 0 2 192.168.1.2/24 192.168.1.1/24
veth 2 1 203.0.113.1/24 203.0.113.2/24
ip -n "$test_prefix-0" route add default via 192.168.1.1
n2 sysctl -qw net.ipv4.ip_forward=1
if printf 'table ip nat {\n chain post {\n  type nat hook postrouting priority 100;\n  oifname "w1" masquerade\n }\n}\n' |
    quiet_ns 2 nft -f -; then
    gateway 0 < <(host a.example b.example 'remote_addrs = 203.0.113.2')
    gateway 1 < <(host b.example a.example 'local_addrs = 203.0.113.2')
    check 'adit initiate' adit 0 initiate --child net --timeout 10
    check 'the other side is up' wait_for 5 'n1 is up' is_up 1
    is 'transport mode' "$(sa_fact 0 'child-sas.*.mode') $(sa_fact 1 'child-sas.*.mode')" 'TRANSPORT TRANSPORT'
    is 'ESP in UDP' "$(sa_fact 0 'child-sas.*.encap') $(sa_fact 1 'child-sas.*.encap')" 'yes yes'
    is 'selectors of the client' "$(sa_fact 0 'child-sas.*.local-ts') $(sa_fact 0 'child-sas.*.remote-ts')" '192.168.1.2/32 203.0.113.2/32'
    is 'selectors of the server' "$(sa_fact 1 'child-sas.*.local-ts') $(sa_fact 1 'child-sas.*.remote-ts')" '203.0.113.2/32 203.0.113.1/32'
    traffic 'NAT' 0 192.168.1.2 1 203.0.113.2
    check 'nothing else on the wire' sees_only_esp 1 w2 quiet_ns 0 ping -q -c 3 -i 0.1 -W 2 203.0.113.2
    before=$(sa_fact 0 'child-sas.*.spi-in')
    adit 1 rekey --child net
    check 'rekeyed by the server' wait_for 5 'a new inbound SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != "$before" ]'
    check 'after rekeying: ping' n0 ping -q -c 3 -i 0.1 -W 2 203.0.113.2
else
    skip 'NAT' 'nftables has no masquerade in this kernel'
fi
test_end
