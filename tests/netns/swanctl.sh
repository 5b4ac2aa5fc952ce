#!/usr/bin/env bash
# strongSwan's swanctl, unmodified, controls aditd: every command, nothing missing in what it prints.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping swanctl openssl python3 "$aditd" "$adit_tool"
test_begin swanctl 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done

# What swanctl itself wants: settings without plugins that this machine may lack, and files of its own for n0.
printf 'swanctl {\n  load = random nonce x509 pubkey pkcs1 pkcs8 pem openssl gmp sha1 sha2 hmac\n}\n' >"$test_tmp/strongswan.conf"
mkdir -p "$test_tmp/sw"/{x509,x509ca,private,conf.d}
swanctl_0() {
    printf '# [n0] swanctl %s\n' "$*" >&2
    STRONGSWAN_CONF=$test_tmp/strongswan.conf SWANCTL_DIR=$test_tmp/sw quiet_ns 0 timeout 30 swanctl "$@" --uri "unix://$test_tmp/0/vici" 2>"$test_tmp/swanctl.err"
}
# Runs it, keeps the output in $out, and sees that nothing in it is missing.
out=
client=swanctl_0
swanctl_is_fine() { # NAME ARGS...
    local name=$1
    shift
    local code=0
    out=$("$client" "$@") || code=$?
    if [ "$code" != 0 ]; then
        fail "$name" "code $code"
        sed 's/^/#   | /' <<<"$out"
        sed 's/^/#   ! /' "$test_tmp/swanctl.err"
    elif [[ $out == *'(null)'* ]]; then
        fail "$name" '(null) in the output'
        sed 's/^/#   | /' <<<"$out"
    else
        pass "$name"
    fi
}
says() { # NAME REGEX: of the last output
    if grep -Eq -- "$2" <<<"$out"; then pass "$1"; else
        fail "$1" "no line matches $2"
        sed 's/^/#   | /' <<<"$out"
    fi
}

say 'a CA and two certificates'
pki() { openssl "$@" 2>/dev/null; }
mkdir "$test_tmp/pki"
pki req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$test_tmp/pki/ca.key" -out "$test_tmp/pki/ca.pem" \
    -days 30 -subj '/C=CH/O=Adit/CN=CA' -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
keys=(rsa:2048 'ec -pkeyopt ec_paramgen_curve:P-256') # swanctl parses and prints RSA; the other it hands on as it is
for i in 0 1; do
    # shellcheck disable=SC2086
    pki req -newkey ${keys[i]} -nodes -keyout "$test_tmp/pki/n$i.key" -out "$test_tmp/pki/n$i.csr" -subj "/C=CH/O=Adit/CN=n$i"
    pki x509 -req -in "$test_tmp/pki/n$i.csr" -CA "$test_tmp/pki/ca.pem" -CAkey "$test_tmp/pki/ca.key" -CAcreateserial -days 20 \
        -out "$test_tmp/pki/n$i.pem" -extfile <(printf 'subjectAltName=DNS:n%s.example\nbasicConstraints=CA:FALSE\n' "$i")
done
cp "$test_tmp/pki/ca.pem" "$test_tmp/sw/x509ca/"
cp "$test_tmp/pki/n0.pem" "$test_tmp/sw/x509/"
cp "$test_tmp/pki/n0.key" "$test_tmp/sw/private/"

connections() { # ME PEER
    cat <<CONF
connections {
  gw {
    local_addrs = 192.0.2.$(($1 + 1))
    remote_addrs = 192.0.2.$(($2 + 1))
    proposals = aes256gcm16-prfsha384-x25519
    dpd_delay = 20s
    local {
      auth = psk
      id = psk$1.example
    }
    remote {
      auth = psk
      id = psk$2.example
    }
    children {
      net {
        local_ts = 10.$1.0.0/16
        remote_ts = 10.$2.0.0/16
        esp_proposals = aes256gcm16-x25519
      }
      ondemand {
        local_ts = 10.$1.0.1/32[tcp/80]
        remote_ts = 10.$2.0.1/32
        esp_proposals = aes128gcm16
      }
    }
  }
  cert {
    local_addrs = 192.0.2.$(($1 + 1))
    remote_addrs = 192.0.2.$(($2 + 1))
    proposals = aes128-sha256-ecp256
    local {
      auth = pubkey
      certs = n$1.pem
      id = n$1.example
    }
    remote {
      auth = pubkey
      cacerts = ca.pem
      id = n$2.example
    }
    children {
      site {
        local_ts = 10.$1.0.0/16
        remote_ts = 10.$2.0.0/16
        esp_proposals = aes128-sha256
      }
    }
  }
}
secrets {
  ike-gw {
    secret = "a secret of both"
    id-0 = psk0.example
    id-1 = psk1.example
  }
}
CONF
}
connections 0 1 >"$test_tmp/sw/swanctl.conf"
gateway 0 </dev/null # nothing in files: everything comes by VICI
mkdir -p "$test_tmp/1"/{x509,x509ca,private}
cp "$test_tmp/pki/ca.pem" "$test_tmp/1/x509ca/"
cp "$test_tmp/pki/n1.pem" "$test_tmp/1/x509/"
cp "$test_tmp/pki/n1.key" "$test_tmp/1/private/"
gateway 1 < <(connections 1 0)

