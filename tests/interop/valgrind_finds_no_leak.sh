#!/usr/bin/env bash
# valgrind finds no leak and no wrong access in `openssl dgst -sign`, `openssl storeutl`, and an nginx that starts, serves,
# reloads and stops, all with keys on the token. It takes a minute: only tests/run.sh --soak runs it.
source "$(dirname "${BASH_SOURCE[0]}")/servers/lib.sh"

[[ -n "${KEYSTAY_SOAK:-}" ]] || skip "takes a minute; tests/run.sh --soak runs it"
[[ -z "${KEYSTAY_SANITIZE:-}" ]] || skip "valgrind and the sanitizers exclude each other"
need valgrind valgrind
need nginx nginx-light
make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider
echo "what is signed" >"$scratch/message"

# Memory that is still reachable when a process ends is no leak: the system takes it. Keystay leaves the module loaded on
# purpose, and so what the module holds.
readonly found=99
valgrind=(valgrind --quiet --trace-children=yes --leak-check=full "--show-leak-kinds=definite,indirect"
  "--errors-for-leak-kinds=definite,indirect" "--error-exitcode=$found"
  "--suppressions=$interop/valgrind.supp" "--log-file=$scratch/valgrind-%p.log")

# nothing_found: all processes that valgrind has watched so far were clean.
nothing_found() {
  if grep -hE '^==[0-9]+== ' "$scratch"/valgrind-*.log; then fail "valgrind found something in $1"; fi
}

for alias in httpd-rsa httpd-ec; do
  for key in "keystay:$alias" "$scratch/$alias.pem"; do
    "${valgrind[@]}" openssl dgst -sha256 -sign "$key" -out "$scratch/signature" "$scratch/message"
  done
done
nothing_found "openssl dgst -sign"

"${valgrind[@]}" openssl storeutl -noout -text "keystay:httpd-rsa" >"$scratch/storeutl.log"
"${valgrind[@]}" openssl storeutl -noout "pkcs11:token=web" >"$scratch/storeutl.log"
nothing_found "openssl storeutl"

port="$(free_port)"
configure_nginx "$port" "ssl_certificate $scratch/httpd-rsa.crt" "ssl_certificate_key $scratch/httpd-rsa.pem" \
  "ssl_certificate $scratch/httpd-ec.crt" "ssl_certificate_key $scratch/httpd-ec.pem"
start nginx "${valgrind[@]}" "${nginx[@]}"
wait_for nginx listens "$port"
before="$(fetch "$port")"
kill -HUP "${pids[nginx]}"
by_another_worker() { [[ "$(fetch "$port")" != "$before" ]]; }
wait_for nginx by_another_worker
answers "$port" RSA-PSS -tls1_2 -sigalgs RSA-PSS+SHA256
stop nginx QUIT
nothing_found nginx
