#!/usr/bin/env bash
# `openssl dgst -sign` signs with an alias, by URI and by PEM reference file, and OpenSSL without the provider verifies.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider
echo "what is signed" >"$scratch/message"

# signs ALIAS KEY [-sigopt …]: signs with KEY, and verifies with the public key of ALIAS's certificate.
signs() {
  local alias="$1" key="$2"
  shift 2
  plain openssl x509 -in "$scratch/$alias.crt" -noout -pubkey >"$scratch/$alias.pub"
  others openssl dgst -sha256 -sign "$key" "$@" -out "$scratch/signature" "$scratch/message"
  plain openssl dgst -sha256 -verify "$scratch/$alias.pub" "$@" -signature "$scratch/signature" "$scratch/message"
}

readonly pss=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest)
for key in "keystay:httpd-rsa" "keystay:web/httpd-rsa" "pkcs11:token=web;object=httpd-rsa;type=private" \
  "$scratch/httpd-rsa.pem"; do
  signs httpd-rsa "$key"
  signs httpd-rsa "$key" "${pss[@]}"
done
for key in "keystay:httpd-ec" "pkcs11:token=web;object=httpd-ec;type=private" "$scratch/httpd-ec.pem"; do
  signs httpd-ec "$key"
done

# A request and a certificate signed by the alias: these need the provider's algorithm identifiers.
for alias in httpd-rsa httpd-ec; do
  others openssl req -new -key "keystay:$alias" -subj "/CN=request" -out "$scratch/request.csr"
  plain openssl req -in "$scratch/request.csr" -verify -noout
  others openssl req -x509 -key "keystay:$alias" -days 1 -subj "/CN=root" -out "$scratch/root.crt"
  plain openssl verify -CAfile "$scratch/root.crt" "$scratch/root.crt"
done

# An alias that does not exist is refused by name, with the code of a failure.
refused others openssl dgst -sha256 -sign "keystay:nobody" -out "$scratch/signature" "$scratch/message"
expect "$(cat "$scratch/refused.log")" nobody
