#!/usr/bin/env bash
# The Christmas tree: eight key exchanges at once, the largest, between two daemons in namespaces; losses by a firewall at both
# ends, with each form of fragment reports and without, by TCP, and with the initiator's keys ready before. Beside it the sum of
# the same key exchanges called bare, before and after. Both daemons share this machine's cores: run it on an idle one.
#
#   bench/e2e/tree.sh [--json] [--runs N] [--quick]     --runs: of each case (5); --quick: 1, and none of the slow cases
. "$(dirname "$0")/../../tests/netns/lib.sh"
. "$(dirname "$0")/../../tests/netns/gateways.sh"
json= runs=5 quick=
while [ $# -gt 0 ]; do
    case $1 in
    --json) json=1 ;;
    --runs) runs=$2; shift ;;
    --quick) quick=1 runs=1 ;;
    *) sed -n '2,/^\. /{/^\. /!s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
    shift
done
need root tun netns ip ping nft python3 "$aditd" "$adit_tool"
test_begin tree 2 2>/dev/null
{
    veth 0 1 192.0.2.1/24 192.0.2.2/24
    for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done
} 2>/dev/null >&2
results=$test_tmp/results
tree=aes256gcm16-prfsha384-x25519-ke1_mlkem1024-ke2_frodoa5-ke3_frodos5-ke4_mceliece6688128f-ke5_mceliece8192128f-ke6_ecp521-ke7_x448

connections() { # ME PEER [OPTION...]
    cat <<CONF
connections {
  gw {
    local_addrs = 192.0.2.$(($1 + 1))
    remote_addrs = 192.0.2.$(($2 + 1))
    proposals = $tree
$(printf '    %s\n' "${@:3}")
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
        esp_proposals = aes256gcm16
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
primitives() { # ns of the key exchanges, both ends, on one core
    "$adit_tool" bench ike tree --still --rtt 0 --rate 0 --count 3 --json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["results"][0]["primitives_ns"])'
}
lose() { # PER MILLE, of all that comes in, at both ends
    local i
    for i in 0 1; do
        printf 'flush ruleset\n%s\n' "$([ "$1" = 0 ] || printf 'table inet f {\n chain in {\n  type filter hook input priority 0;\n  ip saddr 192.0.2.0/24 numgen random mod 1000 < %s drop\n }\n}' "$1")" |
            quiet_ns "$i" nft -f -
    done
}
facts() { # JSON of everything that is counted, of both ends
    local i
    for i in 0 1; do
        quiet_adit "$i" counters --json
        printf '{"link":%s,"cpu":[' "$(ip -n "$test_prefix-$i" -j -s link show "w$((1 - i))")"
        awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*[)] /, ""); printf "%.2f", ($12 + $13) / hz }' /proc/"$(daemon_of "$i")"/stat
        awk '/^VmHWM/ { h = $2 } /^VmRSS/ { r = $2 } END { printf "],\"most\":%d,\"now\":%d}\n", h, r }' \
            /proc/"$(daemon_of "$i")"/status
    done
}
daemon_of() { # I: the pid of aditd itself
    local gw=gw$1
    printf %s "${!gw}"
}
gone() { has_no_sa 0 && has_no_sa 1; }
# Is the stock full? Three of the tree's methods at least are slow enough to be kept.
full() { [ "$(quiet_adit 0 metrics | awk '/^adit_ke_pool_keys/ { n += $2 } END { print n + 0 }')" -ge 4 ]; }
# one CASE LOSS(per mille): a handshake, as a line of results
one() {
    local before after t0 t1 ok=true i
    for i in 0 1; do echo 5 >/proc/"$(daemon_of "$i")"/clear_refs; done
    before=$(facts)
    lose "$2"
    t0=$EPOCHREALTIME
    quiet_adit 0 initiate --child net --timeout 240 --loglevel 0 || ok=false
    t1=$EPOCHREALTIME
    lose 0
    sleep 0.3
    after=$(facts)
    printf '%s\n' "$before" >"$test_tmp/before"
    printf '%s\n' "$after" >"$test_tmp/after"
    python3 - "$1" "$2" "$ok" "$t0" "$t1" "$test_tmp" >&3 <<'PY'
import json, sys
def read(name):
    ends, counters = [], {}
    for line in open(f'{sys.argv[6]}/{name}'):
        d = json.loads(line)
        for k, v in d.get('response', {}).get('counters', {}).items():
            counters = {x: int(y) for x, y in v.items()}
        if 'link' in d:
            link = d['link'][0]['stats64']['tx']
            ends.append({**counters, 'octets': link['bytes'], 'datagrams': link['packets'], 'cpu': d['cpu'][0],
                         'most': d['most'], 'now': d['now']})
    return ends
a, b = read('before'), read('after')
both = lambda key: sum(y.get(key, 0) - x.get(key, 0) for x, y in zip(a, b))
needed, again = both('fragments-sent'), both('fragments-sent-again')
print(json.dumps({'case': sys.argv[1], 'loss': int(sys.argv[2]) / 1000, 'ok': sys.argv[3] == 'true',
    'time_s': float(sys.argv[5]) - float(sys.argv[4]), 'cpu_s': both('cpu'), 'octets': both('octets'),
    'datagrams': both('datagrams'), 'needed': needed, 'sent': needed + again, 'reports': both('fragment-reports-sent'),
    'report_octets': both('fragment-report-bytes-sent'), 'repeated': both('retransmits-sent'),
    'rss_growth_kib': [y['most'] - x['now'] for x, y in zip(a, b)]}))
PY
    quiet_adit 0 terminate --ike gw --force
    quiet_adit 1 terminate --ike gw --force
    wait_for 10 'SAs are gone' gone
}
# several CASE LOSS [OPTION...]: of the connections of both ends
several() {
    local case=$1 loss=$2 i n
    shift 2
    for i in 0 1; do
        connections "$i" "$((1 - i))" "$@" >"$test_tmp/$i/swanctl.conf"
        quiet_adit "$i" load
    done
    for ((n = 0; n < runs; n++)); do
        case $case in *stock*) wait_for 60 'the stock is full' full ;; esac
        one "$case" "$loss"
    done
}
none=(fragacklist=no fragackbitmap=no) list=(fragacklist=auto fragackbitmap=no) bitmap=(fragacklist=no fragackbitmap=auto)
all() {
    local loss
    settings='  ke_pool = no'
    gateway 0 < <(connections 0 1)
    gateway 1 < <(connections 1 0)
    for loss in 0 10 50; do
        [ -z "$quick" ] || [ "$loss" = 0 ] && several 'UDP, no reports' "$loss" "${none[@]}"
        several 'UDP, bitmap' "$loss" "${bitmap[@]}"
        several 'UDP, list' "$loss" "${list[@]}"
        several 'TCP' "$loss" ike_transport=tcp
    done
    stop "$gw0"
    settings='  ke_pool = auto'
    gateway 0 < <(connections 0 1)
    several 'UDP, list, stock full' 0 "${list[@]}"
    several 'TCP, stock full' 0 ike_transport=tcp
}

