#!/usr/bin/env bash
# The JDK's keytool makes, certifies, imports and deletes the aliases of a group: all three members have the same afterwards.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_members a b c
cat >>"$scratch/keystay.toml" <<TOML
[group.front]
members = ["hsm-a", "hsm-b", "hsm-c"]
wrapping-key = "kek"
TOML
make_ca
readonly pin=123456

alike() { "$keystay" group status >"$scratch/status.log" 2>&1 || fail "$1: $(cat "$scratch/status.log")"; }
# on_all ALIAS: each member has it.
on_all() {
  local member
  for member in a b c; do expect "$("$keystay" -list -token "hsm-$member")" "$1, "; done
}

keytool_refuses "$keystore" -genkeypair -alias httpd -keyalg EC -dname CN=localhost -storepass "$pin" -keypass "$pin"
said "no wrapping key"
alike "refused"

"$keystay" group init -noprompt
keytool -genkeypair -alias httpd -keyalg EC -dname CN=localhost -storepass "$pin" -keypass "$pin"
on_all httpd
alike "a new key"
keytool -certreq -alias httpd -file "$scratch/httpd.csr" -storepass "$pin"
openssl x509 -req -in "$scratch/httpd.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -out "$scratch/httpd.crt" 2>"$scratch/openssl-x509.log"
cat "$scratch/httpd.crt" "$scratch/ca.pem" >"$scratch/httpd.chain"
keytool -importcert -noprompt -alias httpd -file "$scratch/httpd.chain" -storepass "$pin"
said "Certificate reply was installed in keystore"
alike "a CA's reply"
keytool -changealias -alias httpd -destalias web -storepass "$pin" -keypass "$pin"
on_all web
alike "another name"
keytool -importcert -noprompt -alias root -file "$scratch/ca.pem" -storepass "$pin"
keytool -delete -alias web -storepass "$pin"
alike "deleted"
if "$keystay" -list -token hsm-b | finds "PrivateKeyEntry"; then fail "hsm-b has the key still"; fi
