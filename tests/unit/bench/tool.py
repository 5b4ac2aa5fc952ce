#!/usr/bin/env python3
"""What `adit bench ike` says, as programs read it: one JSON document, an SVG with a bar each, a table; and its exit codes."""
import json, os, subprocess, sys, tempfile
import xml.etree.ElementTree as xml

def adit(*words):
    return subprocess.run([sys.argv[1], 'bench', *words], capture_output=True, text=True)

with tempfile.TemporaryDirectory() as d:
    svg = os.path.join(d, 'chart.svg')
    run = adit('ike', 'x25519', 'x25519-ke1_frodoa3', '--loss', '0,5', '--transport', 'udp,tcp', '--stock', '--still', '--count', '1',
               '--rtt', '10', '--rate', '0', '--json', '--svg', svg)
    assert run.returncode == 0, run.stderr
    doc = json.loads(run.stdout)
    rows = doc['results']
    assert [(r['method'], r['transport'], r['loss'], r['stock']) for r in rows] == [
        ('x25519', 'udp', 0, False), ('x25519', 'udp', 0.05, False), ('x25519', 'tcp', 0, False),
        ('x25519-ke1_frodoa3', 'udp', 0, False), ('x25519-ke1_frodoa3', 'udp', 0.05, False),
        ('x25519-ke1_frodoa3', 'udp', 0, True), ('x25519-ke1_frodoa3', 'tcp', 0, False),
        ('x25519-ke1_frodoa3', 'tcp', 0, True)], rows
    assert doc['about']['cores'] >= 1
    assert rows[0]['time_ns'] == 20000000 and rows[0]['round_trips'] == 2 and rows[0]['primitives_ns'] > 0
    assert rows[3]['fragments_sent'] == rows[3]['fragments_needed'] == 28 and len(rows[3]['cpu_ns']) == 2, rows[3]
    chart = xml.parse(svg).getroot()
    bars = [e for e in chart.iter() if e.tag.endswith('rect') and e.get('height') == '14']
    assert len(bars) == len(rows)
    texts = [e.text for e in chart.iter() if e.tag.endswith('text')]
    assert 'x25519-ke1_frodoa3' in texts and any('5 % lost' in t for t in texts)

table = adit('ike', 'x25519', '--count', '2')
assert table.returncode == 0 and 'key exchanges alone' in table.stdout and 'SAs/s' in table.stdout, table.stdout
for words, code, says in [(('ike', 'x25518'), 2, "did you mean 'x25519'"), (('esp',), 2, 'adit bench ike'),
                          (('ike', '--loss', '99'), 2, 'from 0 to 90'), (('ike', '--loss', ','), 2, 'percentages'),
                          (('ike', '--reports', 'tree'), 2, 'bitmap'), (('ike', '--transport', 'sctp'), 2, 'udp,tcp'),
                          (('ike', '--count', '0'), 2, 'from 1'), (('ike', 'frodoa3', '--still'), 1, 'longer than'),
                          (('ike', 'x25519', '--count', '1', '--svg', '/nowhere/x.svg'), 1, 'cannot be written')]:
    run = adit(*words)
    assert run.returncode == code and says in run.stderr, (words, run.returncode, run.stderr)
