#!/usr/bin/env python3
"""Lets tshark decrypt a capture with our key logs, prints the IKE messages it sees, and complains about all it can't read.

Usage: decode.py CAPTURE IKE_KEYS ESP_KEYS FOLDER       FOLDER: for tshark's settings, must exist

WIRE_ESP: what ESP carries: tunnel (default; pings), transport (pings), stream (IP-TFS: next header 144), closed (not looked
into). WIRE_SET: the
order of messages is up to chance: which ones there are, without their numbers.
TSHARK: the program, if it is not that of the PATH; TSHARK_KNOWS_ESN: it is new enough for a field of esp_sa.

One line a message, with the numbers of the registries, so that the names of tshark's version don't matter:
  IKE_AUTH 2 request: IDi N(INITIAL_CONTACT) IDr AUTH(2) SA(ESP 1.20/256 5.0) TSi TSr
and at the end "ESP: N packets, M pings, K SAs". Problems go to standard error; the exit code is 1 if there are any.
"""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict

EXCHANGES = {34: 'IKE_SA_INIT', 35: 'IKE_AUTH', 36: 'CREATE_CHILD_SA', 37: 'INFORMATIONAL',
             38: 'IKE_SESSION_RESUME', 43: 'IKE_INTERMEDIATE',
             44: 'IKE_FOLLOWUP_KE'}
PAYLOADS = {33: 'SA', 34: 'KE', 35: 'IDi', 36: 'IDr', 37: 'CERT', 38: 'CERTREQ', 39: 'AUTH', 40: 'Nonce', 41: 'N',
            42: 'D', 43: 'V', 44: 'TSi', 45: 'TSr', 47: 'CP', 48: 'EAP'}
NOTIFIES = {16384: 'INITIAL_CONTACT', 16388: 'NAT_DETECTION_SOURCE_IP', 16389: 'NAT_DETECTION_DESTINATION_IP',
            16393: 'REKEY_SA', 16404: 'MULTIPLE_AUTH_SUPPORTED', 16418: 'CHILDLESS_IKEV2_SUPPORTED',
            16430: 'IKEV2_FRAGMENTATION_SUPPORTED', 16431: 'SIGNATURE_HASH_ALGORITHMS',
            16438: 'INTERMEDIATE_EXCHANGE_SUPPORTED', 16441: 'ADDITIONAL_KEY_EXCHANGE'}
PROTOCOLS = {1: 'IKE', 3: 'ESP'}
CARRIED = {'tunnel': (4, 41), 'transport': (1,), 'stream': (144, None)}  # next headers
SK, SKF = 46, 53
problems = []


def complain(frame, text):
    problems.append(f'frame {frame}: {text}')


def children(node, name):
    return [f for f in node.findall('field') if f.get('name') == name]


def number(node, name):
    """of a field anywhere below"""
    for f in node.iter('field'):
        if f.get('name') == name:
            shown = {'True': '1', 'False': '0'}.get(f.get('show'), f.get('show'))  # flags, since 4.4
            return int(shown, 0)
    return None


def numbers_starting(node, prefix):
    return [int(f.get('show'), 0) for f in node.iter('field') if f.get('name').startswith(prefix)]


# --- what a payload says -------------------------------------------------------------------------------------------

def transform(node):
    text = f"{number(node, 'isakmp.tf.type')}.{numbers_starting(node, 'isakmp.tf.id')[0]}"
    bits = number(node, 'isakmp.ike2.attr.key_length')
    return text + (f'/{bits}' if bits else '')


def proposal(node):
    transforms = [transform(t) for t in children(node, 'isakmp.typepayload')]
    return ' '.join([PROTOCOLS[number(node, 'isakmp.prop.protoid')]] + transforms)


def payload(node):
    kind = int(node.get('show'))
    name = PAYLOADS.get(kind, f'payload {kind}')
    if kind == 33:
        return 'SA(' + '; '.join(proposal(p) for p in children(node, 'isakmp.typepayload')) + ')'
    if kind == 34:
        return f"KE({number(node, 'isakmp.key_exchange.dh_group')})"
    if kind == 39:
        return f"AUTH({number(node, 'isakmp.auth.method')})"
    if kind == 41:
        n = number(node, 'isakmp.notify.msgtype')
        return f'N({NOTIFIES.get(n, n)})'
    if kind == 42:
        return f"D({PROTOCOLS[number(node, 'isakmp.delete.protoid')]})"
    return name


