#!/usr/bin/env bash
# curl and `openssl s_client` authenticate with a client certificate whose key is in the token, against a server that
# insists on one and has no Keystay; a curl that is under way survives a token that blinks.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl curl
make_blinking_token
make_ca
make_alias client-rsa -keyalg RSA -keysize 2048
make_alias client-ec -keyalg EC -groupname secp256r1

# The server's key is an ordinary one.
plain openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$scratch/server.key" \
  -out "$scratch/server.csr" 2>"$scratch/openssl-req.log"
plain openssl x509 -req -in "$scratch/server.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -extfile <(echo "subjectAltName = DNS:localhost") -out "$scratch/server.crt" 2>"$scratch/openssl-x509.log"
port="$(free_port)"
start s_server plain openssl s_server -accept "127.0.0.1:$port" -cert "$scratch/server.crt" -key "$scratch/server.key" \
  -Verify 2 -verify_return_error -CAfile "$scratch/ca.pem" -www
wait_for s_server listens "$port"
use_provider

# Without a certificate there is no answer: the server does insist.
handshake "$port" -tls1_3 >"$scratch/anonymous.log" || true
if grep -q "Client certificate" "$scratch/anonymous.log"; then fail "the server let an anonymous client in"; fi

# by_curl ALIAS URL …: the example, with this test's files.
by_curl() {
  local alias="$1"
  shift
  sed -e "s|/etc/keystay/client.crt|$scratch/$alias.chain|" -e "s|/etc/keystay/client.key|$scratch/$alias.pem|" \
    -e "s|/etc/keystay/ca.pem|$scratch/ca.pem|" "$examples/curl-mtls/curlrc" >"$scratch/curlrc"
  others curl --config "$scratch/curlrc" --silent --show-error --fail-early --max-time 60 --no-sessionid \
    --resolve "localhost:$port:127.0.0.1" "$@"
}
readonly url="https://localhost:$port/"
# knows_client ANSWER SERIAL: the server says that it saw the certificate with this serial number.
serial_of() { openssl x509 -in "$scratch/$1.crt" -noout -serial | sed 's/.*=//; s/../&:/g; s/:$//' | tr '[:upper:]' '[:lower:]'; }
accepted() {
  local alias="$1"
  shift
  expect "$("$@")" "Client certificate"
  expect "$("$@" | tr -d ' \n')" "SerialNumber:$(serial_of "$alias")"
}
# by_s_client ALIAS KEY -tls1_3 …: the same by s_client.
by_s_client() {
  local alias="$1" key="$2"
  shift 2
  printf 'GET / HTTP/1.0\r\n\r\n' | others timeout 60 openssl s_client -connect "127.0.0.1:$port" -cert "$scratch/$alias.crt" \
    -key "$key" -CAfile "$scratch/ca.pem" -verify_return_error -quiet -ign_eof "$@" 2>"$scratch/s_client.log"
}

for alias in client-rsa client-ec; do
  for version in 1.3 1.2; do
    accepted "$alias" by_curl "$alias" --tlsv1.2 --tls-max "$version" "$url"
    for key in "keystay:$alias" "pkcs11:token=web;object=$alias;type=private" "$scratch/$alias.pem"; do
      accepted "$alias" by_s_client "$alias" "$key" "-tls${version/./_}"
    done
  done
done

# Two requests of one curl, and between them a file that lets it wait: the token blinks meanwhile.
mkfifo "$scratch/pause"
between_requests() {
  by_curl client-ec --output "$scratch/first" "$url" --output "$scratch/nothing" "file://$scratch/pause" \
    --output "$scratch/second" "$url" >"$scratch/curl.log" 2>&1 &
  pids[curl]=$!
  wait_for curl grep -q "Client certificate" "$scratch/first"
  "$@"
  : >"$scratch/pause"
  join curl 0
  expect "$(cat "$scratch/second")" "Client certificate"
  rm "$scratch/first" "$scratch/second"
}
between_requests fault drop-sessions
between_requests fault forget-initialize
token_is_away() {
  fault remove-token
  fault return-token
}
between_requests token_is_away

# Without the token, curl fails by itself, with one of its own codes, and says why.
fault remove-token
code=0
by_curl client-rsa "$url" >"$scratch/refused.log" 2>&1 || code=$?
[[ "$code" -gt 0 && "$code" -lt 128 ]] || fail "curl left with code $code while the token was away"
fault return-token
accepted client-rsa by_curl client-rsa "$url"
