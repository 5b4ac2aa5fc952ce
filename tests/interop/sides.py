"""The two sides: aditd and strongSwan's charon, with the same methods, so that the steps need not know which is which.

What a side says about an IKE SA is brought into one form (describe): what it knows under the names that both use in
their control protocol, seen from that side."""
import json
import os
import shutil
import subprocess

from vici import Vici, ViciError
from world import ROOT, Trouble, command, wait_for

SECRET = 'a shared secret of the interop tests'
SUITE = ('encr-alg', 'encr-keysize', 'integ-alg', 'prf-alg')


def suite_of(section):
    """algorithms as one text, and the key exchanges as a list"""
    kes = [section[k] for k in ['dh-group'] + [f'ake{i}' for i in range(1, 8)] if section.get(k)]
    return ' '.join(section[k] for k in SUITE if section.get(k)), kes


def describe_child(section):
    suite, kes = suite_of(section)
    return {'state': section['state'], 'suite': suite, 'kes': kes, 'in': section.get('spi-in'),
            'out': section.get('spi-out'), 'encap': section.get('encap', 'no'), 'mode': section['mode'],
            'local_ts': section['local-ts'], 'remote_ts': section['remote-ts'], 'esn': section.get('esn', '0'),
            'packets_in': int(section.get('packets-in', 0)), 'packets_out': int(section.get('packets-out', 0))}


def describe(section):
    suite, kes = suite_of(section)
    return {'state': section['state'], 'suite': suite, 'kes': kes,
            'spis': (section['initiator-spi'], section['responder-spi']),
            'initiator': section.get('initiator', 'no') == 'yes',
            'local': (section['local-host'], section['local-id']), 'local_port': section['local-port'],
            'remote': (section['remote-host'], section['remote-id']), 'remote_port': section['remote-port'],
            'vips': (section.get('local-vips', []), section.get('remote-vips', [])), 'ppk': section.get('ppk', 'no'), 'nat_local': section.get('nat-local', 'no'), 'nat_remote': section.get('nat-remote', 'no'),
            'children': [describe_child(c) for c in section['child-sas'].values()]}


