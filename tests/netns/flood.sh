#!/usr/bin/env bash
# A gateway under 100,000 forged IKE_SA_INIT requests a second: its memory stays bounded, a tunnel that is up goes on, and a
# peer still gets in. Then 10,000 half-open IKE SAs beside an established one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
spoof=$test_build/tests/tools/spoof
need root tun netns ip ping python3 "$aditd" "$adit_tool" "$spoof"
test_begin flood 3
seconds=${FLOOD_SECONDS:-20} rate=${FLOOD_RATE:-100000}

# The gateway takes connections from everywhere, as one for road warriors does.
connection() { # NAME ME PEER NET
    local remote=192.0.2.$(($3 + 1))
    [ "$2" = 1 ] || remote=%any
    cat <<CONF
$1 {
  local_addrs = 192.0.2.$(($2 + 1))
  remote_addrs = $remote
  proposals = aes256gcm16-prfsha384-x25519
  local { auth = psk
    id = $1.n$2.example
  }
  remote { auth = psk
    id = $1.n$3.example
  }
  children { $1-net {
    local_ts = 10.$2.$4.0/24
    remote_ts = 10.$3.$4.0/24
    esp_proposals = aes256gcm16
  } }
}
CONF
}
connections() { # ME PEER
    printf 'connections {\n%s\n%s\n}\nsecrets { ike-x { secret = "a secret of both" } }\n' \
        "$(connection early "$1" "$2" 1)" "$(connection late "$1" "$2" 2)"
}
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$gw0/status"; }
half_open() { metric 0 adit_ike_half_open; }
# Milliseconds until the other connection is up, from nothing.
late_ms() {
    local from took
    quiet_adit 1 terminate --ike late --force >/dev/null 2>&1
    quiet_adit 0 terminate --ike late --force >/dev/null 2>&1
    from=${EPOCHREALTIME/./}
    quiet_adit 1 initiate --child late-net --timeout 10 >"$test_tmp/late.out" 2>&1 || { echo 99999; return; }
    took=$(((${EPOCHREALTIME/./} - from) / 1000))
    echo "$took"
}
# Packets lost of 100 through the tunnel that is up, and their average round trip in us.
ping_tunnel() {
    quiet_ns 1 ping -q -c 100 -i 0.02 -W 2 -I 10.1.1.1 10.0.1.1 |
        python3 -c 'import re, sys
t = sys.stdin.read()
rtt = re.search(r"= [\d.]+/([\d.]+)/", t)
print(100 - int(re.search(r"(\d+) received", t).group(1)), int(float(rtt.group(1)) * 1000) if rtt else -1)'
}
up() { # the tunnel `early`, and both gateways
    connections 0 1 | gateway_files 0
    gateway_start 0
    connections 1 0 | gateway_files 1
    gateway_start 1
    check 'a tunnel is up' quiet_adit 1 initiate --child early-net --timeout 10
}

veth 0 1 192.0.2.1/24 192.0.2.2/24
veth 0 2 203.0.113.1/24 203.0.113.2/24
for i in 0 1; do for k in 1 2; do ip -n "$test_prefix-$i" addr add "10.$i.$k.1/24" dev lo; done; done
# Answers to forged addresses leave through the attacker's namespace, which throws them away.
ip -n "$test_prefix-0" route add 198.18.0.0/15 via 203.0.113.2
ip -n "$test_prefix-2" route add default via 203.0.113.1

up
read -r lost0 rtt0 < <(ping_tunnel)
is 'no packet is lost' "$lost0" 0
rss0=$(rss_kib)
late0=$(late_ms)
say "at rest: round trip $rtt0 us, a new tunnel in $late0 ms, $rss0 KiB resident"

say "forged requests for $seconds s"
spawn flood n2 "$spoof" 192.0.2.1 "$seconds" "$rate"
sleep 3
check 'cookies are asked for' wait_for 5 'half-open' test "$(half_open)" -ge 30
# A datagram that the flood pushed out of the queue is repeated after seconds: that is the exception.
mapfile -t took < <(for ((i = 0; i < 5; i++)); do late_ms; done | sort -n)
between 'five tunnels come up meanwhile, the middle one in (ms)' "${took[2]}" 0 1999
between 'and the slowest' "${took[4]}" 0 9999
read -r lost rtt < <(ping_tunnel)
between 'the tunnel that is up goes on; lost of 100' "$lost" 0 5
rss1=$(rss_kib)
wait "$flood"
say "$(cat "$flood_log"); new tunnels in ${took[*]} ms; round trip $rtt us; $((rss1 - rss0)) KiB more resident"
between 'memory stays bounded (KiB more)' "$((rss1 - rss0))" -4096 16384
between 'half-open IKE SAs stay few' "$(half_open)" 0 1000
stop "$gw0"
stop "$gw1"

say '10,000 half-open IKE SAs: no cookies, so that each request makes one'
settings='  cookie_threshold = 0
  cookie_threshold_ip = 0
  half_open_max = 20000
  half_open_timeout = 120'
up
rss0=$(rss_kib)
late0=$(late_ms)
read -r lost0 rtt0 < <(ping_tunnel)
n2 "$spoof" 192.0.2.1 60 10000 10000
many() { [ "$(half_open)" -ge 9900 ]; }
check 'they are there' wait_for 30 '9,900 half-open' many
read -r lost rtt < <(ping_tunnel)
late=$(late_ms)
say "$(half_open) half-open: $((($(rss_kib) - rss0) * 1024 / 10000)) octets each; round trip $rtt us (before $rtt0), a new tunnel in $late ms (before $late0)"
is 'nothing of the established one is lost' "$lost" 0
between 'nor is it slower (us; some noise allowed)' "$rtt" 0 $((rtt0 * 3 + 2000))
between 'a new tunnel comes up beside them (ms)' "$late" 0 1999
test_end
