#!/usr/bin/env python3
"""What the kernel's espintcp does for pluto, where the kernel has none: the Length in front of each frame (RFC 9329 s3).

  espintcp.py PORT ADDRESS near|far

Takes a connection on PORT, makes another one to ADDRESS port 4500, and passes on what comes: the prefix as it is, then frames
to pluto, which is the near end or the far one, without their Length, and its messages with it.

pluto reads and writes whole IKE messages behind four octets of zero, and leaves the Length to its socket.
"""
import socket
import sys
import threading
import time

HEAD = 4 + 28  # marker and IKE header, the last four octets of which are the message's length


def exactly(s, n):
    data = b''
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def strip(source, to):
    while True:
        time.sleep(0.01)  # each read of pluto's has to be one message
        n = int.from_bytes(exactly(source, 2), 'big')
        body = exactly(source, n - 2)
        if body not in (b'', b'\xff'):
            to.sendall(body)


def add(source, to):
    while True:
        head = exactly(source, HEAD)
        body = head + exactly(source, int.from_bytes(head[-4:], 'big') - HEAD + 4)
        to.sendall((len(body) + 2).to_bytes(2, 'big') + body)


def run(function, prefix, source, to):
    try:
        to.sendall(exactly(source, prefix))
        function(source, to)
    except (OSError, EOFError):
        pass
    for s in source, to:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main(port, address, pluto):
    listener = socket.create_server(('0.0.0.0', int(port)))
    while True:
        near, _ = listener.accept()
        try:
            far = socket.create_connection((address, 4500), timeout=5)
        except OSError:
            near.close()
            continue
        far.settimeout(None)
        there, back = (add, strip) if pluto == 'near' else (strip, add)
        for args in (there, 6, near, far), (back, 0, far, near):
            threading.Thread(target=run, args=args, daemon=True).start()


main(*sys.argv[1:])
