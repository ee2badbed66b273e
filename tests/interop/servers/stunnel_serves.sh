#!/usr/bin/env bash
# stunnel puts TLS with an RSA and an EC alias before a plain server; it survives reloads, clients that leave in
# mid-handshake, and a token that blinks.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need stunnel stunnel4
make_blinking_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider
lay_out_aliases "$scratch/stunnel" httpd-rsa httpd-ec

rsa_port="$(free_port)"
ec_port="$(free_port)"
backend_port="$(free_port)"
readonly rsa_port ec_port backend_port
sed -e "s|/etc/stunnel/keystay|$scratch/stunnel|" -e "s|accept = 443|accept = 127.0.0.1:$rsa_port|" \
  -e "s|accept = 8443|accept = 127.0.0.1:$ec_port|" -e "s|127.0.0.1:8080|127.0.0.1:$backend_port|" \
  "$examples/stunnel/stunnel.conf" >"$scratch/stunnel.conf"

mkdir "$scratch/page"
echo "the page behind stunnel" >"$scratch/page/index.html"
start backend plain python3 -m http.server "$backend_port" --bind 127.0.0.1 --directory "$scratch/page"
wait_for backend listens "$backend_port"
start stunnel others stunnel "$scratch/stunnel.conf"
wait_for stunnel listens "$ec_port"

answers "$rsa_port" RSA-PSS -tls1_3
answers "$rsa_port" RSA-PSS -tls1_2 -sigalgs RSA-PSS+SHA256
answers "$rsa_port" RSA -tls1_2 -sigalgs RSA+SHA256
answers "$ec_port" ECDSA -tls1_3
answers "$ec_port" ECDSA -tls1_2

# A reload closes stunnel's ports for a moment, whoever holds the keys; after it, stunnel serves as before.
configurations() { grep -c "Configuration successful" "$scratch/stunnel.log"; }
reloaded() { [[ "$(configurations)" -gt "$1" ]]; }
for _ in 1 2 3; do
  before="$(configurations)"
  kill -HUP "${pids[stunnel]}"
  wait_for stunnel reloaded "$before"
  wait_for stunnel fetch "$rsa_port"
  wait_for stunnel fetch "$ec_port"
done

survives_blinks fetch "$rsa_port"
survives_blinks fetch "$ec_port"
leave_in_mid_handshake "$ec_port" 4
expect "$(fetch "$ec_port")" "the page behind stunnel"

stop stunnel TERM
