#!/usr/bin/env bash
# `openssl s_server` serves an alias over TLS 1.2 and 1.3, in plain and in asynchronous mode, and leaves by itself.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider

# serves ALIAS KEY MODE -tls1_3 …: one connection; the client checks chain and name.
serves() {
  local alias="$1" key="$2" mode="$3" port output
  shift 3
  port="$(free_port)"
  # shellcheck disable=SC2086  # MODE may be empty
  start s_server others openssl s_server -accept "127.0.0.1:$port" -cert "$scratch/$alias.crt" -key "$key" -www \
    -naccept 1 $mode
  wait_for s_server grep -q ACCEPT "$scratch/s_server.log"
  output="$(handshake "$port" "$@")" || fail "$alias by $key, $mode $*: $output"
  expect "$output" "Verification: OK"
  expect "$output" "200 ok"
  join s_server 0
}

for mode in "" -async; do
  for key in "keystay:httpd-rsa" "$scratch/httpd-rsa.pem"; do
    serves httpd-rsa "$key" "$mode" -tls1_3
    serves httpd-rsa "$key" "$mode" -tls1_2 -sigalgs RSA-PSS+SHA256
    serves httpd-rsa "$key" "$mode" -tls1_2 -sigalgs RSA+SHA256
  done
  for key in "keystay:httpd-ec" "$scratch/httpd-ec.pem"; do
    serves httpd-ec "$key" "$mode" -tls1_3
    serves httpd-ec "$key" "$mode" -tls1_2
  done
done
