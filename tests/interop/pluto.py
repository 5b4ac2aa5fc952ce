"""libreswan's pluto as a side of a cell."""
import os
import re
import shutil
import signal

from chrooted import Chrooted
from sides import SECRET
from world import Trouble, command, wait_for

PLUTO = '/usr/libexec/ipsec/pluto'


class Pluto(Chrooted):
    program = 'pluto'

    def file(self, name):
        return os.path.join(self.folder, name)

    def install(self, cells):
        cell = self.cell = cells[0]
        self.add_inner(cell)
        for name in 'nss', 'run':
            os.makedirs(self.file(name))
        with open(self.file('ipsec.conf'), 'w') as f:
            f.write(self.settings(cell) + self.connection(cell) + self.connection_there(cell))
        with open(self.file('ipsec.secrets'), 'w') as f:
            f.write(f'@{self.identity(cell)} @{self.other.identity(cell)} : PSK "{SECRET}"\n')
            f.writelines(line + '\n' for line in cell.row.get('peer_secrets', []))
        self.inside('certutil', '-N', '-d', f'sql:{self.file("nss")}', '--empty-password')
        if cell.auth != 'psk':
            self.import_certificate(self.identity(cell))

    def import_certificate(self, name):
        shutil.copy(os.path.join(self.certificates, 'ca.pem'), self.folder)
        own = os.path.join(self.certificates, name)
        command('openssl', 'pkcs12', '-export', '-in', own + '.pem', '-inkey', own + '.key', '-name', 'own', '-passout',
                'pass:', '-out', self.file('own.p12'))
        base = f'sql:{self.file("nss")}'
        self.inside('certutil', '-A', '-d', base, '-n', 'ca', '-t', 'CT,,', '-a', '-i', self.file('ca.pem'))
        self.inside('pk12util', '-i', self.file('own.p12'), '-d', base, '-W', '')

    def settings(self, cell):
        own = {'nssdir': self.file('nss'), 'plutodebug': 'none', **cell.row.get('peer_setup', {})}
        return 'config setup\n' + ''.join(f'    {k}={v}\n' for k, v in own.items())

    def connection(self, cell, **more):
        lines = {'left': self.address(cell), 'leftid': '@' + self.identity(cell), 'leftsubnet': f'{self.inner(cell)}/32',
                 'right': self.seen_address(cell), 'rightid': '@' + self.other.identity(cell),
                 'rightsubnet': f'{self.other.inner(cell)}/32', 'ike': cell.row['peer_ike'],
                 'esp': cell.row['peer_esp'], 'auto': 'add', 'authby': 'secret', 'leftupdown': '/bin/true'}
        if cell.auth != 'psk':
            lines.update({'authby': {'rsa': 'rsasig'}.get(cell.auth, cell.auth), 'leftcert': 'own',
                          'rightca': '%same', 'rightsendcert': 'always', 'leftsendcert': 'always'})
        lines.update(cell.row.get('peer_options', {}))
        return self.write(cell.name, {**lines, **more})

    @staticmethod
    def write(name, lines):
        return f'conn {name}\n' + ''.join(f'    {k}={v}\n' for k, v in lines.items())

    def connection_there(self, cell):
        """the gateway's other address, where nobody is sent on"""
        if self.role == 'initiator' or 'also_at' not in cell.row:
            return ''
        return self.connection(cell, left=cell.row['also_at'], **{'send-redirect': 'no'}).replace(f'conn {cell.name}', 'conn there')

    def ipsec(self, *argv, timeout=60):
        """whack or addconn, without the shell script in front of them"""
        return self.inside(f'/usr/libexec/ipsec/{argv[0]}', '--ctlsocket', self.file('run/pluto.ctl'), *argv[1:], timeout=timeout)

    def start(self, fragment_size):
        self.spawn(PLUTO, '--config', self.file('ipsec.conf'), '--secretsfile', self.file('ipsec.secrets'), '--rundir',
                   self.file('run'), '--nofork', '--stderrlog')
        wait_for('pluto answers', 20, lambda: os.path.exists(self.file('run/pluto.ctl')))
        names = [self.cell.name] + (['there'] if self.connection_there(self.cell) else [])
        self.ipsec('addconn', '--config', self.file('ipsec.conf'), *names)
        for what in self.cell.row.get('peer_impair', []):
            self.ipsec('whack', '--impair', what)
        self.ipsec('whack', '--listen')

    def crash(self):
        self.world.stop(self.process, signal.SIGKILL)
        os.unlink(self.file('run/pluto.ctl'))
        self.start(0)

    def version(self):
        return self.inside('ipsec', '--version').strip()

    def up(self, cell, esp):
        self.ipsec('whack', '--initiate', '--asynchronous', '--name', cell.name)

    def rekey(self, cell, what):
        self.ipsec('whack', f'--rekey-{what}', '--asynchronous', '--name', cell.name)

    def terminate(self, cell):
        self.ipsec('whack', '--terminate', '--name', cell.name)

    def redirect(self, cell):
        self.ipsec('whack', '--name', cell.name, '--redirect-to', cell.row['also_at'])

    def suspend(self, cell):
        self.ipsec('whack', '--suspend', '--name', cell.name)

    def state(self, cell):
        shown = self.ipsec('whack', '--showstates')
        ike = re.findall(r'^#(\d+): .* ESTABLISHED_IKE_SA ', shown, re.M)
        child = re.findall(r'^#(\d+): .* ESTABLISHED_CHILD_SA ', shown, re.M)
        pairs = self.pairs(cell) if child else []
        if len(pairs) != len(child):
            raise Trouble(f'pluto shows {len(child)} Child SAs, the kernel {len(pairs)}')
        return ike, pairs
