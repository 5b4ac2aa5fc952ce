#!/usr/bin/env bash
# Two workers at each end, and a Child SA for each of them beside the one for all (RFC 9611): what is sent where, and what
# happens when one of them goes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool"
test_begin workers 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done
for k in $(seq 2 40); do ip -n "$test_prefix-1" addr add "10.1.0.$k/16" dev lo; done

connections() { # ME PEER ADDRESS OPTION...
    cat <<CONF
connections {
  gw {
    remote_addrs = $3
    proposals = aes256gcm16-prfsha384-x25519
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
        esp_proposals = aes256gcm16-x25519
$(printf '        %s\n' "${@:4}")
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
settings='  workers = 2'
gateway 0 < <(connections 0 1 192.0.2.2 'per_cpu_sas = yes')
gateway 1 < <(connections 1 0 192.0.2.1 'per_cpu_sas = yes')

# "CPU PACKETS-OUT PACKETS-IN" of each Child SA; CPU "all": the one for all.
children() {
    quiet_adit "$1" list-sas --json | python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event.get("event") == "list-sa":
        for sa in event["data"].values():
            for c in sa["child-sas"].values():
                cpu = "all" if c.get("per-cpu-sas") == "yes" else c.get("cpu", "-")
                print(cpu, c.get("packets-out", 0), c.get("packets-in", 0), c["uniqueid"])' | sort
}
# Both ends may ask at once: then a worker has two.
cpus() { children "$1" | cut -d' ' -f1 | uniq | tr '\n' ' '; }
each_has_own() { [ "$(cpus 0)" = '0 1 all ' ] && [ "$(cpus 1)" = '0 1 all ' ]; }
has_cpus() { [ "$(cpus "$1")" = "$2" ]; }
sent() { children "$1" | awk -v cpu="$2" '$1 == cpu { n += $2 } END { print n + 0 }'; }
taken() { children "$1" | awk -v cpu="$2" '$1 == cpu { n += $3 } END { print n + 0 }'; }
pings() { # many flows: both workers get some
    local k
    for k in $(seq 1 40); do quiet_ns 0 ping -q -c 2 -i 0.02 -W 1 -I 10.0.0.1 "10.1.0.$k" >/dev/null || return 1; done
}
until_each_has_own() { pings && each_has_own; }

say 'one for all'
check 'adit initiate' adit 0 initiate --child net --timeout 10
is 'it is the only one' "$(cpus 0)" 'all '
say 'traffic of both workers'
check 'each has one of its own, at both ends' wait_for 20 'further SAs' until_each_has_own
check 'pings' pings
for cpu in 0 1; do
    between "n0 sends on that of worker $cpu" "$(sent 0 $cpu)" 1 100000
done
between 'and n1 takes them' "$(($(taken 1 0) + $(taken 1 1)))" 2 100000
all=$(sent 0 all)
check 'pings' pings
is 'the one for all rests' "$(sent 0 all)" "$all"

say 'those of one worker go'
for id in $(children 0 | awk '$1 == 1 { print $4 }'); do
    check 'adit terminate' adit 0 terminate --child-id "$id" --timeout 8
done
check 'its worker has none' has_cpus 0 '0 all '
check 'pings' pings
check 'it comes back' wait_for 20 'further SAs' until_each_has_own

say 'rekeyed'
id=$(children 0 | awk '$1 == 1 { print $4; exit }')
check 'adit rekey' adit 0 rekey --child-id "$id"
renewed() { each_has_own && ! children 0 | grep >/dev/null " $id\$"; }
check 'it keeps its worker' wait_for 10 'a rekeyed SA' renewed
check 'pings' pings
check 'adit terminate' adit 0 terminate --ike gw --timeout 8

say 'at once'
connections 0 1 192.0.2.2 'per_cpu_sas = yes' 'per_cpu_start = yes' >"$test_tmp/0/swanctl.conf"
check 'adit load' adit 0 load
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'all are there' wait_for 5 'further SAs' each_has_own
check 'adit terminate' adit 0 terminate --ike gw --timeout 8

say 'a peer that does not do it'
connections 1 0 192.0.2.1 >"$test_tmp/1/swanctl.conf"
check 'adit load' adit 1 load
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'pings' pings
is 'one is all there is' "$(cpus 0)" '- '
test_end
