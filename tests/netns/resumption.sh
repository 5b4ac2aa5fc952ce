#!/usr/bin/env bash
# A gateway is killed and comes again (RFC 5723): with its state_file the client resumes by its ticket, without it takes the
# long way; the tunnel is up in both cases.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gateways.sh"
need root tun netns ip ping python3 "$aditd" "$adit_tool"
test_begin resumption 2
veth 0 1 192.0.2.1/24 192.0.2.2/24
for i in 0 1; do ip -n "$test_prefix-$i" addr add "10.$i.0.1/16" dev lo; done

connections() { # LOCAL-TS REMOTE-TS ID PEER ADDRESSES
    cat <<CONF
connections {
  gw {
    remote_addrs = $5
    proposals = aes256gcm16-prfsha384-x25519-ke1_mlkem768
    dpd_delay = 1s
    unique = replace
    resumption = yes
    local {
      auth = psk
      id = $3
    }
    remote {
      auth = psk
      id = $4
    }
    children {
      net {
        local_ts = $1
        remote_ts = $2
        esp_proposals = aes256gcm16-x25519
        dpd_action = restart
      }
    }
  }
}
secrets {
  ike {
    secret = "a secret of both"
  }
}
CONF
}
settings='  retransmit_timeout = 0.3
  retransmit_tries = 3'
gateway 0 < <(connections 10.0.0.0/16 10.1.0.0/16 client.example gateway.example 192.0.2.2)
settings="$settings
  state_file = $test_tmp/1.state"
gateway 1 < <(connections 10.1.0.0/16 10.0.0.0/16 gateway.example client.example %any)

passes() { quiet_ns 0 ping -q -c 2 -i 0.1 -W 1 -I 10.0.0.1 10.1.0.1; }
tunnel_to() { # another SPI than before, and traffic passes
    [ "$(sa_fact 0 responder-spi)" != "$1" ] && [ "$(sa_fact 0 state)" = ESTABLISHED ] && passes
}
kill_gateway() {
    local pid=$gw1
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
}

say 'the first time'
check 'adit initiate' adit 0 initiate --child net --timeout 10
check 'ping' passes
is 'not resumed' "$(sa_fact 0 resumed)" ''
is 'the state file is for its owner only' "$(stat -c %a "$test_tmp/1.state")" 600

say 'killed, and started again'
before=$(sa_fact 0 responder-spi)
kill_gateway
gateway_start 1
check 'the tunnel comes again by itself' wait_for 20 'a new IKE SA' tunnel_to "$before"
is 'the client has resumed' "$(sa_fact 0 resumed)" yes
is 'the gateway, too' "$(sa_fact 1 resumed)" yes
is 'with the key exchanges of the first time' "$(sa_fact 0 ake1)" ML_KEM_768
check 'by a ticket alone' logged "$gw1_log" 'resumed the session'

say 'killed, and its state is lost'
before=$(sa_fact 0 responder-spi)
kill_gateway
rm "$test_tmp/1.state"
gateway_start 1
check 'the tunnel comes again by itself' wait_for 20 'a new IKE SA' tunnel_to "$before"
is 'the long way' "$(sa_fact 0 resumed)" ''
check 'since the ticket was refused' logged "$gw0_log" 'TICKET_NACK'

say 'a state file that others may read'
before=$(sa_fact 0 responder-spi)
kill_gateway
chmod 644 "$test_tmp/1.state"
spawn open n1 "$aditd" --config "$test_tmp/1/adit.conf"
check 'is refused' wait_for 5 'a reason' logged "$open_log" 'others may read it'
stop "$open"
check 'adit terminate' adit 0 terminate --ike gw --force --timeout 8
test_end
