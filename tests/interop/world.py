"""Where a group of cells runs: namespaces, addresses, certificates. Everything made here is removed by close()."""
import os
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENVIRONMENT = dict(os.environ, LC_ALL='C')
SLOW = float(os.environ.get('ADIT_INTEROP_SLOW', '1'))  # an emulated machine needs its time


class Trouble(Exception):
    """something that should have worked, with all that is known about it"""


def command(*argv, data=None, timeout=120):
    try:
        done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL if data is None else None, env=ENVIRONMENT, timeout=timeout)
    except subprocess.TimeoutExpired as e:
        raise Trouble(f"{' '.join(argv)}: nothing within {timeout} s") from e
    if done.returncode != 0:
        raise Trouble(f"{' '.join(argv)}: {done.stdout.strip()} (code {done.returncode})")
    return done.stdout


def wait_for(what, seconds, condition):
    """Polls until condition() is true and returns that; a text of its last answer helps when it never is."""
    seconds *= SLOW
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Trouble(f'waited {seconds} s in vain: {what}')
        time.sleep(0.02 * SLOW)


class World:
    """Two namespaces joined by a link, or by a NAT gateway between them.

    initiator 192.0.2.1 --- 192.0.2.10.. responder          no NAT; every cell has an address of the responder
    initiator 10.77.0.2 --- 10.77.0.1 NAT 192.0.2.1 --- 192.0.2.10.. responder
    """

    def __init__(self, name, nat, cells):
        self.tmp = tempfile.mkdtemp(prefix=f'adt-interop-{name}-', dir='/tmp')
        self.prefix = f'adt-interop-{os.getpid()}-{name}'
        self.spaces = []
        self.processes = []
        self.nat, self.cells = nat, cells
        self.outside = '192.0.2.1'
        self.initiator_address = '10.77.0.2' if nat else self.outside

    @staticmethod
    def responder_address(cell):
        return f'192.0.2.{10 + cell.number}'

    def space(self, which):
        return f'{self.prefix}-{which}'

    def run(self, which, *argv, **more):
        return command('ip', 'netns', 'exec', self.space(which), *argv, **more)

    def spawn(self, argv, log):
        with open(log, 'ab') as out:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=ENVIRONMENT,
                                       start_new_session=True)
        self.processes.append(process)
        return process

    def stop(self, process, how=signal.SIGTERM):
        """its exit code"""
        if process in self.processes:
            self.processes.remove(process)
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(5 * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def add_space(self, which):
        command('ip', 'netns', 'add', self.space(which))
        self.spaces.append(which)
        command('ip', '-n', self.space(which), 'link', 'set', 'lo', 'up')
        self.run(which, 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0',
                 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1')

    def link(self, a, a_device, b, b_device):
        """9000 octets, so that a message that nobody cuts still passes"""
        command('ip', 'link', 'add', a_device, 'mtu', '9000', 'netns', self.space(a), 'type', 'veth', 'peer', 'name',
                b_device, 'mtu', '9000', 'netns', self.space(b))
        for which, device in (a, a_device), (b, b_device):
            command('ip', '-n', self.space(which), 'link', 'set', device, 'up')

    def add_address(self, which, address, device):
        command('ip', '-n', self.space(which), 'addr', 'add', address, 'dev', device)

    def make_nat(self):
        self.link('initiator', 'wire', 'gateway', 'in')
        self.link('gateway', 'out', 'responder', 'wire')
        self.add_address('gateway', '10.77.0.1/24', 'in')
        self.add_address('gateway', f'{self.outside}/24', 'out')
        self.add_address('initiator', f'{self.initiator_address}/24', 'wire')
        command('ip', '-n', self.space('initiator'), 'route', 'add', 'default', 'via', '10.77.0.1')
        self.run('gateway', 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
        self.run('gateway', 'nft', '-f', '-', data='''table ip nat {
            chain post {
                type nat hook postrouting priority 100; policy accept;
                oifname "out" ip protocol udp masquerade to :20000-30000
                oifname "out" masquerade
            }
        }''')

    def make(self):
        for which in ['initiator', 'responder'] + (['gateway'] if self.nat else []):
            self.add_space(which)
        if self.nat:
            self.make_nat()
        else:
            self.link('initiator', 'wire', 'responder', 'wire')
            self.add_address('initiator', f'{self.initiator_address}/24', 'wire')
        for cell in self.cells:
            self.add_address('responder', f'{self.responder_address(cell)}/24', 'wire')
        wait_for('the link between the peers', 5, self.is_linked)

    def move_initiator(self):
        """Takes its address away and gives it the next one, without NAT."""
        old, new = self.outside, '192.0.2.2' if self.outside == '192.0.2.1' else '192.0.2.1'
        self.add_address('initiator', f'{new}/24', 'wire')
        command('ip', '-n', self.space('initiator'), 'addr', 'del', f'{old}/24', 'dev', 'wire')
        if f' {new}/24 ' not in command('ip', '-n', self.space('initiator'), 'addr', 'show', 'dev', 'wire'):
            self.add_address('initiator', f'{new}/24', 'wire')  # it went with the one before
        self.outside = self.initiator_address = new

    def is_linked(self):
        try:
            self.run('initiator', 'ping', '-c', '1', '-W', '0.2', self.responder_address(self.cells[0]))
        except Trouble:
            return False
        return True

    def close(self, keep=False):
        for process in list(self.processes):
            self.stop(process)
        for which in self.spaces:
            subprocess.run(['ip', 'netns', 'del', self.space(which)], stderr=subprocess.DEVNULL)
        self.spaces = []
        if not keep:
            shutil.rmtree(self.tmp, ignore_errors=True)


def make_key(kind, path):
    if kind.startswith('rsa:'):
        how = ['RSA', '-pkeyopt', f'rsa_keygen_bits:{kind[4:]}']
    elif kind.startswith('ec:'):
        how = ['EC', '-pkeyopt', f'ec_paramgen_curve:{kind[3:]}', '-pkeyopt', 'ec_param_enc:named_curve']
    else:
        how = ['ED25519']
    command('openssl', 'genpkey', '-quiet', '-algorithm', *how, '-out', path)


def make_certificates(folder, wanted):
    """A CA (ca.pem) and for each (name, kind) of wanted NAME.pem and NAME.key, with NAME as its only dNSName."""
    os.makedirs(folder)
    file = lambda name: os.path.join(folder, name)
    make_key('ec:P-256', file('ca.key'))
    command('openssl', 'req', '-x509', '-new', '-key', file('ca.key'), '-days', '30', '-out', file('ca.pem'), '-subj',
            '/O=Adit interop/CN=CA', '-addext', 'basicConstraints=critical,CA:TRUE', '-addext',
            'keyUsage=critical,keyCertSign,cRLSign')
    for name, kind in wanted:
        make_key(kind, file(name + '.key'))
        command('openssl', 'req', '-new', '-key', file(name + '.key'), '-subj', f'/O=Adit interop/CN={name}', '-out',
                file(name + '.csr'))
        with open(file(name + '.ext'), 'w') as f:
            f.write(f'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nsubjectAltName=DNS:{name}\n')
        command('openssl', 'x509', '-req', '-in', file(name + '.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'),
                '-CAcreateserial', '-days', '30', '-extfile', file(name + '.ext'), '-out', file(name + '.pem'))
