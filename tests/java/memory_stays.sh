#!/usr/bin/env bash
# Signing and listing leave memory and descriptors where they were: 100,000 signatures, or 10,000,000 with KEYSTAY_SOAK.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd -keyalg EC -groupname secp256r1
signatures=100000
if [[ -n "${KEYSTAY_SOAK:-}" ]]; then signatures=10000000; fi
"$jdk/bin/java" "${native_access[@]}" -Xmx64m -cp "$jar" "$KEYSTAY_SOURCE/tests/java/programs/Soak.java" "$signatures"
