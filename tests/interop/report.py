"""docs/interop.md out of a run's results."""

INTRODUCTION = '''# Interoperability

<!-- Made by `tests/interop/run --write-docs` (`make interop`) from tests/interop/matrix.toml; do not edit. -->

Every cell below was run between **{adit}** and an unmodified **{peer}** (Debian's package in a chroot; ESP by its
kernel-libipsec plugin, which always encapsulates in UDP), in network namespaces of their own. A cell is `ok` only if
every step succeeded while a ping ran through the tunnel and **not one packet was lost**:

{steps}

After each step both sides have to show the same SAs: SPIs, algorithms, key exchanges, identities, traffic selectors,
addresses and what they know about NAT, and packets in the newest Child SA. A retransmission counts as a failure.

* *fragmented*: every IKE message beyond {size} octets is cut (RFC 7383), in both directions. *whole*: fragmentation is
  off on both sides and big messages travel in one datagram.
* *NAT*: the initiator is behind a gateway that rewrites its address and its ports (nftables, masquerade).
* In the matrix: AES-256-GCM for IKE and ESP, HMAC-SHA-384 as PRF. The Child SA's rekeying uses the same key exchanges
  as the IKE SA.
'''


BESIDE = '''
## Beside the matrix

What needs more than two daemons, or another end, has scripts of its own; `make check` runs all but the last with the matrix:
`tests/interop/run-hashurl` (certificates by hash and URL, RFC 7296 s3.6: each fetches the other's, both roles),
`tests/interop/run-redirect` (RFC 5685: strongSwan as client and as first gateway),
`tests/interop/run-workers` (RFC 9611: Child SAs for each CPU, Adit asks),
`tests/interop/run-kernel` (the kernel's ESP and OpenIKED, in an emulated machine: [interop-kernel](interop-kernel.md)),
`tests/interop/conformance.sh` (the [conformance tool](conformance-tool.md) against strongSwan).
strongSwan has no IKE over TCP and no windows above 1; libreswan has TCP: [interop-peers](interop-peers.md).
'''


def describe_step(step):
    who = {'adit': ' by Adit', 'peer': ' by strongSwan'}.get(step.get('by'), '')
    what = {'initiate': 'setting up the IKE SA and a Child SA', 'terminate': 'orderly end',
            'rekey child': 'rekeying of the Child SA', 'rekey ike': 'rekeying of the IKE SA',
            'move': 'where a cell says so: the initiator\'s move to another address and back (packets may be lost)'}[step['do']]
    return what + who


def columns(matrix):
    return [(nat, frag) for nat in matrix['nat'] for frag in matrix['frag']]


def word(result):
    return result if result in ('ok', 'not run') else '**FAILED**'


def table(role, matrix, results):
    short = {(c.role, c.auth, c.ke_name, c.nat, c.frag): r for c, r in results.items()}
    head = ['Authentication', 'Key exchange'] + [('behind NAT' if nat == 'yes' else 'no NAT') + ', ' +
                                                 ('fragmented' if frag == 'yes' else 'whole')
                                                 for nat, frag in columns(matrix)]
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    for auth, a in matrix['auth'].items():
        for ke, k in matrix['ke'].items():
            row = [a['title'], k['title']]
            for nat, frag in columns(matrix):
                row.append(word(short.get((role, auth, ke, nat, frag), 'not run')))
            lines.append('| ' + ' | '.join(row) + ' |')
    return '\n'.join(lines)


def other_table(matrix, results):
    short = {(c.role, c.ke_name, c.frag): word(r) for c, r in results.items()}
    heads = [f'Adit as {role}, {"fragmented" if frag == "yes" else "whole"}' for role in matrix['role'] for frag in matrix['frag']]
    lines = ['| Algorithms | ' + ' | '.join(heads) + ' |', '|---|' + '---|' * len(heads)]
    for name, row in matrix['other'].items():
        found = [short.get((role, name, frag), 'not run' if frag in row.get('frag', ['yes']) else '-')
                 for role in matrix['role'] for frag in matrix['frag']]
        lines.append('| ' + ' | '.join([row['title'], *found]) + ' |')
    return '\n'.join(lines)


def write(path, matrix, results, versions):
    steps = '\n'.join(f'{n}. {describe_step(s)}' for n, s in enumerate(matrix['step'], 1))
    with open(path, 'w') as f:
        f.write(INTRODUCTION.format(steps=steps, size=matrix['fragment_size'], **versions))
        for role in matrix['role']:
            f.write(f'\n## Adit as {role}\n\n{table(role, matrix, results)}\n')
        f.write(f'\n## Other algorithms\n\nThe same steps, with PSK unless said otherwise, without NAT.\n\n{other_table(matrix, results)}\n')
        failures = [f'* {cell}: {result.splitlines()[0]}' for cell, result in results.items() if result != 'ok']
        if failures:
            f.write('\n## What failed\n\n' + '\n'.join(failures) + '\n')
        f.write(BESIDE)
        f.write('\nTo run one cell again: `tests/interop/run --only role=initiator,auth=ecdsa,ke=x25519+mlkem768`.\n')
