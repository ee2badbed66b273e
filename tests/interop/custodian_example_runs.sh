#!/usr/bin/env bash
# examples/custodian/run.sh leads a key through its whole life, while it is served and no request fails, and says so.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need softhsm2-util softhsm2
need curl curl
export OPENSSL_MODULES="$KEYSTAY_BUILD/ossl-modules"
"$KEYSTAY_SOURCE/examples/custodian/run.sh" --build "$KEYSTAY_BUILD" --directory "$scratch/custodian" \
  </dev/null >"$scratch/run.log" 2>&1 || fail "it failed with code $?"
output="$(cat "$scratch/run.log")"
expect "$output" "Connected"
expect "$output" "Nothing was found that the policy does not want"
expect "$output" "Destroyed version-1-httpd"
expect "$output" "no page any more"
grep -qE '[1-9][0-9]* pages, 0 failed; served were 3 certificates of 2 keys' "$scratch/run.log" || fail "no result"
[[ -s "$scratch/custodian/audit.html" ]] || fail "no report for an auditor"
for secret in web.pin web.so-pin; do
  [[ "$output" != *"$(cat "$scratch/custodian/$secret")"* ]] || fail "it showed what is in $secret"
done
