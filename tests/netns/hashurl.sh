#!/usr/bin/env bash
# Two gateways (n0, n1) that show each other certificates by hash and URL (RFC 7296 s3.6), and a web server (n2) that both
# reach: single certificates, bundles, the cache, pages that are wrong, elsewhere or nowhere.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 openssl "$aditd" "$adit_tool"
test_begin hashurl 3
veth 0 1 192.0.2.1/24 192.0.2.2/24
veth 0 2 198.51.100.1/25 198.51.100.2/25
veth 1 2 198.51.100.129/25 198.51.100.130/25
ip -n "$test_prefix-2" addr add 203.0.113.80/32 dev lo
ip -n "$test_prefix-0" route add 203.0.113.80 via 198.51.100.2
ip -n "$test_prefix-1" route add 203.0.113.80 via 198.51.100.130
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done

say 'a CA, two certificates, and what the web server has of them'
pki=$test_tmp/pki web=$test_tmp/web
mkdir -p "$pki" "$web/certs"
curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
# shellcheck disable=SC2086
openssl req -x509 $curve -keyout "$pki/ca.key" -out "$pki/ca.pem" -days 30 -subj /CN=CA \
    -addext keyUsage=critical,keyCertSign 2>/dev/null
for i in 0 1; do
    # shellcheck disable=SC2086
    openssl req -new $curve -keyout "$pki/n$i.key" -out "$pki/n$i.csr" -subj "/CN=n$i.example" 2>/dev/null
    openssl x509 -req -in "$pki/n$i.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -CAcreateserial -days 20 \
        -out "$pki/n$i.pem" -extfile <(printf 'subjectAltName=DNS:n%s.example\nkeyUsage=critical,digitalSignature\n' "$i") 2>/dev/null
    openssl x509 -in "$pki/n$i.pem" -outform DER -out "$pki/n$i.der"
    mkdir -p "$test_tmp/$i"/{x509,x509ca,private}
    cp "$pki/ca.pem" "$test_tmp/$i/x509ca/"
    cp "$pki/n$i.pem" "$test_tmp/$i/x509/"
    cp "$pki/n$i.key" "$test_tmp/$i/private/"
done
cat >"$test_tmp/publish.py" <<'PY'
# Publishes certificates (DER files) under their SHA-1, alone and as a CertificateBundle: docs/ext/hashurl.md has the same.
import hashlib, pathlib, sys

def der(tag, content):
    n = len(content)
    size = n.to_bytes((n.bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (size if n < 128 else bytes([128 + len(size)]) + size) + content

folder = pathlib.Path(sys.argv[1])
for path in sys.argv[2:]:
    cert = pathlib.Path(path).read_bytes()
    for data in cert, der(0x30, der(0xA0, cert)):
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
PY
cat >"$test_tmp/server.py" <<'PY'
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        print("GET", self.path, flush=True)
        if self.path.startswith("/away/"):
            self.send_response(302)
            self.send_header("Location", self.path.replace("/away/", "/certs/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()
http.server.ThreadingHTTPServer(("203.0.113.80", 80), lambda *a: Handler(*a, directory=sys.argv[1])).serve_forever()
PY
python3 "$test_tmp/publish.py" "$web/certs" "$pki/n0.der" "$pki/n1.der"
is 'pages' "$(find "$web/certs" -type f | wc -l)" 4
spawn server n2 python3 "$test_tmp/server.py" "$web"
wait_for 5 'the web server listens' listens 2 80

site=http://203.0.113.80
connections() { # I [OPTION...]
    local me=$1 peer=$((1 - $1))
    cat <<CONF
connections {
  gw {
    remote_addrs = 192.0.2.$((peer + 1))
    proposals = aes256gcm16-prfsha384-x25519
$(printf '    %s\n' "${@:2}")
    local {
      auth = pubkey
      certs = n$me.pem
      id = n$me.example
    }
    remote {
      auth = pubkey
      id = n$peer.example
    }
    children {
      net {
        local_ts = 10.$me.0.0/16
        remote_ts = 10.$peer.0.0/16
        esp_proposals = aes256gcm16-x25519
      }
    }
  }
}
CONF
}
reload() { # I, connections on stdin
    cat >"$test_tmp/$1/swanctl.conf"
    adit "$1" load >/dev/null
}
passes() { quiet_ns 0 ping -q -c 2 -i 0.1 -W 1 -I 10.0.0.1 10.1.0.1; }
asked() { grep -c '^GET' "$server_log"; }
up() { check "$1" adit 0 initiate --child net --timeout 10; }
down() { check 'adit terminate' adit 0 terminate --ike gw --timeout 8; }

settings="  cert_uri_allowed = $site/certs/, $site/away/"
gateway 0 < <(connections 0 "cert_uri_base = $site/certs/")
gateway 1 < <(connections 1 "cert_uri_base = $site/certs/")

say 'certificates one by one'
up 'adit initiate'
is 'n0: by URL both ways' "$(sa_fact 0 cert-by-url)" both
is 'n1 as well' "$(sa_fact 1 cert-by-url)" both
is 'pages asked for' "$(asked)" 2
check 'ping' passes
down

say 'again: they are known'
up 'adit initiate'
is 'pages asked for' "$(asked)" 2
down

say 'bundles'
for i in 0 1; do reload "$i" < <(connections "$i" "cert_uri_base = $site/certs/" 'cert_uri_bundle = yes'); done
up 'adit initiate'
is 'pages asked for' "$(asked)" 4
check 'ping' passes
down

say 'a page that leads elsewhere: not followed'
stop "$gw1" && gateway_start 1
reload 0 < <(connections 0 "cert_uri_base = $site/away/")
refuse 'adit initiate' adit 0 initiate --child net --timeout 10
check 'n1 says why' logged "$gw1_log" 'the server answers 302'
check 'n1 asked for it' logged "$server_log" 'GET /away/'
wait_for 5 'no SA is left' has_no_sa 1

say 'a page with something else'
for page in "$web"/certs/*; do printf x >>"$page"; done
reload 0 < <(connections 0 "cert_uri_base = $site/certs/")
refuse 'adit initiate' adit 0 initiate --child net --timeout 10
check 'n1 says why' logged "$gw1_log" 'does not have the hash'
python3 "$test_tmp/publish.py" "$web/certs" "$pki/n0.der" "$pki/n1.der"

say 'a place that n1 does not ask: its own host'
before=$(asked)
reload 0 < <(connections 0 'cert_uri_base = http://127.0.0.1/certs/')
refuse 'adit initiate' adit 0 initiate --child net --timeout 10
check 'n1 says why' logged "$gw1_log" 'http://127.0.0.1/certs/.* is not below cert_uri_allowed'
is 'nothing was asked for' "$(asked)" "$before"

say 'a gateway that does not look up gets the certificate itself'
stop "$gw1"
settings=
gateway 1 < <(connections 1)
reload 0 < <(connections 0 "cert_uri_base = $site/certs/")
up 'adit initiate'
is 'nothing by URL' "$(sa_fact 0 cert-by-url)" ''
is 'nothing was asked for' "$(asked)" "$before"
check 'ping' passes
test_end
