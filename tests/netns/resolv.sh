#!/usr/bin/env bash
# Name servers that a gateway assigns, handed on by libexec/adit/resolv: to systemd-resolved (n0), to resolvconf (n1); both
# are stand-ins that write down what they are told. n2 is the gateway.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip mount python3 "$aditd" "$adit_tool"
test_begin resolv 3
veth 0 2 192.0.2.1/24 192.0.2.254/24
veth 1 2 198.51.100.1/24 198.51.100.254/24
ip -n "$test_prefix-2" addr add 10.2.0.1/16 dev lo
resolv=$test_root/packaging/resolv/resolv

# In its mount namespace /run is this test's own, with or without a running systemd-resolved. PATH has the stand-ins.
real_aditd=$aditd
stand_in() { # I TOOL RUN_DIR
    mkdir -p "$test_tmp/bin$1"
    : >"$test_tmp/told$1"
    printf '#!/bin/sh\necho "%s $*" >>%s\ncase $1 in -a) cat >>%s ;; esac\n' "$2" "$test_tmp/told$1" "$test_tmp/told$1" >"$test_tmp/bin$1/$2"
    printf '#!/bin/sh\nmount -t tmpfs none /run && mkdir -p %s || exit 1\nPATH=%s:$PATH exec "$@"\n' "$3" "$test_tmp/bin$1" >"$test_tmp/in$1"
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$test_tmp/in$1" "$real_aditd" >"$test_tmp/aditd$1"
    chmod +x "$test_tmp/bin$1/$2" "$test_tmp/in$1" "$test_tmp/aditd$1"
}
stand_in 0 resolvectl /run/systemd/resolve
stand_in 1 resolvconf /run/nothing
told() { tr '\n' ';' <"$test_tmp/told$1"; }
hook() { # I WORD=VALUE...
    : >"$test_tmp/told$1"
    quiet_ns "$1" "$test_tmp/in$1" env ADIT_CONNECTION=gw ADIT_INTERFACE=tun7 "${@:2}" "$resolv" 2>"$test_tmp/hook.err"
}

say 'the command by itself'
check 'resolved: servers for everything' hook 0 ADIT_VERB=up 'ADIT_DNS=10.0.0.1 fd00::1'
is 'is told' "$(told 0)" 'resolvectl dns tun7 10.0.0.1 fd00::1;resolvectl domain tun7 ~.;resolvectl flush-caches;'
check 'resolved: for some domains' hook 0 ADIT_VERB=up ADIT_DNS=10.0.0.1 'ADIT_DOMAINS=a.example b.example'
is 'is told' "$(told 0)" 'resolvectl dns tun7 10.0.0.1;resolvectl domain tun7 ~a.example ~b.example;resolvectl dnssec tun7 allow-downgrade;resolvectl flush-caches;'
check 'resolved: no servers' hook 0 ADIT_VERB=up
is 'is told' "$(told 0)" 'resolvectl revert tun7;'
check 'resolved: down' hook 0 ADIT_VERB=down ADIT_DNS=10.0.0.1
is 'is told' "$(told 0)" 'resolvectl revert tun7;'
check 'resolvconf: servers for everything' hook 1 ADIT_VERB=up 'ADIT_DNS=10.0.0.1 fd00::1'
is 'is told' "$(told 1)" 'resolvconf -a tun7.adit;nameserver 10.0.0.1;nameserver fd00::1;'
check 'resolvconf: for some domains' hook 1 ADIT_VERB=up ADIT_DNS=10.0.0.1 ADIT_DOMAINS=a.example
is 'is told nothing' "$(told 1)" ''
check 'but says why' grep -q "can't send only a.example" "$test_tmp/hook.err"
check 'resolvconf: down' hook 1 ADIT_VERB=down ADIT_DNS=10.0.0.1
is 'is told' "$(told 1)" 'resolvconf -d tun7.adit;'
rm "$test_tmp/bin1/resolvconf"
check 'neither of the two' hook 1 ADIT_VERB=up ADIT_DNS=10.0.0.1 PATH=/bin:/usr/bin:/nowhere
if quiet_ns 1 sh -c 'command -v resolvconf' >/dev/null; then skip 'is said' 'this machine has resolvconf'; else
    check 'is said' grep -q 'neither' "$test_tmp/hook.err"
fi
stand_in 1 resolvconf /run/nothing
: >"$test_tmp/told0"

say 'by aditd'
client() { # NAME GATEWAY MORE
    cat <<CONF
connections {
  gw {
    remote_addrs = $2
    vips = 0.0.0.0
    $3
    local {
      auth = psk
      id = $1.example
    }
    remote {
      auth = psk
      id = gw.example
    }
    children {
      net {
        remote_ts = 10.2.0.0/16
      }
    }
  }
}
secrets {
  ike {
    secret = "a secret of all"
  }
}
CONF
}
settings="  resolv = $resolv"
aditd=$test_tmp/aditd0
gateway 0 < <(client ann 192.0.2.254 'split_dns = corp.example')
aditd=$test_tmp/aditd1
gateway 1 < <(client bob 198.51.100.254 '')
settings=
aditd=$real_aditd
gateway 2 <<'CONF'
connections {
  clients {
    pools = four
    local {
      auth = psk
      id = gw.example
    }
    remote {
      auth = psk
    }
    children {
      net {
        local_ts = 10.2.0.0/16
      }
    }
  }
}
pools {
  four {
    addrs = 10.9.0.0/24
    dns = 10.2.0.53, 10.2.0.54
    domain = corp.example
  }
}
secrets {
  ike {
    secret = "a secret of all"
  }
}
CONF
tells() { [ "$(told "$1")" = "$2" ]; }
tun() { ip -n "$test_prefix-$1" -o link show type tun | sed -n 's/^[0-9]*: \([^:@]*\).*/\1/p' | head -n 1; }
t0=$(tun 0) t1=$(tun 1)
check 'ann' adit 0 initiate --child net --timeout 10
wanted="resolvectl dns $t0 10.2.0.53 10.2.0.54;resolvectl domain $t0 ~corp.example;resolvectl dnssec $t0 allow-downgrade;resolvectl flush-caches;"
check 'resolved is told' wait_for 5 'resolvectl' tells 0 "$wanted"
check 'bob, who asked for no split DNS' adit 1 initiate --child net --timeout 10
wanted1="resolvconf -a $t1.adit;nameserver 10.2.0.53;nameserver 10.2.0.54;"
check 'resolvconf is told' wait_for 5 'resolvconf' tells 1 "$wanted1"
check 'ann goes' adit 0 terminate --ike gw --timeout 5
check 'resolved forgets' wait_for 5 'resolvectl' tells 0 "${wanted}resolvectl revert $t0;"
check 'bob goes' adit 1 terminate --ike gw --timeout 5
check 'resolvconf forgets' wait_for 5 'resolvconf' tells 1 "${wanted1}resolvconf -d $t1.adit;"
test_end
