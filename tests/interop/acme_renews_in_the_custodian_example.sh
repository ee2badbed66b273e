#!/usr/bin/env bash
# examples/custodian/run.sh with a CA that has ACME, Pebble: its certificate, too, is served without a failed request.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/interop/acme.sh
source "$interop/acme.sh"

need softhsm2-util softhsm2
need curl curl
http="$(free_port)"
start_pebble "$http"
export OPENSSL_MODULES="$KEYSTAY_BUILD/ossl-modules"
"$KEYSTAY_SOURCE/examples/custodian/run.sh" --build "$KEYSTAY_BUILD" --directory "$scratch/custodian" --acme "$directory" \
  --acme-ca "$scratch/acme-ca.pem" --acme-root "$scratch/ca.pem" --acme-port "$http" </dev/null >"$scratch/run.log" 2>&1 ||
  fail "it failed with code $?"
output="$(cat "$scratch/run.log")"
expect "$output" "Nothing was found that the policy does not want"
expect "$output" "Destroyed version-1-httpd"
grep -qE '[1-9][0-9]* pages, 0 failed; served were 4 certificates of 2 keys' "$scratch/run.log" || fail "no result"
