#!/usr/bin/env bash
# examples/quickstart.sh serves a page from a key that its token calls never extractable, and may be repeated.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need softhsm2-util softhsm2
need pkcs11-tool opensc
for run in first second; do
  "$KEYSTAY_SOURCE/examples/quickstart.sh" --build "$KEYSTAY_BUILD" --directory "$scratch/quickstart" \
    </dev/null >"$scratch/$run.log" 2>&1 || fail "the $run run failed with code $?"
  output="$(cat "$scratch/$run.log")"
  expect "$output" "Hello from a server whose private key sits in a token."
  expect "$output" "never extractable"
  pin="$(cat "$scratch/quickstart/web.pin")"
  [[ "$output" != *"$pin"* ]] || fail "the $run run showed the PIN"
done

# The second run kept the key of the first.
key_ids() { grep -o 'key with id [0-9a-f]*' "$scratch/$1.log" | sort -u; }
[[ -n "$(key_ids first)" && "$(key_ids first)" == "$(key_ids second)" ]] || fail "the second run made another key"
[[ "$(stat -c %a "$scratch/quickstart/web.pin")" == 600 ]] || fail "the PIN file is open to others"
