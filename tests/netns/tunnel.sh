#!/usr/bin/env bash
# Two aditd between two network namespaces: a post-quantum tunnel with pre-shared keys comes up, carries traffic, is
# rekeyed under load without loss, says why when it fails, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping iperf3 python3 "$aditd" "$adit_tool"
test_begin tunnel 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done

connections() { # ME PEER SECRET
    cat <<CONF
connections {
  gw {
    local_addrs = 192.0.2.$(($1 + 1))
    remote_addrs = 192.0.2.$(($2 + 1))
    proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768
    local {
      auth = psk
      id = n$1.example
    }
    remote {
      auth = psk
      id = n$2.example
    }
    children {
      net {
        local_ts = 10.$1.0.0/16
        remote_ts = 10.$2.0.0/16
        esp_proposals = aes256gcm16-x25519-ke1_mlkem768
        updown = env >>$test_tmp/updown.$1
      }
    }
  }
}
secrets {
  ike-gw {
    secret = "$3"
    id-0 = n0.example
    id-1 = n1.example
  }
}
CONF
}
gateway 0 < <(connections 0 1 'a secret of both')
gateway 1 < <(connections 1 0 'a secret of both')

say 'the tunnel comes up'
is 'before: down, never tried' "$(status_fact 0 gw.why)" 'never tried'
check 'adit initiate' adit 0 initiate --child net --timeout 10
is 'established' "$(sa_fact 0 state)" ESTABLISHED
check 'the responder has it too' wait_for 5 'n1 is up' is_up 1
is 'encryption' "$(sa_fact 0 encr-alg)-$(sa_fact 0 encr-keysize)" AES_GCM_16-256
is 'PRF' "$(sa_fact 0 prf-alg)" PRF_HMAC_SHA2_384
is 'key exchange' "$(sa_fact 0 dh-group)" CURVE_25519
is 'additional key exchange' "$(sa_fact 0 ake1)" ML_KEM_768
is 'both sign both first messages' "$(sa_fact 0 downgrade-proof)/$(sa_fact 1 downgrade-proof)" yes/yes
is 'our identity' "$(sa_fact 0 local-id)" n0.example
is 'who initiated' "$(sa_fact 0 initiator)/$(sa_fact 1 initiator)" yes/
is 'ESP' "$(sa_fact 0 'child-sas.*.encr-alg')" AES_GCM_16
is 'selectors' "$(sa_fact 0 'child-sas.*.local-ts') $(sa_fact 0 'child-sas.*.remote-ts')" '10.0.0.0/16 10.1.0.0/16'
is 'in and out match' "$(sa_fact 0 'child-sas.*.spi-out')" "$(sa_fact 1 'child-sas.*.spi-in')"
is 'metrics say up' "$(metric 0 adit_connection_up connection=gw)" 1
is 'metrics say quantum safe' "$(metric 0 adit_connection_quantum_safe connection=gw)" 1

says_env() { logged "$test_tmp/updown.$1" "$2"; }
check 'the updown command ran' wait_for 5 'updown' says_env 0 '^PLUTO_VERB=up-client$'
check 'with our names' says_env 0 '^PLUTO_MY_ID=n0.example$'
check 'our network' says_env 0 '^PLUTO_MY_CLIENT=10.0.0.0/16$'
check 'and the device' says_env 0 '^PLUTO_INTERFACE=adit'

say 'traffic'
check 'ping' n0 ping -q -c 5 -i 0.1 -W 2 -I 10.0.0.1 10.1.0.1
check 'ping back' n1 ping -q -c 5 -i 0.1 -W 2 -I 10.1.0.1 10.0.0.1
is 'ten packets counted' "$(sa_fact 0 'child-sas.*.packets-in')" 10
is 'with their octets' "$(sa_fact 0 'child-sas.*.bytes-in')" 840
spawn server n1 iperf3 -s
check 'iperf3 listens' wait_for 5 'iperf3 listens' listens 1 5201
n0 iperf3 -J -c 10.1.0.1 -B 10.0.0.1 -t 3 >"$test_tmp/tcp.json"
tcp_mbit=$(python3 -c 'import json,sys; print(int(json.load(open(sys.argv[1]))["end"]["sum_received"]["bits_per_second"]/1e6))' "$test_tmp/tcp.json")
between "TCP passes (${tcp_mbit:-0} Mbit/s)" "${tcp_mbit:-0}" 20 1000000

say 'rekeying under a counted stream'
before=$(sa_fact 0 'child-sas.*.spi-in')
ike_before=$(sa_fact 0 initiator-spi)
bytes_before=$(metric 1 adit_child_bytes_total connection=gw direction=in)
n0 iperf3 -J -u -b 20M -l 1200 -w 2M -c 10.1.0.1 -B 10.0.0.1 -t 6 >"$test_tmp/udp.json" &
stream=$!
sleep 1
for i in 1 2 3; do
    adit $((i % 2)) rekey --child net
    wait_for 5 'a new inbound SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != "$before" ]'
    before=$(sa_fact 0 'child-sas.*.spi-in')
    sleep 0.5
