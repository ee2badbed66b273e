#!/usr/bin/env bash
# The openssl commands that take a private key take an alias: req, x509, ca, cms, dgst, pkeyutl and storeutl; what they
# sign, OpenSSL without the provider verifies.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd-rsa -keyalg RSA -keysize 2048
make_alias httpd-ec -keyalg EC -groupname secp384r1
use_provider
cd "$scratch"
echo "what is signed" >message
plain openssl dgst -sha256 -binary -out digest message

# forms_of ALIAS: the ways to name its key.
forms_of() {
  printf '%s\n' "keystay:$1" "keystay:web/$1" "pkcs11:token=web;object=$1;type=private" "$scratch/$1.pem"
}

# requests_and_certificates ALIAS KEY: leaves a request, new.csr, and authority.crt, the key as a CA.
requests_and_certificates() {
  local alias="$1" key="$2"
  others openssl req -new -key "$key" -subj "/CN=csr" -addext "subjectAltName=DNS:csr" -out new.csr
  plain openssl req -in new.csr -verify -noout
  others openssl req -new -x509 -key "$key" -subj "/CN=$alias as a CA" -addext "basicConstraints=critical,CA:TRUE" -days 1 \
    -out authority.crt
  plain openssl verify -CAfile authority.crt authority.crt
  others openssl x509 -req -in new.csr -CA authority.crt -CAkey "$key" -CAcreateserial -days 1 -out issued.crt
  plain openssl verify -CAfile authority.crt issued.crt
  others openssl x509 -in issued.crt -signkey "$key" -days 1 -out resigned.crt
}

# certificate_authority KEY: it issues what new.csr requests, revokes it, and publishes the list.
certificate_authority() {
  local key="$1"
  rm -rf authority
  mkdir authority
  touch authority/index.txt
  echo 01 >authority/serial
  cat >authority/ca.cnf <<'CNF'
[ca]
default_ca = authority
[authority]
database = authority/index.txt
serial = authority/serial
new_certs_dir = authority
default_md = sha256
default_days = 1
default_crl_days = 1
policy = anything
[anything]
commonName = supplied
CNF
  others openssl ca -batch -notext -config authority/ca.cnf -cert authority.crt -keyfile "$key" -in new.csr \
    -out authority/issued.crt
  plain openssl verify -CAfile authority.crt authority/issued.crt
  others openssl ca -config authority/ca.cnf -cert authority.crt -keyfile "$key" -revoke authority/issued.crt
  others openssl ca -config authority/ca.cnf -cert authority.crt -keyfile "$key" -gencrl -out authority/list.crl
  plain openssl crl -in authority/list.crl -CAfile authority.crt -noout
  if plain openssl verify -CAfile authority.crt -CRLfile authority/list.crl -crl_check \
    authority/issued.crt >refused.log 2>&1; then fail "the revoked certificate is still good"; fi
  expect "$(cat refused.log)" "certificate revoked"
}

signed_messages() {
  local alias="$1" key="$2"
  shift 2
  others openssl cms -sign -binary -nodetach -in message -signer "$alias.crt" -inkey "$key" "$@" -outform DER -out message.cms
  plain openssl cms -verify -binary -inform DER -in message.cms -CAfile ca.pem -purpose any -out message.back
  cmp message message.back
  others openssl cms -sign -binary -noattr -nodetach -in message -signer "$alias.crt" -inkey "$key" "$@" -out message.smime
  plain openssl cms -verify -binary -in message.smime -CAfile ca.pem -purpose any -out message.back
  cmp message message.back
}

signatures() {
  local alias="$1" key="$2"
  shift 2
  plain openssl x509 -in "$alias.crt" -noout -pubkey >"$alias.pub"
  others openssl dgst -sha384 -sign "$key" -out signature message
  plain openssl dgst -sha384 -verify "$alias.pub" -signature signature message
  others openssl pkeyutl -sign -inkey "$key" -pkeyopt digest:sha256 "$@" -in digest -out signature
  plain openssl pkeyutl -verify -pubin -inkey "$alias.pub" -pkeyopt digest:sha256 "$@" -in digest -sigfile signature
  # With the alias itself: its public half, in software.
  others openssl pkeyutl -verify -inkey "$key" -pkeyopt digest:sha256 "$@" -in digest -sigfile signature
  others openssl pkeyutl -sign -rawin -digest sha512 -inkey "$key" "$@" -in message -out signature
  plain openssl pkeyutl -verify -rawin -digest sha512 -pubin -inkey "$alias.pub" "$@" -in message -sigfile signature
}

# listed N OPTION URI: storeutl finds so many.
listed() {
  local expected="$1" option="$2" uri="$3" output
  output="$(others openssl storeutl -noout "$option" "$uri")"
  expect "$output" "Total found: $expected"
}

store() {
  local alias="$1" uri
  for uri in "keystay:$alias" "pkcs11:token=web;object=$alias"; do
    listed 1 -keys "$uri"
    others openssl storeutl -certs "$uri" >store.pem
    plain openssl x509 -in store.pem -outform DER | cmp - <(plain openssl x509 -in "$alias.crt" -outform DER) ||
      fail "the first certificate of $uri is not the leaf"
  done
}

for alias in httpd-rsa httpd-ec; do
  while IFS= read -r key; do
    requests_and_certificates "$alias" "$key"
    certificate_authority "$key"
    signed_messages "$alias" "$key"
    signatures "$alias" "$key"
  done < <(forms_of "$alias")
  store "$alias"
done
signatures httpd-rsa keystay:httpd-rsa -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest
signed_messages httpd-rsa keystay:httpd-rsa -keyopt rsa_padding_mode:pss