say 'loading'
swanctl_is_fine '--load-all' --load-all
says 'loads the key' 'loaded RSA key'
says 'loads both connections' 'successfully loaded 2 connections'
swanctl_is_fine '--load-all again' --load-all
swanctl_is_fine '--load-creds --clear' --load-creds --clear
swanctl_is_fine '--list-conns' --list-conns
says 'shows the connection' '^gw: IKEv2, no reauthentication, rekeying every 14400s'
says 'shows the child' 'ondemand: TUNNEL'
says 'shows selectors as strongSwan does' 'local:  10.0.0.1/32\[tcp/http\]'
says 'shows the certificate' 'certs: C=CH, O=Adit, CN=n0'
swanctl_is_fine '--list-certs' --list-certs
says 'shows our certificate' 'subject:  "C=CH, O=Adit, CN=n0"'
says 'knows its private key' 'has private key'
swanctl_is_fine '--list-authorities' --list-authorities
swanctl_is_fine '--list-pools' --list-pools
swanctl_is_fine '--list-algs' --list-algs
says 'has ML-KEM' 'ML_KEM_768'

say 'about the daemon'
swanctl_is_fine '--version' --version
swanctl_is_fine '--version --daemon' --version --daemon
says 'names the daemon' 'aditd'
swanctl_is_fine '--stats' --stats
says 'uptime' '^uptime: .*, since '
swanctl_is_fine '--reload-settings' --reload-settings
swanctl_is_fine '--counters' --counters
says 'has 21 counters' 'info-out-resp'
swanctl_is_fine '--counters --all' --counters --all

say 'tunnels'
spawn logger n0 env STRONGSWAN_CONF="$test_tmp/strongswan.conf" swanctl --log --uri "unix://$test_tmp/0/vici"
spawn monitor n0 env STRONGSWAN_CONF="$test_tmp/strongswan.conf" swanctl --monitor-sa --uri "unix://$test_tmp/0/vici"
sleep 0.3
swanctl_is_fine '--initiate --child net' --initiate --child net --timeout 10
says 'shows the log of it' '\[IKE\] .*gw\[1\] established'
says 'says so' 'initiate completed successfully'
check 'traffic passes' n0 ping -q -c 3 -i 0.1 -W 2 -I 10.0.0.1 10.1.0.1
swanctl_is_fine '--list-sas' --list-sas
says 'the IKE SA' '^gw: #1, ESTABLISHED, IKEv2, [0-9a-f]{16}_i\* [0-9a-f]{16}_r'
says 'its ends' "local  'psk0.example' @ 192.0.2.1\[4500\]"
says 'its algorithms' 'AES_GCM_16-256/PRF_HMAC_SHA2_384/CURVE_25519'
says 'the Child SA' 'net: #1, reqid [0-9]+, INSTALLED, TUNNEL, ESP:AES_GCM_16-256'
says 'its counters' 'in  [0-9a-f]{8}, +252 bytes, +3 packets'
swanctl_is_fine '--list-sas --raw' --list-sas --raw
swanctl_is_fine '--rekey --child' --rekey --child net
check 'the Child SA is another' wait_for 5 'rekeyed' eval '[ "$(sa_fact 0 child-sas.*.uniqueid)" != 1 ]'
swanctl_is_fine '--rekey --ike' --rekey --ike gw
check 'the IKE SA is another' wait_for 5 'rekeyed' eval '[ "$(sa_fact 0 uniqueid)" != 1 ]'
swanctl_is_fine '--initiate by certificate' --initiate --child site --timeout 10
swanctl_is_fine '--list-sas of both' --list-sas
says 'classic algorithms too' 'AES_CBC-128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256'
swanctl_is_fine '--terminate --child' --terminate --child site
swanctl_is_fine '--terminate --ike' --terminate --ike cert
says 'says so' 'terminate completed successfully'
check 'one IKE SA is left' wait_for 5 'one SA' eval '[ "$(sa_count 0)" = 1 ]'

