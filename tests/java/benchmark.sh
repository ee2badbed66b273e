#!/usr/bin/env bash
# Keystay beside SunPKCS11, in one JVM and on one SoftHSM token. Not a test: a table to read, on a quiet machine.
#
#   KEYSTAY_BUILD=build/release KEYSTAY_SOURCE=. tests/java/benchmark.sh JDK-VERSION [ALIASES [SECONDS]]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
readonly aliases="${2:-20}" seconds="${3:-3}"

make_token
make_ca
make_alias ec -keyalg EC -groupname secp256r1 >/dev/null 2>&1
make_alias rsa -keyalg RSA -keysize 2048 >/dev/null 2>&1
"$KEYSTAY_BUILD/bin/keystay-bench" fill "$KEYSTAY_CONF" "$((aliases - 2))"
"$jdk/bin/java" "${native_access[@]}" --add-modules jdk.crypto.cryptoki -cp "$jar" \
  "$KEYSTAY_SOURCE/tests/java/programs/Benchmark.java" "$(softhsm_module)" "$(cat "$scratch/web.pin")" "$seconds"