class Side:
    """One daemon of a group. role: 'initiator' or 'responder', which is also its namespace."""

    def __init__(self, world, role, certificates):
        self.world, self.role, self.certificates = world, role, certificates
        self.folder = os.path.join(world.tmp, self.kind)
        self.vici_path = os.path.join(self.folder, 'vici')
        self.process = None
        os.makedirs(self.folder)

    def identity(self, cell):
        """With PSK a long name, so that there, too, some messages are big enough to be cut."""
        if cell.auth == 'psk':
            return '.'.join(['a-name-that-makes-messages-long'] * 11 + ['psk', self.kind, 'example'])
        return f'{cell.auth}.{self.kind}.example'

    def inner(self, cell):
        """its address inside the tunnel; in transport mode there is but one"""
        if getattr(cell, 'mode', 'TUNNEL') == 'TRANSPORT':
            return self.address(cell)
        return f'10.{3 if self.asks(cell) else self.net}.{cell.number}.1'

    def asks(self, cell):
        """Is its inner address one of the responder's pool?"""
        return self.role == 'initiator' and cell.ke.get('pool', False)

    def address(self, cell):
        return self.world.initiator_address if self.role == 'initiator' else self.world.responder_address(cell)

    def install(self, cells):
        """inner addresses, configuration and credentials"""
        for cell in cells:
            if getattr(cell, 'mode', 'TUNNEL') == 'TUNNEL' and not self.asks(cell):
                self.world.add_address(self.role, f'{self.inner(cell)}/32', 'lo')
        for name in ('x509', 'x509ca', 'private'):
            os.makedirs(os.path.join(self.swanctl, name), exist_ok=True)
        shutil.copy(os.path.join(self.certificates, 'ca.pem'), os.path.join(self.swanctl, 'x509ca'))
        for auth in {c.auth for c in cells} - {'psk'}:
            name = f'{auth}.{self.kind}.example'
            shutil.copy(os.path.join(self.certificates, name + '.pem'), os.path.join(self.swanctl, 'x509'))
            shutil.copy(os.path.join(self.certificates, name + '.key'), os.path.join(self.swanctl, 'private'))
        with open(os.path.join(self.swanctl, 'swanctl.conf'), 'w') as f:
            f.write('connections {\n' + ''.join(self.connection(c) for c in cells) + '}\n')
            f.write('pools {\n' + ''.join(self.pool(c) for c in cells) + '}\n')
            f.write(f'secrets {{\n  ike-all {{\n    secret = "{SECRET}"\n  }}\n')
            f.write(''.join(self.secret(*it) for it in cells[0].secrets.items()) + '}\n')

    def secret(self, name, row):
        """a section of `secrets` that this side knows"""
        if row.get('only', self.role) != self.role:
            return ''
        return f'  {name} {{\n    id = {row["id"]}\n    secret = {row["secret"]}\n  }}\n'

    def pool(self, cell):
        if self.role == 'initiator' or not cell.ke.get('pool'):
            return ''
        return f'  {cell.name} {{\n    addrs = 10.3.{cell.number}.1-10.3.{cell.number}.9\n    dns = 10.4.0.53\n  }}\n'

    def addressing(self, cell):
        """who asks for an address, and who gives one"""
        if not cell.ke.get('pool'):
            return ''
        return '    vips = 0.0.0.0\n' if self.role == 'initiator' else f'    pools = {cell.name}\n'

    def ts(self, side, cell):
        return 'dynamic' if side.asks(cell) else f'{side.inner(cell)}/32'

    def round(self, side, cell, local):
        if cell.auth == 'psk':
            return f'auth = psk\n      id = {side.identity(cell)}'
        how = f'certs = {side.identity(cell)}.pem' if local else 'cacerts = ca.pem'
        return f'auth = pubkey\n      id = {side.identity(cell)}\n      {how}'

    def connection(self, cell):
        remote = self.other.address(cell) if self.role == 'initiator' else '%any'
        roams = self.role == 'initiator' and cell.ke.get('moves')
        return f'''  {cell.name} {{
    local_addrs = {'%any' if roams else self.address(cell)}
    remote_addrs = {remote}
    proposals = {cell.proposals('ike', self.role)}
    fragmentation = {cell.frag}
{cell.options(self.role, self.kind)}{self.addressing(cell)}    local {{
      {self.round(self, cell, True)}
    }}
    remote {{
      {self.round(self.other, cell, False)}
    }}
    children {{
      {cell.name} {{
        local_ts = {self.ts(self, cell)}
        remote_ts = {self.ts(self.other, cell)}
        esp_proposals = {cell.proposals('esp', self.role)}
        mode = {getattr(cell, 'mode', 'TUNNEL').lower()}
      }}
    }}
  }}
'''

    def log_size(self):
        return os.path.getsize(self.log) if os.path.exists(self.log) else 0

    def log_since(self, start):
        with open(self.log, errors='replace') as f:
            f.seek(start)
            return f.read()

    def answers(self):
        if self.process.poll() is not None:
            raise Trouble(f'{self.kind} ended with code {self.process.returncode}:\n{self.log_since(0)[-3000:]}')
        try:
            Vici(self.vici_path).close()
        except OSError:
            return False
        return True


class Adit(Side):
    kind, net = 'adit', 1
    settings = ''  # further lines of adit.conf
    dataplane = os.environ.get('ADIT_INTEROP_DATAPLANE', 'user')

    def __init__(self, world, role, certificates):
        super().__init__(world, role, certificates)
        build = os.environ.get('ADIT_BUILD') or os.path.join(ROOT, 'build')
        self.aditd, self.adit = os.path.join(build, 'src/daemon/aditd'), os.path.join(build, 'src/cli/adit')
        self.swanctl = os.path.join(self.folder, 'swanctl')
        self.log = os.path.join(self.folder, 'aditd.log')

    def start(self, fragment_size):
        with open(os.path.join(self.folder, 'adit.conf'), 'w') as f:
            f.write(f'''adit {{
  swanctl_conf = {self.swanctl}/swanctl.conf
  log = more
  workers = 1
  fragment_size = {fragment_size}
  dataplane = {self.dataplane}
{self.settings}  vici {{ sockets = {self.vici_path} }}
}}
''')
        self.process = self.world.spawn(['ip', 'netns', 'exec', self.world.space(self.role), self.aditd, '--config',
                                         os.path.join(self.folder, 'adit.conf')], self.log)
        wait_for('aditd answers', 10, self.answers)

    def tell(self, what, *more, timeout=20):
        return command(self.adit, what, '--socket', self.vici_path, *more, timeout=timeout)

    def version(self):
        return self.tell('version').strip().splitlines()[0]

    def initiate(self, cell):
        self.tell('initiate', '--ike', cell.name, '--child', cell.name, '--timeout', '10')

    def rekey(self, cell, what):
        self.tell('rekey', f'--{what}', cell.name)

    def terminate(self, cell):
        self.tell('terminate', '--ike', cell.name, '--timeout', '10')

    def sas(self, cell):
        found = []
        for line in self.tell('list-sas', '--json', '--up', '--ike', cell.name).splitlines():
            message = json.loads(line)
            if message.get('event') == 'list-sa':
                found += [describe(section) for section in message['data'].values()]
        return found