say 'policies'
swanctl_is_fine '--install' --install --child ondemand
swanctl_is_fine '--list-pols' --list-pols
says 'the trap' 'gw/ondemand, TUNNEL'
swanctl_is_fine '--uninstall' --uninstall --child ondemand
swanctl_is_fine '--list-pols again' --list-pols
is 'no policy is left' "$out" ''

# The commands with their options, by this machine's swanctl and by the newest, from a chroot.
commands=(
    '--version --daemon --raw' '--version --daemon --pretty' '--stats --raw' '--stats --pretty' '--reload-settings --raw'
    '--counters --raw' '--counters --name gw' '--counters --all --pretty' '--counters --name gw --reset'
    '--load-all --noprompt' '--load-creds --noprompt --raw' '--load-conns --raw' '--load-authorities' '--load-authorities --pretty'
    '--load-pools' '--load-pools --raw' '--list-conns' '--list-conns --raw' '--list-conns --pretty' '--list-certs --pem'
    '--list-certs --subject O=Adit' '--list-certs --type x509' '--list-certs --flag ca' '--list-certs --utc' '--list-certs --short'
    '--list-certs --raw' '--list-authorities' '--list-authorities --name nobody' '--list-authorities --raw' '--list-pools'
    '--list-pools --leases' '--list-pools --raw' '--list-algs --raw' '--list-algs --pretty' '--list-sas' '--list-sas --ike gw'
    '--list-sas --ike-id 1' '--list-sas --child net' '--list-sas --noblock' '--list-sas --pretty' '--list-pols --trap'
    '--list-pols --drop' '--list-pols --pass' '--list-pols --child ondemand' '--list-pols --raw' '--flush-certs --type x509_crl'
    '--rekey --child net --raw' '--rekey --ike gw --pretty' '--initiate --child net --timeout 10 --raw'
)
all_commands() { # WHO
    local c
    for c in "${commands[@]}"; do
        # shellcheck disable=SC2086
        swanctl_is_fine "$1: $c" $c
    done
}
swanctl_new() {
    printf '# [n0] newest swanctl %s\n' "$*" >&2
    (
        # shellcheck source=/dev/null
        . "$test_root/scripts/lib/peer.sh"
        PEER_DIR=$test_tmp
        peer_run_in "$test_prefix-0" "$newest" env STRONGSWAN_CONF="$test_tmp/strongswan.conf" SWANCTL_DIR="$test_tmp/sw" \
            timeout 30 swanctl "$@" --uri "unix://$test_tmp/0/vici"
    ) 2>"$test_tmp/swanctl.err"
}
say 'commands with all their options'
all_commands "this machine's"
if newest=$("$test_root/scripts/peer-chroot" strongswan 2>"$test_tmp/chroot.log"); then
    client=swanctl_new
    all_commands "$(sed -n 's/^strongswan-swanctl //p' "$newest/adit-peer.txt")"
    client=swanctl_0
else
    skip "the newest swanctl" "$(tail -n 1 "$test_tmp/chroot.log")"
fi

say 'refusals have reasons'
refuse 'initiate of what is not there' swanctl_0 --initiate --child nobody
check 'says which' grep -Eq 'nobody' "$test_tmp/swanctl.err"
refuse 'terminate of what is not there' swanctl_0 --terminate --ike nobody
refuse 'redirect, by who is the client' swanctl_0 --redirect --ike gw --gateway 192.0.2.9
check 'says why' grep -Eq 'only a responder' "$test_tmp/swanctl.err"

say 'loading again'
spi=$(sa_fact 0 'child-sas.*.spi-in')
swanctl_is_fine '--load-all touches no SA' --load-all
is 'the SA is the same' "$(sa_fact 0 'child-sas.*.spi-in')" "$spi"
sed -i '/^  cert {/,/^  }/d' "$test_tmp/sw/swanctl.conf"
swanctl_is_fine '--load-conns unloads what is gone' --load-conns
says 'says so' "unloaded connection|successfully loaded 1 connections"
is 'one connection is left' "$(quiet_adit 0 list-conns --json | grep -c '"list-conn"')" 1
sed -i '/^secrets {/,/^}/d' "$test_tmp/sw/swanctl.conf"
swanctl_is_fine '--load-creds unloads the secret' --load-creds
swanctl_is_fine '--terminate --ike gw' --terminate --ike gw
refuse 'without the secret nothing comes up' swanctl_0 --initiate --child net --timeout 5
swanctl_is_fine '--flush-certs' --flush-certs

say 'events'
stop "$logger"
stop "$monitor"
check 'swanctl --log saw the negotiation' logged "$logger_log" 'established'
check 'swanctl --monitor-sa saw the child' logged "$monitor_log" 'net'
refuse 'nothing was missing in them' grep -q '(null)' "$logger_log" "$monitor_log"
test_end
