#!/usr/bin/env python3
"""Seeds of fuzz_ike_keys and fuzz_ike_input: one well-formed message of each kind (RFC 7296). Writes corpus/."""
import os, struct

here = os.path.dirname(os.path.abspath(__file__))

def payloads(*chain):
    """(type, body)... -> first type, octets"""
    out = b''
    for i, (_, body) in enumerate(chain):
        nxt = chain[i + 1][0] if i + 1 < len(chain) else 0
        out += struct.pack('>BBH', nxt, 0, 4 + len(body)) + body
    return (chain[0][0] if chain else 0), out

def transform(last, kind, ident, bits=0):
    attr = struct.pack('>HH', 0x800e, bits) if bits else b''
    return struct.pack('>BBHBBH', 0 if last else 3, 0, 8 + len(attr), kind, 0, ident) + attr

def sa(proto, spi, *ts):
    body = b''.join(transform(i + 1 == len(ts), *t) for i, t in enumerate(ts))
    return struct.pack('>BBHBBBB', 0, 0, 8 + len(spi) + len(body), 1, proto, len(spi), len(ts)) + spi + body

def ts(lo, hi):
    return struct.pack('>BBBBBBHHH4s4s', 1, 0, 0, 0, 7, 0, 16, 0, 65535, lo, hi)

def notify(kind, data=b'', proto=0, spi=b''):
    return struct.pack('>BBH', proto, len(spi), kind) + spi + data

net = (44, ts(bytes([10, 1, 0, 0]), bytes([10, 1, 255, 255]))), (45, ts(bytes([10, 2, 0, 0]), bytes([10, 2, 255, 255])))
esp = (33, sa(3, b'\1\2\3\4', (1, 20, 128), (4, 31), (5, 0)))
ike = (33, sa(1, b'\1\2\3\4\5\6\7\10', (1, 20, 128), (2, 5), (4, 31)))
nonce = (40, bytes(range(32)))
ke = (34, struct.pack('>HH', 31, 0) + bytes(range(9, 41)))
ident = (35, b'\2\0\0\0a.example')
AUTH, CHILD, INFO, INTER, FOLLOW = 0, 1, 2, 3, 4
messages = {
    'auth': (0, AUTH, [ident, (39, b'\2\0\0\0' + bytes(32)), (33, sa(3, b'\1\2\3\4', (1, 20, 128), (5, 0))), *net]),
    'auth_cert': (0, AUTH, [ident, (37, b'\4' + bytes(40)), (38, b'\4' + bytes(20)), (39, b'\16\0\0\0' + bytes(70)), esp, *net]),
    'new_child': (1, CHILD, [esp, nonce, ke, *net]),
    'rekey_child': (1, CHILD, [(41, notify(16393, b'', 3, b'\1\2\3\4')), esp, nonce, ke, *net]),
    'rekey_ike': (1, CHILD, [ike, nonce, ke]),
    'delete_child': (1, INFO, [(42, b'\3\4\0\1\1\2\3\4')]),
    'delete_ike': (1, INFO, [(42, b'\1\0\0\0')]),
    'liveness': (1, INFO, []),
    'auth_failed': (1, INFO, [(41, notify(24))]),
    'inter': (0, INTER, [ke]),
    'follow': (1, FOLLOW, [ke, (41, notify(16441, bytes(16)))]),
    'answer': (2, CHILD, [esp, nonce, ke, *net]),
    'answer_error': (2, CHILD, [(41, notify(43))]),
    'answer_wrong_method': (2, CHILD, [(41, notify(17, b'\0\x13'))]),
    'calling_ok': (3, AUTH, [(36, b'\2\0\0\0b.example'), (39, b'\2\0\0\0' + bytes(32)),
                             (33, sa(3, b'\1\2\3\4', (1, 20, 128), (5, 0))), *net]),
    'calling_refused': (3, AUTH, [(41, notify(24))]),
    'calling_no_child': (3, AUTH, [(36, b'\2\0\0\0b.example'), (39, b'\2\0\0\0' + bytes(32)), (41, notify(38))]),
    'calling_redirect': (3, AUTH, [(36, b'\2\0\0\0b.example'), (39, b'\2\0\0\0' + bytes(32)),
                                   (41, notify(16407, b'\1\4\xc0\0\2\3'))]),
    'redirect': (1, INFO, [(41, notify(16407, b'\3\11c.example'))]),
    'ticket_asked': (0, AUTH, [ident, (39, b'\2\0\0\0' + bytes(32)), (41, notify(16411)), esp, *net]),
    'ticket_given': (3, AUTH, [(36, b'\2\0\0\0b.example'), (39, b'\2\0\0\0' + bytes(32)),
                               (41, notify(16409, b'\0\0\16\20' + bytes(64))), esp, *net]),
    'config_asked': (0, AUTH, [ident, (39, b'\2\0\0\0' + bytes(32)), (47, b'\1\0\0\0\0\1\0\0\0\3\0\0'), esp, *net]),
    'config_given': (3, AUTH, [(36, b'\2\0\0\0b.example'), (39, b'\2\0\0\0' + bytes(32)),
                               (47, b'\2\0\0\0\0\1\0\4\12\1\0\5'), esp, *net]),
    'addresses': (1, INFO, [(41, notify(16400)), (41, notify(16397, b'\xc0\0\2\7'))]),
    'ppk': (0, AUTH, [ident, (39, b'\2\0\0\0' + bytes(32)), (41, notify(16436, b'\2ab')), esp, *net]),
    'transport': (1, CHILD, [(41, notify(16391)), esp, nonce, ke, *net]),
    'short_rekey': (1, CHILD, [(41, notify(16393, b'', 3, b'\1\2\3\4')), nonce, ke]),
}