# --- a message ------------------------------------------------------------------------------------------------------

class Message:
    """One datagram of IKE, as tshark shows it in one pass."""

    def __init__(self, packet, frame):
        isakmp = [p for p in packet.findall('proto') if p.get('name') == 'isakmp'][0]
        self.frame = frame
        exchange = number(isakmp, 'isakmp.exchangetype')
        self.what = f"{EXCHANGES.get(exchange, exchange)} {number(isakmp, 'isakmp.messageid')} " \
            f"{'response' if number(isakmp, 'isakmp.flag_r') else 'request'}"
        self.malformed = any(n.get('name', '').startswith('_ws.malformed') for n in packet.iter())
        outer = children(isakmp, 'isakmp.typepayload')
        self.encrypted = [p for p in outer if int(p.get('show')) in (SK, SKF)]
        self.piece = number(isakmp, 'isakmp.frag.number') if self.encrypted else None
        self.of = number(isakmp, 'isakmp.frag.total') if self.encrypted else None
        self.payloads = outer if not self.encrypted else self.inside(self.encrypted[0])
        self.sound = not self.encrypted or any(
            f.get('name') == 'isakmp.enc.icd' and '[correct]' in f.get('showname') for f in isakmp.iter('field'))
        self.iv = self.initialization_vector(isakmp)

    @staticmethod
    def inside(encrypted):
        for f in encrypted.iter('field'):
            if f.get('name') == 'isakmp.enc.contained' and children(f, 'isakmp.typepayload'):
                return children(f, 'isakmp.typepayload')
        return children(encrypted, 'isakmp.typepayload')  # put together from pieces

    def initialization_vector(self, isakmp):
        if not self.encrypted:
            return None
        source = [f.get('value') for f in isakmp.iter('field') if f.get('name') in ('isakmp.ispi', 'isakmp.rspi')]
        iv = [f.get('value') for f in isakmp.iter('field') if f.get('name') == 'isakmp.enc.iv']
        return (*source, number(isakmp, 'isakmp.flag_i'), iv[0] if iv else None)

    def line(self):
        text = ' '.join(payload(p) for p in self.payloads)
        return f'{self.what}: {text}'.rstrip() + (f' [{self.of} pieces]' if self.of else '')


class Packet:
    """One packet of ESP."""

    def __init__(self, packet, frame):
        esp = [p for p in packet.findall('proto') if p.get('name') == 'esp'][0]
        self.frame = frame
        self.spi, self.sequence = number(esp, 'esp.spi'), number(esp, 'esp.sequence')
        self.good = number(esp, 'esp.icv_good') == 1
        self.iv = [f.get('value') for f in esp.iter('field') if f.get('name') == 'esp.iv']
        self.next_header = number(esp, 'esp.protocol')
        self.ping = any(p.get('name') == 'icmp' for p in packet.findall('proto'))
        self.malformed = any(n.get('name', '').startswith('_ws.malformed') for n in packet.iter())
        self.in_udp = any(p.get('name') == 'udpencap' for p in packet.findall('proto'))


# --- tshark -----------------------------------------------------------------------------------------------------------

def read_generations(path):
    """key log lines of the IKE SAs, by generation: a table of tshark's holds but one line an IKE SA"""
    by_spis = defaultdict(list)
    with open(path) as f:
        for line in f:
            spis = tuple(line.split(',')[:2])
            if line not in by_spis[spis]:
                by_spis[spis].append(line)
    most = max(len(lines) for lines in by_spis.values())
    return [[lines[g] for lines in by_spis.values() if g < len(lines)] for g in range(most)]


def esp_line(line):
    """without the length of sequence numbers, which versions before 4.2 don't know; 32 bits is what they assume. Ends that
    move keep their SAs: there the SPI alone says which one it is"""
    fields = line.rstrip('\n').split(',')
    if os.environ.get('WIRE_SET'):
        fields[1:3] = ['"*"', '"*"']
    return ','.join(fields if os.environ.get('TSHARK_KNOWS_ESN') else fields[:8]) + '\n'


