"""docs/interop-peers.md out of a run's results."""
import os
import re

INTRODUCTION = '''# Interoperability with libreswan and OpenIKED

<!-- Made by `tests/interop/run-peers --write-docs` from tests/interop/peers.toml; do not edit. -->

Adit against unmodified peers, Debian's packages in chroots, in network namespaces. What these peers need for ESP is in
the kernel; where it has none they do all of IKE, but every Child SA fails with TEMPORARY_FAILURE and the IKE SA has to
live on. The steps of a cell, unless it has its own: setting up, rekeying of the IKE SA by Adit, then by the peer, orderly
end; after each, both have to show one IKE SA, and the one that it should be. (strongSwan, with traffic: [here](interop.md).)
'''


def versions(chroots):
    found = {}
    for kind, path in chroots.items():
        with open(os.path.join(path, 'adit-peer.txt')) as f:
            found[kind] = re.search(r'^\S+ (\d\S*)$', f.read(), re.M).group(1)
    return found


def table(kind, results):
    rows = {}
    for cell, good in results.items():
        if cell.peer == kind:
            rows.setdefault(cell.row['title'], {})[cell.role] = 'ok' if good else '**FAILED**'
    lines = ['| | Adit as initiator | Adit as responder |', '|---|---|---|']
    return '\n'.join(lines + [f"| {title} | {row.get('initiator', '-')} | {row.get('responder', '-')} |"
                              for title, row in rows.items()])


def write(path, peers, results, version):
    with open(path, 'w') as f:
        f.write(INTRODUCTION)
        for kind, peer in peers.items():
            if kind in version:
                f.write(f"\n## {peer['title']} {version[kind]}\n\n{table(kind, results)}\n")
        f.write('\nTo run one cell again: `tests/interop/run-peers --only peer=libreswan,name=ppk`.\n')
