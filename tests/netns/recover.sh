#!/usr/bin/env bash
# What a daemon survives on its own host, and options of coming back: the TUN device is deleted, descriptors are exhausted,
# both at once; keyingtries = n; dpd_action = trap. (What happens to peers and networks: heal.sh.)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping prlimit python3 "$aditd" "$adit_tool"
test_begin recover 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done
# A dead peer is given up after 0.5 + 0.75 s.
settings='  retransmit_tries = 1
  retransmit_timeout = 0.5
  retransmit_base = 1.5
  workers = 2'

# n0 gets an address of n1's pool, 10.9.0.1, besides its own network.
connection() { # ME START [LINE OF THE CONNECTION [LINE OF THE CHILD]]
    local net=(10.0.0.0/16,dynamic 10.1.0.0/16) pool=('vips = 0.0.0.0' 'pools = p')
    cat <<CONF
connections {
  gw {
    remote_addrs = 192.0.2.$((2 - $1))
    ${pool[$1]}
    dpd_delay = 1s
    ${3:-}
    local {
      auth = psk
      id = n$1.example
    }
    remote {
      auth = psk
      id = n$((1 - $1)).example
    }
    children {
      net {
        local_ts = ${net[$1]}
        remote_ts = ${net[1 - $1]}
        start_action = $2
        ${4:-}
      }
    }
  }
}
pools {
  p {
    addrs = 10.9.0.0/24
  }
}
secrets {
  ike-gw {
    secret = "a secret of both"
  }
}
CONF
}
flows() { quiet_ns 0 ping -c 1 -W 0.3 -I "$1" 10.1.0.1; }
spis() { sa_fact 0 'child-sas.*.spi-in'; }
tun_facts() { # what was on the device: addresses, MTU, routes
    quiet_ns 0 ip -4 -o addr show dev adit0 | awk '{ print $4 }'
    quiet_ns 0 cat /sys/class/net/adit0/mtu /sys/class/net/adit0/tx_queue_len
    quiet_ns 0 ip route show dev adit0 | sort
}
# Without the metrics, which need a descriptor, too.
times_back() { grep -c 'adit0 is there again' "$gw0_log"; }
back_again() { [ "$(times_back)" = "$1" ]; }
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$gw0/stat"; }
attempts() { grep -ac 'initiating IKE_SA gw' "$gw0_log"; }
kill9() { # I
    local pid="gw$1"
    kill -9 "${!pid}"
    wait "${!pid}" 2>/dev/null
}

gateway 1 < <(connection 1 none)
gateway 0 < <(connection 0 start)
check 'traffic flows' wait_for 10 'ping' flows 10.0.0.1
check 'and from the assigned address' wait_for 5 'ping' flows 10.9.0.1

say 'the TUN device is deleted'
before=$(tun_facts) spi=$(spis) index=$(quiet_ns 0 cat /sys/class/net/adit0/ifindex)
say "$(tr '\n' ';' <<<"$before")"
n0 ip link del adit0
check 'it is there again' wait_for 5 'the device' back_again 1
refuse 'it is another one' test "$(quiet_ns 0 cat /sys/class/net/adit0/ifindex)" = "$index"
is 'with address, MTU, queue length and routes' "$(tun_facts)" "$before"
check 'traffic flows at once' flows 10.0.0.1
check 'and from the assigned address' flows 10.9.0.1
check 'many packets, both workers' quiet_ns 0 ping -q -f -c 2000 -w 5 -I 10.0.0.1 10.1.0.1
is 'the Child SA is the same' "$(spis)" "$spi"
check 'the log says what happened' logged "$gw0_log" 'TUN device adit0 was deleted'
is 'it is counted' "$(metric 0 adit_dataplane_events_total event=tun-renewed)" 1

say 'under load, five times'
spawn load n0 ping -q -f -I 10.0.0.1 10.1.0.1
for i in 2 3 4 5 6; do
    quiet_ns 0 ip link del adit0
    check "again ($i)" wait_for 5 'the device' back_again "$i"
