"""One cell of peers.toml: two daemons of its own, the steps it names, and what has to be true after each."""
import os
import re
import shlex
import time

from iked import OpenIked
from pluto import Pluto
from sides import Adit
from world import ROOT, SLOW, Trouble, World, command, make_certificates, wait_for

KINDS = {'libreswan': Pluto, 'openiked': OpenIked}
CERTIFICATES = {'rsa': ('rsa:2048', 'rsa:2048'), 'ecdsa': ('ec:P-256', 'ec:P-384'), 'ed25519': ('ed25519', 'ed25519')}
STEP_SECONDS = 10
BY_ROLE = ('adit', 'adit_setup', 'peer_options', 'peer_setup', 'secrets', 'peer_secrets', 'adit_says', 'peer_says', 'peer_never')


class LifeCell:
    """A row of peers.toml in one role of Adit; what Side wants to know about a cell, too."""
    number = 1
    name = 'gw'

    def __init__(self, row, defaults, role):
        self.row = {**defaults, **row}
        for key in BY_ROLE:  # what holds for this role alone comes on top
            more = row.get(role, {}).get(key)
            if isinstance(more, dict):
                self.row[key] = {**self.row.get(key, {}), **more}
            elif more:
                self.row[key] = self.row.get(key, []) + more
        self.row.update({k: v for k, v in row.get(role, {}).items() if k not in BY_ROLE})
        self.role, self.peer, self.short = role, self.row['peer'], self.row['name']
        self.nat, self.auth = self.row.get('nat', 'no'), self.row['auth']
        self.frag = self.row.get('adit', {}).get('fragmentation', 'yes')
        self.ke, self.secrets = {}, self.row.get('secrets', {})

    def __str__(self):
        return f'peer={self.peer} name={self.short} role={self.role}'

    def proposals(self, what, role):
        return self.row[what]

    def options(self, role, kind=None):
        more = {k: v for k, v in self.row.get('adit', {}).items() if k != 'fragmentation'}
        return ''.join(f'    {key} = {value}\n' for key, value in more.items())

    def matches(self, wanted):
        mine = {'peer': self.peer, 'name': self.short, 'role': self.role}
        return all(mine[key] in values for key, values in wanted.items())


class Gateway(Adit):
    """aditd with a short name for itself, and what its log and its counters say."""

    def identity(self, cell):
        return f'{cell.auth}.{self.kind}.example'

    def connection(self, cell):
        text, there = super().connection(cell), cell.row.get('also_at')
        if there and self.role == 'responder':
            text = text.replace(f'local_addrs = {self.address(cell)}', f'local_addrs = {self.address(cell)}, {there}')
        return text

    def install(self, cells):
        self.settings = ''.join(f'  {key} = {value}\n' for key, value in cells[0].row.get('adit_setup', {}).items())
        super().install(cells)

    def up(self, cell, esp):
        try:
            self.tell('initiate', '--ike', cell.name, '--child', cell.name, '--timeout', '30', timeout=40 * SLOW)
        except Trouble as e:
            if esp:
                raise
            if 'TEMPORARY_FAILURE' not in str(e):  # the one thing a daemon without ESP may say
                raise

    def counter(self, name):
        found = re.search(rf'\b{re.escape(name)} +(\d+)', self.tell('counters'))
        return int(found.group(1)) if found else 0

    def state(self, cell):
        """(IKE SAs, Child SAs that are in use) by what names them"""
        sas = [s for s in self.sas(cell) if s['state'] == 'ESTABLISHED']
        return ([''.join(s['spis']) for s in sas],
                [(c['in'], c['out']) for s in sas for c in s['children'] if c['state'] == 'INSTALLED'])


