#!/usr/bin/env bash
# Child SAs in the kernel's ESP (dataplane = auto): they go there if they need nothing that only our own ESP has; flows move to
# it and back when they are rekeyed, and lose nothing. Needs a kernel with ESP: tests/interop/run-offload brings one.
. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool"
ip xfrm state add src 127.0.0.1 dst 127.0.0.1 proto esp spi 0x7fad1700 mode tunnel aead 'rfc4106(gcm(aes))' \
    0x000102030405060708090a0b0c0d0e0f10111213 128 2>/dev/null || test_cannot "this kernel has no ESP"
ip xfrm state delete src 127.0.0.1 dst 127.0.0.1 proto esp spi 0x7fad1700
test_begin offload 2
veth 0 1 192.0.2.1/24 192.0.2.2/24 2001:db8::1/64 2001:db8::2/64
for i in 0 1; do
    ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo
    ip -n "$test_prefix-$i" addr add "fd00:$i::1/128" dev lo
done

# A child from 10.I.0.0/16 and fd00:I::/32 to the other's; empty local or remote: of any address.
connections() { # ME PEER CHILD-LINES...
    local local_addrs=${outer}$(($1 + 1)) remote_addrs=${outer}$(($2 + 1))
    [ "$roams" = "$1" ] && local_addrs=%any
    [ "$roams" = "$2" ] && remote_addrs=%any
    cat <<CONF
connections {
  gw {
    local_addrs = $local_addrs
    remote_addrs = $remote_addrs
    proposals = aes256gcm16-prfsha384-x25519
$(printf '    %s\n' "${conn_lines[@]}")
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
        $(printf "$ts" "$1" "$1" "$2" "$2")
        esp_proposals = aes256gcm16-x25519
$(printf '        %s\n' "${@:3}")
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
}
nets='local_ts = 10.%s.0.0/16, fd00:%s::/32\n        remote_ts = 10.%s.0.0/16, fd00:%s::/32'
ts=$nets outer=192.0.2. roams=
conn_lines=('dpd_delay = 0')
large='replay_window = 8192' # the kernel's end at 4096: with it a Child SA stays in user space

carriers() { echo "$(sa_fact 0 'child-sas.*.dataplane') $(sa_fact 1 'child-sas.*.dataplane')"; }
are() { [ "$(carriers)" = "$1" ]; }
alone() { # of rekeyed Child SAs nothing is left
    [ "$(quiet_adit 0 list-sas --json | grep -o spi-in | wc -l) $(quiet_adit 1 list-sas --json | grep -o spi-in | wc -l)" = '1 1' ]
}
settled() { are "$1" && alone; }
passes() { quiet_ns 0 ping -q -c 3 -i 0.1 -W 2 -I 10.0.0.1 10.1.0.1 && quiet_ns 1 ping -q -c 3 -i 0.1 -W 2 -I fd00:1::1 fd00:0::1; }
states() { quiet_ns "$1" ip xfrm state list | grep -c '^src'; }
policies() { quiet_ns "$1" ip xfrm policy list | grep -cE '^\s+dir (in|out|fwd) priority'; }
# XfrmInNoStates: every ESP packet of ours, which the kernel looks at, too.
errors() { quiet_ns "$1" awk '$1 != "XfrmInNoStates" { n += $2 } END { print n }' /proc/net/xfrm_stat; }
load() { # I CHILD-LINES...
    gateway_files "$1" < <(connections "$1" $((1 - $1)) "${@:2}")
    quiet_adit "$1" load >/dev/null
}
start() { # CHILD-LINES of both ends
    gateway 0 < <(connections 0 1 "$@")
    gateway 1 < <(connections 1 0 "$@")
}
finish() { # WORDS: both end orderly, and leave nothing behind
    local i gw
    for i in 0 1; do
        gw=gw$i
        kill "${!gw}"
        wait "${!gw}"
        is "$1: n$i ends orderly" $? 0
        is "$1: nothing of n$i is left in the kernel" "$(states $i) $(policies $i)" '0 0'
    done
}
up() { # WORDS CARRIERS
    check "$1: adit initiate" adit 0 initiate --child net --timeout 10
    check "$1: the other side is up" wait_for 5 'n1 is up' is_up 1
    is "$1: carried by" "$(carriers)" "$2"
}
rekeyed() { # WORDS BY CARRIERS
    local before
    before=$(sa_fact 0 'child-sas.*.spi-in')
    quiet_adit "$2" rekey --child net >/dev/null
    check "$1: rekeyed" wait_for 8 'a new Child SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != '"$before"' ]'
    check "$1: $3" wait_for 8 "$3" settled "$3"
    say "$1: without an answer so far $(unanswered "${there_log:-/dev/null}") $(unanswered "${back_log:-/dev/null}")"
}
unanswered() { # LOG: pings without an answer, but the last one
    python3 - "$1" <<'PY'
import re, sys
got = {int(n) for n in re.findall(r'icmp_seq=(\d+) ttl', open(sys.argv[1]).read())}
print(len(set(range(1, max(got, default=0))) - got) if got else 'all')
PY
}

say 'in the kernel'
dataplane=auto
start
up kernel 'kernel kernel'
is 'two states' "$(states 0)" 2
is 'policies in three directions, both families' "$(policies 0)" 6
check 'pings' passes
is 'counted' "$(sa_fact 0 'child-sas.*.packets-out') $(sa_fact 0 'child-sas.*.packets-in')" '6 6'
is 'none by the TUN' "$(metric 0 adit_dataplane_packets_total direction=out)" 0
check 'adit stats' eval 'quiet_adit 0 stats | grep >/dev/null "ESP of the kernel *yes"'
check 'adit list-sas' eval 'quiet_adit 0 list-sas | grep >/dev/null "in the kernel"'

pings_begin() {
    spawn there n0 ping -i 0.05 -I 10.0.0.1 10.1.0.1
    spawn back n1 ping -i 0.05 -I fd00:1::1 fd00:0::1
    sleep 0.5
}
pings_end() { # WORDS
    sleep 0.5
    kill -INT "$there" "$back"
    wait "$there" "$back"
    is "$1: pings there without an answer" "$(unanswered "$there_log")" 0
    is "$1: pings back without an answer" "$(unanswered "$back_log")" 0
    between "$1: pings" "$(grep -c ttl "$there_log")" 30 100000
}
say 'a flow moves when it is rekeyed'
pings_begin
rekeyed 'kernel to kernel' 0 'kernel kernel'
load 0 "$large"
rekeyed 'to user space' 0 'user kernel'
rekeyed 'in user space, the other end asks' 1 'user kernel'
load 0
load 1 "$large"
rekeyed 'back, and the other end leaves' 1 'kernel user'
load 1
rekeyed 'both back' 0 'kernel kernel'
pings_end 'ESP'
finish 'ESP'
say 'the same in UDP'
conn_lines=('dpd_delay = 0' 'encap = yes')
start
up 'UDP' 'kernel kernel'
check 'in UDP' eval 'quiet_ns 0 ip xfrm state | grep >/dev/null "encap type espinudp sport 4500 dport 4500"'
pings_begin
load 0 "$large"
rekeyed 'UDP, to user space' 1 'user kernel'
load 0
rekeyed 'UDP, back' 0 'kernel kernel'
pings_end 'UDP'
finish 'UDP'
conn_lines=('dpd_delay = 0')

say 'traps'
start 'start_action = trap'
n0 ping -q -c 1 -W 1 -I 10.0.0.1 10.1.0.1 # held in user space, and lost: the SA is the kernel's
check 'both are up' wait_for 8 'up' are 'kernel kernel'
check 'pings' passes
check 'adit terminate' adit 0 terminate --ike gw --timeout 8
check 'n1 has closed it' wait_for 5 'closed' has_no_sa 1
load 0 'start_action = trap' "$large"
check 'the first packet is held, and sent' n0 ping -q -c 1 -W 8 -I 10.0.0.1 10.1.0.1
check 'both are up' wait_for 8 'up' are 'user kernel'
check 'pings' passes
finish 'traps'

say 'limits'
start 'rekey_packets = 20' 'life_packets = 600' 'rand_packets = 0'
up 'limits' 'kernel kernel'
before=$(sa_fact 0 'child-sas.*.spi-in')
check 'more packets than one SA may' n0 ping -q -c 25 -i 0.05 -W 2 -I 10.0.0.1 10.1.0.1
check 'rekeyed' wait_for 8 'a new Child SA' eval '[ "$(sa_fact 0 child-sas.*.spi-in)" != "$before" ]'
load 0 'inactivity = 3'
check 'adit rekey' adit 0 rekey --child net
check 'gone for want of traffic' wait_for 12 'no Child SA' eval '[ -z "$(sa_fact 0 child-sas.*.spi-in)" ]'
check 'and so are its states' wait_for 8 'no state' eval '[ "$(states 0)" = 0 ]'
finish 'limits'

say 'another address'
roams=0
start
up 'mobile' 'kernel kernel'
check 'pings' passes
spi=$(sa_fact 0 'child-sas.*.spi-in')
n0 ip addr add 192.0.2.77/24 dev w1
n0 ip addr del 192.0.2.1/24 dev w1
n0 ip addr add 192.0.2.77/24 dev w1 2>/dev/null
at() { [ "$(sa_fact 0 local-host) $(sa_fact 1 remote-host)" = "$1 $1" ]; }
check 'both ends know' wait_for 8 'the new address' at 192.0.2.77
check 'the kernel, too' eval 'quiet_ns 0 ip xfrm state | grep >/dev/null "src 192.0.2.77" && ! quiet_ns 0 ip xfrm state | grep >/dev/null 192.0.2.1 '
check 'pings' passes
is 'of the same SA' "$(sa_fact 0 'child-sas.*.spi-in') $(carriers)" "$spi kernel kernel"
between 'which has counted on' "$(sa_fact 0 'child-sas.*.packets-in')" 12 100
finish 'mobile'
n0 ip addr add 192.0.2.1/24 dev w1
n0 ip addr del 192.0.2.77/24 dev w1
n0 ip addr add 192.0.2.1/24 dev w1 2>/dev/null
roams=

say 'transport mode, IPv6 outside'
ts='mode = transport%.0s%.0s%.0s%.0s' outer=2001:db8::
start
up 'transport' 'kernel kernel'
check 'ping' n0 ping -q -c 3 -i 0.1 -W 2 2001:db8::2
is 'counted' "$(sa_fact 0 'child-sas.*.packets-out') $(sa_fact 1 'child-sas.*.packets-in')" '3 3'
rekeyed 'transport' 1 'kernel kernel'
check 'ping' n0 ping -q -c 3 -i 0.1 -W 2 2001:db8::2
finish 'transport'
ts=$nets outer=192.0.2.

say 'an SA a processor (RFC 9611)'
settings='  workers = 2'
start 'per_cpu_sas = yes'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the other side is up' wait_for 5 'n1 is up' is_up 1
each() { # "CPU CARRIER PACKETS-OUT" of each Child SA of n0
    quiet_adit 0 list-sas --json | python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event.get("event") == "list-sa":
        for sa in event["data"].values():
            for c in sa["child-sas"].values():
                print("all" if c.get("per-cpu-sas") == "yes" else c.get("cpu", "-"), c["dataplane"], c.get("packets-out", 0))' | sort
}
from_cpu() { quiet_ns 0 taskset -c "$1" ping -q -c "${2:-3}" -i 0.05 -W 2 -I 10.0.0.1 10.1.0.1; }
cpus() { each | cut -d' ' -f1,2 | uniq | tr '\n' ' '; }
own() { from_cpu 0 && from_cpu 1 && [ "$(cpus)" = '0 kernel 1 kernel all kernel ' ]; }
sent() { each | awk -v cpu="$1" '$1 == cpu { n += $3 } END { print n + 0 }'; }
if [ "$(printf '%s\n' 6.13 "$(uname -r)" | sort -V | head -n 1)" = 6.13 ]; then
    check 'each processor has one of its own, in the kernel' wait_for 30 'further SAs' own
    before=$(sent all) before1=$(sent 1)
    check 'ping from processor 1' from_cpu 1 10
    is 'goes by its own' "$(($(sent 1) - before1)) $(($(sent all) - before))" '10 0'
else
    is 'this kernel has none: user space' "$(sa_fact 0 'child-sas.*.dataplane-why')" 'this kernel binds no SAs to processors'
    check 'pings' passes
fi
finish 'processors'

say 'the kernel, or nothing'
settings= dataplane=kernel
start "$large"
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'the log says why there is no Child SA' wait_for 5 'the reason' logged "$gw0_log" "dataplane = kernel: the kernel's replay windows end at 4096"
check 'and there is none' wait_for 5 'none' eval '[ -z "$(sa_fact 0 child-sas.*.spi-in)" ]'
finish 'kernel'
for i in 0 1; do is "n$i: packets that the kernel has dropped" "$(errors $i)" 0; done
test_end