done
stop "$load"
check 'traffic flows' flows 10.0.0.1
is 'all as before' "$(tun_facts)" "$before"

say 'clients exhaust the descriptors'
limit=$(awk '/Max open files/ { print $4 }' "/proc/$gw0/limits")
four_free=$(python3 -c '
import os, sys
used, n, free = {int(f) for f in os.listdir(f"/proc/{sys.argv[1]}/fd")}, 0, 0
while free < 4:
    free += n not in used
    n += 1
print(n)' "$gw0")
prlimit --pid "$gw0" --nofile="$four_free:"
spawn many n0 python3 -c '
import socket, sys, time
held = []
for i in range(60):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    held.append(s)
print("held", flush=True)
time.sleep(60)' "$test_tmp/0/vici"
check 'many clients' wait_for 5 'clients' logged "$many_log" held
refuse 'one more is refused' timeout 5 ip netns exec "$test_prefix-0" "$adit_tool" --socket "$test_tmp/0/vici" list-sas
check 'traffic flows' flows 10.0.0.1
check 'the peer rekeys the Child SA' adit 1 rekey --child net
check 'the peer rekeys the IKE SA' adit 1 rekey --ike gw
sleep 2 # and liveness checks are answered
check 'traffic flows' flows 10.0.0.1
is 'the peer has one SA' "$(sa_count 1)" 1

say 'and the TUN device is deleted meanwhile'
quiet_ns 0 ip link del adit0
check 'the log says why it is not there yet' wait_for 5 'the reason' logged "$gw0_log" "can't be made again yet: .*(Too many open files|out of memory)"
ticks=$(cpu_ticks)
sleep 1
between 'nobody spins (hundredths of a second of CPU in a second)' "$(($(cpu_ticks) - ticks))" 0 30
stop "$many"
prlimit --pid "$gw0" --nofile="$limit:"
check 'clients are served again' wait_for 5 'the daemon' quiet_adit 0 list-sas
check 'the device is made' wait_for 5 'the device' back_again 7
is 'all as before' "$(tun_facts)" "$before"
check 'traffic flows' wait_for 3 'ping' flows 10.9.0.1
is 'the peer has still one SA' "$(sa_count 1)" 1

say 'dpd_action = trap: a dead peer is left alone until there is traffic'
connection 0 start '' 'dpd_action = trap' >"$test_tmp/0/swanctl.conf"
check 'load' adit 0 load
check 'traffic flows' wait_for 10 'ping' flows 10.0.0.1
kill9 1
check 'the peer is found dead' wait_for 10 'no SA' has_no_sa 0
gateway_start 1
sleep 2
check 'nobody calls it' has_no_sa 0
check 'a packet does' wait_for 10 'ping' flows 10.0.0.1
check 'it is up' is_up 0

say 'keyingtries = 2: two attempts, then no more'
stop "$gw1"
connection 0 none 'keyingtries = 2' >"$test_tmp/0/swanctl.conf"
check 'load' adit 0 load
adit 0 terminate --ike gw --force --timeout 3 >/dev/null 2>&1
check 'nothing is up' wait_for 5 'no SA' has_no_sa 0
so_far=$(attempts)
refuse 'initiate fails' adit 0 initiate --child net --timeout 15
is 'after two attempts' "$(($(attempts) - so_far))" 2
sleep 1
is 'and no more follow' "$(($(attempts) - so_far))" 2

say 'keyingtries = 4: the peer comes back in time'
sed -i 's/keyingtries = 2/keyingtries = 4/' "$test_tmp/0/swanctl.conf"
check 'load' adit 0 load
quiet_adit 0 initiate --child net --timeout 15 >"$test_tmp/initiate" 2>&1 &
waiting=$!
sleep 1.6
gateway_start 1
check 'the same initiate ends well' wait "$waiting"
check 'traffic flows' wait_for 5 'ping' flows 10.0.0.1
test_end
