#!/usr/bin/env bash
# One alias that `keystay -genkeypair` made: nginx, keystay-tlsd and Java's own server serve it at the same time,
# openssl signs with it, and pkcs11-tool sees it as a plain key pair with its certificate.
source "$(dirname "${BASH_SOURCE[0]}")/front_doors.sh"

need nginx nginx-light
need pkcs11-tool opensc
[[ -f "$KEYSTAY_BUILD/java/keystay-jca.jar" ]] || skip "the Java key store is not built (KEYSTAY_JAVA=OFF)"
need java openjdk-17-jdk-headless

make_token
make_ca
make_alias httpd -keyalg EC -groupname secp256r1

# --- our own servers -------------------------------------------------------------------------------------------------
start_tlsd httpd
tlsd_port="${tlsd_ports[httpd]}"
start_java httpd

# --- nginx -----------------------------------------------------------------------------------------------------------
use_provider
nginx_port="$(free_port)"
cat >"$scratch/nginx.conf" <<CONF
daemon off;
worker_processes 2;
$([[ "$(id -u)" -ne 0 ]] || echo "user root;")
pid $scratch/nginx.pid;
error_log $scratch/nginx-error.log info;
env KEYSTAY_CONF;
env SOFTHSM2_CONF;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:$nginx_port ssl;
    ssl_certificate $scratch/httpd.chain;
    ssl_certificate_key $scratch/httpd.pem;
    location / { return 200 "Hello from nginx"; }
  }
}
CONF
start nginx others /usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
wait_for nginx listens "$nginx_port"

# --- all of them, more than once -------------------------------------------------------------------------------------
get() {
  plain curl --silent --show-error --fail --cacert "$scratch/ca.pem" --resolve "localhost:$1:127.0.0.1" "https://localhost:$1$2"
}
for _ in 1 2 3; do
  expect "$(get "$nginx_port" /)" "Hello from nginx"
  expect "$(get "$java_port" /)" "Hello from Java"
  expect "$(get "$tlsd_port" /metrics)" "keystay_tlsd_handshakes_total"
done

# --- openssl ---------------------------------------------------------------------------------------------------------
plain openssl x509 -in "$scratch/httpd.crt" -noout -pubkey >"$scratch/httpd.pub"
others openssl dgst -sha256 -sign keystay:httpd -out "$scratch/signature" "$scratch/httpd.crt"
plain openssl dgst -sha256 -verify "$scratch/httpd.pub" -signature "$scratch/signature" "$scratch/httpd.crt"

# --- an independent witness ------------------------------------------------------------------------------------------
objects="$(PIN="$(cat "$scratch/web.pin")" pkcs11-tool --module "$(softhsm_module)" --token-label web --login \
  --pin env:PIN --list-objects 2>&1)"
[[ "$(grep -c 'label: *httpd$' <<<"$objects")" -eq 3 ]] || fail "not a key pair and a certificate named httpd: $objects"
[[ "$(grep -A4 'label: *httpd$' <<<"$objects" | grep 'ID:' | sort -u | wc -l)" -eq 1 ]] || fail "not one CKA_ID: $objects"
expect "$objects" "sensitive, always sensitive, never extractable, local"

stop nginx QUIT
stop tlsd TERM
# A JVM that is told to stop leaves with 143, by itself: its shutdown hooks have run.
kill -TERM "${pids[java]}"
code=0
wait "${pids[java]}" || code=$?
unset "pids[java]"
[[ "$code" -eq 143 ]] || fail "java left with $code"
