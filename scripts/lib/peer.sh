# Running programs inside a peer's chroot (see scripts/peer-chroot). POSIX sh is enough to source it.
# Nothing is left mounted: every program gets a mount namespace of its own, which ends with it.
# shellcheck shell=sh
#
#   peer_run CHROOT COMMAND...            run COMMAND in CHROOT with /dev, /proc, an empty /tmp and /run of its own,
#                                         and PEER_DIR
#   peer_run_in NETNS CHROOT COMMAND...   the same inside the network namespace NETNS
#   PEER_DIR                              a directory of the host (under /tmp) that the peer sees under the same
#                                         path: its configuration, its log, its control socket
#
# Both replace their (sub)shell: `peer_run_in ns1 "$chroot" charon-systemd & pid=$!` gives the program's own
# process id. Call them in the background, or inside ( ).

peer_inner='
set -e
ch=$1; dir=$2; shift 2
mount --rbind /dev "$ch/dev"
mount -t proc proc "$ch/proc"
mount -t tmpfs tmpfs "$ch/tmp"
mount -t tmpfs tmpfs "$ch/run"
if [ -n "$dir" ]; then mkdir -p "$ch$dir"; mount --bind "$dir" "$ch$dir"; fi
exec chroot "$ch" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
'

peer_run() {
    _peer_chroot=$1
    shift
    exec unshare -m --propagation private sh -c "$peer_inner" peer "$_peer_chroot" "${PEER_DIR:-}" "$@"
}

peer_run_in() {
    _peer_ns=$1 _peer_chroot=$2
    shift 2
    exec ip netns exec "$_peer_ns" unshare -m --propagation private \
        sh -c "$peer_inner" peer "$_peer_chroot" "${PEER_DIR:-}" "$@"
}

# strongswan_conf DIR [IKE-LOG-LEVEL]: writes DIR/strongswan.conf for an instance without systemd, all of whose
# files are in DIR. ESP goes through kernel-libipsec (user space, always UDP-encapsulated): it must precede
# kernel-netlink. Level 4 of the log prints the keys SK_*.
strongswan_conf() {
    for _sub in x509 x509ca x509ocsp x509aa x509ac x509crl pubkey private rsa ecdsa pkcs8 pkcs12; do
        mkdir -p "$1/swanctl/$_sub"
    done
    cat >"$1/strongswan.conf" <<EOC
charon-systemd {
  load_modular = no
  load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 constraints revocation hmac kdf drbg sha2 sha1 aes ctr chapoly curve25519 kernel-libipsec kernel-netlink socket-default updown vici counters
  filelog { log { path = $1/charon.log
                  default = 1
                  ike = ${2:-2}
                  flush_line = yes } }
  plugins { vici { socket = unix://$1/vici } }
  fragment_size = 1280
}
swanctl { load = random openssl pem pkcs1 pkcs8 pkcs12 pubkey x509 sha2 sha1 }
pki { load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 hmac sha2 sha1 }
EOC
}
