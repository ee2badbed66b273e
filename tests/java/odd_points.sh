#!/usr/bin/env bash
# The forms of CKA_EC_POINT that others write, through every front door: keystay, keytool, OpenSSL and keystay-tlsd. What
# can be read signs, as the key itself verifies; of what cannot, each says why, and the other keys work.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
readonly pin=123456 parameters=06082a8648ce3d030107 # prime256v1
readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
echo message >"$scratch/message"

# form_of POINT NAME: CKA_EC_POINT of this form, in hexadecimal.
form_of() {
  local point="$1" x="${1:2:64}" y="${1:66:64}" sign
  sign=$((16#${y: -1} % 2))
  case "$2" in
    octet-string) echo "0441$point" ;;
    long-length) echo "048141$point" ;;
    bare) echo "$point" ;;
    bit-string) echo "034200$point" ;;
    compressed) echo "0$((2 + sign))$x" ;;
    octet-string-compressed) echo "04210$((2 + sign))$x" ;;
    bit-string-compressed) echo "0322000$((2 + sign))$x" ;;
    hybrid) echo "04410$((6 + sign))$x$y" ;;
    empty) echo "" ;;
    short) echo "0440${point:0:128}" ;;
    long) echo "0442${point}00" ;;
    trailing) echo "0441${point}ff" ;;
    unused-bits) echo "034207$point" ;;
    infinity) echo 040100 ;;
    zero) printf '044104%0128d\n' 0 ;;
    off-the-curve) echo "0441${point:0:128}$(printf '%02x' $(((16#${point:128:2} + 1) % 256)))" ;;
  esac
}

# write_key FORM CKA_ID: a private key, which states no public half, and a public key object of this form.
write_key() {
  local point
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out "$scratch/$1.der" 2>/dev/null
  openssl pkey -in "$scratch/$1.der" -inform DER -pubout -out "$scratch/$1.pub"
  PIN="$pin" pkcs11-tool --module "$(softhsm_module)" --token-label web --login --pin env:PIN --write-object "$scratch/$1.der" \
    --type privkey --label "$1" --id "$2" --usage-sign >"$scratch/pkcs11-tool.log" 2>&1
  point="$(openssl pkey -in "$scratch/$1.der" -inform DER -pubout -outform DER | tail -c 65 | od -An -v -tx1 | tr -d ' \n')"
  PIN="$pin" "$KEYSTAY_BUILD/tests/keystay-write-public-key" "$(softhsm_module)" web "$1" "$2" "$parameters" "$(form_of "$point" "$1")"
}

signs_by_openssl() {
  (use_provider && others openssl dgst -sha256 -sign "keystay:$1" -out "$scratch/signature" "$scratch/message") \
    2>"$scratch/openssl.log"
}

# check_by_tlsd ALIAS: what keystay-tlsd says of it as a certificate.
check_by_tlsd() {
  { cat "$KEYSTAY_CONF" && printf '[[tlsd.listener]]\nname = "a"\nbind = ["127.0.0.1:0"]\ncertificates = ["%s"]\nbackend = "b"\n[tlsd.backend.b]\nservers = ["127.0.0.1:1"]\n' "$1"; } \
    >"$scratch/tlsd.toml"
  "$tlsd" check -c "$scratch/tlsd.toml" >"$scratch/tlsd.log" 2>&1
}

readonly sound=(octet-string long-length bare bit-string compressed octet-string-compressed bit-string-compressed hybrid)
readonly unsound=(empty short long trailing unused-bits infinity zero off-the-curve)
id=10
for form in "${sound[@]}" "${unsound[@]}"; do
  id=$((id + 1))
  write_key "$form" "$id"
done
printf '# Keystay key store, version 1\ntoken = "web"\n' >"$keystore"

echo "== the key store as a whole"
list="$("$keystay" -list)"
expect "$list" "contains ${#sound[@]} entries"
for form in "${unsound[@]}"; do expect "$list" "key \"$form\": cannot be used: "; done
keytool -list -storepass "$pin"
said "contains ${#sound[@]} entries"

for form in "${sound[@]}"; do
  echo "== $form"
  "$keystay" -certreq -alias "$form" -dname CN=localhost | openssl req -noout -verify -in /dev/stdin
  signs_by_openssl "$form"
  openssl dgst -sha256 -verify "$scratch/$form.pub" -signature "$scratch/signature" "$scratch/message"
  keytool -certreq -alias "$form" -file "$scratch/$form.csr" -storepass "$pin"
  openssl req -noout -verify -in "$scratch/$form.csr"
  openssl req -noout -pubkey -in "$scratch/$form.csr" | cmp - "$scratch/$form.pub"
  if check_by_tlsd "$form"; then fail "keystay-tlsd takes a key without a certificate"; fi
  expect "$(cat "$scratch/tlsd.log")" "the key has no certificate"
done

for form in "${unsound[@]}"; do
  echo "== $form"
  reason="alias \"$form\" is a key that cannot be used: of its public key object, "
  if "$keystay" -certreq -alias "$form" -dname CN=localhost >"$scratch/keystay.log" 2>&1; then fail "keystay takes it"; fi
  expect "$(cat "$scratch/keystay.log")" "$reason"
  keytool_refuses "$keystore" -certreq -alias "$form" -storepass "$pin"
  said "$reason"
  keytool_refuses "$keystore" -exportcert -alias "$form" -storepass "$pin"
  said "$reason"
  if signs_by_openssl "$form"; then fail "OpenSSL takes it"; fi
  expect "$(cat "$scratch/openssl.log")" "$reason"
  if check_by_tlsd "$form"; then fail "keystay-tlsd takes it"; fi
  expect "$(cat "$scratch/tlsd.log")" "$reason"
done