class StrongSwan(Side):
    kind, net = 'peer', 2
    plugins = 'kernel-libipsec kernel-netlink'

    def __init__(self, world, role, certificates, chroot):
        super().__init__(world, role, certificates)
        self.chroot = chroot
        self.swanctl = os.path.join(self.folder, 'swanctl')
        self.log = os.path.join(self.folder, 'charon.log')

    def in_chroot(self, function, *argv):
        """a shell command line that becomes argv inside the chroot (scripts/lib/peer.sh)"""
        script = f'. "$1"; shift; PEER_DIR=$1; shift; {function} "$@"'
        return ['sh', '-c', script, 'peer', os.path.join(ROOT, 'scripts/lib/peer.sh'), self.folder, *argv]

    def environment(self):
        return ['env', f'STRONGSWAN_CONF={self.folder}/strongswan.conf', f'SWANCTL_DIR={self.swanctl}']

    def write_settings(self, fragment_size):
        command('sh', '-c', '. "$1"; strongswan_conf "$2"', 'peer', os.path.join(ROOT, 'scripts/lib/peer.sh'),
                self.folder)
        path = os.path.join(self.folder, 'strongswan.conf')
        with open(path) as f:
            text = f.read()
        with open(path, 'w') as f:
            f.write(text.replace('fragment_size = 1280', f'fragment_size = {fragment_size}')
                    .replace('kernel-libipsec kernel-netlink', self.plugins))

    def start(self, fragment_size):
        self.write_settings(fragment_size)
        self.process = self.world.spawn(
            self.in_chroot('peer_run_in', self.world.space(self.role), self.chroot, *self.environment(),
                           '/usr/sbin/charon-systemd'), os.path.join(self.folder, 'charon.out'))
        wait_for('charon answers', 15, self.answers)
        command(*self.in_chroot('peer_run', self.chroot, *self.environment(), '/usr/sbin/swanctl', '--load-all',
                                '--uri', f'unix://{self.vici_path}'))

    def ask(self, what, event=None, **message):
        vici = Vici(self.vici_path)
        try:
            return vici.stream(what, event, **message)
        except (ViciError, OSError) as e:
            raise Trouble(f'strongSwan: {e}') from e
        finally:
            vici.close()

    def version(self):
        return 'strongSwan ' + self.ask('version')[0]['version']

    def initiate(self, cell):
        self.ask('initiate', ike=cell.name, child=cell.name, timeout=10000)

    def rekey(self, cell, what):
        self.ask('rekey', **{what: cell.name})

    def terminate(self, cell):
        self.ask('terminate', ike=cell.name, timeout=10000)

    def sas(self, cell):
        _, events = self.ask('list-sas', event='list-sa', ike=cell.name)
        return [describe(section) for event in events for section in event.values()]


class KernelStrongSwan(StrongSwan):
    """with the kernel's ESP"""
    plugins = 'kernel-netlink'


def make_sides(world, adit_role, certificates, chroot, kernel=False):
    other = 'responder' if adit_role == 'initiator' else 'initiator'
    peer_class = KernelStrongSwan if kernel else StrongSwan
    adit, peer = Adit(world, adit_role, certificates), peer_class(world, other, certificates, chroot)
    adit.other, peer.other = peer, adit
    return adit, peer


def find_chroot():
    """(path, None), or (None, why there is none)"""
    done = subprocess.run([os.path.join(ROOT, 'scripts/peer-chroot'), 'strongswan'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return done.stdout.strip().splitlines()[-1], None
    return None, done.stderr.strip() or f'scripts/peer-chroot: code {done.returncode}'
