#!/usr/bin/env bash
# The Java example serves the aliases that `keystay -genkeypair` made, with every signature scheme of TLS 1.2 and 1.3.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl curl

make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
make_alias httpd-ed -keyalg Ed25519
make_alias other -keyalg EC -groupname secp384r1
cp "$KEYSTAY_CONF" "$scratch/with-pin.toml"

serve() { # serve NAME ALIAS…: the example with these aliases; sets $port.
  local name="$1" list
  shift
  list="$(printf '"%s", ' "$@")"
  printf '# Keystay key store, version 1\ntoken = "web"\nscope = "listed"\naliases = [%s]\n' "${list%, }" \
    >"$scratch/$name.keystore"
  start "$name" env JAVA_HOME="$jdk" KEYSTAY_JAR="$jar" JAVA_OPTIONS="${jvm_options[*]}" \
    "$KEYSTAY_SOURCE/examples/java-https/run.sh" "$scratch/$name.keystore" 0
  wait_for "$name" grep -q '^listening on port' "$scratch/$name.log"
  port="$(sed -n 's/^listening on port //p' "$scratch/$name.log")"
}

serve both httpd-rsa httpd-ec
for version in 1.2 1.3; do
  page="$(curl --silent --show-error --cacert "$scratch/ca.pem" --tlsv1.2 --tls-max "$version" "https://localhost:$port/")"
  expect "$page" "stays on its token"
done
every_scheme rsa served "$port" "Hello from Java"
every_scheme ec served "$port" "Hello from Java"
stop_java both

serve edwards httpd-ed
every_scheme ed served "$port" "Hello from Java"
stop_java edwards

# The PIN as the store password, where keystay.toml has none.
sed -i '/^pin = /d' "$KEYSTAY_CONF"
STORE_PASSWORD="$(cat "$scratch/web.pin")"
export STORE_PASSWORD
serve password other
served "$port" "Hello from Java" "ECDSA" -tls1_3 -sigalgs ecdsa_secp384r1_sha384
stop_java password
