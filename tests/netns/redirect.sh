#!/usr/bin/env bash
# A client (n0) and two gateways (n1, n2) to the same network: sent on at once, when authenticated, and in a session under a
# running ping (RFC 5685).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool"
test_begin redirect 3
veth 0 1 192.0.2.1/24 192.0.2.2/24
veth 0 2 198.51.100.1/24 198.51.100.2/24
ip -n "$test_prefix-0" addr add 10.0.0.1/16 dev lo
for i in 1 2; do ip -n "$test_prefix-$i" addr add 10.9.0.1/16 dev lo; done

connections() { # LOCAL-TS REMOTE-TS ID PEER ADDRESSES [OPTION...]
    cat <<CONF
connections {
  gw {
    remote_addrs = $5
    proposals = aes256gcm16-prfsha384-x25519
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
      }
    }
  }
}
secrets {
  ike {
    secret = "a secret of all three"
  }
}
CONF
}
client() { connections 10.0.0.0/16 10.9.0.0/16 client.example gateway.example 192.0.2.2 "$@"; }
server() { connections 10.9.0.0/16 10.0.0.0/16 gateway.example client.example %any "$@"; }
reload() { # I, connections on stdin
    cat >"$test_tmp/$1/swanctl.conf"
    adit "$1" load >/dev/null
}
passes() { quiet_ns 0 ping -q -c 2 -i 0.1 -W 1 -I 10.0.0.1 10.9.0.1; }
at() { [ "$(sa_fact 0 remote-host)" = "$1" ] && [ "$(sa_count 0)" = 1 ] && is_up 0; }

gateway 0 < <(client)
gateway 1 < <(server 'redirect_to = 198.51.100.2')
gateway 2 < <(server)

say 'at once'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'at the second gateway' at 198.51.100.2
check 'nothing at the first' has_no_sa 1
is 'the client knows why' "$(sa_fact 0 redirected-from)" 192.0.2.2
is 'the gateway, too' "$(sa_fact 2 redirected-from)" 192.0.2.2
check 'ping' passes
check 'adit terminate' adit 0 terminate --ike gw --timeout 8

say 'by name, when authenticated'
mkdir -p "/etc/netns/$test_prefix-0" && printf '198.51.100.2 second.gateway.example\n' >"/etc/netns/$test_prefix-0/hosts"
printf 'hosts: files\n' >"/etc/netns/$test_prefix-0/nsswitch.conf"
stop "$gw0"
gateway_start 0
reload 1 < <(server 'redirect_to = second.gateway.example' 'redirect_in = auth')
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'at the second gateway' wait_for 5 'the second gateway' at 198.51.100.2
check 'the first has let it go' wait_for 5 'n1 has no SA' has_no_sa 1
check 'ping' passes
check 'adit terminate' adit 0 terminate --ike gw --timeout 8
rm -rf "/etc/netns/$test_prefix-0"

say 'in a session'
reload 1 < <(server)
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'at the first gateway' at 192.0.2.2
check 'ping' passes
spawn stream n0 ping -i 0.05 -I 10.0.0.1 10.9.0.1
sleep 0.5
refuse 'not those that do not fit' adit 1 redirect --peer-ip 10.0.0.0/8 198.51.100.2
refuse 'not without saying whom' adit 1 redirect 198.51.100.2
refuse 'not to nowhere' adit 1 redirect --ike gw 'no name'
refuse 'not by a client' adit 0 redirect --ike gw 198.51.100.2
check 'adit redirect' adit 1 redirect --peer-ip 192.0.2.0-192.0.2.9 --peer-id '*.example' 198.51.100.2
check 'at the second gateway' wait_for 5 'the second gateway' at 198.51.100.2
check 'the first has let it go' wait_for 5 'n1 has no SA' has_no_sa 1
sleep 0.5
kill -INT "$stream"
wait "$stream" 2>/dev/null
is 'no packet was lost' "$(grep -o '[0-9.]*% packet loss' "$stream_log")" '0% packet loss'

say 'and back, by swanctl'
if command -v swanctl >/dev/null; then
    printf 'swanctl {\n  load = random nonce x509 pubkey pkcs1 pkcs8 pem openssl gmp sha1 sha2 hmac\n}\n' >"$test_tmp/strongswan.conf"
    STRONGSWAN_CONF=$test_tmp/strongswan.conf check 'swanctl --redirect' quiet_ns 2 swanctl --redirect --ike gw \
        --gateway 192.0.2.2 --uri "unix://$test_tmp/2/vici"
    check 'at the first gateway' wait_for 5 'the first gateway' at 192.0.2.2
    check 'ping' passes
else
    skip 'swanctl --redirect' 'no swanctl'
fi

say 'a client that does not want to'
reload 0 < <(client 'follow_redirects = no')
check 'adit terminate' adit 0 terminate --ike gw --timeout 8
reload 1 < <(server 'redirect_to = 198.51.100.2')
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'is served' at 192.0.2.2
check 'ping' passes
test_end
