#!/usr/bin/env bash
# Serves one page over HTTPS with the JDK's own server and an alias whose private key stays on its token.
#
#   examples/java-https/run.sh KEYSTORE [PORT]
#
# KEYSTORE is a key store file that names a token (README.md shows one). The PIN comes from keystay.toml, or from the
# environment variable STORE_PASSWORD. JAVA_HOME chooses the JDK, KEYSTAY_JAR the jar.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

keystore="${1:?usage: run.sh KEYSTORE [PORT]}"
port="${2:-8443}"
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
jar="${KEYSTAY_JAR:-$here/../../build/release/java/keystay-jca.jar}"

# From JDK 24 on, code outside the JDK that loads a native library is named, or warned about.
read -ra options <<<"${JAVA_OPTIONS:-}"
version="$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')"
if [[ "$version" -ge 24 ]]; then options+=(--enable-native-access=ALL-UNNAMED); fi

exec "$java" "${options[@]}" -cp "$jar" "$here/HttpsServerExample.java" "$keystore" "$port"