class Life:
    """A cell being run."""

    def __init__(self, cell, number, chroots, esp):
        self.cell, self.number, self.chroots, self.esp = cell, number, chroots, esp
        self.world = World(f'{cell.peer[0]}{number}', cell.nat == 'yes', [cell])
        self.ours, self.theirs = [], []  # SAs after the last step
        self.adit = self.peer = None

    def start(self):
        self.world.make()
        if 'also_at' in self.cell.row:
            self.world.add_address('responder', f"{self.cell.row['also_at']}/24", 'wire')
        folder = os.path.join(self.world.tmp, 'certificates')
        kinds = CERTIFICATES.get(self.cell.auth, ())
        make_certificates(folder, [(f'{self.cell.auth}.{side}.example', kind)
                                   for side, kind in zip(('adit', 'peer'), kinds)])
        other = 'responder' if self.cell.role == 'initiator' else 'initiator'
        self.adit = Gateway(self.world, self.cell.role, folder)
        self.peer = KINDS[self.cell.peer](self.world, other, folder, self.chroots[self.cell.peer])
        self.adit.other, self.peer.other = self.peer, self.adit
        for side in (self.adit, self.peer):
            side.install([self.cell])
        self.peer.start(576)
        if self.cell.row.get('espintcp'):
            self.stand_in()
        self.adit.start(576)

    def stand_in(self):
        """for the espintcp of pluto's kernel: where the initiator is, so that the responder sees the right address"""
        space, where = self.world.space('initiator'), 'far' if self.cell.role == 'initiator' else 'near'
        rules = ('type nat hook output priority -100', 'tcp dport 4501 redirect to :4501')
        command('ip', 'netns', 'exec', space, 'nft', '-f', '-',
                data='table ip espintcp {\n chain out {\n' + ''.join(f'  {r};\n' for r in rules) + ' }\n}\n')
        self.world.spawn(['ip', 'netns', 'exec', space, os.path.join(ROOT, 'tests/interop/espintcp.py'), '4501',
                          self.world.responder_address(self.cell), where], os.path.join(self.world.tmp, 'espintcp.log'))
        wait_for('espintcp.py listens', 5, lambda: ':4501 ' in command('ip', 'netns', 'exec', space, 'ss', '-Hltn'))

    def one_each(self, changed):
        """what both sides have, once each has just one IKE SA (and Child SA) and what should be new is new"""
        ours, theirs = self.adit.state(self.cell), self.peer.state(self.cell)
        if self.cell.row.get('peer_keeps_old'):
            theirs = theirs[0][-1:], theirs[1]
        n = 1 if self.esp else 0
        if [len(s) for s in (*ours, *theirs)] != [1, n, 1, n]:
            return None
        if self.esp and not self.same_spis(ours[1][0], theirs[1][0]):
            return None
        what = {'ike': 0, 'child': 1}
        if any(now[what[c]] == before[what[c]] for c in changed for now, before in ((ours, self.ours), (theirs, self.theirs))
               if before and (c == 'ike' or self.esp)):
            return None
        return ours, theirs

    @staticmethod
    def same_spis(ours, theirs):
        return ours == tuple(reversed(theirs))

    def agree(self, changed):
        try:
            self.ours, self.theirs = wait_for('both have one IKE SA, and it is the one that it should be', STEP_SECONDS,
                                              lambda: self.one_each(changed))
        except Trouble as e:
            raise Trouble(f'{e}; adit: {self.adit.state(self.cell)}, peer: {self.peer.state(self.cell)}') from e
        if self.esp:
            self.traffic()

    def traffic(self):
        """three pings pass through the tunnel"""
        before = self.peer.packets(self.cell)
        self.world.run(self.adit.role, 'ping', '-c', '3', '-i', '0.2', '-W', str(int(2 * SLOW)), '-I',
                       self.adit.inner(self.cell), self.peer.inner(self.cell))
        after = self.peer.packets(self.cell)
        if after[0] < before[0] + 3 or after[1] < before[1] + 3:
            raise Trouble(f'the ping did not go through the ESP of the kernel: packets {before}, then {after}')

    def gone(self):
        wait_for('both have forgotten the IKE SA', STEP_SECONDS,
                 lambda: not self.adit.state(self.cell)[0] and
                 (self.cell.row.get('peer_keeps_old') or not self.peer.state(self.cell)[0]))
        self.ours = self.theirs = []

    # --- steps: "up", "rekey ike by adit", "wait info-in-req 2", ...
    def do_up(self):
        (self.adit if self.cell.role == 'initiator' else self.peer).up(self.cell, self.esp)
        self.agree(['ike', 'child'])

    def do_reach(self):
        """both authenticate each other; what the peer does then does not count"""
        try:
            (self.adit if self.cell.role == 'initiator' else self.peer).up(self.cell, self.esp)
        except Trouble:
            pass
        wait_for('Adit has an IKE SA', STEP_SECONDS, lambda: re.search(r'IKE_SA gw\[\d+\] established', self.adit.log_since(0)))

    def do_rekey(self, what, _, by):
        if what == 'child' and not self.esp:
            return
        side = self.adit if by == 'adit' else self.peer
        side.rekey(self.cell, what)
        self.agree([what])

    def do_await(self, what):
        """until the peer has rekeyed by itself"""
        self.agree([what])

    def do_wait(self, counter, least):
        """until Adit has counted that many; nothing else may have happened to the SAs"""
        wait_for(f'Adit counts {least} of {counter}', STEP_SECONDS, lambda: self.adit.counter(counter) >= int(least))
        if (self.adit.state(self.cell), self.peer.state(self.cell)) != (self.ours, self.theirs):
            raise Trouble('the SAs are not the same any more')

    def do_down(self, _='by', by=None):
        by = by or ('adit' if self.cell.role == 'initiator' else 'peer')
        (self.adit if by == 'adit' else self.peer).terminate(self.cell)
        self.gone()

    def do_resumed(self):
        """Adit says that this IKE SA was made by a ticket"""
        shown = self.adit.tell('list-sas', '--json', '--up', '--ike', self.cell.name)
        if not re.search(r'"resumed": *"yes"', shown):
            raise Trouble('the IKE SA was not resumed')

    def do_suspend(self):
        """the peer forgets the SA but for its ticket, without a word that Adit could hear"""
        link = 'ip', '-n', self.world.space(self.peer.role), 'link', 'set', 'wire'
        command(*link, 'down')
        self.peer.suspend(self.cell)
        wait_for('the peer has forgotten the IKE SA', STEP_SECONDS, lambda: not self.peer.state(self.cell)[0])
        command(*link, 'up')
        wait_for('the link is back', STEP_SECONDS, self.world.is_linked)
        self.theirs = []

    def do_outage(self):
        """the link is gone until Adit has given up; the peer may not have noticed"""
        link = 'ip', '-n', self.world.space('responder'), 'link', 'set', 'wire'
        command(*link, 'down')
        wait_for('Adit gives up', 2 * STEP_SECONDS, lambda: not self.adit.state(self.cell)[0])
        command(*link, 'up')
        wait_for('the link is back', STEP_SECONDS, self.world.is_linked)
        self.ours, self.theirs = [], []

    def do_redirect(self):
        """the peer tells Adit to go to the other address, and Adit comes there"""
        self.peer.redirect(self.cell)
        self.agree(['ike', 'child'])

    def do_there(self):
        """the IKE SA is with the address that the responder sends its clients to"""
        end = 'remote' if self.cell.role == 'initiator' else 'local'
        wait_for(f"the gateway's end of the only IKE SA is {self.cell.row['also_at']}", STEP_SECONDS, lambda: [
            s[end][0] for s in self.adit.sas(self.cell) if s['state'] == 'ESTABLISHED'] == [self.cell.row['also_at']])
        self.agree([])

    def do_crash(self):
        """the peer is killed and started again: it has forgotten everything, and says so to nobody"""
        self.peer.crash()
        self.theirs = []

    def take(self, text):
        verb, *words = shlex.split(text)
        getattr(self, 'do_' + verb)(*words)

    def check_logs(self):
        for side, key in ((self.adit, 'adit_says'), (self.peer, 'peer_says')):
            log = side.log_since(0)
            for pattern in self.cell.row.get(key, []):
                if not re.search(pattern, log):
                    raise Trouble(f'{side.log} has no line with: {pattern}')
        for pattern in self.cell.row.get('peer_never', []):
            found = re.search(f'.*(?:{pattern}).*', self.peer.log_since(0))
            if found:
                raise Trouble(f'the peer logged: {found.group(0)}')

    def run(self):
        """seconds taken, or Trouble with the step in its text"""
        start = time.monotonic()
        self.start()
        for n, step in enumerate(self.cell.row['steps'], 1):
            try:
                self.take(step)
            except Trouble as e:
                raise Trouble(f'step {n}, {step}: {e}') from e
        self.check_logs()
        code = self.world.stop(self.adit.process)
        if code != 0:
            raise Trouble(f'aditd ended with code {code}')
        return time.monotonic() - start
