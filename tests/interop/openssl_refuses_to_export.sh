#!/usr/bin/env bash
# No openssl command writes the private key of an alias, and each says why; the public key is written by all.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider

# keeps openssl COMMAND …: the command fails by itself and writes nothing.
keeps() {
  rm -f "$scratch/leaked"
  refused others "$@" -out "$scratch/leaked"
  [[ ! -s "$scratch/leaked" ]] || fail "$* wrote: $(cat "$scratch/leaked")"
}
# keeps_and_tells openssl COMMAND …: and the error says that it never will.
keeps_and_tells() {
  keeps "$@"
  expect "$(cat "$scratch/refused.log")" "the private key cannot leave its token"
}

for alias in httpd-rsa httpd-ec; do
  for key in "keystay:$alias" "$scratch/$alias.pem"; do
    keeps_and_tells openssl pkey -in "$key"
    keeps_and_tells openssl pkey -in "$key" -outform DER
    keeps_and_tells openssl pkey -in "$key" -aes256 -passout pass:irrelevant
    keeps_and_tells openssl pkcs12 -export -inkey "$key" -in "$scratch/$alias.crt" -passout pass:irrelevant
    keeps openssl pkey -in "$key" -traditional # OpenSSL asks for an export here, and words the refusal itself

    others openssl pkey -in "$key" -pubout -out "$scratch/public.pem"
    plain openssl x509 -in "$scratch/$alias.crt" -noout -pubkey | cmp - "$scratch/public.pem"
  done
done
