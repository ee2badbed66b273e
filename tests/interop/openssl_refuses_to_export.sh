#!/usr/bin/env bash
# No openssl command prints the private key of an alias; the public key it prints.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp256r1
use_provider

for alias in httpd-rsa httpd-ec; do
  for key in "keystay:$alias" "$scratch/$alias.pem"; do
    for form in "-traditional" "-outform DER" "-aes256 -passout pass:irrelevant" ""; do
      # shellcheck disable=SC2086  # two words
      refused others openssl pkey -in "$key" $form -out "$scratch/leaked.pem"
      [[ ! -s "$scratch/leaked.pem" ]] || fail "openssl pkey $form wrote something for $key"
      expect "$(cat "$scratch/refused.log")" "never leaves"
    done
    others openssl pkey -in "$key" -pubout -out "$scratch/public.pem"
    plain openssl x509 -in "$scratch/$alias.crt" -noout -pubkey | cmp - "$scratch/public.pem"
  done
done
