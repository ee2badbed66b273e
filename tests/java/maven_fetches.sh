#!/usr/bin/env bash
# Fetches what the JUnit tests, the server example, Jetty and Spring Boot need from Maven Central, once for all JDKs; later runs need no
# network. Compiles the first two.
source "$(dirname "${BASH_SOURCE[0]}")/../interop/lib.sh"
need mvn maven
export MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${MAVEN_OPTS:-}" # it ends before optimising pays

# maven DIRECTORY GOAL…: offline if the local repository has everything.
maven() {
  local options=(--quiet --batch-mode --file "$KEYSTAY_SOURCE/$1/pom.xml" "-Dkeystay.build=$KEYSTAY_BUILD"
    -Dkeystay.maven=maven-fetch "${@:2}")
  mvn --offline "${options[@]}" >"$scratch/maven.log" 2>&1 || mvn "${options[@]}" >"$scratch/maven.log" 2>&1 || {
    grep -q "Could not transfer\|Unknown host\|Connection" "$scratch/maven.log" &&
      skip "Maven Central is out of reach, and the local repository lacks what $1 needs"
    fail "Maven cannot build $1"
  }
}
# One test, because Surefire fetches the half of it that runs tests only then.
maven java test '-Dtest=NativeLibraryTest#makingAProviderLoadsNothing'
maven examples/java-server compile
maven tests/java/jetty compile
maven tests/java/spring-boot compile
