#!/usr/bin/env bash
# The JUnit tests of java/, on one JDK, with -Xcheck:jni, on SoftHSM tokens of this run.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need mvn maven
export MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${MAVEN_OPTS:-}" # not for the tests, whose JVM is another

make_token
KEYSTAY_TEST_MODULE="$(softhsm_module)"
export KEYSTAY_TEST_MODULE

# Tokens for the tests of the PIN, which a process gives once: "filed" has a pin in keystay.toml, the others none.
sed -i '/^pin = /d' "$KEYSTAY_CONF"
cp "$scratch/web.pin" "$scratch/open.pin"
chmod 644 "$scratch/open.pin"
(umask 077 && echo 999999 >"$scratch/wrong.pin")
for token in late guessed compared filed called keyless importing open mistaken odd; do
  softhsm2-util --init-token --free --label "$token" --pin 123456 --so-pin 87654321 >>"$scratch/softhsm2-util.log" 2>&1
  printf '\n[token.%s]\nmodule = "%s"\nlabel = "%s"\n' "$token" "$KEYSTAY_TEST_MODULE" "$token" >>"$KEYSTAY_CONF"
  if [[ "$token" == filed ]]; then echo "pin = \"file:$scratch/web.pin\"" >>"$KEYSTAY_CONF"; fi
  if [[ "$token" == open ]]; then echo "pin = \"file:$scratch/open.pin\"" >>"$KEYSTAY_CONF"; fi
  if [[ "$token" == mistaken ]]; then echo "pin = \"file:$scratch/wrong.pin\"" >>"$KEYSTAY_CONF"; fi
  if [[ "$token" == importing ]]; then echo 'import = "allow"' >>"$KEYSTAY_CONF"; fi
done

softhsm2-util --init-token --free --label stated --pin 123456 --so-pin 87654321 >>"$scratch/softhsm2-util.log" 2>&1

# Each JDK compiles and reports in a directory of its own; offline, because the fixture has fetched what is needed.
surefire="$KEYSTAY_BUILD/java/maven-$jdk_version/surefire-reports"
rm -rf "$surefire"
JAVA_HOME="$jdk" mvn --quiet --batch-mode --offline --file "$KEYSTAY_SOURCE/java/pom.xml" \
  "-Dkeystay.build=$KEYSTAY_BUILD" "-Dkeystay.maven=maven-$jdk_version" \
  "-Dkeystay.test.jvm.options=${jvm_options[*]}" test >"$scratch/maven.log" 2>&1 || {
  cat "$scratch/maven.log"
  fail "JUnit tests on JDK $jdk_version"
}
# What -Xcheck:jni prints disturbs Surefire's own channel, which notes it there.
if compgen -G "$surefire/*.dump*" >/dev/null; then
  cat "$surefire"/*.dump*
  fail "the JVM of the tests printed what it should not"
fi
grep -h '^Tests run' "$surefire"/*.txt

# Keys that were generated and got no alias are gone with the process.
if objects | grep 'label:      unfinished-'; then fail "a key without an alias stayed on the token"; fi