def write(folder, name, data):
    path = os.path.join(here, 'corpus', folder)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), 'wb') as f:
        f.write(data)

for name, (stage, exchange, chain) in messages.items():
    first, body = payloads(*chain)
    write('ike_keys', name, struct.pack('>BBBH', stage, exchange, first, len(body)) + body)

# Steps beside messages: fuzz_ike_keys.c
def message(exchange, chain):
    first, body = payloads(*chain)
    return struct.pack('>BBH', exchange, first, len(body)) + body

LATER, MUCH_LATER, REKEY_CHILD, REKEY_IKE, NEW_CHILD, NEW_IKE = b'\xff\x28', b'\xfb\x14', b'\xfe', b'\xfd', b'\xfc', b'\xfa'
refused = message(CHILD, [(41, notify(14))])
lives = {
    'silence': (2, LATER * 6),
    'silence_established': (1, REKEY_IKE + LATER * 3 + MUCH_LATER * 4),
    'refused_and_again': (2, refused + LATER * 2 + REKEY_CHILD + refused + MUCH_LATER),
    'answered_and_again': (2, message(*messages['answer'][1:]) + REKEY_CHILD + message(*messages['answer'][1:]) + NEW_CHILD),
    'second_ike_sa': (3, NEW_IKE + LATER + message(*messages['calling_refused'][1:]) + MUCH_LATER),
}
for name, (stage, steps) in lives.items():
    write('ike_keys', name, bytes([stage]) + steps)

def header(first, exchange, flags, msgid, body, spi_r=0):
    return struct.pack('>QQBBBBII', 0x0102030405060708, spi_r, first, 0x20, exchange, flags, msgid, 28 + len(body)) + body

first, body = payloads((33, sa(1, b'', (1, 20, 128), (2, 5), (4, 31))), ke, nonce, (41, notify(16430)), (41, notify(16438)))
datagrams = {
    'init': (0, 0, header(first, 34, 8, 0, body)),
    'init_response': (0, 2, header(first, 34, 0x20, 0, body, 9)),
    'sk': (1, 3, header(46, 37, 8, 0, struct.pack('>BBH', 0, 0, 40) + bytes(36), 1)),
    'skf': (1, 3, header(53, 35, 8, 0, struct.pack('>BBHHH', 33, 0, 44, 1, 2) + bytes(36), 1)),
    'stray': (0, 0, header(46, 36, 8, 5, struct.pack('>BBH', 0, 0, 40) + bytes(36), 77)),
    'short': (0, 0, b'\0' * 20),
    'init_cookie': (3, 3, header(41, 34, 0x20, 0, payloads((41, notify(16390, bytes(32))))[1])),
    'auth_answer': (3, 3, header(46, 35, 0x20, 1, struct.pack('>BBH', 0, 0, 40) + bytes(36), 1)),
    'rekey_answer': (2, 3, header(46, 36, 0x20, 1, struct.pack('>BBH', 0, 0, 40) + bytes(36), 1)),
    'resume': (0, 0, header(40, 38, 8, 0, payloads(nonce, (41, notify(16412, bytes(64))))[1])),
}
for name, (stage, how, d) in datagrams.items():
    write('ike_input', name, struct.pack('>BBH', stage, how, len(d)) + d)
