#!/usr/bin/env bash
# A key that another program destroys, or replaces under its alias: every server that has signed with it stops doing so
# within key-check, and the health of keystay-tlsd names the alias. Other keys go on.
source "$(dirname "${BASH_SOURCE[0]}")/front_doors.sh"

need pkcs11-tool opensc
need curl curl

make_token
echo 'key-check = "500ms"' >>"$scratch/keystay.toml"
make_ca
make_alias httpd -keyalg EC -groupname secp256r1
make_alias mail -keyalg RSA -keysize 2048

start_tlsd httpd mail
tlsd_port="${tlsd_ports[httpd]}"
mail_port="${tlsd_ports[mail]}"

use_provider
server_port="$(free_port)"
start s_server others openssl s_server -accept "127.0.0.1:$server_port" -cert "$scratch/httpd.crt" -key keystay:httpd -www
wait_for s_server grep -q ACCEPT "$scratch/s_server.log"

java_port=""
if has_java; then start_java httpd; fi

# Without tickets: a resumed handshake wants no signature.
shakes_hands() { [[ "$(handshake "$1" -no_ticket -tls1_3 || true)" == *"Verification: OK"* ]]; }
refuses() { ! shakes_hands "$1"; }
health() { plain curl --silent --output "$scratch/health.log" --write-out '%{http_code}' "http://127.0.0.1:$admin_port/health"; }
healthy() { [[ "$(health)" == 204 ]]; }
sick() { [[ "$(health)" == 500 ]]; }

for _ in 1 2 3; do
  for port in "$tlsd_port" "$server_port" $java_port; do
    shakes_hands "$port" || fail "no handshake on port $port before the key was destroyed"
  done
done
wait_for tlsd healthy

tool() {
  PIN="$(cat "$scratch/web.pin")" others pkcs11-tool --module "$(softhsm_module)" --token-label web --login --pin env:PIN "$@" \
    >>"$scratch/pkcs11-tool.log" 2>&1
}
tool --delete-object --type privkey --label httpd
wait_for tlsd sick
expect "$(cat "$scratch/health.log")" '"httpd"'
expect "$(cat "$scratch/health.log")" "no such private key on the token"
[[ "$(cat "$scratch/health.log")" != *'"mail"'* ]] || fail "the other alias is sick as well: $(cat "$scratch/health.log")"
wait_for tlsd refuses "$tlsd_port"
wait_for s_server refuses "$server_port"
[[ -z "$java_port" ]] || wait_for java refuses "$java_port"
for _ in 1 2 3; do
  for port in "$tlsd_port" "$server_port" $java_port; do
    refuses "$port" || fail "a signature on port $port after the key was gone"
  done
  shakes_hands "$mail_port" || fail "the other key has ended too"
done

# Another key in its place, with the same label: the servers have the certificate of the old one.
tool --keypairgen --key-type EC:prime256v1 --label httpd --id 99 --usage-sign
for port in "$tlsd_port" "$server_port" $java_port; do
  refuses "$port" || fail "port $port signs with a key that is not the certificate's"
done
sick || fail "healthy with a key that does not fit the certificate"

stop tlsd TERM
