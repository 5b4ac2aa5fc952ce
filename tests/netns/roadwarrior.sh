#!/usr/bin/env bash
# Two road warriors and a gateway with pools (RFC 7296 s2.19): each gets an IPv4 and an IPv6 address and the name server's,
# reaches a host behind the gateway and is reached from there, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool"
test_begin road 3
# n2 is the gateway, with a host's addresses inside; n0 and n1 are clients.
veth 0 2 192.0.2.1/24 192.0.2.254/24
veth 1 2 198.51.100.1/24 198.51.100.254/24
ip -n "$test_prefix-2" addr add 10.2.0.1/16 dev lo
ip -n "$test_prefix-2" addr add fd02::1/64 dev lo

client() { # NAME GATEWAY
    cat <<CONF
connections {
  gw {
    remote_addrs = $2
    vips = 0.0.0.0, ::
    split_dns = corp.example
    local {
      auth = psk
      id = $1.example
    }
    remote {
      auth = psk
      id = gw.example
    }
    children {
      net {
        remote_ts = 10.2.0.0/16, fd02::/64
      }
    }
  }
}
secrets {
  ike {
    secret = "a secret of all"
  }
}
CONF
}
server() {
    cat <<CONF
connections {
  clients {
    pools = four, six
    unique = replace
    local {
      auth = psk
      id = gw.example
    }
    remote {
      auth = psk
    }
    children {
      net {
        local_ts = 10.2.0.0/16, fd02::/64
      }
    }
  }
}
pools {
  four {
    addrs = 10.9.0.0/24
    dns = 10.2.0.53
    domain = corp.example
  }
  six {
    addrs = fd09::/120
  }
}
secrets {
  ike {
    secret = "a secret of all"
  }
}
CONF
}
hook() { # I: what name servers are told is written down, the host's resolver is left alone
    printf '#!/bin/sh\necho "$ADIT_VERB $ADIT_CONNECTION ${ADIT_DNS:-} ${ADIT_DOMAINS:-}" >>%s\n' "$test_tmp/resolv$1" >"$test_tmp/hook$1"
    chmod +x "$test_tmp/hook$1"
    settings="  resolv = $test_tmp/hook$1"
}
hook 0
gateway 0 < <(client ann 192.0.2.254)
hook 1
gateway 1 < <(client bob 198.51.100.254)
settings=
gateway 2 < <(server)

has_address() { ip -n "$test_prefix-$1" addr | grep >/dev/null "inet6\? $2 "; }
pool_says() { quiet_adit 2 list-pools --leases | grep >/dev/null "$1"; }

say 'two clients'
check 'ann' adit 0 initiate --child net --timeout 10
check 'bob' adit 1 initiate --child net --timeout 10
is 'addresses of ann' "$(sa_fact 0 local-vips)" '10.9.0.1 fd09::1'
is 'addresses of bob' "$(sa_fact 1 local-vips)" '10.9.0.2 fd09::2'
check 'they are on the device' has_address 0 10.9.0.1/32
check 'both of them' has_address 0 fd09::1/128
for i in 0 1; do
    check "n$i: IPv4" wait_for 5 'a ping' quiet_ns "$i" ping -q -c 1 -W 1 10.2.0.1
    check "n$i: IPv6" wait_for 5 'a ping' quiet_ns "$i" ping -q -c 1 -W 1 fd02::1
done
check 'from inside' n2 ping -q -c 1 -W 2 -I 10.2.0.1 10.9.0.2
check 'from inside, IPv6' n2 ping -q -c 1 -W 2 -I fd02::1 fd09::1
check 'the name server was told' wait_for 5 'the hook' grep -qx 'up gw 10.2.0.53 corp.example' "$test_tmp/resolv0"
check 'the gateway knows whose' pool_says '10.9.0.2 .*online .*bob.example'

say 'rekeyed, reauthenticated: the same'
check 'rekey' adit 0 rekey --ike gw
check 'reauth' adit 1 rekey --ike gw --reauth
sleep 2
is 'addresses of ann' "$(sa_fact 0 local-vips)" '10.9.0.1 fd09::1'
is 'addresses of bob' "$(sa_fact 1 local-vips)" '10.9.0.2 fd09::2'
check 'bob still pings' wait_for 5 'a ping' quiet_ns 1 ping -q -c 1 -W 1 10.2.0.1

say 'gone'
check 'ann' adit 0 terminate --ike gw --timeout 5
refuse 'her address is gone' has_address 0 10.9.0.1/32
check 'the hook knows' wait_for 5 'the hook' grep -q '^down gw' "$test_tmp/resolv0"
check 'her lease is kept' pool_says '10.9.0.1 .*offline .*ann.example'
check 'she comes again' adit 0 initiate --child net --timeout 10
is 'to the same address' "$(sa_fact 0 local-vips)" '10.9.0.1 fd09::1'
test_end
