#!/usr/bin/env bash
# The README's five minutes: its file as it stands there, on both machines (the other side swapped as it says), brings a
# tunnel up, also if the second daemon starts later; its second file is understood as well.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping openssl "$aditd" "$adit_tool"
test_begin readme 2
veth 0 1 203.0.113.1/24 203.0.113.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$((i + 1)).0.1/16" dev lo; done

# The indented block that starts with this word.
block() { sed -n "/^    $1 {/,/^    }/s/^    //p" "$test_root/README.md"; }
swapped() { block tunnels | sed -E 's/(peer += ).*/\1203.0.113.1/; s/(nets += )(\S+) == (\S+)/\1\3 == \2/'; }

block tunnels >"$test_tmp/paris.conf"
check 'the README has it' grep -q 'peer *= 203.0.113.2' "$test_tmp/paris.conf"
mkdir -p "$test_tmp/0" "$test_tmp/1"
openssl rand -base64 32 >"$test_tmp/0/berlin.psk"
cp "$test_tmp/0/berlin.psk" "$test_tmp/1/"
gateway 0 <"$test_tmp/paris.conf"
check 'adit check' "$adit_tool" check "$test_tmp/0/swanctl.conf"
check 'adit explain' "$adit_tool" explain "$test_tmp/0/swanctl.conf"
sleep 1 # the first machine finds nobody there yet
gateway 1 < <(swapped)
check 'the tunnel comes up' wait_for 20 'tunnel' is_up 0
check 'paris reaches berlin' n0 ping -c 2 -W 2 10.2.0.1
check 'berlin reaches paris' n1 ping -c 2 -W 2 10.1.0.1
# shellcheck disable=SC2046 # two words
check 'adit initiate as in the README' adit 0 initiate $(grep -o -- '--child [a-z]*' "$test_root/README.md" | head -1)

block connections | grep -v 'certs = ' >"$test_tmp/long.conf"
check 'the long form is good but for its certificate' "$adit_tool" check "$test_tmp/long.conf"
test_end
