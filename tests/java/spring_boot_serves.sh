#!/usr/bin/env bash
# Spring Boot with the properties of docs/user/java.md serves the alias that they name, by TLS 1.2 and 1.3.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl curl
readonly spring="$KEYSTAY_BUILD/java/spring-boot/lib"
[[ -d "$spring" ]] || skip "Maven has not fetched Spring Boot (see java-maven-fetches)"

make_token
make_ca
make_alias other -keyalg RSA -keysize 2048
make_alias httpd -keyalg EC -groupname secp256r1
printf '# Keystay key store, version 1\ntoken = "web"\n' >"$scratch/hsm.keystore"
# The lines of the guide as they are, with the key store in the directory of this test.
sed -n '/^server\.ssl\./p' "$KEYSTAY_SOURCE/docs/user/java.md" >"$scratch/application.properties"
grep -q '^server.ssl.key-alias=httpd$' "$scratch/application.properties" || fail "the guide has no lines for Spring Boot"
sed -i "s|file:hsm.keystore|file:$scratch/hsm.keystore|; \$a server.port=0" "$scratch/application.properties"

"$jdk/bin/javac" -cp "$spring/*" -d "$scratch/classes" "$KEYSTAY_SOURCE/tests/java/programs/SpringBootServer.java"
start server "$jdk/bin/java" "${jvm_options[@]}" \
  "-Djava.security.properties=$KEYSTAY_SOURCE/examples/java-server/provider.security" \
  -cp "$scratch/classes:$jar:$spring/*" SpringBootServer "--spring.config.location=file:$scratch/application.properties"
wait_for server grep -q 'Tomcat started on port' "$scratch/server.log"
port="$(sed -n 's/.*Tomcat started on port \([0-9]*\) (https).*/\1/p' "$scratch/server.log")"
for version in 1.2 1.3; do
  expect "$(curl --silent --show-error --max-time 60 --cacert "$scratch/ca.pem" "--tlsv$version" --tls-max "$version" \
    "https://localhost:$port/")" "stays on its token"
done
served="$(openssl s_client -connect "127.0.0.1:$port" -servername localhost </dev/null 2>/dev/null | openssl x509 -noout -pubkey)"
[[ "$served" == "$(openssl x509 -in "$scratch/httpd.crt" -noout -pubkey)" ]] || fail "another alias is served"
stop_java server