sum=$(primitives)
exec 3>"$results"
all >"$test_tmp/log" 2>&1
exec 3>&-
sum_after=$(primitives)
python3 - "$results" "$json" "$sum" "$sum_after" <<'PY'
import json, os, statistics, sys
runs = [json.loads(line) for line in open(sys.argv[1])]
sums = [int(x) / 1e9 for x in sys.argv[3:5]]
sum_s = statistics.mean(sums)
cpu = next((l.split(':', 1)[1].strip() for l in open('/proc/cpuinfo') if l.startswith('model name')), 'unknown')
about = {'cpu': cpu, 'cores': os.cpu_count(), 'kernel': os.uname().release, 'mtu': 1500, 'load': os.getloadavg()[0],
         'primitives_s': sums}
rows = []
for key in dict.fromkeys((r['case'], r['loss']) for r in runs):
    mine = [r for r in runs if (r['case'], r['loss']) == key]
    good = [r for r in mine if r['ok']]
    row = {'case': key[0], 'loss': key[1], 'runs': len(mine), 'good': len(good)}
    for k in good[0] if good else ():
        if k not in ('case', 'loss', 'ok', 'rss_growth_kib'):
            row[k] = statistics.median(r[k] for r in good)
    if good:
        row['best_s'], row['worst_s'] = min(r['time_s'] for r in good), max(r['time_s'] for r in good)
        row['time_to_sum'], row['cpu_to_sum'] = row['time_s'] / sum_s, row['cpu_s'] / sum_s
        row['best_to_sum'] = row['best_s'] / sum_s
        row['sent_to_needed'] = sum(r['sent'] for r in good) / max(1, sum(r['needed'] for r in good))
        row['rss_growth_kib'] = [statistics.median(r['rss_growth_kib'][i] for r in good) for i in (0, 1)]
    rows.append(row)
if sys.argv[2]:
    print(json.dumps({'about': about, 'results': rows}, indent=1))
    sys.exit(0 if all(r['good'] for r in rows) else 1)
print('{cpu}, {cores} cores for both daemons; Linux {kernel}; load {load:.1f}; key exchanges alone on one core '.format(**about) +
      ' and '.join(f'{s:.3f} s' for s in sums))
print(f"{'':24} {'loss':>5} {'runs':>5} {'time s':>8} {'best':>8} {'worst':>8} {'x sum':>6} {'best':>6} {'CPU s':>7} {'x sum':>6} "
      f"{'octets':>9} {'packets':>8} {'sent/needed':>12} {'reports':>8} {'octets':>7} {'RSS growth, kB':>16}")
for r in rows:
    head = f"{r['case']:24} {r['loss'] * 100:3.0f} % {r['good']:2}/{r['runs']:<2} "
    print(head + ('never came up' if not r['good'] else
          f"{r['time_s']:8.3f} {r['best_s']:8.3f} {r['worst_s']:8.3f} {r['time_to_sum']:6.2f} {r['best_to_sum']:6.2f} {r['cpu_s']:7.3f} "
          f"{r['cpu_to_sum']:6.2f} {r['octets']:9.0f} {r['datagrams']:8.0f} {r['sent_to_needed']:12.3f} {r['reports']:8.0f} "
          f"{r['report_octets']:7.0f} {r['rss_growth_kib'][0]:8.0f}/{r['rss_growth_kib'][1]:.0f}"))
sys.exit(0 if all(r['good'] for r in rows) else 1)
PY
