#!/usr/bin/env bash
# Jetty serves RSA, EC and Ed25519 aliases by TLS 1.2 and 1.3, and a renewed certificate when the key store file is touched.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl curl
readonly jetty="$KEYSTAY_BUILD/java/jetty/lib"
[[ -d "$jetty" ]] || skip "Maven has not fetched Jetty (see java-maven-fetches)"

make_token
make_ca
make_alias rsa -keyalg RSA -keysize 2048
make_alias ec -keyalg EC -groupname secp256r1
make_alias ed -keyalg Ed25519
"$jdk/bin/javac" -cp "$jar:$jetty/*" -d "$scratch/classes" "$KEYSTAY_SOURCE/tests/java/programs/JettyServer.java"

# Jetty chooses by server name among all aliases of its key store, whatever setCertAlias says: here by the file.
serve() { # serve ALIAS
  printf '# Keystay key store, version 1\ntoken = "web"\nscope = "listed"\naliases = ["%s"]\n' "$1" >"$scratch/$1.keystore"
  start "$1" "$jdk/bin/java" "${jvm_options[@]}" -cp "$scratch/classes:$jar:$jetty/*" JettyServer \
    "$scratch/$1.keystore" "$1"
  wait_for "$1" grep -q '^listening on port' "$scratch/$1.log"
  port="$(sed -n 's/^listening on port //p' "$scratch/$1.log")"
}
page() { # page VERSION
  curl --silent --show-error --max-time 60 --cacert "$scratch/ca.pem" "--tlsv$1" --tls-max "$1" "https://localhost:$port/"
}
served_certificate() {
  openssl s_client -connect "127.0.0.1:$port" -servername localhost </dev/null 2>/dev/null |
    openssl x509 -noout -sha256 -fingerprint
}
is_served() { # is_served ALIAS: the certificate that its files hold now
  [[ "$(served_certificate)" == "$(openssl x509 -in "$scratch/$1.crt" -noout -sha256 -fingerprint)" ]]
}

for alias in rsa ec ed; do
  serve "$alias"
  for version in 1.2 1.3; do expect "$(page "$version")" "stays on its token"; done
  is_served "$alias" || fail "Jetty serves another certificate than that of $alias"
  [[ "$alias" == ed ]] || stop_java "$alias"
done

# --- a renewed certificate: the CA signs the request again, and the key store file is touched -------------------------
openssl x509 -req -in "$scratch/ed.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 3 \
  -extfile "$scratch/ed.ext" -out "$scratch/ed.crt" 2>>"$scratch/openssl-x509.log"
cat "$scratch/ed.crt" "$scratch/ca.pem" >"$scratch/ed.chain"
"$keystay" -importcert -alias ed -file "$scratch/ed.chain"
touch "$scratch/ed.keystore"
wait_for ed is_served ed
expect "$(page 1.3)" "stays on its token"
stop_java ed
