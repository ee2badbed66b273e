#!/usr/bin/env bash
# `keystay` before `default` in openssl.cnf, after it, and preferred by a property query: openssl s_server and s_client,
# curl and nginx work in each order, with keys on the token and with keys that are not.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl curl
need nginx nginx-light
make_token
make_ca
make_alias server-rsa -keyalg RSA -keysize 2048
make_alias server-ec -keyalg EC -groupname secp256r1
make_alias client-ec -keyalg EC -groupname secp256r1
use_provider

# A key of the file system, which must stay one.
plain openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$scratch/file-ec.pem" \
  -out "$scratch/file-ec.csr" 2>"$scratch/openssl-req.log"
plain openssl x509 -req -in "$scratch/file-ec.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -days 2 \
  -extfile "$scratch/server-ec.ext" -out "$scratch/file-ec.crt" 2>"$scratch/openssl-x509.log"

# order_providers FIRST SECOND [PROPERTIES]: an openssl.cnf.
order_providers() {
  cat >"$scratch/openssl.cnf" <<CNF
openssl_conf = openssl_init
[openssl_init]
providers = providers
${3:+alg_section = algorithms}
[providers]
$1 = active
$2 = active
[active]
activate = 1
[algorithms]
default_properties = ${3:-}
CNF
  export OPENSSL_CONF="$scratch/openssl.cnf"
}

# s_server and s_client, both with the provider; the client authenticates by the token, too.
openssl_serves() {
  local name="$1" port output
  shift
  port="$(free_port)"
  start s_server others openssl s_server -accept "127.0.0.1:$port" -cert "$scratch/$name.crt" -key "$scratch/$name.pem" \
    -Verify 1 -verify_return_error -CAfile "$scratch/ca.pem" -www -naccept 1 "$@"
  wait_for s_server grep -q ACCEPT "$scratch/s_server.log"
  output="$(printf 'GET / HTTP/1.0\r\n\r\n' | others timeout 60 openssl s_client -connect "127.0.0.1:$port" -CAfile \
    "$scratch/ca.pem" -cert "$scratch/client-ec.crt" -key "$scratch/client-ec.pem" -verify_return_error -brief -ign_eof \
    "$@" 2>&1)" || fail "$name $*: $output"
  expect "$output" "Verification: OK"
  expect "$output" "200 ok"
  join s_server 0
}

nginx_serves() {
  local name="$1" port
  port="$(free_port)"
  cat >"$scratch/nginx.conf" <<CONF
$([[ "$(id -u)" -ne 0 ]] || echo "user root;") env LD_PRELOAD; env ASAN_OPTIONS; env TSAN_OPTIONS; env KEYSTAY_CONF; env SOFTHSM2_CONF;
daemon off; pid $scratch/nginx.pid; error_log $scratch/nginx-error.log;
events {}
http {
  access_log off;
$(printf '  %s_temp_path '"$scratch"'/nginx-%s;\n' client_body body proxy proxy fastcgi fastcgi uwsgi uwsgi scgi scgi)
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $scratch/$name.crt;
    ssl_certificate_key $scratch/$name.pem;
    ssl_client_certificate $scratch/ca.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client on;
    return 200 "you are \$ssl_client_s_dn";
  }
}
CONF
  start nginx others nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
  wait_for nginx listens "$port"
  expect "$(fetches "$port" tls1_3)" "you are CN=localhost"
  expect "$(fetches "$port" tls1_2)" "you are CN=localhost"
  stop nginx QUIT
}

# fetches PORT tls1_2|tls1_3: curl authenticates with the token's key, under the same openssl.cnf.
fetches() {
  local port="$1" version="${2#tls}"
  others curl --silent --show-error --fail --max-time 60 --cacert "$scratch/ca.pem" --cert "$scratch/client-ec.crt" \
    --key "$scratch/client-ec.pem" --resolve "localhost:$port:127.0.0.1" --tlsv"${version/_/.}" --tls-max "${version/_/.}" \
    "https://localhost:$port/"
}

PATH="$PATH:/usr/sbin"
works() {
  local name
  order_providers "$@"
  for name in server-rsa server-ec file-ec; do
    openssl_serves "$name" -tls1_3
    openssl_serves "$name" -tls1_2
    nginx_serves "$name"
  done
}

works default keystay
works keystay default
works default keystay "?provider=keystay"
works keystay default "?provider=keystay"

# The same query as an option of the program, and the query that lets nothing else in: for the key alone.
order_providers default keystay
openssl_serves server-ec -propquery "?provider=keystay"
for query in "provider=keystay" "?provider=keystay"; do
  expect "$(others openssl pkey -in keystay:server-ec -propquery "$query" -noout -text)" "not shown"
done
if grep -E 'exited on signal|\[(alert|crit|emerg)\]' "$scratch/nginx-error.log"; then
  fail "nginx had something to complain about"
fi
