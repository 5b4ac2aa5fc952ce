#!/usr/bin/env bash
# Two aditd walk through a list of key exchange methods: each sets a tunnel up, carries a ping, and renews the keys of the IKE
# SA and of the Child SA with the same method. What may not travel is refused with its reason.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool"
test_begin kems 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done

connections() { # ME PEER IKE ESP [OPTION]
    cat <<CONF
connections {
  gw {
    local_addrs = 192.0.2.$(($1 + 1))
    remote_addrs = 192.0.2.$(($2 + 1))
    proposals = $3
    ${5:-}
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
        esp_proposals = $4
      }
    }
  }
}
secrets {
  ike-gw {
    secret = "a secret of both"
  }
}
CONF
}
configure() { # IKE ESP [OPTION]: anew, on both
    for i in 0 1; do
        connections "$i" "$((1 - i))" "$@" >"$test_tmp/$i/swanctl.conf"
        quiet_adit "$i" load >/dev/null
    done
}
gateway 0 < <(connections 0 1 aes256gcm16-prfsha384-x25519 aes256gcm16-x25519)
gateway 1 < <(connections 1 0 aes256gcm16-prfsha384-x25519 aes256gcm16-x25519)

suite() { quiet_adit 0 list-sas --json | tr ',' '\n'; }
walk() { # WHAT NAME IKE ESP [OPTION]: NAME is what list-sas shows of the method
    local what=$1 name=$2
    shift 2
    configure "$@"
    check "$what: up" adit 0 initiate --child net --timeout 20
    check "$what: agreed on" grep -q "\"$name\"" <(suite)
    check "$what: carries a ping" n0 ping -c 1 -W 5 -I 10.0.0.1 10.1.0.1
    check "$what: Child SA rekeyed" adit 0 rekey --child net
    check "$what: IKE SA rekeyed by the other side" adit 1 rekey --ike gw
    check "$what: agreed on again" grep -q "\"$name\"" <(suite)
    check "$what: carries a ping again" n0 ping -c 1 -W 5 -I 10.0.0.1 10.1.0.1
    check "$what: down" adit 0 terminate --ike gw
}

say 'alone in IKE_SA_INIT'
ike=aes256gcm16-prfsha384 esp=aes256gcm16
walk 'ML-KEM-512' ML_KEM_512 $ike-mlkem512 $esp-mlkem512
walk 'ML-KEM-1024' ML_KEM_1024 $ike-mlkem1024 $esp-mlkem1024
walk 'X25519 and ML-KEM-768' X25519_MLKEM768 $ike-x25519mlkem768 $esp-x25519mlkem768
walk 'ECP-384 and ML-KEM-1024' ECP384_MLKEM1024 $ike-ecp384mlkem1024 $esp-ecp384mlkem1024 'init_ke_max = 1665'

say 'behind X25519'
for m in frodoa1:FRODOKEM_640_AES frodos3:FRODOKEM_976_SHAKE frodoa5:FRODOKEM_1344_AES efrodoa3:EFRODOKEM_976_AES \
    efrodos5:EFRODOKEM_1344_SHAKE ecp256mlkem768:ECP256_MLKEM768; do
    walk "${m%:*}" "${m#*:}" "$ike-x25519-ke1_${m%:*}" "$esp-x25519-ke1_${m%:*}"
done
walk 'two' FRODOKEM_976_AES $ike-x25519-ke1_mlkem768-ke2_frodoa3 $esp-x25519-ke1_mlkem768-ke2_frodoa3
walk 'pq-paranoid' FRODOKEM_1344_SHAKE pq-paranoid $esp-x25519-ke1_mlkem1024-ke2_frodos5

say 'longer than 64 KiB'
walk 'Classic McEliece' MCELIECE_348864F $ike-x25519-ke1_mceliece348864f $esp-x25519-ke1_mceliece348864f
tree=x25519-ke1_mlkem1024-ke2_frodoa5-ke3_frodos5-ke4_mceliece6688128f-ke5_mceliece8192128f-ke6_ecp521-ke7_x448
configure "$ike-$tree" $esp-x25519
start=${EPOCHREALTIME/./}
check 'eight at once, the largest: up' adit 0 initiate --child net --timeout 60
say "eight at once took $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
check 'eight at once: the last is agreed on' grep -q '"CURVE_448"' <(suite)
check 'eight at once: carries a ping' n0 ping -c 1 -W 5 -I 10.0.0.1 10.1.0.1
check 'eight at once: rekeyed' adit 1 rekey --ike gw
check 'eight at once: carries a ping again' n0 ping -c 1 -W 5 -I 10.0.0.1 10.1.0.1
check 'eight at once: down' adit 0 terminate --ike gw

say 'what is too long is not sent, and the reason is told'
configure $ike-frodoa3 $esp-x25519
refuse 'FrodoKEM in IKE_SA_INIT by UDP' adit 0 initiate --child net --timeout 10
check 'the reason' grep -q 'frodoa3 (longer than init_ke_max' "$test_tmp/gw0.log"
configure $ike-mceliece348864f $esp-x25519 'ike_transport = tcp'
refuse 'Classic McEliece in IKE_SA_INIT, even by TCP' adit 0 initiate --child net --timeout 10
check 'the reason' grep -q 'mceliece348864f (longer than any IKE_SA_INIT' "$test_tmp/gw0.log"

say 'alone in IKE_SA_INIT by TCP'
for m in frodoa1:FRODOKEM_640_AES frodos5:FRODOKEM_1344_SHAKE; do
    walk "${m%:*} by TCP" "${m#*:}" "$ike-${m%:*}" "$esp-${m%:*}" 'ike_transport = tcp'
done

say 'what the daemon can'
check 'list-algs names FrodoKEM' grep -q FRODOKEM_976_AES <(quiet_adit 0 list-algs)
check 'and who computes it' grep -q '"FRODOKEM_976_AES":"botan"' <(quiet_adit 0 list-algs --json)
test_end
