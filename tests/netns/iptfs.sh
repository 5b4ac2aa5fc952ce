#!/usr/bin/env bash
# What gateways agree on about their ESP packets, from the configuration to the wire: streams of inner packets (mode = iptfs),
# on demand and at a constant rate, through rekeyings; a side that does not want it; padding; transforms that only
# authenticate.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping iperf3 python3 tcpdump "$aditd" "$adit_tool"
test_begin iptfs 2
settings=''

gate() { # ID PEER_ID ADDRESSES LOCAL_TS REMOTE_TS CHILD...
    printf 'connections {\n host {\n  %s\n' "$3"
    printf '  proposals = aes256gcm16-prfsha384-x25519\n'
    printf '  local {\n   auth = psk\n   id = %s\n  }\n  remote {\n   auth = psk\n   id = %s\n  }\n' "$1" "$2"
    printf '  children {\n   net {\n    local_ts = %s\n    remote_ts = %s\n' "$4" "$5"
    printf '    %s\n' "${@:6}"
    printf '   }\n  }\n }\n}\nsecrets {\n ike {\n  secret = "a secret of both"\n }\n}\n'
}
start() { # CHILD-OF-0 CHILD-OF-1: options, separated by ';'
    local a b
    IFS=';' read -ra a <<<"$1"
    IFS=';' read -ra b <<<"$2"
    gateway 0 < <(gate a.example b.example 'remote_addrs = 192.0.2.2' 10.1.0.0/16 10.2.0.0/16 "${a[@]}")
    gateway 1 < <(gate b.example a.example 'local_addrs = 192.0.2.2' 10.2.0.0/16 10.1.0.0/16 "${b[@]}")
}
end() {
    stop "$gw0"
    stop "$gw1"
}
pings() { in_ns "$1" ping -q -c 5 -i 0.05 -W 2 "${@:3}" "$2"; }
traffic() { # WORDS
    check "$1: ping" pings 0 10.2.0.1
    check "$1: the other way" pings 1 10.1.0.1
    spawn server n1 iperf3 -s -1
    wait_for 5 'iperf3 listens' listens 1 5201
    check "$1: TCP" n0 timeout 20 iperf3 -c 10.2.0.1 -n 5M
}

veth 0 1 192.0.2.1/24 192.0.2.2/24
n0 ip addr add 10.1.0.1/32 dev lo
n1 ip addr add 10.2.0.1/32 dev lo

say 'a stream, as there is something to send'
start 'mode = iptfs' 'mode = iptfs;iptfs_packet_size = 1200'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
is 'its mode' "$(sa_fact 0 'child-sas.*.mode') $(sa_fact 1 'child-sas.*.mode')" 'IPTFS IPTFS'
traffic 'on demand'
check 'longer than the path takes' pings 0 10.2.0.1 -M do -s 1472
before=$(sa_fact 0 'child-sas.*.spi-in')
spawn flood n0 ping -q -i 0.01 -c 300 -W 3 10.2.0.1
adit 1 rekey --child net
check 'a new Child SA' wait_for 5 'a new inbound SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != "$before" ]'
wait "$flood"
is 'a rekeying loses no ping' "$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' "$flood_log")" 0
end

say 'a stream at a constant rate'
start 'mode = iptfs;iptfs_rate = 200;iptfs_packet_size = 800' 'mode = iptfs'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
spawn dump n1 tcpdump -nvli w0 'ip proto 50 and src 192.0.2.1'
wait_for 5 'tcpdump' logged "$dump_log" 'listening on'
sleep 2
check 'constant: ping' pings 0 10.2.0.1 -s 1400
stop "$dump"
between 'constant: packets in 2 s and a little' "$(grep -c 'proto ESP' "$dump_log")" 380 1000
is 'constant: of one length' "$(sed -n 's/.*proto ESP (50), length \([0-9]*\).*/\1/p' "$dump_log" | sort -u)" 800
between 'constant: list-sas tells of padding' "$(sa_fact 1 'child-sas.*.dummies-in')" 100 10000
end

say 'only one of them wants a stream'
start 'mode = iptfs' 'mode = tunnel'
refuse 'adit initiate' adit 0 initiate --child net --timeout 10
is 'no Child SA' "$(sa_fact 0 'child-sas.*.mode')$(sa_fact 1 'child-sas.*.mode')" ''
end

say 'padding'
start 'tfc_padding = 900;tfc_dummies = 20' 'tfc_padding = mtu'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
spawn dump n1 tcpdump -nvli w0 'ip proto 50'
wait_for 5 'tcpdump' logged "$dump_log" 'listening on'
check 'padding: ping' pings 0 10.2.0.1
sleep 0.5
stop "$dump"
is 'padding: lengths there and back' "$(sed -n 's/.*proto ESP (50), length \([0-9]*\).*/\1/p' "$dump_log" | sort -nu | tr '\n' ' ')" '956 1500 '
between 'padding: dummies' "$(sa_fact 1 'child-sas.*.dummies-in')" 5 1000
end

for proposal in aes256gmac aes128gmac null-sha256 null-sha512; do
    say "authenticated only: $proposal"
    start "esp_proposals = $proposal" "esp_proposals = $proposal"
    check "$proposal: initiate" adit 0 initiate --child net --timeout 10
    check "$proposal: the other side is up" wait_for 5 'n1 is up' is_up 1
    traffic "$proposal"
    spawn dump n1 tcpdump -nXli w0 'ip proto 50'
    wait_for 5 'tcpdump' logged "$dump_log" 'listening on'
    check "$proposal: readable on the wire" pings 0 10.2.0.1 -p 41646974
    sleep 0.2
    stop "$dump"
    check "$proposal: it was" grep -q 'Adit' "$dump_log"
    end
done
test_end
