#!/usr/bin/env bash
# examples/ha/run.sh kills an active member under load, and no handshake fails.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need p11-kit p11-kit
need softhsm2-util softhsm2
need curl curl
"$KEYSTAY_SOURCE/examples/ha/run.sh" --build "$KEYSTAY_BUILD" --directory "$scratch/ha" \
  --ports "$(free_port)" "$(free_port)" "$(free_port)" </dev/null >"$scratch/run.log" 2>&1 ||
  fail "it failed with code $?"
output="$(cat "$scratch/run.log")"
expect "$output" "Hello from a server whose private key is in three HSMs."
expect "$output" "hsm-c 0: it stands by"
expect "$output" "hsm-a  fails      unix:"
expect "$output" 'member "hsm-a" is back in service after'
# states WHEN: what each member was in the table of that name.
states() { sed -n "/$1:/,/hsm-c/s/^  \(hsm-.\)  *\(active\|stands by\|fails\).*/\1 \2/p" <<<"$output" | paste -sd,; }
expect "$(states Before)" "hsm-a active,hsm-b active,hsm-c stands by"
expect "$(states During)" "hsm-a fails,hsm-b active,hsm-c active"
expect "$(states After)" "hsm-a active,hsm-b active,hsm-c stands by"
grep -E '[0-9]+ handshakes, 0 failed' "$scratch/run.log"
for hsm in a b c; do
  [[ "$output" != *"$(cat "$scratch/ha/hsm-$hsm.pin")"* ]] || fail "it showed a PIN"
done
