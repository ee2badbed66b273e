#!/usr/bin/env bash
# keystay-tlsd speaks HTTP/2 to curl, nghttp and h2load, in front of a server of HTTP/1.1: bodies pass both ways, and requests
# beside each other. A client that does not know it gets HTTP/1.1.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need nghttp nghttp2-client
need h2load nghttp2-client

make_token
make_ca
make_alias httpd -keyalg EC -noprompt
port="$(free_port)"
backend="$(free_port)"
readonly port backend
cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
threads = 2

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd"]
backend = "app"

[tlsd.backend.app]
servers = ["127.0.0.1:$backend"]
TOML
start backend plain "$interop/http_echo.py" "$backend"
start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for backend listens "$backend"
wait_for tlsd listens "$port"
readonly address="https://localhost:$port"

# fetch OPTION …: with curl
fetch() { plain curl --silent --show-error --fail --max-time 120 --cacert "$scratch/ca.pem" "$@"; }

echo "== the version"
expect "$(fetch --output /dev/null --write-out '%{http_version}' "$address/")" 2
expect "$(fetch --http1.1 --output /dev/null --write-out '%{http_version}' "$address/")" 1.1
fetch "$address/head" | finds -i '^via: 2.0 keystay-tlsd' || fail "the backend does not see that the client speaks HTTP/2"

echo "== bodies both ways"
head -c 20000000 /dev/urandom >"$scratch/body"
fetch --output "$scratch/echo" --data-binary "@$scratch/body" "$address/echo"
cmp "$scratch/body" "$scratch/echo" || fail "what came back is not what was sent"
fetch --output "$scratch/echo" --upload-file - "$address/echo" <"$scratch/body"
cmp "$scratch/body" "$scratch/echo" || fail "what came back is not what was sent without a length"

echo "== requests beside each other"
urls=()
for ((i = 0; i < 50; ++i)); do urls+=("$address/$i"); done
answers="$(plain nghttp --no-verify-peer --timeout=60 --stat --null-out "${urls[@]}" | grep -c ' 200 ')" || true
expect "$answers" 50
report="$(plain h2load --requests=2000 --clients=4 --max-concurrent-streams=50 "$address/head")"
grep -q '2000 succeeded, 0 failed, 0 errored' <<<"$report" || fail "h2load reports: $report"
