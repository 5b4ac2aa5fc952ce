#!/usr/bin/env bash
# strongSwan's swanctl, unmodified, loads again while SAs are up: pools that have leases, connections with other proposals
# and lifetimes, children that come and go. What is up stays up; what is rekeyed takes the new settings.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping swanctl python3 "$aditd" "$adit_tool"
test_begin swreload 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do
    ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo
    ip -n "$test_prefix-$i" addr add "10.2$i.0.1/16" dev lo
done

printf 'swanctl {\n  load = random nonce x509 pubkey pkcs1 pkcs8 pem openssl gmp sha1 sha2 hmac\n}\n' >"$test_tmp/strongswan.conf"
mkdir -p "$test_tmp/sw/conf.d"
swanctl_0() {
    printf '# [n0] swanctl %s\n' "$*" >&2
    STRONGSWAN_CONF=$test_tmp/strongswan.conf SWANCTL_DIR=$test_tmp/sw quiet_ns 0 timeout 30 swanctl "$@" \
        --uri "unix://$test_tmp/0/vici" >"$test_tmp/out" 2>&1
}
says() { grep -Eq -- "$1" "$test_tmp/out"; }
show() { sed 's/^/#   | /' "$test_tmp/out"; }
loads() { check "$1" swanctl_0 "${@:2}" || show; }

# n0 is controlled by swanctl; n1's files stay as they are. What differs from load to load:
ike=aes256gcm16-prfsha384-x25519
esp=aes256gcm16-x25519
rekey=4h
pool='addrs = 10.9.0.0/24
    dns = 10.0.0.53'
more=
write_conf() {
    cat >"$test_tmp/sw/swanctl.conf" <<CONF
connections {
  gw {
    remote_addrs = 192.0.2.2
    proposals = $ike
    rekey_time = $rekey
    local {
      auth = psk
      id = zero.example
    }
    remote {
      auth = psk
      id = one.example
    }
    children {
      net {
        local_ts = 10.0.0.0/16
        remote_ts = 10.1.0.0/16
        esp_proposals = $esp
      }
$more
    }
  }
  road {
    pools = rw
    proposals = $ike
    local {
      auth = psk
      id = zero.example
    }
    remote {
      auth = psk
      id = road.example
    }
    children {
      inside {
        local_ts = 10.0.0.0/16
        esp_proposals = $esp
      }
    }
  }
}
pools {
  rw {
    $pool
  }
}
secrets {
  ike-all {
    secret = "a secret of all"
  }
}
CONF
}
peer_conf() {
    cat <<'CONF'
connections {
  gw {
    remote_addrs = 192.0.2.1
    proposals = aes256gcm16-prfsha384-x25519, aes128gcm16-prfsha256-ecp256
    local {
      auth = psk
      id = one.example
    }
    remote {
      auth = psk
      id = zero.example
    }
    children {
      net {
        local_ts = 10.1.0.0/16
        remote_ts = 10.0.0.0/16
        esp_proposals = aes256gcm16-x25519, chacha20poly1305-x25519
      }
      second {
        local_ts = 10.21.0.0/16
        remote_ts = 10.20.0.0/16
        esp_proposals = aes256gcm16-x25519
      }
    }
  }
  road {
    remote_addrs = 192.0.2.1
    proposals = aes256gcm16-prfsha384-x25519
    vips = 0.0.0.0
    local {
      auth = psk
      id = road.example
    }
    remote {
      auth = psk
      id = zero.example
    }
    children {
      inside {
        remote_ts = 10.0.0.0/16
        esp_proposals = aes256gcm16-x25519
      }
    }
  }
}
secrets {
  ike-all {
    secret = "a secret of all"
  }
}
CONF
}
gateway 0 <<'CONF'
pools {
  own {
    addrs = 10.8.0.0/24
  }
}
CONF
gateway 1 < <(peer_conf)
write_conf

# What list-sas shows of n0's SA of a connection: KEY, or that of a child.
fact() { # CONNECTION KEY [CHILD]
    quiet_adit 0 list-sas --json --up --ike "$1" | python3 -c '
import json, sys
conn, key, child = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None
for line in sys.stdin:
    message = json.loads(line)
    if message.get("event") != "list-sa":
        continue
    sa = message["data"][conn]
    if child:
        sa = next((c for c in sa["child-sas"].values() if c["name"] == child and c["state"] == "INSTALLED"), {})
    value = sa.get(key, "")
    print(" ".join(value) if isinstance(value, list) else value)
    break' "$@"
}
differs() { [ -n "$1" ] && [ "$1" != "$2" ]; }
child_is_other() { differs "$(fact gw spi-in "$1")" "$2"; }
ike_is_other() { differs "$(fact gw uniqueid)" "$1"; }

say 'pools'
loads '--load-all with a pool' --load-all
check 'says so' says "loaded pool 'rw'"
check 'aditd says why its own stays' logged "$test_tmp/gw0.log" "pool 'own' stays"
loads '--list-pools' --list-pools
check 'shows it' says '^rw +10\.9\.0\.0 +0 / 0 / 254'
check 'and that of the file' says '^own +10\.8\.0\.0 +0 / 0 / 254'
check 'a client comes' adit 1 initiate --child inside --timeout 10
is 'its address' "$(fact road remote-vips)" 10.9.0.1
check 'it pings' n1 ping -q -c 2 -i 0.2 -W 2 -I 10.9.0.1 10.0.0.1
loads '--list-pools --leases' --list-pools --leases
check 'counts it' says '^rw +10\.9\.0\.0 +1 / 0 / 254'
check 'shows whose' says "10\.9\.0\.1 +online +'road\.example'"
road=$(fact road spi-in inside)
loads '--load-pools again' --load-pools
pool='addrs = 10.9.0.0/24
    dns = 10.0.0.54'
