"""One cell of the matrix: its steps, and what has to be true after each."""
import re
import signal
import time

from world import SLOW, Trouble, wait_for

STEP_SECONDS = 8  # long enough for one retransmission, which is then reported as such


class Cell:
    def __init__(self, number, role, nat, frag, auth, ke_name, matrix):
        self.number, self.role, self.nat, self.frag, self.auth = number, role, nat, frag, auth
        self.ke_name = ke_name
        self.secrets = matrix.get('secret', {})
        self.ke = {'suite': matrix['suite'], 'child_suite': matrix['child_suite'],
                   **(matrix['ke'].get(ke_name) or matrix['other'].get(ke_name) or matrix['kernel'][ke_name])}
        self.steps, self.mode = matrix['step'], self.ke.get('mode', 'TUNNEL')
        self.name = f'{auth}-{ke_name}-{"cut" if frag == "yes" else "whole"}'.replace('+', '-')

    @classmethod
    def with_kernel(cls, number, role, name, matrix):
        """a row of `kernel`"""
        row = {'ike': 'aes256gcm16-prfsha384-x25519', 'shows': ['CURVE_25519'], 'udp': 'no', 'esn': '0', **matrix['kernel'][name]}
        cell = cls(number, role, 'no', 'yes', 'psk', name, {**matrix, 'kernel': {name: row}})
        cell.steps = matrix['kernel_step']
        return cell

    def __str__(self):
        return f'role={self.role} auth={self.auth} ke={self.ke_name} frag={self.frag} nat={self.nat}'

    def proposals(self, what, role):
        """what: "ike" or "esp" """
        return self.at(role)[what]

    def options(self, role, kind=None):
        """further lines of the connection"""
        options = {**self.at(role).get('options', {}), **(self.ke.get('adit', {}) if kind == 'adit' else {})}
        return ''.join(f'    {key} = {value}\n' for key, value in options.items())

    def at(self, role):
        return {**self.ke, **(self.ke.get('at_responder', {}) if role == 'responder' else {})}

    def matches(self, wanted):
        mine = {'role': self.role, 'auth': self.auth, 'ke': self.ke_name, 'frag': self.frag, 'nat': self.nat}
        return all(mine[key] in values for key, values in wanted.items())


class Ping:
    """Runs through the tunnel from Adit's side until stop(), which tells what was lost."""

    def __init__(self, world, adit, peer, cell):
        self.world = world
        self.log = f'{adit.folder}/ping-{cell.name}.log'
        self.process = world.spawn(['ip', 'netns', 'exec', world.space(adit.role), 'ping', '-i', str(0.04 * SLOW), '-I',
                                    adit.inner(cell), peer.inner(cell)], self.log)

    def answers(self):
        with open(self.log) as f:
            return {int(n) for n in re.findall(r'bytes from .*icmp_seq=(\d+) ', f.read())}

    def more(self):
        """Waits for three answers to requests that are still to come."""
        last = max(self.answers(), default=0)
        wait_for('the ping through the tunnel is answered', STEP_SECONDS,
                 lambda: len([n for n in self.answers() if n > last + 1]) >= 3)

    def lost(self):
        """numbers without answer, but for the very last, whose answer may not have been waited for"""
        self.world.stop(self.process, signal.SIGINT)
        got = self.answers()
        return sorted(set(range(1, max(got, default=0))) - got)


