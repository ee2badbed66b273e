#!/usr/bin/env bash
# What `verify = true` of a group costs in a JVM. Not a test: a table to read, on a quiet machine.
#
#   KEYSTAY_BUILD=build/release KEYSTAY_SOURCE=. tests/java/verification_costs.sh JDK-VERSION [SECONDS]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
"$keystay" -genkeypair -alias ec -keyalg EC -groupname secp256r1 -dname CN=ec
"$keystay" -genkeypair -alias rsa -keyalg RSA -keysize 2048 -dname CN=rsa
printf '\n[group.%s]\nmembers = ["web"]\n' plain verified >>"$scratch/keystay.toml"
echo 'verify = true' >>"$scratch/keystay.toml"
"$jdk/bin/java" "${native_access[@]}" -cp "$jar" "$KEYSTAY_SOURCE/tests/java/programs/VerificationCost.java" "${2:-3}"
