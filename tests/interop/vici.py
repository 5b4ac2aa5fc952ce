"""A client for strongSwan's control protocol (VICI), so that what the peer says about itself is read by code that
shares nothing with Adit's."""
import socket
import struct

CMD_REQUEST, CMD_RESPONSE, CMD_UNKNOWN, REGISTER, UNREGISTER, CONFIRM, UNKNOWN_EVENT, EVENT = range(8)
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)


class ViciError(Exception):
    pass


def name(text):
    raw = text.encode()
    return struct.pack('!B', len(raw)) + raw


def encode(message):
    """a dictionary with texts, lists of texts and dictionaries"""
    out = b''
    for key, value in message.items():
        if isinstance(value, dict):
            out += bytes([SECTION_START]) + name(key) + encode(value) + bytes([SECTION_END])
        elif isinstance(value, list):
            out += bytes([LIST_START]) + name(key)
            for item in value:
                out += bytes([LIST_ITEM]) + struct.pack('!H', len(item)) + item.encode()
            out += bytes([LIST_END])
        else:
            out += bytes([KEY_VALUE]) + name(key) + struct.pack('!H', len(str(value))) + str(value).encode()
    return out


class Reader:
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, n):
        piece = self.octets[self.at:self.at + n]
        if len(piece) != n:
            raise ViciError('truncated message')
        self.at += n
        return piece

    def name(self):
        return self.take(self.take(1)[0]).decode()

    def value(self):
        return self.take(struct.unpack('!H', self.take(2))[0]).decode(errors='replace')

    def items(self):
        items = []
        while self.take(1)[0] == LIST_ITEM:
            items.append(self.value())
        return items

    def section(self):
        found = {}
        while self.at < len(self.octets):
            kind = self.take(1)[0]
            if kind == SECTION_END:
                break
            key = self.name()
            if kind == SECTION_START:
                found[key] = self.section()
            elif kind == LIST_START:
                found[key] = self.items()
            elif kind == KEY_VALUE:
                found[key] = self.value()
            else:
                raise ViciError(f'element {kind} out of place')
        return found


class Vici:
    def __init__(self, path, timeout=15):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)

    def close(self):
        self.socket.close()

    def send(self, kind, what, body=b''):
        packet = bytes([kind]) + name(what) + body
        self.socket.sendall(struct.pack('!I', len(packet)) + packet)

    def receive(self, n):
        octets = b''
        while len(octets) < n:
            piece = self.socket.recv(n - len(octets))
            if not piece:
                raise ViciError('the daemon closed the connection')
            octets += piece
        return octets

    def packet(self):
        octets = self.receive(struct.unpack('!I', self.receive(4))[0])
        return octets[0], Reader(octets[1:])

    def request(self, command, **message):
        """the answer; success=no is an error"""
        answer, _ = self.stream(command, None, **message)
        return answer

    def stream(self, command, event, **message):
        """the answer and the events of that kind before it"""
        if event:
            self.send(REGISTER, event)
            if self.packet()[0] != CONFIRM:
                raise ViciError(f'no event {event}')
        self.send(CMD_REQUEST, command, encode({k.replace('_', '-'): v for k, v in message.items()}))
        events = []
        while True:
            kind, reader = self.packet()
            if kind == EVENT:
                reader.name()
                events.append(reader.section())
            elif kind == CMD_RESPONSE:
                break
            else:
                raise ViciError(f'{command}: answer of kind {kind}')
        answer = reader.section()
        if event:
            self.send(UNREGISTER, event)
            self.packet()
        if answer.get('success', 'yes') != 'yes':
            raise ViciError(f"{command}: {answer.get('errmsg', 'failed')}")
        return answer, events