class Trial:
    """A cell being run. adit and peer are the sides, first the one that initiates, second the other."""

    def __init__(self, cell, world, adit, peer, matrix):
        self.cell, self.world, self.adit, self.peer, self.matrix = cell, world, adit, peer, matrix
        self.first, self.second = (adit, peer) if cell.role == 'initiator' else (peer, adit)
        self.ping = None
        self.seen = {}  # spis of the IKE SA and of the Child SA after the last step
        self.moved = False
        self.rekeyed = False  # the Child SA, hence with a key exchange of its own

    def live(self, side):
        """the established IKE SA with its installed Child SA as (sa, child), or None while there is not just one"""
        sas = [s for s in side.sas(self.cell) if s['state'] == 'ESTABLISHED']
        if len(sas) != 1:
            return None
        children = [c for c in sas[0]['children'] if c['state'] == 'INSTALLED']
        return (sas[0], children[0]) if len(children) == 1 else None

    def both(self, different):
        """Waits until both sides show the same SAs, where `different` ("ike", "child") are not those of before."""
        def agreed():
            ours, theirs = self.live(self.adit), self.live(self.peer)
            if not ours or not theirs or ours[0]['spis'] != theirs[0]['spis']:
                return None
            if (ours[1]['in'], ours[1]['out']) != (theirs[1]['out'], theirs[1]['in']):
                return None
            now = {'ike': ours[0]['spis'], 'child': ours[1]['in']}
            if any(now[what] == self.seen.get(what) for what in different):
                return None
            return ours, theirs, now
        try:
            return wait_for('both sides show the same new SAs', STEP_SECONDS, agreed)
        except Trouble as e:
            shown = '\n'.join(f'  {s.kind}: {s.sas(self.cell)}' for s in (self.adit, self.peer))
            raise Trouble(f'{e}; they show:\n{shown}') from e

    def agree(self, different):
        ours, theirs, now = self.both(different)
        kept = {'ike', 'child'} - set(different)
        for what in kept:
            self.equal(f'the {what} SA is still the same', now[what], self.seen[what])
        self.seen = now
        self.check_ike(ours[0], theirs[0])
        self.check_child(ours[1], theirs[1])
        self.check_nat(ours[0], theirs[0])

    @staticmethod
    def equal(what, got, wanted):
        if got != wanted:
            raise Trouble(f'{what}: {got!r}, not {wanted!r}')

    def check_ike(self, ours, theirs):
        self.equal('algorithms of the IKE SA (adit)', ours['suite'], self.cell.ke['suite'])
        self.equal('algorithms of the IKE SA (peer)', theirs['suite'], self.cell.ke['suite'])
        self.equal('key exchanges of the IKE SA (adit)', ours['kes'], self.cell.ke['shows'])
        self.equal('key exchanges of the IKE SA (peer)', theirs['kes'], self.cell.ke['shows'])
        for what, side in (('adit', ours), ('peer', theirs)):
            self.equal(f'a PPK is in the keys ({what})', side['ppk'], self.cell.ke.get('ppk', 'no'))
        self.check_addresses(ours, theirs)
        self.equal('one side is the initiator', ours['initiator'], not theirs['initiator'])
        self.equal('adit\'s identity', ours['local'][1], theirs['remote'][1])
        self.equal('the peer\'s identity', ours['remote'][1], theirs['local'][1])
        self.equal('adit\'s identity', ours['local'][1], self.adit.identity(self.cell))
        self.equal('the peer\'s identity', ours['remote'][1], self.peer.identity(self.cell))

    def check_addresses(self, ours, theirs):
        """what Configuration payloads have assigned"""
        for side, shown in (self.adit, ours), (self.peer, theirs):
            wanted = [[end.inner(self.cell)] if end.asks(self.cell) else [] for end in (side, side.other)]
            self.equal(f'virtual addresses ({side.kind})', list(shown['vips']), wanted)

    def check_child(self, ours, theirs):
        self.equal('algorithms of the Child SA (adit)', ours['suite'], self.cell.ke['child_suite'])
        self.equal('algorithms of the Child SA (peer)', theirs['suite'], self.cell.ke['child_suite'])
        self.equal('sequence numbers of 64 bits', ours['esn'], theirs['esn'])
        self.equal('traffic selectors (local)', ours['local_ts'], theirs['remote_ts'])
        self.equal('traffic selectors (remote)', ours['remote_ts'], theirs['local_ts'])
        self.equal('traffic selectors', ours['local_ts'], [f'{self.adit.inner(self.cell)}/32'])
        self.equal('mode', (ours['mode'], theirs['mode']), (self.cell.mode, self.cell.mode))
        udp = self.cell.ke.get('udp', 'yes')  # kernel-libipsec can do no other
        self.equal('ESP in UDP', (ours['encap'], theirs['encap']), (udp, udp))
        if 'esn' in self.cell.ke:
            self.equal('sequence numbers', ours['esn'], self.cell.ke['esn'])
        kes = self.cell.ke.get('child_shows', self.cell.ke['shows']) if self.rekeyed else []
        self.equal('key exchanges of the Child SA (adit)', ours['kes'], kes)
        self.equal('key exchanges of the Child SA (peer)', theirs['kes'], kes)

    def check_nat(self, ours, theirs):
        first, second = (ours, theirs) if self.first is self.adit else (theirs, ours)
        self.equal('address of the initiator, as the responder sees it', second['remote'][0], self.world.outside)
        self.equal('address of the responder', first['remote'][0], second['local'][0])
        if self.cell.nat == 'yes':
            self.equal('the initiator knows that it is behind a NAT', first['nat_local'], 'yes')
            self.equal('the responder knows that its peer is', second['nat_remote'], 'yes')
            if not 20000 <= int(second['remote_port']) <= 30000:
                raise Trouble(f"the responder talks to port {second['remote_port']}, not the gateway's")
        elif self.first is self.adit:
            # strongSwan pretends to be behind a NAT for the sake of kernel-libipsec; Adit does not
            self.equal('Adit is not behind a NAT', ours['nat_local'], 'no')

    def side(self, step):
        return self.adit if step['by'] == 'adit' else self.peer

    def take(self, step):
        if step['do'] == 'initiate':
            self.first.initiate(self.cell)
            self.agree(['ike', 'child'])
            self.ping = Ping(self.world, self.adit, self.peer, self.cell)
        elif step['do'] == 'rekey child':
            self.side(step).rekey(self.cell, 'child')
            self.rekeyed = True
            self.agree(['child'])
        elif step['do'] == 'rekey ike':
            self.side(step).rekey(self.cell, 'ike')
            self.agree(['ike'])
        elif step['do'] == 'move':
            self.move()
        elif step['do'] == 'terminate':
            self.finish_ping()
            self.first.terminate(self.cell)
            wait_for('both sides have forgotten the IKE SA', STEP_SECONDS,
                     lambda: not self.adit.sas(self.cell) and not self.peer.sas(self.cell))
        if step['do'] != 'terminate':
            self.check_traffic()

    def move(self):
        """There, and back again, so that the next cell finds things as they were."""
        for _ in range(2):
            self.world.move_initiator()
            wait_for('the responder sees the initiator at its new address', 2 * STEP_SECONDS, self.is_followed)
            self.agree(['child'])  # kernel-libipsec can't move a Child SA: strongSwan rekeys it
            self.check_traffic()
        self.moved = True

    def is_followed(self):
        shown = self.live(self.second)
        return shown and shown[0]['remote'][0] == self.world.outside

    def check_traffic(self):
        """Packets pass, and through the newest Child SA on both sides."""
        self.ping.more()
        for side in (self.adit, self.peer):
            wait_for(f'{side.kind} counts packets in both directions of the newest Child SA', STEP_SECONDS,
                     lambda: self.has_carried(side))

    def has_carried(self, side):
        _, child = self.live(side) or self.equal(f'{side.kind} has one IKE SA and one Child SA', False, True)
        return child['packets_in'] and child['packets_out']

    def finish_ping(self):
        lost, self.ping = self.ping.lost(), None
        if lost and not self.moved and 'udp' not in self.cell.ke:  # emulated, a machine may be too slow for all of them
            raise Trouble(f'packets {lost} of the ping through the tunnel were lost')

    def check_fragments(self, log):
        """the peer's log tells who cut and who did not"""
        cut, got = 'splitting IKE message' in log, 'received fragment #' in log
        if self.cell.frag == 'no' and (cut or got):
            raise Trouble(f'messages were fragmented though that is switched off (peer sent {cut}, received {got})')
        if self.cell.frag == 'yes' and not (cut and got):
            raise Trouble(f'big messages were not fragmented (peer sent {cut}, received {got})')

    def check_logs(self, log):
        bad = 'could not decrypt|verification failed' + ('' if self.moved else r'|retransmit \d|received retransmit')
        for line in log.splitlines():
            if re.search(bad, line):
                raise Trouble(f'the peer logged: {line}')

    def run(self):
        """seconds taken, or Trouble with the step in its text"""
        start, at = time.monotonic(), self.peer.log_size()
        for n, step in enumerate(self.cell.steps, 1):
            if step['do'] == 'move' and not self.cell.ke.get('moves'):
                continue
            try:
                self.take(step)
            except Trouble as e:
                by = f" by {step['by']}" if 'by' in step else ''
                raise Trouble(f"step {n}, {step['do']}{by}: {e}") from e
        log = self.peer.log_since(at)
        if 'udp' not in self.cell.ke:
            self.check_fragments(log)
            self.check_logs(log)
        return time.monotonic() - start

    def clean_up(self):
        """after a failure: the next cells must not suffer"""
        if self.ping:
            self.world.stop(self.ping.process)
        for side in (self.first, self.second):
            try:
                side.terminate(self.cell)
            except Trouble:
                pass
