#!/usr/bin/env bash
# HAProxy serves an RSA and an EC alias from bundles of certificate and PEM reference, in asynchronous and in ordinary
# mode; it survives reloads under load, clients that leave in mid-handshake, and a token that blinks.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need haproxy haproxy
make_blinking_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider

mkdir "$scratch/haproxy"
cat "$scratch/httpd-rsa.chain" "$scratch/httpd-rsa.pem" >"$scratch/haproxy/httpd.pem.rsa"
cat "$scratch/httpd-ec.chain" "$scratch/httpd-ec.pem" >"$scratch/haproxy/httpd.pem.ecdsa"

# configure PORT MODE: the example, with this test's directory and port, and without `ssl-mode-async` if so asked.
configure() {
  local port="$1" mode="$2"
  sed -e "s|/etc/haproxy/keystay|$scratch/haproxy|" -e "s|bind :443 |bind 127.0.0.1:$port |" \
    "$examples/haproxy/haproxy.cfg" >"$scratch/haproxy.cfg"
  [[ "$mode" == async ]] || sed -i '/ssl-mode-async/d' "$scratch/haproxy.cfg"
}

reload() {
  local before
  for _ in 1 2 3; do
    before="$(children_of "${pids[haproxy]}")"
    kill -USR2 "${pids[haproxy]}"
    wait_for haproxy replaced "$before"
  done
}
# replaced WORKERS: there is a worker, and it is none of these.
replaced() {
  local now worker
  now="$(children_of "${pids[haproxy]}")"
  [[ -n "$now" ]] || return 1
  for worker in $1; do [[ " $now" != *" $worker "* ]] || return 1; done
}

descriptors() { find "/proc/${1% }/fd" -mindepth 1 | wc -l; }

serves() {
  local mode="$1" port before
  port="$(free_port)"
  configure "$port" "$mode"
  others haproxy -c -f "$scratch/haproxy.cfg"
  start haproxy others haproxy -W -f "$scratch/haproxy.cfg"
  wait_for haproxy listens "$port"

  # HAProxy looks for an algorithm of TLS 1.2 in the list before it takes the RSA certificate.
  answers "$port" RSA-PSS -tls1_3 -sigalgs RSA-PSS+SHA256:RSA+SHA256
  answers "$port" ECDSA -tls1_3 -sigalgs ECDSA+SHA256
  answers "$port" RSA-PSS -tls1_2 -sigalgs RSA-PSS+SHA256:RSA+SHA256
  answers "$port" RSA -tls1_2 -sigalgs RSA+SHA256
  answers "$port" ECDSA -tls1_2 -sigalgs ECDSA+SHA256

  under_load "$port" reload
  survives_blinks fetch "$port"

  before="$(descriptors "$(children_of "${pids[haproxy]}")")"
  for _ in 1 2 3; do
    expect_descriptors "$before" # so that the two go to different threads
    leave_in_mid_handshake "$port" 2
    fetch "$port"
  done
  expect_descriptors "$before"

  stop haproxy USR1
  if grep -E 'exited with code (1[3-9][0-9])|\[ALERT\]' "$scratch/haproxy.log"; then
    fail "HAProxy had something to complain about"
  fi
}

# expect_descriptors N: the worker has so many, once it has seen that its clients are gone.
expect_descriptors() {
  as_many() { [[ "$(descriptors "$(children_of "${pids[haproxy]}")")" -le "$1" ]]; }
  wait_for haproxy as_many "$1"
}

serves async
serves ordinary
