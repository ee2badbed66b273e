#!/usr/bin/env bash
# Two keystay-tlsd whose ticket keys come from one alias on the token resume one another's sessions, also while the token is
# away, and after a restart and a reload. A key that may not agree by ECDH is refused.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"

make_token
make_members a
sed -i '1i default = "hsm-a"' "$scratch/keystay.toml"
make_ca
make_alias httpd -keyalg EC

# An EC key for nothing but agreement, with no certificate.
use_provider
openssl genpkey -propquery '?provider=keystay' -algorithm EC -pkeyopt group:P-256 -pkeyopt pkcs11_uri:keystay:tickets \
  -pkeyopt pkcs11_key_usage:keyAgreement \
  -out "$scratch/tickets.pem"
unset OPENSSL_CONF OPENSSL_MODULES

# configure FILE PORT ADMIN ALIAS
configure() {
  cat "$scratch/keystay.toml" - >"$1" <<TOML
[tlsd]
admin = "127.0.0.1:$3"
tickets = { alias = "$4" }

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$2"]
certificates = ["httpd"]
backend = "admin"

[tlsd.backend.admin]
servers = ["127.0.0.1:$3"]
TOML
}

port_a="$(free_port)"
port_b="$(free_port)"
admin_a="$(free_port)"
admin_b="$(free_port)"
configure "$scratch/a.toml" "$port_a" "$admin_a" tickets
configure "$scratch/b.toml" "$port_b" "$admin_b" tickets

echo "== a key that only signs is refused, with its place"
configure "$scratch/bad.toml" "$port_a" "$admin_a" httpd
refused "$tlsd" check -c "$scratch/bad.toml"
grep -q 'bad.toml:[0-9]*: tlsd.tickets.alias: "httpd" gives no keys for session tickets: .*CKA_DERIVE' "$scratch/refused.log" ||
  fail "check does not say what the key lacks"
refused "$tlsd" -c "$scratch/bad.toml"
"$tlsd" check -c "$scratch/a.toml" | grep -E 'session tickets: [23] keys from "tickets"' || fail "check makes no keys"

echo "== two servers"
start a "$tlsd" -c "$scratch/a.toml"
start b "$tlsd" -c "$scratch/b.toml"
wait_for a listens "$port_a"
wait_for b listens "$port_b"

# session PORT FILE: a session of this server.
session() { handshake "$1" -tls1_2 -sess_out "$2" >/dev/null; }
# resumes PORT FILE: whether this server resumes it.
resumes() {
  printf 'GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n' |
    plain timeout 60 openssl s_client -connect "127.0.0.1:$1" -servername localhost -CAfile "$scratch/ca.pem" \
      -tls1_2 -sess_in "$2" -ign_eof 2>&1 | finds '^Reused, '
}
session "$port_a" "$scratch/session.pem"
resumes "$port_a" "$scratch/session.pem" || fail "a server does not resume its own session"
resumes "$port_b" "$scratch/session.pem" || fail "a server does not resume the session of the other"

echo "== after a reload and a restart"
kill -HUP "${pids[b]}"
wait_for b grep -q "reload: done" "$scratch/b.log"
resumes "$port_b" "$scratch/session.pem" || fail "not after a reload"
stop b TERM
start b "$tlsd" -c "$scratch/b.toml"
wait_for b listens "$port_b"
resumes "$port_b" "$scratch/session.pem" || fail "not after a restart"

echo "== while the token is away"
fault_at a remove-token
resumes "$port_b" "$scratch/session.pem" || fail "not while the token is away"
if handshake "$port_b" -tls1_2 >"$scratch/full.log"; then fail "a full handshake without the token"; fi
fault_at a return-token
stop a TERM
stop b TERM
