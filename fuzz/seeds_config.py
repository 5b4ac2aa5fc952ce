#!/usr/bin/env python3
"""Writes the seeds of the model, vici and config targets into fuzz/corpus: a handful of small, telling inputs each."""
import os
import struct

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus')


def put(target, name, data):
    os.makedirs(os.path.join(ROOT, target), exist_ok=True)
    with open(os.path.join(ROOT, target, name), 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def kv(key, value):
    return b'\x03' + bytes([len(key)]) + key + struct.pack('>H', len(value)) + value


def section(name, *inside):
    return b'\x01' + bytes([len(name)]) + name + b''.join(inside) + b'\x02'


def lst(name, *items):
    return b'\x04' + bytes([len(name)]) + name + b''.join(b'\x05' + struct.pack('>H', len(i)) + i for i in items) + b'\x06'


def packet(kind, name=None, message=b''):
    body = bytes([kind]) + (bytes([len(name)]) + name if name is not None else b'') + message
    return struct.pack('>I', len(body)) + body


for i, text in enumerate(['aes256gcm16-prfsha384-x25519-ke1_mlkem768', 'default', 'cnsa2', 'pq-paranoid',
                          'aes256-sha256-modp3072', 'aes128gcm16-chacha20poly1305-none-esn-noesn', 'aes256gcm61']):
    put('proposal', str(i), text)
for i, text in enumerate(['10.0.0.0/8[tcp/80]', 'dynamic[udp/opaque]', '10.1.0.5-10.1.0.9', '2001:db8::/33[icmpv6/133]',
                          '[/53]', '::/0[/1000-2000]', 'moon.example', '%any6']):
    put('ts_text', str(i), text)
for i, text in enumerate(['moon.example', 'C=CH, O=x, CN=*', '@#0aff', 'keyid:#00', '{11}:x', 'ipv4:#0a000001', '*@example.org',
                          '10.0.0.0/8', b'\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x']):
    put('id_text', str(i), text)

gw = section(b'gw', kv(b'uniqueid', b'1'), lst(b'local_ts', b'10.0.0.0/8', b'\xff'), section(b'child-sas'))
put('vici', 'message', gw + kv(b'data', b'\x30\x00') + section(b's', kv(b'base64', b'YQ==')))
put('vici', 'empty-parts', kv(b'', b'') + lst(b'l') + section(b's'))
put('vici', 'stream', packet(3, b'list-sa') + packet(0, b'list-sas', kv(b'ike', b'gw')) + packet(7, b'list-sa', gw) + packet(1))
put('vici', 'twice', kv(b'k', b'') + kv(b'k', b''))
put('vici_json', 'types', '{"k": true, "n": 4500, "l": ["a", {"base64": "/w=="}], "s": {"t": {}}, "data": "x"}')
put('vici_json', 'binary', '{"s": {"base64": {"base64": "YQ=="}}, "r": 1.5}')

settings = '''include nosuch/*.conf
base { dpd_delay = 30s
  children { net { rekey_time = 1h } } }
connections {
  gw : base {
    remote_addrs = moon.example, 192.0.2.0/24
    proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768, default
    x_mode = yes
    unique =
    local-1 { auth = rsa-3072-sha256
      certs = a.pem, 0x3000
      id = "C=CH, CN=x" }
    remote { auth = psk # comment
      id = *.example }
    children { net { local_ts = 10.0.0.0/8[tcp/80], dynamic
      start_action = trap|start
      y_size = 7 } drop { mode = drop
      start_action = trap
      local_ts = ::/0
      remote_ts = ::/0 } }
  }
}
secrets { ike-1 { secret = "a # } \\\\n b"
  id-1 = moon } private { file = a.pem
  secret = 0x41 } }
authorities { a { cacert = ca.pem } }
tunnels { berlin { peer = vpn.example
  psk = 0sAQI=
  nets = 10.1.0.0/16 == 10.2.0.0/16
  start = yes } }
'''
bad = 'connections { c { remote_adrs = x\n version = 1\n children { x { mode = beet } } } } secrets { eap { } }'
daemon = 'adit { port = 501\n retransmit_timeout = 1.5\n half_open_timeout = 1m 30s\n x_wait = 2m\n vici { sockets = /a, /b } }'
for target in ('settings', 'conf_load'):
    put(target, 'whole', settings)
    put(target, 'bad', bad)
    put(target, 'daemon', daemon)
    put(target, 'loop', 'a : b { k = 1 } b : a { l = 2\n s : a {} }\n')
    put(target, 'itself', 'include x.conf\na { b = c }')
