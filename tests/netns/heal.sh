#!/usr/bin/env bash
# Tunnels that are configured to be up come up again by themselves: after kill -9 and an orderly stop of either side, with
# start and trap; after addresses, routes, links and names have changed; after refusals. adit list-sas says since when they
# were down and why. Nothing here is done by hand but what breaks them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool" nft
test_begin heal 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done
# Dead peers are given up after 1 + 1.5 + 2.25 s: the script is to be short.
settings='  retransmit_tries = 2
  retransmit_timeout = 1
  retransmit_base = 1.5'

connections() { # ME PEER START [LINE OF THE CONNECTION [PEER'S ADDRESS [SECRET]]]
    cat <<CONF
connections {
  gw {
    local_addrs = %any
    remote_addrs = ${5:-192.0.2.$(($2 + 1))}
    dpd_delay = 2s
    ${4:-}
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
        start_action = $3
      }
    }
  }
}
secrets {
  ike-gw {
    secret = "${6:-a secret of both}"
  }
}
CONF
}
settle() { # START of n0, of n1: their files anew
    connections 0 1 "$1" >"$test_tmp/0/swanctl.conf"
    connections 1 0 "$2" >"$test_tmp/1/swanctl.conf"
}
flows() { quiet_ns "$1" ping -c 1 -W 0.3 -I "10.$1.0.1" "10.$((1 - $1)).0.1"; }
one_each() { [ "$(sa_count 0)" = 1 ] && [ "$(sa_count 1)" = 1 ] && [ "$(children 0)" = 1 ] && [ "$(children 1)" = 1 ]; }
children() { # I: Child SAs of all IKE SAs
    quiet_adit "$1" list-sas --up --json | python3 -c '
import json, sys
print(sum(len(sa["child-sas"]) for l in sys.stdin for e in [json.loads(l)] if e.get("event") == "list-sa" for sa in e["data"].values()))'
}
kill9() { # I
    local pid="gw$1"
    kill -9 "${!pid}"
    wait "${!pid}" 2>/dev/null
}
kept_fact() { # I KEY: of the child, whether the connection is up or down
    quiet_adit "$1" list-sas --json | python3 -c '
import json, sys
for l in sys.stdin:
    e = json.loads(l)
    if e.get("event") in ("connection-up", "connection-down"):
        print(e["data"]["gw"]["children"]["net"].get(sys.argv[1], ""))' "$2"
}
is_down() { [ -n "$(kept_fact "$1" down)" ]; }
failed_times() { [ "$(kept_fact 0 failures)" -ge "$1" ]; }
recovered() { [ "$(kept_fact "$1" recoveries)" -ge "$2" ]; }

say 'both start at once: one tunnel'
mkdir -p "$test_tmp/0" "$test_tmp/1"
gateway_files 0 < <(connections 0 1 start)
gateway_files 1 < <(connections 1 0 start)
spawn gw0 n0 "$aditd" --config "$test_tmp/0/adit.conf"
spawn gw1 n1 "$aditd" --config "$test_tmp/1/adit.conf"
check 'traffic flows' wait_for 15 'ping' flows 0
check 'crossing initiations leave one of each' wait_for 40 'one SA' one_each

for start in start 'trap|start' trap; do
    say "the peer is killed and started again: start_action = $start"
    if [ "$start" != start ]; then
        settle "$start" "$start"
        check "load ($start)" eval 'adit 0 load && adit 1 load'
        check "traffic flows ($start)" wait_for 15 'ping' flows 0
    fi
    kill9 1
    gateway_start 1
    check "traffic flows again ($start)" wait_for 20 'ping' flows 0
    check "and nothing is left of before ($start)" wait_for 40 'one SA' one_each
done

say 'the peer ends in order and comes back'
settle start start
check 'load' eval 'adit 0 load && adit 1 load'
check 'traffic flows' wait_for 15 'ping' flows 0
stop "$gw1"
check 'we try again by ourselves' wait_for 15 'a failure' failed_times 1
check 'list-sas says so in words' eval 'quiet_adit 0 list-sas | grep -E "child net: down for .*(next in|trying).*: "'
is 'it is one line in the log' "$(grep -c 'child net of gw is down: peer does not answer' "$gw0_log")" 1
gateway_start 1
check 'traffic flows again' wait_for 20 'ping' flows 0
check 'one SA' wait_for 40 'one SA' one_each
check 'the recovery is counted' wait_for 5 'recoveries' recovered 0 1
check 'and in the metrics' test "$(metric 0 adit_child_recoveries_total connection=gw child=net)" -ge 1
check 'and said once in the log' logged "$gw0_log" 'child net of gw is up again after'

say 'who closes it by command means it'
settle start none
check 'load' eval 'adit 1 load && adit 0 load'
check 'traffic flows' wait_for 15 'ping' flows 0
check 'terminate' adit 0 terminate --ike gw --timeout 5
is 'held' "$(kept_fact 0 kept-up)" held
sleep 4
check 'it stays down' has_no_sa 0
check 'initiate' adit 0 initiate --child net --timeout 10
check 'up' wait_for 5 'ping' flows 0

