#!/usr/bin/env bash
# Signing and listing leave memory, descriptors and sessions where they were: 100,000 signatures, or 10,000,000 with KEYSTAY_SOAK.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd -keyalg EC -groupname secp256r1
use_fault_module "$(softhsm_module)"

signatures=100000
if [[ -n "${KEYSTAY_SOAK:-}" ]]; then signatures=10000000; fi
"$jdk/bin/java" "${jvm_options[@]}" -Xmx64m -cp "$jar" "$KEYSTAY_SOURCE/tests/java/programs/Soak.java" "$signatures" |
  tee "$scratch/soak.log"

# One session holds the login, one signs and lists; nothing was opened, copied or found again on the way.
opened="$(fault calls C_OpenSession)" copied="$(fault calls C_CopyObject)"
[[ "$opened" -eq 2 ]] || fail "$opened sessions were opened, expected 2"
[[ "$copied" -le 1 ]] || fail "the key was copied $copied times"
[[ "$(fault calls C_Sign)" -ge "$signatures" ]] || fail "the signatures were not made by the token"
