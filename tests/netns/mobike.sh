#!/usr/bin/env bash
# A gateway whose address changes under a running ping (RFC 4555): taken away and replaced, its link lost while another
# one is there, and a path that dies without a word. The tunnel survives each, and the peer knows where to send.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool"
test_begin mobike 3
# n0 has two uplinks to the router n2; n1 is the other gateway.
veth 0 2 192.0.2.1/24 192.0.2.254/24
ip link add second netns "$test_prefix-0" type veth peer name second netns "$test_prefix-2"
ip -n "$test_prefix-2" addr add 198.51.100.254/24 dev second
ip -n "$test_prefix-2" link set second up
ip -n "$test_prefix-0" link set second up
veth 2 1 203.0.113.254/24 203.0.113.1/24
ip -n "$test_prefix-2" addr add 2001:db8:1::254/64 dev w1
ip -n "$test_prefix-1" addr add 2001:db8:1::1/64 dev w2
ip -n "$test_prefix-1" -6 route add default via 2001:db8:1::254
ip -n "$test_prefix-2" addr add 2001:db8:2::254/64 dev second
n2 sysctl -qw net.ipv6.conf.all.forwarding=1
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done
n2 sysctl -qw net.ipv4.ip_forward=1
ip -n "$test_prefix-0" route add default via 192.0.2.254
ip -n "$test_prefix-1" route add default via 203.0.113.254

connections() { # LOCAL-TS REMOTE-TS ID PEER ADDRESSES
    cat <<CONF
connections {
  gw {
    remote_addrs = $5
    proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768
    dpd_delay = 2s
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
settings='  retransmit_timeout = 0.5'
gateway 0 < <(connections 10.0.0.0/16 10.1.0.0/16 roaming.example fixed.example 203.0.113.1)
gateway 1 < <(connections 10.1.0.0/16 10.0.0.0/16 fixed.example roaming.example %any)

at() { # ADDRESS: both ends know that n0 is there
    [ "$(sa_fact 0 local-host)" = "$1" ] && [ "$(sa_fact 1 remote-host)" = "$1" ]
}
passes() { quiet_ns 0 ping -q -c 2 -i 0.1 -W 1 -I 10.0.0.1 10.1.0.1; }
ids() { echo "$(sa_fact 0 initiator-spi) $(sa_fact 0 'child-sas.*.spi-in')"; }

say 'from the first address'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
is 'on port 4500 at once' "$(sa_fact 0 local-port) $(sa_fact 0 remote-port)" '4500 4500'
check 'at the first address' at 192.0.2.1
check 'ping' passes
before=$(ids)
spawn stream n0 ping -i 0.1 -I 10.0.0.1 10.1.0.1

say 'another address takes its place'
ip -n "$test_prefix-0" addr add 192.0.2.77/24 dev w2
ip -n "$test_prefix-0" addr del 192.0.2.1/24 dev w2
ip -n "$test_prefix-0" addr add 192.0.2.77/24 dev w2 2>/dev/null # went with its primary, unless the kernel promotes
ip -n "$test_prefix-0" route replace default via 192.0.2.254
check 'both ends know' wait_for 5 'the new address' at 192.0.2.77
check 'ping' wait_for 5 'a ping passes' passes
check 'from the other end' n1 ping -q -c 3 -i 0.1 -W 2 -I 10.1.0.1 10.0.0.1

say 'the link is lost, another one is there'
ip -n "$test_prefix-0" addr add 198.51.100.1/24 dev second
sleep 0.5
n0 ip link set w2 down
ip -n "$test_prefix-0" route replace default via 198.51.100.254
check 'both ends know' wait_for 5 'the second link' at 198.51.100.1
check 'ping' wait_for 5 'a ping passes' passes

say 'a path dies without a word'
n0 ip link set w2 up
ip -n "$test_prefix-0" route replace 203.0.113.0/24 via 192.0.2.254
n2 ip route add blackhole 198.51.100.1/32
check 'both ends know' wait_for 30 'a path that works' at 192.0.2.77
check 'ping' wait_for 5 'a ping passes' passes

say 'only IPv6 is left'
ip -n "$test_prefix-0" addr add 2001:db8:2::1/64 dev second
ip -n "$test_prefix-0" -6 route add default via 2001:db8:2::254
sleep 0.5
n0 ip link set w2 down
ip -n "$test_prefix-0" addr del 198.51.100.1/24 dev second
check 'both ends know' wait_for 15 'the address of the other IP version' at 2001:db8:2::1
check 'ping' wait_for 5 'a ping passes' passes

say 'it is still the same tunnel'
is 'the SAs of the beginning' "$(ids)" "$before"
stop "$stream"
answers=$(grep -c 'bytes from' "$stream_log")
between 'the ping went on throughout' "$answers" 20 100000
check 'adit terminate' adit 0 terminate --ike gw --timeout 8
check 'the peer closes too' wait_for 5 'n1 has no SA' has_no_sa 1
test_end
