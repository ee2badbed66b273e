# shellcheck shell=bash
# Pebble, the ACME server for tests of Let's Encrypt, and its DNS server. Sourced after lib.sh.

go_program() { command -v "$1" || echo "$KEYSTAY_SOURCE/build/unpacked/usr/bin/$1"; }
pebble="$(go_program pebble)"
dns_server="$(go_program pebble-challtestsrv)"
[[ -x "$pebble" && -x "$dns_server" ]] || skip "Pebble is not installed (scripts/install-deps.sh --servers)"

# start_pebble HTTP_PORT: leaves $directory, its URL; $scratch/acme-ca.pem, the CA of its own certificate; and $dns_admin, where
# the DNS server is told its records. It looks for http-01 on 127.0.0.1:HTTP_PORT, whatever the name, refuses some of the good
# nonces and uses some authorizations twice, as it always does.
start_pebble() {
  local dns acme management
  dns="$(free_port)"
  dns_admin="$(free_port)"
  acme="$(free_port)"
  management="$(free_port)"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=ACME Server CA" \
    -addext "keyUsage = critical, keyCertSign, cRLSign" -keyout "$scratch/acme-ca.key" -out "$scratch/acme-ca.pem" \
    2>"$scratch/openssl-acme.log"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$scratch/acme.key" \
    -out "$scratch/acme.csr" 2>>"$scratch/openssl-acme.log"
  openssl x509 -req -in "$scratch/acme.csr" -CA "$scratch/acme-ca.pem" -CAkey "$scratch/acme-ca.key" -CAcreateserial -days 2 \
    -extfile <(printf 'subjectAltName = DNS:localhost, IP:127.0.0.1\nauthorityKeyIdentifier = keyid\n') \
    -out "$scratch/acme.pem" 2>>"$scratch/openssl-acme.log"
  cat >"$scratch/pebble.json" <<JSON
{"pebble": {
  "listenAddress": "127.0.0.1:$acme",
  "managementListenAddress": "127.0.0.1:$management",
  "certificate": "$scratch/acme.pem",
  "privateKey": "$scratch/acme.key",
  "httpPort": $1,
  "tlsPort": 1,
  "externalAccountBindingRequired": ${external_accounts:-false},
  "externalAccountMACKeys": {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
  "domainBlocklist": ["blocked.example"],
  "retryAfter": {"authz": 1, "order": 1},
  "keyAlgorithm": "ecdsa"
}}
JSON
  start dns plain "$dns_server" -dnsserver "127.0.0.1:$dns" -management "127.0.0.1:$dns_admin" -defaultIPv6 "" \
    -http01 "" -https01 "" -doh "" -tlsalpn01 ""
  start pebble plain env PEBBLE_VA_NOSLEEP=1 "$pebble" -config "$scratch/pebble.json" -dnsserver "127.0.0.1:$dns"
  wait_for dns listens "$dns_admin"
  wait_for pebble listens "$acme"
  wait_for pebble listens "$management"
  directory="https://localhost:$acme/dir"
  plain curl --silent --show-error --cacert "$scratch/acme-ca.pem" "https://localhost:$management/roots/0" >"$scratch/ca.pem"
}

# acme COMMAND OPTION …: keystay acme COMMAND, with what it says in $scratch/acme-COMMAND.log.
acme() {
  local command="$1"
  shift
  "$keystay" acme "$command" "$@" 2>"$scratch/acme-$command.log" </dev/null
}
