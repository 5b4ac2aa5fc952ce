#!/usr/bin/env python3
"""IKE SAs a second beside strongSwan's load tester, in turn, on the same cores: PSK, a Child SA each, SAs kept.

  bench/e2e/peer_rate.py CHARON [--rounds 3] [--json]      CHARON: what scripts/peer-loadtest printed; needs root

strongSwan runs both roles in one process with a fake kernel, in a network namespace of its own, with several numbers of
initiator threads; its rate is that of the first nine tenths of its SAs, since its last ones wait for retransmissions. The
best of its runs counts. Ours is bench_ike's: two processes, each both ends, datagrams handed over in memory.
"""
import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get('ADIT_BUILD', 'build')
METHODS = [  # bench_ike's number, name, strongSwan's proposal
    (0, 'X25519', 'aes256gcm16-prfsha384-x25519'),
    (1, 'X25519 + ML-KEM-768', 'aes256gcm16-prfsha384-x25519-ke1_mlkem768'),
]
THREADS = [2, 4, 8]
SAS = 600
LIMIT = 30  # s for one run of the load tester


def conf(folder, threads, proposal):
    return f'''charon {{
  load = random nonce openssl ml kdf hmac sha2 aes gcm pem pkcs1 x509 pubkey drbg load-tester kernel-netlink socket-default
  piddir = {folder}
  threads = 16
  reuse_ikesa = no
  ikesa_table_size = 16384
  ikesa_table_segments = 256
  dos_protection = no
  install_routes = no
  filelog {{
    log {{
      path = {folder}/log
      default = -1
      ike = 0
      time_format = %s
      time_add_ms = yes
      flush_line = no
    }}
  }}
  plugins {{
    load-tester {{
      enable = yes
      initiators = {threads}
      iterations = {SAS // threads}
      delay = 0
      fake_kernel = yes
      delete_after_established = no
      shutdown_when_complete = yes
      proposal = {proposal}
      esp = aes256gcm16
      initiator_auth = psk
      responder_auth = psk
      initiator = 127.0.0.1
      responder = 127.0.0.1
      request_virtual_ip = no
      ike_rekey = 0
      child_rekey = 0
      dpd_delay = 0
    }}
  }}
}}
'''


def established(log):
    """Times (s) at which initiators had an SA."""
    with open(log, encoding='utf-8', errors='replace') as f:
        lines = [line for line in f if ' established between 127.0.0.1[c' in line]
    return sorted(float(m.group(1)) for m in (re.match(r'(\d+\.\d+)', line) for line in lines) if m)


def first_time(log):
    with open(log, encoding='utf-8', errors='replace') as f:
        for line in f:
            m = re.match(r'(\d+\.\d+)', line)
            if m and 'initiating' in line:
                return float(m.group(1))
    return None


def strongswan(charon, space, threads, proposal):
    """(SAs/s, CPU us an SA) of one run, or None if nothing came up."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/strongswan.conf', 'w', encoding='utf-8') as f:
            f.write(conf(folder, threads, proposal))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.Popen(['ip', 'netns', 'exec', space, charon, '--use-syslog'], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True,  # it ends by a signal to its whole group
                               env=dict(os.environ, STRONGSWAN_CONF=f'{folder}/strongswan.conf'))
        end = time.monotonic() + LIMIT
        while run.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)
            try:
                run.wait(5)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times, start = established(f'{folder}/log'), first_time(f'{folder}/log')
    if len(times) < SAS // 10 or start is None:
        return None
    part = times[:max(1, len(times) * 9 // 10)]
    return len(part) / max(part[-1] - start, 0.001), cpu / len(times) * 1e6


def ours(number):
    out = subprocess.run([f'{BUILD}/bench/bench_ike', '--rate', str(number)], check=True, capture_output=True, text=True)
    return float(out.stdout)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('charon')
    args.add_argument('--rounds', type=int, default=3)
    args.add_argument('--json', action='store_true')
    args = args.parse_args()
    space = f'adit-rate-{os.getpid()}'
    subprocess.run(['ip', 'netns', 'add', space], check=True)
    results = []
    try:
        subprocess.run(['ip', '-n', space, 'link', 'set', 'lo', 'up'], check=True)
        for number, name, proposal in METHODS:
            mine, theirs = [], []
            for _ in range(args.rounds):
                mine.append(ours(number))
                theirs += filter(None, (strongswan(args.charon, space, t, proposal) for t in THREADS))
            best = max((r for r, _ in theirs), default=0)
            cpu = min((c for _, c in theirs), default=0)
            results.append({'method': name, 'adit': max(mine), 'strongswan': best, 'strongswan_cpu_us': cpu,
                            'ratio': max(mine) / best if best else None})
    finally:
        subprocess.run(['ip', 'netns', 'del', space], check=False)
    if args.json:
        print(json.dumps(results, indent=1))
        return 0
    print(f'{"IKE SAs/s, PSK, kept":24} {"Adit":>8} {"strongSwan, best":>18} {"ratio":>7} {"its CPU an SA":>15}')
    for r in results:
        ratio = f'{r["ratio"]:.1f}' if r['ratio'] else '-'
        print(f'{r["method"]:24} {r["adit"]:8.0f} {r["strongswan"]:18.0f} {ratio:>7} {r["strongswan_cpu_us"]:12.0f} us')
    return 0


if __name__ == '__main__':
    sys.exit(main())
