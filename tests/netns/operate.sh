#!/usr/bin/env bash
# One daemon in the hands of an operator who makes mistakes: broken files, a second daemon, kill -9, wrong words on the
# command line. Nothing is lost, and what is said helps.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip "$aditd" "$adit_tool"
test_begin operate 1
ip -n "$test_prefix-0" addr add 192.0.2.1/24 dev lo
dir=$test_tmp/0 out=$test_tmp/out
good='tunnels { far { peer = 192.0.2.9
  psk = "a word that no log may have"
  nets = 10.1.0.0/16 == 10.2.0.0/16
  start = on-demand } }'
gateway 0 <<<"$good"
# says NAME CODE REGEX COMMAND...: exit code and a line of what it prints
says() {
    local name=$1 code=$2 regex=$3 got
    shift 3
    "$@" >"$out" 2>&1
    got=$?
    is "$name: exit code" "$got" "$code"
    check "$name: what it says" grep -Eq -- "$regex" "$out" || cat "$out"
}
other() { ip netns exec "$test_prefix-0" timeout 5 "$aditd" "$@"; }

says 'help of a subcommand' 0 '^usage: adit list-sas' "$adit_tool" list-sas --help
says 'help behind options' 0 'adit SUBCOMMAND' "$adit_tool" --socket x --help
says 'no such file' 1 '/none.conf: error: No such file or directory$' "$adit_tool" check "$test_tmp/none.conf"
printf 'connections { c { local { certs = /etc/passwd\n } children { x { } } } }\n' >"$test_tmp/bad.conf"
says 'adit check looks into certificates' 1 "connection 'c', local: its certificate 1" "$adit_tool" check "$test_tmp/bad.conf"
says 'no daemon' 3 'no daemon at .*--socket PATH|no daemon at' "$adit_tool" --socket "$test_tmp/none" stats

say 'broken files change nothing'
mv "$dir/swanctl.conf" "$dir/away"
says 'load without file' 1 "^$dir/swanctl.conf: error: No such file" quiet_adit 0 load
sed 's/nets/netz/' "$dir/away" >"$dir/swanctl.conf"
says 'load with a wrong key' 1 "swanctl.conf:3:3: error: unknown key 'netz'; did you mean 'nets'" quiet_adit 0 load
kill -HUP "$gw0"
check 'SIGHUP says it in the log' wait_for 5 'reload' logged "$gw0_log" "reload: .*swanctl.conf:3:3: unknown key 'netz'"
says 'the connection is still there' 0 '^far' quiet_adit 0 list-conns
mv "$dir/away" "$dir/swanctl.conf"
says 'load' 0 '^loaded' quiet_adit 0 load

say 'a second daemon'
says 'on the same socket' 1 'a running daemon has it' other --config "$dir/adit.conf"
says 'on the same ports' 1 'port (500|4500).*another IKE daemon' other --config "$dir/adit.conf" --socket "$test_tmp/vici2"
says 'the first is well' 0 '^aditd' quiet_adit 0 version

say 'kill -9'
kill -9 "$gw0"
wait "$gw0" 2>/dev/null
check 'its socket is left' test -S "$dir/vici"
is 'but no device' "$(ip -n "$test_prefix-0" -o link show | grep -c adit)" 0
gateway_start 0
says 'the next one takes over' 0 '^far' quiet_adit 0 list-conns
stop "$gw0"
check 'an orderly end removes it' test ! -e "$dir/vici"
say 'name servers that do not answer'
printf 'nameserver 192.0.2.1\n' >"$test_tmp/resolv.conf"
gateway_files 0 <<<"${good/192.0.2.9/far.example}"
sed -i 's/on-demand/yes/' "$dir/swanctl.conf"
spawn silent n0 python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.1", 53)); print("bound", flush=True); time.sleep(60)'
check 'a silent one' wait_for 5 'port 53' bound 0 53
spawn gw0 n0 unshare -m sh -c "mount --bind $test_tmp/resolv.conf /etc/resolv.conf && exec $aditd --config $dir/adit.conf"
check 'the daemon starts' wait_for 10 'ready' logged "$gw0_log" 'is ready'
before=${EPOCHREALTIME/./}
stop "$gw0"
between 'and ends at once (us)' $((${EPOCHREALTIME/./} - before)) 0 3000000
is 'without device' "$(ip -n "$test_prefix-0" -o link show | grep -c adit)" 0

refuse 'no secret in the log' grep -q 'a word that' "$gw0_log"
test_end
