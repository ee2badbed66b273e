#!/usr/bin/env bash
# An FTPS and HTTPS server in Java (Apache FtpServer and Tomcat) whose private keys stay on a token.
#
#   examples/java-server/run.sh SERVER.PROPERTIES
#
# Maven compiles it and fetches the servers at the first run. JAVA_HOME chooses the JDK (17 or later), KEYSTAY_BUILD the
# build of Keystay, JAVA_OPTIONS what else the JVM is to be told.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

settings="${1:?usage: run.sh SERVER.PROPERTIES}"
build="${KEYSTAY_BUILD:-$here/../../build/release}"
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"

if [[ ! -d "$build/java/java-server/lib" ]]; then
  mvn --quiet --batch-mode --file "$here/pom.xml" "-Dkeystay.build=$build" compile
fi

read -ra options <<<"${JAVA_OPTIONS:-}"
version="$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')"
if [[ "$version" -ge 24 ]]; then options+=(--enable-native-access=ALL-UNNAMED); fi

# FtpServer does better without session tickets (see FtpsServer.java); this ends those of TLS 1.2.
options+=(-Djdk.tls.server.enableSessionTicketExtension=false)

exec "$java" "${options[@]}" "-Djava.security.properties=$here/provider.security" \
  -cp "$build/java/java-server/classes:$build/java/java-server/lib/*:$build/java/keystay-jca.jar" \
  org.keystay.examples.server.JavaServer "$settings"
