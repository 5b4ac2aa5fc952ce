#!/usr/bin/env bash
# Two aditd walk through all key exchange methods that the build has: each sets a tunnel up, carries a ping, and renews the keys
# of the IKE SA and of the Child SA with the same method; alone where it may travel in IKE_SA_INIT, and as an additional one, with
# PRFs, roles and numbers (ADDKE1 to ADDKE7) in turn. FrodoKEM is alone by TCP. What may not travel is refused with its reason.
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
settings='  ke_pool = no' # what a walk needs is made in it
gateway 0 < <(connections 0 1 aes256gcm16-prfsha384-x25519 aes256gcm16-x25519)
gateway 1 < <(connections 1 0 aes256gcm16-prfsha384-x25519 aes256gcm16-x25519)

times=2 # that list-sas shows the method: in the IKE SA and in its Child SA
who=0 # sets up and renews the Child SA; the other one renews the IKE SA
suite() { quiet_adit "$who" list-sas --json | tr ',' '\n'; }
has() { [ "$(suite | grep -c "\"$1\"")" -ge "$2" ]; } # NAME TIMES
ping_through() { "n$who" ping -c 1 -W 5 -I "10.$who.0.1" "10.$((1 - who)).0.1"; }
is_another() { local now; now=$(sa_fact "$who" initiator-spi) && [ -n "$now" ] && [ "$now" != "$1" ]; } # SPI
walk() { # WHAT NAME IKE ESP [OPTION]: NAME is what list-sas shows of the method
    local what=$1 name=$2 before
    shift 2
    who=$((1 - who))
    configure "$@"
    check "$what: up" adit $who initiate --child net --timeout 30
    check "$what: agreed on" has "$name" 1
    check "$what: carries a ping" ping_through
    check "$what: Child SA rekeyed" adit $who rekey --child net
    check "$what: the Child SA has it" wait_for 10 'a new Child SA' has "$name" "$times"
    before=$(sa_fact "$who" initiator-spi)
    check "$what: IKE SA rekeyed by the other side" adit $((1 - who)) rekey --ike gw
    check "$what: there is a new one" wait_for 10 'another SPI' is_another "$before"
    check "$what: agreed on again" has "$name" 1
    check "$what: carries a ping again" ping_through
    check "$what: down" adit $who terminate --ike gw
}

say 'all methods of the build'
prfs=(prfsha256 prfsha384 prfsha512 prfkmac128 prfkmac256)
walks=0
ike() { printf 'aes256gcm16-%s' "${prfs[walks % 5]}"; }
esp=aes256gcm16
methods=$(quiet_adit 0 list-algs --json | python3 -c '
import json, sys
for line in sys.stdin:
    print("\n".join(json.loads(line)["response"]["ke"]))')
word_of() { sed -n "s/^K(\"\([a-z0-9]*\)\", KE, KE_$1, 0).*/\1/p" "$(dirname "$0")/../../src/wire/keywords.def" | head -1; }
check 'there are 45 or more' [ "$(wc -w <<<"$methods")" -ge 45 ]
for name in $methods; do
    m=$(word_of "$name")
    check "$name has a keyword" [ -n "$m" ]
    case $name in
    MCELIECE*) ;;
    FRODOKEM* | EFRODOKEM*) walk "$m alone by TCP" "$name" "$(ike)-$m" "$esp-$m" 'ike_transport = tcp' ;;
    *) walk "$m alone" "$name" "$(ike)-$m" "$esp-$m" 'init_ke_max = 1665' ;;
    esac
    walks=$((walks + 1)) base=x25519
    [ "$m" != x25519 ] || base=ecp256
    in_child=$esp-$base-ke$((walks * 3 % 7 + 1))_$m times=2
    case $name in MCELIECE*F) ;; MCELIECE*) in_child=$esp-$base times=1 ;; esac # what the same set with F has shown: it takes seconds
    walk "$m behind $base" "$name" "$(ike)-$base-ke$((walks % 7 + 1))_$m" "$in_child"
    times=2
done

say 'several, and presets'
ike=aes256gcm16-prfsha384
walk 'two' FRODOKEM_976_AES $ike-x25519-ke1_mlkem768-ke2_frodoa3 $esp-x25519-ke1_mlkem768-ke2_frodoa3
walk 'pq-paranoid' FRODOKEM_1344_SHAKE pq-paranoid $esp-x25519-ke1_mlkem1024-ke2_frodos5
walk 'pq-default' ML_KEM_768 pq-default pq-default
walk 'cnsa2' ML_KEM_1024 cnsa2 cnsa2
walk 'apple' ML_KEM_768 apple apple

say 'longer than 64 KiB'
walk 'Classic McEliece and FrodoKEM' MCELIECE_348864F $ike-x25519-ke1_mceliece348864f-ke2_frodoa1 $esp-x25519-ke1_mceliece348864f
say 'keys that were made ahead (ke_pool = auto)'
for i in 0 1; do
    running=gw$i settings=
    stop "${!running}"
    gateway $i < <(connections $i $((1 - i)) $ike-x25519-ke1_mceliece348864f $esp-x25519)
done
pool_ready() { quiet_adit 0 metrics | grep >/dev/null 'adit_ke_pool_keys{.*} 1'; }
check 'one is made' wait_for 10 'a key pair' pool_ready
who=0
check 'from the stock: up' adit 0 initiate --child net --timeout 20
check 'from the stock: agreed on' has MCELIECE_348864F 1
taken() { quiet_adit 0 metrics | grep >/dev/null '^adit_ike_events_total{event="ke-pool-taken"} [1-9]'; }
check 'it was taken' taken
check 'from the stock: carries a ping' ping_through
check 'another one is made' wait_for 20 'a key pair' pool_ready
check 'from the stock: rekeyed' adit 0 rekey --ike gw
check 'from the stock: down' adit 0 terminate --ike gw
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

say 'what the daemon can'
check 'list-algs names FrodoKEM' grep -q FRODOKEM_976_AES <(quiet_adit 0 list-algs)
check 'and who computes it' grep -q '"FRODOKEM_976_AES":"botan"' <(quiet_adit 0 list-algs --json)
test_end
