#!/usr/bin/env bash
# keystay-tlsd finds its servers by name and looks the name up again: other addresses are used, all of them, and a name that is
# gone keeps its last. libnss_wrapper answers getaddrinfo(3) from a hosts(5) file of the test's own.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl curl
wrapper="$(compgen -G '/usr/lib/*/libnss_wrapper.so' | head -n 1 || true)"
[[ -n "$wrapper" ]] || skip "libnss_wrapper is not installed (package libnss-wrapper)"

https_port="$(free_port)"
server_port="$(free_port)"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=file -addext "subjectAltName=DNS:localhost" \
  -keyout "$scratch/file.key" -out "$scratch/file.crt" 2>"$scratch/openssl-req.log"
(umask 077 && cat "$scratch/file.key" "$scratch/file.crt" >"$scratch/file.pem")
cat >"$scratch/keystay.toml" <<TOML
[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$https_port"]
certificates = ["$scratch/file.pem"]
backend = "app"

[tlsd.backend.app]
servers = ["app.test:$server_port"]
resolve-interval = "100ms"
TOML

# know ADDRESS …: what the name leads to from now on. The wrapper reads a file again whose time is another, in seconds.
changes=0
know() {
  local address
  : >"$scratch/hosts.new"
  for address in "$@"; do echo "$address app.test" >>"$scratch/hosts.new"; done
  changes=$((changes + 1))
  touch -d "@$((1000000000 + changes))" "$scratch/hosts.new"
  mv "$scratch/hosts.new" "$scratch/hosts"
}
get() { plain curl --silent --cacert "$scratch/file.crt" "https://localhost:$https_port/"; }
answers() { [[ "$(get)" == "$1" ]]; }
logged() { grep -qF "$1" "$scratch/tlsd.log"; }
with_names() {
  env LD_PRELOAD="$wrapper" NSS_WRAPPER_HOSTS="$scratch/hosts" \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "$@"
}

for server in 1 2; do
  mkdir "$scratch/www$server"
  echo "server $server" >"$scratch/www$server/index.html"
  start "server$server" python3 -m http.server --bind "127.0.0.$server" --directory "$scratch/www$server" "$server_port"
  wait_for "server$server" listens "$server_port" "127.0.0.$server"
done

echo "== a name that nobody knows refuses the start"
know
refused with_names "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
expect "$(cat "$scratch/refused.log")" "backend app: server app.test:$server_port cannot be resolved"

echo "== its address is used"
know 127.0.0.1
with_names "$KEYSTAY_BUILD/bin/keystay-tlsd" check -c "$scratch/keystay.toml" >"$scratch/check.log"
expect "$(cat "$scratch/check.log")" "backend app: app.test:$server_port (127.0.0.1)"
start tlsd env LD_PRELOAD="$wrapper" NSS_WRAPPER_HOSTS="$scratch/hosts" \
  ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$https_port"
answers "server 1" || fail "the server of the name does not answer"

echo "== another address takes its place"
know 127.0.0.2
wait_for tlsd answers "server 2"
logged "app.test has other addresses: 127.0.0.2" || fail "the log does not tell"

echo "== a name that is gone keeps its last address"
know
wait_for tlsd logged "app.test is no longer resolved"
answers "server 2" || fail "the last address is not kept"

echo "== all addresses are used"
know 127.0.0.1 127.0.0.2
wait_for tlsd answers "server 1"
wait_for tlsd answers "server 2"
wait_for tlsd answers "server 1"
logged "app.test is resolved again" || fail "the log does not tell that the name is back"
stop tlsd TERM
