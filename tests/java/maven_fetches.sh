#!/usr/bin/env bash
# Fetches what the JUnit tests need from Maven Central, once for all JDKs; later runs need no network.
source "$(dirname "${BASH_SOURCE[0]}")/../interop/lib.sh"
need mvn maven

maven() {
  mvn --quiet --batch-mode --file "$KEYSTAY_SOURCE/java/pom.xml" "-Dkeystay.build=$KEYSTAY_BUILD" \
    -Dkeystay.maven=maven-fetch -DskipTests "$@" test >"$scratch/maven.log" 2>&1
}
maven --offline || maven || {
  grep -q "Could not transfer\|Unknown host\|Connection" "$scratch/maven.log" &&
    skip "Maven Central is out of reach, and the local repository lacks what the JUnit tests need"
  fail "Maven cannot compile the JUnit tests"
}
