#!/usr/bin/env bash
# keystay-tlsd takes over listening sockets that a service manager holds (LISTEN_FDS, as systemd's .socket units), so that it can
# be restarted, and its binary replaced, while clients come: none is refused, none is reset. It tells the manager's watchdog that
# it is alive.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd -keyalg EC -noprompt
port="$(free_port)"
backend_port="$(free_port)"
other_port="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
threads = 2

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd"]
backend = "app"

[tlsd.backend.app]
servers = ["127.0.0.1:$backend_port"]
TOML

manager() { "$interop/socket_activation.py" "$1" "$KEYSTAY_BUILD/bin/keystay-tlsd" "$scratch/keystay.toml" "${@:2}"; }

manager restarts "$port" "$backend_port" "$scratch/ca.pem" 2>"$scratch/tlsd.log"
grep -q "listener https: listening on 127.0.0.1:$port" "$scratch/tlsd.log" || fail "the log does not say where it listens"

# A socket that nobody has asked for would let its clients wait for ever.
if manager passes "$port" "$other_port" 2>"$scratch/refused.log"; then fail "a socket that no listener has was taken"; fi
grep -q "a socket that listens on 127.0.0.1:$other_port was passed (LISTEN_FDS), and no listener has this address" \
  "$scratch/refused.log" || fail "the message does not say which socket"
if manager passes "u$port" 2>"$scratch/refused.log"; then fail "a socket of UDP was taken"; fi
grep -q "descriptor 3 (LISTEN_FDS) cannot be used: it does not listen for TCP" "$scratch/refused.log" ||
  fail "the message does not say what is wrong with the socket"
