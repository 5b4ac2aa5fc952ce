#!/usr/bin/env bash
# adit conformance against aditd: the puppet as an initiator, then as a responder whom aditd calls. Every row passes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping openssl "$aditd" "$adit_tool"
test_begin cnf 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
ip -n "$test_prefix-1" addr add 10.2.0.1/16 dev lo
echo 'a secret of the laboratory' >"$test_tmp/psk"

connections() {
    cat <<'CONF'
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
}
gateway 1 < <(connections)

# What aditd is told when the puppet needs something of it.
cat >"$test_tmp/trigger" <<TRIGGER
#!/bin/sh
adit() { ip netns exec $test_prefix-1 "$adit_tool" --socket "$test_tmp/1/vici" "\$@" >/dev/null 2>&1; }
case \$1 in
initiate) adit terminate --ike lab --force; adit initiate --child net --timeout 20 ;;
rekey-child) adit rekey --child net ;;
rekey-ike) adit rekey --ike lab ;;
esac
TRIGGER
chmod +x "$test_tmp/trigger"

proof=(--psk "$test_tmp/psk")
lab() { # NAME ARGS...: all pass, or what did not is shown
    local name=$1 code=0
    shift
    quiet_ns 0 "$adit_tool" conformance 192.0.2.2 --i-own-this "${proof[@]}" --id puppet.example \
        --remote-id gateway.example --remote-ts 10.2.0.0/16 --timeout 1 "$@" >"$test_tmp/out" 2>&1 || code=$?
    if [ "$code" = 0 ] && ! grep -Eq '^(failed|differs|skipped) ' "$test_tmp/out" && grep -q '^all ' "$test_tmp/out"; then
        pass "$name ($(awk '/^all /{print $2}' "$test_tmp/out") rows)"
    else
        fail "$name" "code $code"
        grep -A1 -E '^(failed|differs|skipped) |^adit' "$test_tmp/out" | sed 's/^/#   | /'
    fi
}

refuse 'not without saying that it is yours' n0 "$adit_tool" conformance 192.0.2.2 --psk "$test_tmp/psk"
for address in 224.0.0.1 255.255.255.255 0.0.0.0 ff02::1 gateway.example; do
    refuse "not to $address" n0 "$adit_tool" conformance "$address" --i-own-this --psk "$test_tmp/psk"
done
lab 'before authentication, with an additional key exchange' --proposal aes256gcm16-prfsha384-x25519-ke1_mlkem768 --section 'RFC 9370' \
    --junit "$test_tmp/junit.xml"
check 'a JUnit file' grep -q '<testcase classname="RFC 9370 s2.2.2" name="round_without_ke"></testcase>' "$test_tmp/junit.xml"
lab 'IKE_AUTH and the exchanges behind it' --section 'RFC 7296 s1.'
lab 'notifies and deletes' --section 'RFC 7296 s3.1'
lab 'fragments' --section 'RFC 7383'
lab 'the puppet is called' --listen --trigger "$test_tmp/trigger" --section 'RFC 7296 s3.3'
lab 'rekeyings that the puppet answers' --listen --trigger "$test_tmp/trigger" --section 'RFC 7296 s2.9'
if [ -n "${ALL_ROWS:-}" ]; then
    lab 'all rows, the puppet calls'
    lab 'all rows, the puppet is called' --listen --trigger "$test_tmp/trigger"
fi

say 'by certificate'
pki=$test_tmp/pki
mkdir -p "$pki" "$test_tmp/1"/{x509,x509ca,private}
curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
for ca in ca other; do
    # shellcheck disable=SC2086
    openssl req -x509 $curve -keyout "$pki/$ca.key" -out "$pki/$ca.pem" -days 30 -subj "/CN=$ca" \
        -addext keyUsage=critical,keyCertSign 2>/dev/null
done
for who in gateway puppet; do
    # shellcheck disable=SC2086
    openssl req -new $curve -keyout "$pki/$who.key" -out "$pki/$who.csr" -subj "/CN=$who.example" 2>/dev/null
    openssl x509 -req -in "$pki/$who.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -CAcreateserial -days 20 \
        -out "$pki/$who.pem" -extfile <(printf 'subjectAltName=DNS:%s.example\nkeyUsage=critical,digitalSignature\n' $who) 2>/dev/null
done
cp "$pki/ca.pem" "$test_tmp/1/x509ca/"
cp "$pki/gateway.pem" "$test_tmp/1/x509/"
cp "$pki/gateway.key" "$test_tmp/1/private/"
connections | sed 's/auth = psk/auth = pubkey/' >"$test_tmp/1/swanctl.conf"
check 'the connection wants certificates now' adit 1 load
refuse 'no longer by pre-shared key' n0 "$adit_tool" conformance 192.0.2.2 --i-own-this --psk "$test_tmp/psk" \
    --remote-id gateway.example --remote-ts 10.2.0.0/16 --timeout 1 --section 'RFC 7427'
proof=(--cert "$pki/puppet.pem" --key "$pki/puppet.key" --ca "$pki/ca.pem")
lab 'signatures' --section 'RFC 7427'
lab 'AUTH and identities' --section 'RFC 7296 s2.15'
lab 'certificates' --section 'RFC 7296 s3.6'
lab 'with an additional key exchange' --proposal aes256gcm16-prfsha384-x25519-ke1_mlkem768 --section 'RFC 9370'
lab 'the puppet is called' --listen --trigger "$test_tmp/trigger" --section 'RFC 7296 s2.15'
refuse 'a gateway of another CA is not believed' n0 "$adit_tool" conformance 192.0.2.2 --i-own-this --cert "$pki/puppet.pem" \
    --key "$pki/puppet.key" --ca "$pki/other.pem" --remote-ts 10.2.0.0/16 --timeout 1 --section 'RFC 7427'
cp "$test_tmp/check.log" "$test_tmp/refused"
check 'and why' grep -q "the peer's certificate: " "$test_tmp/refused"
refuse "not with somebody else's key" n0 "$adit_tool" conformance 192.0.2.2 --i-own-this --cert "$pki/puppet.pem" \
    --key "$pki/gateway.key" --ca "$pki/ca.pem"
cp "$test_tmp/check.log" "$test_tmp/refused"
check 'and why' grep -q 'the private key is not that of the certificate' "$test_tmp/refused"
refuse 'not without the CA' n0 "$adit_tool" conformance 192.0.2.2 --i-own-this --cert "$pki/puppet.pem" --key "$pki/puppet.key"
check 'aditd is still there' adit 1 stats
test_end
