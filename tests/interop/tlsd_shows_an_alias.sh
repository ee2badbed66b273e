#!/usr/bin/env bash
# keystay-tlsd shows a server behind it the certificate of an alias, whose key signs on the token, and resumes the session
# afterwards; a server that wants another certificate is a line of the log.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl curl
readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"

make_token
make_ca
make_alias httpd -keyalg EC
make_alias gateway -keyalg RSA -keysize 2048
https_port="$(free_port)"
server_port="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML
[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$https_port"]
certificates = ["httpd"]
backend = "app"

[tlsd.backend.app]
servers = ["localhost:$server_port"]
tls = { ca = "$scratch/ca.pem", certificate = "gateway" }
TOML
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout "$scratch/server.key" \
  -out "$scratch/server.csr" 2>>"$scratch/openssl-req.log"
openssl x509 -req -in "$scratch/server.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -days 2 \
  -extfile <(echo "subjectAltName = DNS:localhost") -out "$scratch/server.crt" 2>>"$scratch/openssl-x509.log"

get() { plain curl --silent --cacert "$scratch/ca.pem" "https://localhost:$https_port/"; }
logged() { grep -qF "$1" "$scratch/tlsd.log"; }
# serve CA: a server that wants a certificate of this CA, and shows what it got.
serve() {
  start server plain openssl s_server -accept "127.0.0.1:$server_port" -cert "$scratch/server.crt" -key "$scratch/server.key" \
    -CAfile "$1" -Verify 1 -verify_return_error -www -naccept 1000
  wait_for server listens "$server_port"
}

"$tlsd" check -c "$scratch/keystay.toml" >"$scratch/check.log"
start tlsd "$tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$https_port"

for version in full resumed; do
  echo "== the server sees the certificate: $version"
  [[ "$version" == resumed ]] || serve "$scratch/ca.pem"
  expect "$(get)" "Client certificate"
done
kill "${pids[server]}"
wait "${pids[server]}" || true
unset "pids[server]"

echo "== a server that trusts another authority refuses it"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Another CA" \
  -keyout "$scratch/other.key" -out "$scratch/other.pem" 2>>"$scratch/openssl-req.log"
wait_until_free "$server_port"
serve "$scratch/other.pem"
expect "$(plain curl --silent --output /dev/null --write-out '%{http_code}' --cacert "$scratch/ca.pem" \
  "https://localhost:$https_port/")" 502
wait_for tlsd logged "answered with 502: backend app, localhost:$server_port"
logged "alert unknown ca" || fail "the log does not say why"
stop tlsd TERM
