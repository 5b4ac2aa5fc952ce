# gateways.sh - aditd in namespaces, for tests and the demo. Source it after lib.sh.
#
#   gateway 0 <<'CONF'            connections of the daemon in n0, in swanctl.conf's syntax; starts it and waits
#   CONF                          (from a function: gateway 0 < <(connections); a pipe would lose its pid)
#   adit 0 list-sas               adit against the daemon of n0, saying so; `quiet_adit` says nothing
#   sa_fact 0 ake1                a value of the first SA that list-sas --json shows; children: child-sas.*.bytes-in
#   status_fact 0 gw.children.net.rekeys
#   metric 0 adit_child_bytes_total connection=gw direction=in
# shellcheck shell=bash

aditd=$test_build/src/daemon/aditd
adit_tool=$test_build/src/cli/adit

# What both sides of a tunnel need; stdin = connections. Settings in $settings (lines of section adit); $dataplane.
settings=
dataplane=user # also where the kernel has ESP
gateway_files() { # I
    local dir=$test_tmp/$1
    mkdir -p "$dir"
    cat >"$dir/swanctl.conf"
    printf 'adit {\n  log = more\n  swanctl_conf = %s\n  vici {\n    sockets = %s\n  }\n  dataplane = %s\n%s\n}\n' \
        "$dir/swanctl.conf" "$dir/vici" "$dataplane" "$settings" >"$dir/adit.conf"
}
gateway_start() { # I
    spawn "gw$1" "n$1" "$aditd" --config "$test_tmp/$1/adit.conf"
    wait_for 10 "aditd of n$1 is ready" logged "$test_tmp/gw$1.log" 'aditd .* is ready' || sed 's/^/#   | /' "$test_tmp/gw$1.log"
}
gateway() { # I
    gateway_files "$1"
    gateway_start "$1"
}

quiet_adit() {
    local i=$1
    shift
    ip netns exec "$test_prefix-$i" "$adit_tool" --socket "$test_tmp/$i/vici" "$@"
}
adit() {
    printf '# [n%s] adit %s\n' "$1" "${*:2}" >&2
    quiet_adit "$@"
}

# Walks JSON objects along a path; "*" takes the first member.
json_path='
import json, sys
def walk(node, path):
    for key in path:
        if not isinstance(node, dict):
            return None
        node = next(iter(node.values()), None) if key == "*" else node.get(key)
    return node
def show(value):
    print(" ".join(value) if isinstance(value, list) else "" if value is None else value)
'
sa_fact() { # I PATH
    quiet_adit "$1" list-sas --json | python3 -c "$json_path"'
path = sys.argv[1].split(".")
for line in sys.stdin:
    event = json.loads(line)
    if event.get("event") == "list-sa":
        show(walk(event["data"], ["*"] + path))
        break' "$2"
}
sa_count() { # I
    quiet_adit "$1" list-sas --up --json | grep -c '"event":"list-sa"'
}
status_fact() { # I PATH, of a connection that is down: as adit list-sas shows it
    quiet_adit "$1" list-sas --json | python3 -c "$json_path"'
path = sys.argv[1].split(".")
for line in sys.stdin:
    event = json.loads(line)
    if event.get("event") == "connection-down" and path[0] in event["data"]:
        show(walk(event["data"], path))' "$2"
}
metric() { # I NAME [LABEL=VALUE...]: 0 if it is not there
    local i=$1 name=$2
    shift 2
    quiet_adit "$i" metrics | python3 -c '
import re, sys
name, labels = sys.argv[1], [l.split("=", 1) for l in sys.argv[2:]]
for line in sys.stdin:
    m = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
    if m and m.group(1) == name and all(f"{k}=\"{v}\"" in (m.group(2) or "") for k, v in labels):
        print(m.group(3))
        break
else:
    print(0)' "$name" "$@"
}
is_up() { [ "$(sa_fact "$1" state)" = ESTABLISHED ] && [ -n "$(sa_fact "$1" 'child-sas.*.spi-in')" ]; }
has_no_sa() { [ "$(sa_count "$1")" = 0 ]; }
