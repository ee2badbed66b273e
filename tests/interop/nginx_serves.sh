#!/usr/bin/env bash
# nginx with two workers serves an RSA and an EC alias by PEM reference files over TLS 1.2 and 1.3, survives reloads
# under load without a failed request, and every process of it leaves by itself.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need nginx nginx-light
make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider

port="$(free_port)"
mkdir "$scratch/nginx"
for alias in httpd-rsa httpd-ec; do
  mv "$scratch/$alias.pem" "$scratch/nginx/$alias.key"
  mv "$scratch/$alias.chain" "$scratch/nginx/$alias.crt"
done

# The example, with this test's directories, port and user.
sed -e "s|/etc/nginx/keystay|$scratch/nginx|" -e "s|listen 443 |listen 127.0.0.1:$port |" \
  -e "s|^user .*|$([[ "$(id -u)" -ne 0 ]] || echo "user root;") env LD_PRELOAD; env ASAN_OPTIONS;|" \
  -e "s|^http {|&\n  access_log off;$(printf '\\n  %s_temp_path '"$scratch/nginx"'/%s;' \
    client_body body proxy proxy fastcgi fastcgi uwsgi uwsgi scgi scgi)|" \
  "$KEYSTAY_SOURCE/examples/nginx/nginx.conf" >"$scratch/nginx.conf"
readonly nginx=(/usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
  -g "daemon off; pid $scratch/nginx.pid; error_log $scratch/nginx-error.log info;")

# Loading the reference files needs no token, no PIN and no module: the master has none of them.
SOFTHSM2_CONF=/nonexistent others "${nginx[@]}" -t

start nginx others "${nginx[@]}"
wait_for nginx listens "$port"

# answers KIND -tls1_3 -sigalgs …: nginx answers, with a key of this kind.
answers() {
  local kind="$1" output
  shift
  output="$(handshake "$port" "$@")" || fail "$kind $*: $output"
  expect "$output" "Verification: OK"
  expect_signed_with "$output" "$kind"
  expect "$output" "worker "
}
answers RSA-PSS -tls1_3 -sigalgs RSA-PSS+SHA256
answers ECDSA -tls1_3 -sigalgs ECDSA+SHA256
answers RSA-PSS -tls1_2 -sigalgs RSA-PSS+SHA256
answers RSA -tls1_2 -sigalgs RSA+SHA256
answers ECDSA -tls1_2 -sigalgs ECDSA+SHA256

# Each worker is a process that started the module for itself. With reuseport the kernel spreads connections.
for _ in $(seq 40); do
  plain curl --silent --show-error --cacert "$scratch/ca.pem" "https://localhost:$port/" --resolve "localhost:$port:127.0.0.1"
done | sort | uniq -c >"$scratch/workers.log"
[[ "$(wc -l <"$scratch/workers.log")" -eq 2 ]] || fail "not both workers answered: $(cat "$scratch/workers.log")"

# Reload under load, which each generation of workers gets its share of.
mkfifo "$scratch/load-stdin"
plain python3 "$interop/https_load.py" "$port" "$scratch/ca.pem" 4 <"$scratch/load-stdin" >"$scratch/load.log" 2>&1 &
readonly load=$!
exec 9>"$scratch/load-stdin"
requests() { wc -l <"$scratch/load.log"; }
more_requests_than() { [[ "$(requests)" -gt "$1" ]]; }
worker_pids() { echo " $(cat "/proc/${pids[nginx]}/task/${pids[nginx]}/children")"; }
replaced() { [[ "$(worker_pids)" != *" $1 "* && "$(worker_pids | wc -w)" -ge 2 ]]; }
for _ in 1 2 3 4; do
  wait_for nginx more_requests_than "$(($(requests) + 40))"
  before="$(worker_pids)"
  kill -HUP "${pids[nginx]}"
  for old in $before; do wait_for nginx replaced "$old"; done
done
exec 9>&-
wait "$load" || fail "requests failed during a reload: $(grep failed "$scratch/load.log" | sort | uniq -c)"
echo "$(requests) requests during four reloads, none failed"

stop nginx QUIT
# What nginx says of a worker that was ended by a signal, and of anything that went wrong in TLS.
if grep -E 'exited on signal|\[(alert|crit|emerg)\]' "$scratch/nginx-error.log"; then
  fail "nginx had something to complain about"
fi
