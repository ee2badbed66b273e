#!/usr/bin/env bash
# From OpenSSL 3.5 on: certificates with ML-DSA and the hybrid group X25519MLKEM768 work in TLS beside the provider,
# wherever it stands in openssl.cnf, and together with keys on the token.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

plain openssl list -public-key-algorithms 2>/dev/null | finds ML-DSA-65 || skip "this OpenSSL has no ML-DSA (3.5 has)"
make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1

# An ML-DSA key of the file system, with a certificate from a CA of the same kind.
plain openssl req -x509 -newkey ML-DSA-65 -nodes -days 2 -subj "/CN=ML-DSA CA" -keyout "$scratch/mldsa-ca.key" \
  -out "$scratch/mldsa-ca.pem" 2>"$scratch/openssl-req.log"
plain openssl req -new -newkey ML-DSA-65 -nodes -subj "/CN=localhost" -keyout "$scratch/mldsa.pem" \
  -out "$scratch/mldsa.csr" 2>>"$scratch/openssl-req.log"
plain openssl x509 -req -in "$scratch/mldsa.csr" -CA "$scratch/mldsa-ca.pem" -CAkey "$scratch/mldsa-ca.key" -days 2 \
  -extfile "$scratch/httpd-ec.ext" -out "$scratch/mldsa.crt" 2>"$scratch/openssl-x509.log"
cat "$scratch/mldsa-ca.pem" >>"$scratch/ca.pem"
use_provider

# serves NAME SIGNATURE: s_server and s_client have the provider; the group of the handshake is a hybrid one.
serves() {
  local name="$1" signature="$2" port output
  shift 2
  port="$(free_port)"
  start s_server others openssl s_server -accept "127.0.0.1:$port" -cert "$scratch/$name.crt" -key "$scratch/$name.pem" \
    -Verify 1 -verify_return_error -CAfile "$scratch/ca.pem" -www -naccept 1
  wait_for s_server grep -q ACCEPT "$scratch/s_server.log"
  output="$(printf 'GET / HTTP/1.0\r\n\r\n' | others timeout 60 openssl s_client -connect "127.0.0.1:$port" -CAfile \
    "$scratch/ca.pem" -cert "$scratch/httpd-ec.crt" -key "$scratch/httpd-ec.pem" -groups X25519MLKEM768 \
    -verify_return_error -brief -ign_eof 2>&1)" || fail "$name: $output"
  expect "$output" "Verification: OK"
  expect "$output" "Signature type: $signature"
  expect "$output" "X25519MLKEM768"
  expect "$output" "200 ok"
  join s_server 0
}

for order in "default keystay" "keystay default"; do
  read -r first second <<<"$order"
  printf '%s\n' "openssl_conf = init" "[init]" "providers = providers" "[providers]" "$first = active" "$second = active" \
    "[active]" "activate = 1" >"$scratch/openssl.cnf"
  export OPENSSL_CONF="$scratch/openssl.cnf"
  serves mldsa mldsa65
  serves httpd-rsa rsa_pss_rsae_sha256
  serves httpd-ec ecdsa_secp256r1_sha256
done
