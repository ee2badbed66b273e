#!/usr/bin/env bash
# Full TLS 1.3 handshakes per second of keystay-tlsd with one token, with a group of that one, and with a group of two, where a
# token does eight signatures at a time and takes longer and longer for each.
#
#   tests/bench/two_members.sh [BUILD]    BUILD is build/release unless given
#
# KEYSTAY_BENCH_SECONDS, _REPETITIONS and _CLIENTS as in handshakes.sh; KEYSTAY_BENCH_LATENCIES ("5 10 20 40").
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/bench/lib.sh
source "$here/lib.sh"
# shellcheck source=tests/interop/lib.sh
source "$here/../interop/lib.sh"

readonly latencies="${KEYSTAY_BENCH_LATENCIES:-5 10 20 40}"

make_token
make_ca
make_members a b
sed -i 's/^label = .*/&\nsessions = 8/' "$scratch/keystay.toml"
cat >>"$scratch/keystay.toml" <<TOML
[group.both]
members = ["hsm-a", "hsm-b"]
wrapping-key = "kek"

[group.one]
members = ["hsm-a"]
TOML
"$keystay" group init -token both -noprompt 2>"$scratch/init.log"
# use_token NAME: what the alias "httpd" means from now on.
use_token() {
  sed -i '/^default = /d' "$scratch/keystay.toml"
  sed -i "1i default = \"$1\"" "$scratch/keystay.toml"
}
use_token both
make_alias httpd -keyalg EC -groupname secp256r1 -noprompt

use_token hsm-a
start_tlsd one-member
use_token one
start_tlsd group-of-one
use_token both
start_tlsd group-of-two

set_delay() {
  local member
  for member in a b; do fault_at "$member" delay C_Sign "$(($1 * 1000))"; done
}
measure_all set_delay
set_delay 0

echo
echo "TLS 1.3, P-256, X25519, no resumption; eight sessions for each token; $clients clients; $workers threads; medians of" \
  "$repetitions times $seconds s"
handshake_table one-member

for server in "${servers[@]}"; do stop "$server" TERM; done