def run_tshark(capture, keys, esp_keys, folder):
    with open(os.path.join(folder, 'ikev2_decryption_table'), 'w') as f:
        f.writelines(keys)
    with open(esp_keys) as source, open(os.path.join(folder, 'esp_sa'), 'w') as f:
        f.writelines(esp_line(line) for line in source)
    argv = [os.environ.get('TSHARK', 'tshark'), '-n', '-r', capture, '-T', 'pdml', '-Y', 'isakmp || esp', '-o', 'esp.enable_encryption_decode:TRUE',
            '-o', 'esp.enable_authentication_check:TRUE']
    done = subprocess.run(argv, env=dict(os.environ, WIRESHARK_CONFIG_DIR=folder), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode != 0 or b'Error loading' in done.stderr:
        sys.exit(f'tshark: {done.stderr.decode()}')
    return ET.fromstring(done.stdout)


def read_pass(root):
    messages, packets = {}, {}
    for packet in root.findall('packet'):
        names = [p.get('name') for p in packet.findall('proto')]
        frame = int([f.get('show') for f in packet.iter('field') if f.get('name') == 'num'][0])
        if 'isakmp' in names:
            messages[frame] = Message(packet, frame)
        elif 'esp' in names:
            packets[frame] = Packet(packet, frame)
    return messages, packets


# --- judgement ----------------------------------------------------------------------------------------------------------

def choose(passes, frame):
    """the message as the pass with the right keys shows it, and that pass"""
    for generation, messages in enumerate(passes):
        if messages[frame].sound:
            return messages[frame], generation
    complain(frame, f"{passes[0][frame].what} can't be decrypted")
    return None, None


def show_messages(passes):
    """A line for each message; one in pieces when its last has come."""
    ivs, lines = {}, []
    may_repeat = os.environ.get('WIRE_SET')  # the same request, when nobody answers
    for frame in sorted(passes[0]):
        m, generation = choose(passes, frame)
        if not m:
            continue
        if m.malformed:
            complain(frame, f'{m.what} is malformed')
        if m.iv:
            before = ivs.setdefault((generation, m.iv), m)
            if before is not m and not (may_repeat and (before.what, before.piece) == (m.what, m.piece)):
                complain(frame, f'{m.what} uses an IV again: {m.iv[-1]}')
        if not m.of or m.piece == m.of:
            lines.append(m.line())
    if os.environ.get('WIRE_SET'):
        lines = sorted({re.sub(r'^(\S+) \d+', r'\1', line) for line in lines})
    print('\n'.join(lines))


def judge_packets(packets):
    mode = os.environ.get('WIRE_ESP', 'tunnel')
    last = {}
    ivs = set()
    for frame, p in sorted(packets.items()):
        if mode == 'closed':
            if p.malformed:
                complain(frame, f'ESP packet {p.sequence} of {p.spi:#x} is malformed')
        elif not p.good or p.malformed:
            complain(frame, f'ESP packet {p.sequence} of {p.spi:#x} can\'t be decrypted')
        elif p.next_header not in CARRIED[mode] or (not p.ping and mode != 'stream'):
            complain(frame, f'ESP packet {p.sequence} of {p.spi:#x} is no ping in a {mode} (next header {p.next_header})')
        if p.sequence != last.get(p.spi, 0) + 1:
            complain(frame, f'ESP sequence {p.sequence} of {p.spi:#x} follows {last.get(p.spi, 0)}')
        if any(p.iv) and (p.spi, *p.iv) in ivs:
            complain(frame, f'ESP packet {p.sequence} of {p.spi:#x} uses an IV again')
        ivs.add((p.spi, *p.iv))
        last[p.spi] = p.sequence
    how = {p.in_udp for p in packets.values()}
    if os.environ.get('WIRE_SET') or mode in ('stream', 'closed'):
        print('ESP: ' + ('some' if packets else 'none'))
        return
    print(f"ESP{' in UDP' if how == {True} else ''}: {len(packets)} packets, "
          f"{sum(p.ping for p in packets.values())} pings, {len(last)} SAs")


def main(capture, ike_keys, esp_keys, folder):
    found = [read_pass(run_tshark(capture, keys, esp_keys, folder)) for keys in read_generations(ike_keys)]
    show_messages([messages for messages, _ in found])
    judge_packets(found[0][1])
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
