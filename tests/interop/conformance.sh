#!/usr/bin/env bash
# adit conformance against an unmodified strongSwan (scripts/peer-chroot): what it answers, row by row, on standard output.
# Nothing here passes or fails: docs/conformance-tool.md says what was seen with which version.
#   tests/interop/conformance.sh [OPTION OF adit conformance...]
#   PROOF=cert tests/interop/conformance.sh ..      by certificates (PROOF=older: as before RFC 7427), not by a pre-shared key
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/gateways.sh"
need root tun netns ip ping openssl "$adit_tool"
chroot=$("$test_root/scripts/peer-chroot" --check strongswan) || test_cannot "no strongSwan: $chroot"
test_begin cns 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
ip -n "$test_prefix-1" addr add 10.2.0.1/16 dev lo
echo 'a secret of the laboratory' >"$test_tmp/psk"
dir=$test_tmp/strongswan
mkdir -p "$dir/swanctl"
# shellcheck source=../../scripts/lib/peer.sh
. "$test_root/scripts/lib/peer.sh"
strongswan_conf "$dir"
# Its limits for half-open SAs of one address would end the run after a few rows (0 means 1 there).
printf 'charon-systemd {\n  block_threshold = 100000\n  cookie_threshold = 100000\n  cookie_threshold_ip = 100000\n}\n' >>"$dir/strongswan.conf"
proof=(--psk "$test_tmp/psk") auth=psk
case ${PROOF:-psk} in
cert | older)
    auth=pubkey proof=(--cert "$test_tmp/puppet.pem" --key "$test_tmp/puppet.key" --ca "$test_tmp/ca.pem")
    curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    # shellcheck disable=SC2086
    openssl req -x509 $curve -keyout "$test_tmp/ca.key" -out "$test_tmp/ca.pem" -days 30 -subj /CN=CA \
        -addext keyUsage=critical,keyCertSign 2>/dev/null
    for who in gateway puppet; do
        # shellcheck disable=SC2086
        openssl req -new $curve -keyout "$test_tmp/$who.key" -out "$test_tmp/$who.csr" -subj "/CN=$who.example" 2>/dev/null
        openssl x509 -req -in "$test_tmp/$who.csr" -CA "$test_tmp/ca.pem" -CAkey "$test_tmp/ca.key" -CAcreateserial -days 20 \
            -out "$test_tmp/$who.pem" -extfile <(printf 'subjectAltName=DNS:%s.example\nkeyUsage=critical,digitalSignature\n' $who) 2>/dev/null
    done
    cp "$test_tmp/ca.pem" "$dir/swanctl/x509ca/"
    cp "$test_tmp/gateway.pem" "$dir/swanctl/x509/"
    cp "$test_tmp/gateway.key" "$dir/swanctl/private/"
    [ "$PROOF" = cert ] || printf 'charon-systemd {\n  signature_authentication = no\n}\n' >>"$dir/strongswan.conf"
    ;;
esac
cat >"$dir/swanctl/swanctl.conf" <<'CONF'
connections {
  lab {
    local_addrs = 192.0.2.2
    remote_addrs = 192.0.2.1
    proposals = aes256gcm16-prfsha384-x25519, aes256gcm16-prfsha384-ecp256, aes256gcm16-prfsha384-x25519-ke1_mlkem768
    local {
      auth = psk
      id = gateway.example
    }
    remote {
      auth = psk
      id = puppet.example
    }
    children {
      net {
        local_ts = 10.2.0.0/16
        remote_ts = 10.66.0.0/16
        esp_proposals = aes256gcm16
      }
    }
  }
}
secrets {
  ike-lab {
    secret = "a secret of the laboratory"
  }
}
CONF
sed -i "s/auth = psk/auth = $auth/" "$dir/swanctl/swanctl.conf"
cat >"$test_tmp/in" <<IN
#!/bin/sh
. "$test_root/scripts/lib/peer.sh"
PEER_DIR=$dir
peer_run_in $test_prefix-1 "$chroot" env STRONGSWAN_CONF=$dir/strongswan.conf SWANCTL_DIR=$dir/swanctl "\$@"
IN
cat >"$test_tmp/trigger" <<TRIGGER
#!/bin/sh
swanctl() { "$test_tmp/in" swanctl "\$@" --uri unix://$dir/vici >/dev/null 2>&1; }
case \$1 in
initiate) swanctl --terminate --ike lab --force; swanctl --initiate --child net --timeout 20 ;;
rekey-child) swanctl --rekey --child net ;;
rekey-ike) swanctl --rekey --ike lab ;;
esac
TRIGGER
chmod +x "$test_tmp/in" "$test_tmp/trigger"
"$test_tmp/in" charon-systemd >"$test_tmp/charon.out" 2>&1 </dev/null &
test_pids+=($!)
wait_for 20 'charon answers' "$test_tmp/in" swanctl --version --daemon --uri "unix://$dir/vici" || test_cannot 'charon does not start'
"$test_tmp/in" swanctl --version --daemon --uri "unix://$dir/vici"
"$test_tmp/in" swanctl --load-all --uri "unix://$dir/vici" >/dev/null
lab() {
    quiet_ns 0 "$adit_tool" conformance 192.0.2.2 --i-own-this "${proof[@]}" --id puppet.example \
        --remote-id gateway.example --remote-ts 10.2.0.0/16 --timeout 1 "$@"
}
say 'the puppet calls'
lab "$@"
say 'the puppet is called'
lab --listen --trigger "$test_tmp/trigger" "$@"
