#!/usr/bin/env bash
# examples/remote-hsm/run.sh serves a page with a key on another machine, and a stranger is refused there.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need p11-kit p11-kit
need softhsm2-util softhsm2
"$KEYSTAY_SOURCE/examples/remote-hsm/run.sh" --build "$KEYSTAY_BUILD" --directory "$scratch/remote-hsm" \
  --ports "$(free_port)" "$(free_port)" "$(free_port)" "$(free_port)" </dev/null >"$scratch/run.log" 2>&1 ||
  fail "it failed with code $?"
output="$(cat "$scratch/run.log")"
expect "$output" "Connected"
expect "$output" "Hello from a server whose private key is on another machine."
expect "$output" "the endpoint refuses our certificate"
expect "$output" "none of its names is among client-names"
pin="$(cat "$scratch/remote-hsm/web/web.pin")"
[[ "$output" != *"$pin"* ]] || fail "it showed the PIN"