done
adit 0 rekey --ike gw
check 'the IKE SA is a new one' wait_for 5 'IKE SA rekeyed' eval '[ "$(sa_fact 0 initiator-spi)" != "$ike_before" ]'
wait "$stream"
read -r sent lost <<<"$(python3 -c 'import json,sys; s=json.load(open(sys.argv[1]))["end"]["sum"]; print(s["packets"], s["lost_packets"])' "$test_tmp/udp.json")"
between 'datagrams sent' "$sent" 9000 20000
is "lost of $sent while everything was rekeyed" "$lost" 0
is 'Child SA rekeyings counted' "$(metric 0 adit_child_rekeys_total connection=gw)" 3
is 'IKE SA rekeyings counted' "$(metric 0 adit_connection_rekeys_total connection=gw)" 1
bytes=$(($(metric 1 adit_child_bytes_total connection=gw direction=in) - bytes_before))
between 'octets counted over all SAs' "$bytes" $((sent * 1228)) $((sent * 1228 + 200000))
is 'still up' "$(metric 0 adit_connection_up connection=gw)" 1
check 'and passing' n0 ping -q -c 3 -i 0.1 -W 2 -I 10.0.0.1 10.1.0.1

say 'reloading'
spi=$(sa_fact 0 'child-sas.*.spi-in')
check 'adit load' adit 0 load
printf 'connections {\n  gw {\n    prposals = aes\n  }\n}\n' >"$test_tmp/bad.conf"
check 'adit check names file and line' eval '{ adit 0 check "$test_tmp/bad.conf" 2>&1 || true; } | grep "bad.conf:3:.*proposals"'
cp "$test_tmp/0/swanctl.conf" "$test_tmp/good.conf"
cp "$test_tmp/bad.conf" "$test_tmp/0/swanctl.conf"
refuse 'a bad file is refused' adit 0 load
: >"$test_tmp/0/swanctl.conf"
refuse 'an empty set is refused' adit 0 load
cp "$test_tmp/good.conf" "$test_tmp/0/swanctl.conf"
is 'the SA was not touched' "$(sa_fact 0 'child-sas.*.spi-in')" "$spi"

say 'closing'
check 'adit terminate' adit 0 terminate --ike gw --timeout 5
check 'the peer closes too' wait_for 5 'n1 has no SA' has_no_sa 1
check 'the updown command ran again' wait_for 5 'updown' says_env 0 '^PLUTO_VERB=down-client$'
is 'once a tunnel, not once a rekeying' "$(grep -c '^PLUTO_VERB' "$test_tmp/updown.0")" 2
is 'down, and why' "$(status_fact 0 gw.why)" 'closed by command'

say 'a wrong secret says so'
connections 0 1 'another secret' >"$test_tmp/0/swanctl.conf"
check 'adit load' adit 0 load
refuse 'initiate fails' adit 0 initiate --ike gw --timeout 10
check 'the reason is in words' eval '[[ "$(status_fact 0 gw.why)" == *AUTHENTICATION_FAILED* ]]'
cp "$test_tmp/good.conf" "$test_tmp/0/swanctl.conf"

say 'on demand'
sed 's/remote_ts = .*/&\n        start_action = trap/' "$test_tmp/good.conf" >"$test_tmp/0/swanctl.conf"
check 'adit load installs the policy' adit 0 load
n0 ping -q -c 4 -i 0.5 -W 2 -I 10.0.0.1 10.1.0.1
check 'traffic brings it up' wait_for 5 'up by traffic' is_up 0
check 'and passes' n0 ping -q -c 3 -i 0.1 -W 2 -I 10.0.0.1 10.1.0.1

say 'ending'
is 'device and route are there' "$(quiet_ns 0 ip route get 10.1.0.1 | grep -c 'dev adit')" 1
kill "$gw0"
code=0
wait "$gw0" || code=$?
is 'SIGTERM ends it with 0' "$code" 0
check 'the peer was told' wait_for 3 'n1 has no SA' has_no_sa 1
is 'no device is left' "$(quiet_ns 0 ip -o link | grep -c ': adit')" 0
is 'no route is left' "$(quiet_ns 0 ip route show 10.1.0.0/16 | wc -l)" 0
is 'no socket is left' "$(ls "$test_tmp/0/vici" 2>/dev/null)" ''
quiet_adit 0 list-sas 2>/dev/null
is 'adit without a daemon: code 3' $? 3
test_end
