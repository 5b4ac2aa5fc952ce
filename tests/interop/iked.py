"""OpenIKED's iked as a side of a cell. It has no command that rekeys: lifetimes do, and a step waits for it."""
import os
import re
import shutil
import signal

from chrooted import Chrooted
from sides import SECRET
from world import Trouble, make_key, wait_for


class OpenIked(Chrooted):
    program = 'iked'

    def install(self, cells):
        cell = self.cell = cells[0]
        self.add_inner(cell)
        self.etc = os.path.join(self.folder, 'etc')
        for name in 'ca', 'certs', 'crls', 'private', 'pubkeys/fqdn':
            os.makedirs(os.path.join(self.etc, name))
        with open(os.path.join(self.folder, 'iked.conf'), 'w', opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(self.settings(cell))
        if cell.auth == 'psk':
            make_key('ec:P-256', os.path.join(self.etc, 'private/local.key'))  # iked insists on one
        else:
            own = os.path.join(self.certificates, self.identity(cell))
            shutil.copy(os.path.join(self.certificates, 'ca.pem'), os.path.join(self.etc, 'ca/ca.crt'))
            shutil.copy(own + '.pem', os.path.join(self.etc, f'certs/{self.identity(cell)}.crt'))
            shutil.copy(own + '.key', os.path.join(self.etc, 'private/local.key'))

    def settings(self, cell):
        auth = f'psk "{SECRET}"' if cell.auth == 'psk' else cell.row.get('peer_auth', '')
        mode = 'active' if self.role == 'initiator' else 'passive'
        return ''.join(f'set {line}\n' for line in cell.row.get('peer_setup', {}).get('set', [])) + ' '.join([
            f'ikev2 "{cell.name}" {mode} esp from {self.inner(cell)}/32 to {self.other.inner(cell)}/32',
            f'local {self.address(cell)} peer {self.seen_address(cell)}', f'ikesa {cell.row["peer_ike"]}',
            f'childsa {cell.row["peer_esp"]} srcid {self.identity(cell)} dstid {self.other.identity(cell)}',
            *cell.row.get('peer_lifetimes', []), auth]) + '\n'

    def ikectl(self, *argv):
        return self.inside('/usr/sbin/ikectl', '-s', os.path.join(self.folder, 'control'), *argv)

    def start(self, fragment_size):
        """in passive mode: it begins when up() says so"""
        self.spawn('sh', '-c', 'mount --bind "$1" /etc/iked; shift; exec "$@"', 'iked', self.etc, '/usr/sbin/iked', '-dvS',
                   '-f', os.path.join(self.folder, 'iked.conf'), '-s', os.path.join(self.folder, 'control'))
        wait_for('iked answers', 20, self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise Trouble(f'iked ended with code {self.process.returncode}:\n{self.log_since(0)[-3000:]}')
        try:
            return self.ikectl('show', 'sa') is not None
        except Trouble:
            return False

    def crash(self):
        self.world.stop(self.process, signal.SIGKILL)
        self.start(0)

    def up(self, cell, esp):
        self.ikectl('active')

    def rekey(self, cell, what):
        raise Trouble('iked has no command that rekeys')

    def terminate(self, cell):
        self.ikectl('passive')
        self.ikectl('reset', 'id', self.other.identity(cell))

    def state(self, cell):
        ike = re.findall(r'^iked_sas: .*?rspi 0x([0-9a-f]+) .* ESTABLISHED ', self.ikectl('show', 'sa'), re.M)
        return ike, self.pairs(cell)
