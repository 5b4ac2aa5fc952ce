"""A peer in a chroot (scripts/peer-chroot) whose Child SAs are the kernel's."""
import os
import re
import subprocess

from sides import Side
from world import ENVIRONMENT, ROOT, Trouble, command


class Chrooted(Side):
    """What pluto and iked have in common: the chroot, and the kernel that they put their Child SAs into."""
    kind, net = 'peer', 2

    def __init__(self, world, role, certificates, chroot):
        super().__init__(world, role, certificates)
        self.chroot = chroot
        self.log = os.path.join(self.folder, self.program + '.log')

    def identity(self, cell):
        return f'{cell.auth}.{self.kind}.example'

    def seen_address(self, cell):
        """where the other side is for this one: behind the gateway, if there is one"""
        return self.world.responder_address(cell) if self.role == 'initiator' else self.world.outside

    def add_inner(self, cell):
        """its address inside the tunnel, and a route, without which the kernel never asks its policies"""
        self.world.add_address(self.role, f'{self.inner(cell)}/32', 'lo')
        command('ip', '-n', self.world.space(self.role), 'route', 'add', f'{self.other.inner(cell)}/32', 'dev', 'wire', 'src',
                self.inner(cell))

    def in_chroot(self, function, *argv):
        script = f'. "$1"; shift; PEER_DIR=$1; shift; {function} "$@"'
        return ['sh', '-c', script, 'peer', os.path.join(ROOT, 'scripts/lib/peer.sh'), self.folder, *argv]

    def inside(self, *argv, timeout=120):
        """runs a program in the chroot and the peer's namespace; what it prints"""
        return command(*self.in_chroot('peer_run_in', self.world.space(self.role), self.chroot, *argv), timeout=timeout)

    def spawn(self, *argv):
        self.process = self.world.spawn(self.in_chroot('peer_run_in', self.world.space(self.role), self.chroot, *argv),
                                        self.log)

    def xfrm(self):
        """what the kernel of the peer's namespace has: [(destination, spi, packets)]"""
        done = subprocess.run(['ip', '-n', self.world.space(self.role), '-s', 'xfrm', 'state'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)
        if done.returncode != 0:
            raise Trouble(f'ip xfrm state: {done.stdout}')
        found = []
        for text in re.split(r'(?m)^(?=src )', done.stdout):
            state = re.search(r'^src \S+ dst (\S+)\s.*?proto esp spi 0x([0-9a-f]+).*?lifetime current:.*?(\d+)\(packets\)',
                              text, re.S)
            if state:
                found.append((state.group(1), state.group(2), int(state.group(3))))
        return found

    def pairs(self, cell):
        """(in, out) of the Child SAs that the kernel has"""
        mine = self.address(cell)
        ours = [spi for to, spi, _ in self.xfrm() if to == mine]
        theirs = [spi for to, spi, _ in self.xfrm() if to != mine]
        return list(zip(ours, theirs)) if len(ours) == len(theirs) else [(spi, None) for spi in ours + theirs]

    def packets(self, cell):
        """in, out, of all Child SAs there are"""
        mine = self.address(cell)
        return (sum(n for to, _, n in self.xfrm() if to == mine), sum(n for to, _, n in self.xfrm() if to != mine))
