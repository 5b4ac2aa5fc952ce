#!/usr/bin/env bash
# A gateway behind a NAT (nftables, in a namespace between): IKE floats to port 4500, ESP goes in UDP, rekeying under load
# loses nothing, and traffic survives the NAT forgetting its mapping.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping iperf3 nft python3 "$aditd" "$adit_tool"
test_begin nat 3
veth 0 2 192.168.1.2/24 192.168.1.1/24
veth 2 1 203.0.113.1/24 203.0.113.2/24
ip -n "$test_prefix-0" route add default via 192.168.1.1
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done
n2 sysctl -qw net.ipv4.ip_forward=1
nat_rules() { # PORTS
    printf 'flush ruleset\ntable ip nat {\n chain post {\n  type nat hook postrouting priority 100;\n  oifname "w1" ip protocol udp masquerade to :%s\n  oifname "w1" masquerade\n }\n}\n' "$1" | quiet_ns 2 nft -f -
}
nat_rules 20000-29999 || { skip 'NAT' 'nftables has no masquerade in this kernel'; test_end; }

gateway 0 <<'CONF'
connections {
  gw {
    remote_addrs = 203.0.113.2
    proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768
    local {
      auth = psk
      id = inside.example
    }
    remote {
      auth = psk
      id = outside.example
    }
    children {
      net {
        local_ts = 10.0.0.0/16
        remote_ts = 10.1.0.0/16
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
gateway 1 <<'CONF'
connections {
  gw {
    local_addrs = 203.0.113.2
    proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768
    local {
      auth = psk
      id = outside.example
    }
    remote {
      auth = psk
      id = inside.example
    }
    children {
      net {
        local_ts = 10.1.0.0/16
        remote_ts = 10.0.0.0/16
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

say 'through the NAT'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
is 'we know that we are behind a NAT' "$(sa_fact 0 nat-local)/$(sa_fact 0 nat-remote)" yes/
is 'and so does the peer' "$(sa_fact 1 nat-local)/$(sa_fact 1 nat-remote)" /yes
is 'IKE has floated' "$(sa_fact 0 local-port) $(sa_fact 0 remote-port)" '4500 4500'
is 'the peer sees the NAT' "$(sa_fact 1 remote-host)" 203.0.113.1
between 'at a port of its own' "$(sa_fact 1 remote-port)" 20000 29999
is 'ESP in UDP' "$(sa_fact 0 'child-sas.*.encap') $(sa_fact 1 'child-sas.*.encap')" 'yes yes'
check 'ping' n0 ping -q -c 5 -i 0.1 -W 2 -I 10.0.0.1 10.1.0.1
check 'ping from outside' n1 ping -q -c 5 -i 0.1 -W 2 -I 10.1.0.1 10.0.0.1

say 'rekeying under a counted stream'
spawn server n1 iperf3 -s
check 'iperf3 listens' wait_for 5 'iperf3 listens' listens 1 5201
n0 iperf3 -J -u -b 20M -l 1200 -w 2M -c 10.1.0.1 -B 10.0.0.1 -t 4 >"$test_tmp/udp.json" &
stream=$!
sleep 1
before=$(sa_fact 0 'child-sas.*.spi-in')
ike_before=$(sa_fact 0 initiator-spi)
adit 1 rekey --child net
check 'a new Child SA' wait_for 5 'a new inbound SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != "$before" ]'
adit 1 rekey --ike gw
check 'a new IKE SA' wait_for 5 'IKE SA rekeyed' eval '[ "$(sa_fact 0 initiator-spi)" != "$ike_before" ]'
wait "$stream"
read -r sent lost <<<"$(python3 -c 'import json,sys; s=json.load(open(sys.argv[1]))["end"]["sum"]; print(s["packets"], s["lost_packets"])' "$test_tmp/udp.json")"
between 'datagrams sent' "$sent" 6000 20000
is "lost of $sent" "$lost" 0

say 'the NAT forgets'
port=$(sa_fact 1 remote-port)
nat_rules 30000-39999
n2 ip link set w1 down
n2 ip link set w1 up # masquerade drops its mappings with the link
check 'traffic from inside goes on' wait_for 10 'a ping passes' quiet_ns 0 ping -q -c 1 -W 1 -I 10.0.0.1 10.1.0.1
check 'the peer follows to the new port' wait_for 5 'another port' eval '[ "$(sa_fact 1 remote-port)" != "$port" ]'
check 'traffic from outside too' n1 ping -q -c 3 -i 0.1 -W 2 -I 10.1.0.1 10.0.0.1
check 'adit terminate' adit 0 terminate --ike gw --timeout 8
check 'the peer closes too' wait_for 5 'n1 has no SA' has_no_sa 1
test_end
