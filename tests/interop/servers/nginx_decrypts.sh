#!/usr/bin/env bash
# nginx serves TLS 1.2 with RSA key exchange (AES128-GCM-SHA256): the token decrypts what the client chose. It survives a
# reload, a token that blinks, and leaves by itself.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need nginx nginx-light
make_blinking_token
make_ca
use_provider

# An alias whose key may decrypt, and sign its request, with its reference and a certificate for localhost.
others openssl genpkey -propquery '?provider=keystay' -algorithm RSA -pkeyopt bits:2048 \
  -pkeyopt pkcs11_uri:keystay:web/httpd -pkeyopt 'pkcs11_key_usage:digitalSignature keyEncipherment' \
  -out "$scratch/httpd.key"
others openssl req -new -key "$scratch/httpd.key" -subj "/CN=localhost" -out "$scratch/httpd.csr"
printf 'subjectAltName = DNS:localhost\nkeyUsage = critical, keyEncipherment\n' >"$scratch/httpd.ext"
plain openssl x509 -req -in "$scratch/httpd.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -extfile "$scratch/httpd.ext" -out "$scratch/httpd.crt" 2>"$scratch/openssl-x509.log"

port="$(free_port)"
configure_nginx "$port" "ssl_certificate $scratch/httpd.crt" "ssl_certificate_key $scratch/httpd.key" \
  "ssl_protocols TLSv1.2" "ssl_ciphers AES128-GCM-SHA256"
start nginx others "${nginx[@]}"
wait_for nginx listens "$port"

# decrypts: a handshake with this cipher alone, of which the server signs nothing.
decrypts() {
  local output
  output="$(handshake "$port" -tls1_2 -cipher AES128-GCM-SHA256)" || return 1
  [[ "$output" == *"Ciphersuite: AES128-GCM-SHA256"*"Verification: OK"*"200 OK"* ]]
}

decrypts || fail "$(handshake "$port" -tls1_2 -cipher AES128-GCM-SHA256)"
[[ "$(fault calls C_Decrypt)" -ge 1 ]] || fail "the token has decrypted nothing"

before="$(children_of "${pids[nginx]}")"
kill -HUP "${pids[nginx]}"
replaced() { [[ -n "$(children_of "${pids[nginx]}")" && " $(children_of "${pids[nginx]}")" != *" $before"* ]]; }
wait_for nginx replaced
decrypts || fail "after a reload"

survives_blinks decrypts
stop nginx QUIT