say 'the peer closes it'
check 'terminate at the peer' adit 1 terminate --ike gw --timeout 5
check 'it comes back (close_action as start_action)' wait_for 15 'ping' flows 0
sed -i 's/start_action = start/&\n        close_action = none/' "$test_tmp/0/swanctl.conf"
check 'load close_action = none' adit 0 load
check 'up' wait_for 15 'ping' flows 0
check 'terminate at the peer' adit 1 terminate --ike gw --timeout 5
sleep 4
check 'it stays down: the peer meant it' has_no_sa 0

say 'link down and up, default route gone and back, address changed'
settle start start
check 'load' eval 'adit 0 load && adit 1 load'
check 'traffic flows' wait_for 15 'ping' flows 0
ip -n "$test_prefix-0" link set w1 down
check 'a dead peer is noticed' wait_for 25 'down' is_down 0
check 'and why' eval '[ -n "$(kept_fact 0 why)" ]'
ip -n "$test_prefix-0" link set w1 up
check 'link up: traffic flows' wait_for 15 'ping' flows 0
ip -n "$test_prefix-1" addr add 198.51.100.2/32 dev lo
connections 0 1 start 'mobike = no' 198.51.100.2 >"$test_tmp/0/swanctl.conf"
connections 1 0 none 'mobike = no' %any >"$test_tmp/1/swanctl.conf"
ip -n "$test_prefix-0" route add default via 192.0.2.2
check 'load' eval 'adit 1 load && adit 0 load'
check 'traffic flows' wait_for 15 'ping' flows 0
ip -n "$test_prefix-0" route del default
check 'no route: noticed' wait_for 25 'down' is_down 0
ip -n "$test_prefix-0" route add default via 192.0.2.2
check 'the route is back: traffic flows' wait_for 15 'ping' flows 0
ip -n "$test_prefix-0" addr add 192.0.2.7/24 dev w1
ip -n "$test_prefix-0" addr del 192.0.2.1/24 dev w1
ip -n "$test_prefix-0" addr add 192.0.2.7/24 dev w1 2>/dev/null
ip -n "$test_prefix-0" route replace default via 192.0.2.2
check 'our address is another (no MOBIKE): traffic flows' wait_for 25 'ping' flows 0
ip -n "$test_prefix-0" addr del 192.0.2.7/24 dev w1
ip -n "$test_prefix-0" addr add 192.0.2.1/24 dev w1
ip -n "$test_prefix-0" route replace default via 192.0.2.2

say 'a name that does not resolve, and later does; then for another address'
stop "$gw0"
: >"$test_tmp/hosts"
connections 0 1 start '' far.example >"$test_tmp/0/swanctl.conf"
spawn gw0 n0 unshare -m sh -c "mount --bind $test_tmp/hosts /etc/hosts && exec $aditd --config $test_tmp/0/adit.conf"
check 'it says what is wrong' wait_for 15 'the reason' eval '[[ "$(kept_fact 0 why)" == *"does not resolve"* ]]'
echo '192.0.2.2 far.example' >"$test_tmp/hosts"
check 'the name resolves: traffic flows' wait_for 30 'ping' flows 0
ip -n "$test_prefix-1" addr add 192.0.2.22/24 dev w0
echo '192.0.2.22 far.example' >"$test_tmp/hosts"
ip netns exec "$test_prefix-1" ip addr del 192.0.2.2/24 dev w0
ip -n "$test_prefix-1" addr add 192.0.2.22/24 dev w0 2>/dev/null
check 'it stands for another address: traffic flows' wait_for 30 'ping' flows 0
is 'at the new one' "$(sa_fact 0 remote-host)" 192.0.2.22
ip -n "$test_prefix-1" addr add 192.0.2.2/24 dev w0
stop "$gw0"

say 'a refusal: no hammering, and a reload tries at once'
connections 0 1 start '' '' 'another secret' >"$test_tmp/0/swanctl.conf"
gateway_start 0
check 'refused' wait_for 15 'the reason' eval '[[ "$(kept_fact 0 why)" == *AUTHENTICATION_FAILED* ]]'
check 'more than once' wait_for 15 'two failures' failed_times 2
check 'the next is later' test "$(kept_fact 0 next-try)" -ge 5
connections 0 1 start >"$test_tmp/0/swanctl.conf"
check 'the right secret' adit 0 load
check 'at once' wait_for 4 'ping' flows 0

say 'firewalled for a while: sending fails with EPERM'
quiet_ns 0 nft 'add table ip away; add chain ip away out { type filter hook output priority 0; }; add rule ip away out udp dport { 500, 4500 } drop'
check 'dead' wait_for 40 'down' is_down 0
quiet_ns 0 nft delete table ip away
check 'traffic flows' wait_for 60 'ping' flows 0

say 'our own daemon is killed: packets that wait for the new one'
kill9 0
gateway_start 0
check 'traffic flows' wait_for 15 'ping' flows 1
check 'one SA' wait_for 40 'one SA' one_each
test_end
