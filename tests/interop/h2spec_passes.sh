#!/usr/bin/env bash
# h2spec, which tries a server of HTTP/2 against RFC 9113 and RFC 7541 section by section, finds nothing in keystay-tlsd but what is
# listed below.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

h2spec="$(command -v h2spec || echo "$KEYSTAY_SOURCE/build/unpacked/usr/bin/h2spec")"
[[ -x "$h2spec" ]] || skip "h2spec is not installed (scripts/install-deps.sh --servers)"

make_token
make_ca
make_alias httpd -keyalg EC -noprompt
port="$(free_port)"
backend="$(free_port)"
readonly port backend h2spec
cat >>"$scratch/keystay.toml" <<TOML

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

# h2spec knows RFC 7540. libnghttp2 without its priorities, which RFC 9113 has given up, ignores PRIORITY frames whatever they say,
# and forgets closed streams, so that it ignores their frames instead of answering STREAM_CLOSED.
readonly known='closed: Sends a DATA frame|closed: Sends a HEADERS frame|Sends stream identifier that is numerically smaller than previous'
readonly priority='Sends PRIORITY frame that depend on itself|Sends a PRIORITY frame with 0x0 stream identifier'

report="$(plain "$h2spec" --host localhost --port "$port" --tls --insecure --timeout 5 --path / 2>&1)" || true
unknown="$(grep '×' <<<"$report" | grep -vE "$known|$priority" || true)"
[[ -z "$unknown" ]] || fail "h2spec reports: $report"
passed="$(sed -nE 's/^[0-9]+ tests, ([0-9]+) passed.*/\1/p' <<<"$report")"
((${passed:-0} >= 138)) || fail "h2spec has tried ${passed:-0} things only: $report"