write_conf
loads '--load-pools, same range' --load-pools
loads '--list-pools --leases' --list-pools --leases
check 'keeps the lease' says "10\.9\.0\.1 +online +'road\.example'"
pool='addrs = 10.7.0.0/24'
write_conf
refuse '--load-pools, other range' swanctl_0 --load-pools
check 'says why' says 'rw.*in use|in use.*rw|leas' || show
loads '--list-pools' --list-pools
check 'the range is the old one' says '^rw +10\.9\.0\.0 +1 / 0 / 254'
is 'the client is not disturbed' "$(fact road spi-in inside)" "$road"
check 'the client goes' adit 1 terminate --ike road --timeout 5
loads '--list-pools --leases' --list-pools --leases
check 'its lease is kept' says "10\.9\.0\.1 +offline +'road\.example'"
loads '--load-pools, other range, nobody there' --load-pools
loads '--list-pools' --list-pools
check 'is in force' says '^rw +10\.7\.0\.0 +0 / 0 / 254'
check 'a client comes' adit 1 initiate --child inside --timeout 10
is 'its address is of the new range' "$(fact road remote-vips)" 10.7.0.1
check 'the client goes' adit 1 terminate --ike road --timeout 5
sed -i '/^pools {/,/^}/d' "$test_tmp/sw/swanctl.conf"
loads '--load-pools without any' --load-pools
loads '--list-pools' --list-pools
refuse 'is gone' says '^rw '
check 'that of the file is not' says '^own '
refuse 'a client gets no address' adit 1 initiate --child inside --timeout 5
write_conf
loads '--load-all' --load-all

say 'other proposals and lifetimes'
check 'gw is up' swanctl_0 --initiate --child net --timeout 10 || show
spawn ping n0 ping -q -i 0.1 -W 2 -I 10.0.0.1 10.1.0.1
id=$(fact gw uniqueid) spi=$(fact gw spi-in net)
esp=chacha20poly1305-x25519
write_conf
loads '--load-conns' --load-conns
is 'the IKE SA is the same' "$(fact gw uniqueid)" "$id"
is 'the Child SA is the same' "$(fact gw spi-in net)" "$spi"
is 'its algorithm is the old one' "$(fact gw encr-alg net)" AES_GCM_16
check 'the child is rekeyed' swanctl_0 --rekey --child net
check 'is another' wait_for 5 'rekeyed' child_is_other net "$spi"
is 'by the new proposal' "$(fact gw encr-alg net)" CHACHA20_POLY1305
ike=aes128gcm16-prfsha256-ecp256
rekey=90m
write_conf
loads '--load-conns' --load-conns
is 'the IKE SA is the same' "$(fact gw uniqueid)" "$id"
is 'its algorithms are the old ones' "$(fact gw encr-keysize) $(fact gw dh-group)" '256 CURVE_25519'
check 'the IKE SA is rekeyed' swanctl_0 --rekey --ike gw
check 'is another' wait_for 5 'rekeyed' ike_is_other "$id"
is 'by the new proposal' "$(fact gw encr-keysize) $(fact gw dh-group)" '128 ECP_256'
left=$(fact gw rekey-time)
check 'and by the new lifetime' test "${left:-0}" -gt 60 -a "${left:-0}" -le 5400
sleep 2 # both rekeyings may take less than ten packets do
kill -INT "$ping" # it shall tell
wait "$ping"
refuse 'not one packet was lost' grep -Eq ' [1-9][0-9]*(\.[0-9]+)?% packet loss' "$ping_log"
check 'there were some' grep -Eq '[1-9][0-9]+ received' "$ping_log"

say 'children come and go'
id=$(fact gw uniqueid) spi=$(fact gw spi-in net)
more='      second {
        local_ts = 10.20.0.0/16
        remote_ts = 10.21.0.0/16
        esp_proposals = aes256gcm16-x25519
        start_action = start
      }'
write_conf
loads '--load-conns' --load-conns
check 'the added child comes up by its start_action' wait_for 10 'second is up' eval '[ -n "$(fact gw spi-in second)" ]'
is 'in the same IKE SA' "$(fact gw uniqueid)" "$id"
is 'the other Child SA is the same' "$(fact gw spi-in net)" "$spi"
check 'traffic passes' n0 ping -q -c 2 -i 0.2 -W 2 -I 10.20.0.1 10.21.0.1
more=
write_conf
loads '--load-conns' --load-conns
check 'the removed child, started by its action, is closed' wait_for 10 'second is down' eval '[ -z "$(fact gw spi-in second)" ]'
is 'the IKE SA is the same' "$(fact gw uniqueid)" "$id"
is 'the Child SA started by hand stays' "$(fact gw spi-in net)" "$spi"
check 'traffic passes' n0 ping -q -c 2 -i 0.2 -W 2 -I 10.0.0.1 10.1.0.1
test_end
