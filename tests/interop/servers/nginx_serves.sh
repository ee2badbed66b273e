#!/usr/bin/env bash
# nginx with two workers serves an RSA and an EC alias by PEM reference files over TLS 1.2 and 1.3, survives reloads
# under load without a failed request and a token that blinks, and every process of it leaves by itself.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need nginx nginx-light
make_blinking_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider

port="$(free_port)"
lay_out_aliases "$scratch/nginx" httpd-rsa httpd-ec

# The example, with this test's directories, port and user.
sed -e "s|/etc/nginx/keystay|$scratch/nginx|" -e "s|listen 443 |listen 127.0.0.1:$port |" \
  -e "s|^user .*|$([[ "$(id -u)" -ne 0 ]] || echo "user root;")$(printf ' env %s;' \
    LD_PRELOAD ASAN_OPTIONS TSAN_OPTIONS KEYSTAY_FAULT_TARGET KEYSTAY_FAULT_CONTROL)|" \
  -e "s|^http {|&\n  access_log off;$(printf '\\n  %s_temp_path '"$scratch/nginx"'/%s;' \
    client_body body proxy proxy fastcgi fastcgi uwsgi uwsgi scgi scgi)|" \
  "$examples/nginx/nginx.conf" >"$scratch/nginx.conf"
readonly nginx=(/usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
  -g "daemon off; pid $scratch/nginx.pid; error_log $scratch/nginx-error.log info;")

# Loading the reference files needs no token, no PIN and no module: the master has none of them.
SOFTHSM2_CONF=/nonexistent KEYSTAY_FAULT_TARGET=/nonexistent others "${nginx[@]}" -t

start nginx others "${nginx[@]}"
wait_for nginx listens "$port"

answers "$port" RSA-PSS -tls1_3 -sigalgs RSA-PSS+SHA256
answers "$port" ECDSA -tls1_3 -sigalgs ECDSA+SHA256
answers "$port" RSA-PSS -tls1_2 -sigalgs RSA-PSS+SHA256
answers "$port" RSA -tls1_2 -sigalgs RSA+SHA256
answers "$port" ECDSA -tls1_2 -sigalgs ECDSA+SHA256

# Each worker is a process that started the module for itself. With reuseport the kernel spreads connections.
for _ in $(seq 40); do fetch "$port"; done | sort | uniq -c >"$scratch/workers.log"
[[ "$(wc -l <"$scratch/workers.log")" -eq 2 ]] || fail "not both workers answered: $(cat "$scratch/workers.log")"

# Reload under load, which each generation of workers gets its share of.
requests() { wc -l <"$scratch/load.log"; }
more_requests_than() { [[ "$(requests)" -gt "$1" ]]; }
worker_pids() { echo " $(children_of "${pids[nginx]}")"; }
replaced() { [[ "$(worker_pids)" != *" $1 "* && "$(worker_pids | wc -w)" -ge 2 ]]; }
reload() {
  local before old
  for _ in 1 2 3 4; do
    wait_for nginx more_requests_than "$(($(requests) + 40))"
    before="$(worker_pids)"
    kill -HUP "${pids[nginx]}"
    for old in $before; do wait_for nginx replaced "$old"; done
  done
}
under_load "$port" reload
echo "$(requests) requests during four reloads, none failed"

# What nginx says of a worker that was ended by a signal, and of anything that went wrong in TLS.
complains_not_of() {
  if grep -E "$1" "$scratch/nginx-error.log"; then fail "nginx had something to complain about"; fi
}
complains_not_of '\[(alert|crit|emerg)\]'

survives_blinks fetch "$port" # handshakes that fail while the token is away are [crit]
leave_in_mid_handshake "$port" 1
expect "$(fetch "$port")" "worker "

stop nginx QUIT
complains_not_of 'exited on signal|\[(alert|emerg)\]'
