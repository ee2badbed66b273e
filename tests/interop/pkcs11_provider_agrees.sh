#!/usr/bin/env bash
# Users of pkcs11-provider can come and go: one openssl.cnf serves both providers but for the line `module =`, our PEM
# references are read by pkcs11-provider, and those that it writes are read by us.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# pkcs11_provider: where Debian puts it.
pkcs11_provider() { printf '%s\n' /usr/lib/*/ossl-modules/pkcs11.so | head -n 1; }
[[ -e "$(pkcs11_provider)" ]] || skip "pkcs11.so is not installed (package pkcs11-provider)"
make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1

# with MODULE PROGRAM …: under the same openssl.cnf, and without any keystay.toml.
with() {
  cat >"$scratch/openssl.cnf" <<CNF
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
pkcs11 = pkcs11_sect
[default_sect]
activate = 1
[pkcs11_sect]
module = $1
pkcs11-module-path = $(softhsm_module)
pkcs11-module-token-pin = file:$scratch/web.pin
pkcs11-module-quirks = no-deinit no-operation-state
pkcs11-module-encode-provider-uri-to-pem = true
pkcs11-module-load-behavior = early
activate = 1
CNF
  shift
  OPENSSL_CONF="$scratch/openssl.cnf" others env -u KEYSTAY_CONF "$@"
}
ours() { with "$KEYSTAY_BUILD/ossl-modules/keystay.so" "$@"; }
theirs() { with "$(pkcs11_provider)" "$@"; }

echo "who signs is who says so" >"$scratch/message"
# signs WHO KEY ALIAS: the signature is good, by the certificate of the alias.
signs() {
  "$1" openssl dgst -sha256 -sign "$2" -out "$scratch/signature" "$scratch/message" || fail "$1 cannot sign with $2"
  openssl x509 -in "$scratch/$3.crt" -noout -pubkey >"$scratch/$3.pub"
  openssl dgst -sha256 -verify "$scratch/$3.pub" -signature "$scratch/signature" "$scratch/message" >/dev/null ||
    fail "$1 signed with another key than $2"
}

for alias in httpd-rsa httpd-ec; do
  for who in ours theirs; do
    signs "$who" "pkcs11:token=web;object=$alias;type=private" "$alias"
    signs "$who" "$scratch/$alias.pem" "$alias"
  done
  theirs openssl pkey -in "pkcs11:token=web;object=$alias;type=private" -out "$scratch/$alias.theirs"
  expect "$(cat "$scratch/$alias.theirs")" "BEGIN PKCS#11 PROVIDER URI"
  signs ours "$scratch/$alias.theirs" "$alias"
done
