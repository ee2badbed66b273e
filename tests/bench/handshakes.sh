#!/usr/bin/env bash
# Full TLS 1.3 handshakes per second of keystay-tlsd, nginx and HAProxy, with the same key in the same token, while
# the token takes longer and longer for a signature. All servers run at once and are measured in turn, so that
# whatever else the machine does meets all of them alike.
#
#   tests/bench/handshakes.sh [BUILD]    BUILD is build/release unless given
#
# KEYSTAY_BENCH_SECONDS (3) is the length of one measurement, KEYSTAY_BENCH_REPETITIONS (3) their number, of which the
# table has the medians; KEYSTAY_BENCH_LATENCIES ("0 2 5 20") are the milliseconds that C_Sign takes longer;
# KEYSTAY_BENCH_CLIENTS (64) is the number of clients at a time, KEYSTAY_BENCH_KEYALG (EC) or RSA the key.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/bench/lib.sh
source "$here/lib.sh"
# shellcheck source=tests/interop/lib.sh
source "$here/../interop/lib.sh"

readonly latencies="${KEYSTAY_BENCH_LATENCIES:-0 2 5 20}"
readonly key_algorithm="${KEYSTAY_BENCH_KEYALG:-EC}"

# --- the token, with the fault module in front of it -----------------------------------------------------------------
fault() { "$KEYSTAY_BUILD/tests/keystay-fault" "$scratch/faults" "$@"; }

make_slow_token() {
  make_token
  KEYSTAY_FAULT_TARGET="$(softhsm_module)"
  export KEYSTAY_FAULT_TARGET KEYSTAY_FAULT_CONTROL="$scratch/faults"
  fault create
  sed -i "s|^module = .*|module = \"$KEYSTAY_BUILD/tests/libkeystay-fault-module.so\"|" "$KEYSTAY_CONF"
}

# --- the other servers, each with two workers and one alias ----------------------------------------------------------
start_nginx() {
  local name=nginx user=""
  ports[$name]="$(free_port)"
  if [[ "$(id -u)" -eq 0 ]]; then user="user root;"; fi
  cat >"$scratch/nginx.conf" <<NGINX
$user
worker_processes $workers;
daemon off;
pid $scratch/nginx.pid;
error_log $scratch/nginx-error.log error;
env KEYSTAY_CONF;
env SOFTHSM2_CONF;
env KEYSTAY_FAULT_TARGET;
env KEYSTAY_FAULT_CONTROL;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $scratch/body;
  proxy_temp_path $scratch/proxy;
  fastcgi_temp_path $scratch/fastcgi;
  uwsgi_temp_path $scratch/uwsgi;
  scgi_temp_path $scratch/scgi;
  server {
    listen 127.0.0.1:${ports[$name]} ssl reuseport;
    ssl_certificate $scratch/httpd.chain;
    ssl_certificate_key $scratch/httpd.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    return 204;
  }
}
NGINX
  start "$name" env OPENSSL_CONF="$openssl_conf" OPENSSL_MODULES="$openssl_modules" \
    /usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
  servers+=("$name")
}

# start_haproxy NAME GLOBAL: GLOBAL are lines for the global section.
start_haproxy() {
  local name="$1" global="$2"
  ports[$name]="$(free_port)"
  cat "$scratch/httpd.chain" "$scratch/httpd.pem" >"$scratch/haproxy.pem"
  cat >"$scratch/$name.cfg" <<HAPROXY
global
  nbthread $workers
  maxconn 1024
  $global
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend https
  bind 127.0.0.1:${ports[$name]} ssl crt $scratch/haproxy.pem
  http-request return status 204
HAPROXY
  start "$name" env OPENSSL_CONF="$openssl_conf" OPENSSL_MODULES="$openssl_modules" haproxy -f "$scratch/$name.cfg"
  servers+=("$name")
}

make_slow_token
make_ca
if [[ "$key_algorithm" == EC ]]; then
  make_alias httpd -keyalg EC -groupname secp256r1
else
  make_alias httpd -keyalg RSA -keysize 2048
fi
readonly openssl_conf="$KEYSTAY_SOURCE/examples/nginx/openssl.cnf"
readonly openssl_modules="$KEYSTAY_BUILD/ossl-modules"

start_tlsd keystay-tlsd
start_nginx
if command -v haproxy >/dev/null; then
  start_haproxy haproxy ""
  start_haproxy haproxy-async "ssl-mode-async"
else
  echo "haproxy is left out: it is not installed" >&2
fi
set_delay() { fault delay C_Sign "$(($1 * 1000))"; }
measure_all set_delay
fault delay C_Sign 0

echo
echo "TLS 1.3, $key_algorithm key, X25519, no resumption; $clients clients; $workers threads or workers each;" \
  "medians of $repetitions times $seconds s"
handshake_table nginx

stop keystay-tlsd TERM
stop nginx QUIT
for server in haproxy haproxy-async; do
  if [[ -n "${pids[$server]:-}" ]]; then stop "$server" USR1; fi
done
