#!/usr/bin/env bash
# A Java server whose key manager factory is "Keystay" serves what keystay acme renew has got, with the old key and with a new one,
# without a restart.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/interop/acme.sh
source "$interop/acme.sh"
need curl curl

make_token
http="$(free_port)"
start_pebble "$http"
acme issue -alias httpd -directory "$directory" -ca-file "$scratch/acme-ca.pem" -agree-tos -http-port "127.0.0.1:$http" \
  -ext san=dns:localhost,dns:www.example

printf '# Keystay key store, version 1\ntoken = "web"\nscope = "listed"\naliases = ["httpd"]\n' >"$scratch/web.keystore"
echo "ssl.KeyManagerFactory.algorithm=Keystay" >"$scratch/java.security"
start server env JAVA_HOME="$jdk" KEYSTAY_JAR="$jar" \
  JAVA_OPTIONS="${jvm_options[*]} -Dorg.keystay.refresh=1 -Djava.security.properties=$scratch/java.security" \
  "$KEYSTAY_SOURCE/examples/java-https/run.sh" "$scratch/web.keystore" 0
wait_for server grep -q '^listening on port' "$scratch/server.log"
port="$(sed -n 's/^listening on port //p' "$scratch/server.log")"

served() { openssl s_client -connect "127.0.0.1:$port" -servername localhost </dev/null 2>/dev/null | openssl x509 -outform PEM; }
serves_leaf() { [[ "$(served)" == "$("$keystay" -exportcert -rfc -alias httpd | openssl x509 -outform PEM)" ]]; }
page() { curl --silent --show-error --max-time 60 --cacert "$scratch/ca.pem" "https://localhost:$port/"; }

serves_leaf || fail "the first certificate is not served"
expect "$(page)" "stays on its token"
first="$(served)"

echo "== renewed, with the same key"
acme renew -days 36500 >"$scratch/renew.out"
wait_for server serves_leaf
[[ "$(served)" != "$first" ]] || fail "it is the one before"
expect "$(page)" "stays on its token"

echo "== renewed, with another key"
second="$(served)"
acme renew -days 36500 -rotate >"$scratch/renew.out"
wait_for server serves_leaf
[[ "$(served | openssl x509 -noout -pubkey)" != "$(openssl x509 -noout -pubkey <<<"$second")" ]] || fail "the key is the one before"
expect "$(page)" "stays on its token"
stop_java server
