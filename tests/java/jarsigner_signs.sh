#!/usr/bin/env bash
# jarsigner with the options that docs/user/java.md names, with each kind of key; the JDK verifies what it signed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias rsa -keyalg RSA -keysize 2048
make_alias ec -keyalg EC -groupname secp384r1
make_alias ed -keyalg Ed25519
printf '# Keystay key store, version 1\ntoken = "web"\n' >"$keystore"
echo content >"$scratch/content"
"$jdk/bin/jar" --create --file "$scratch/plain.jar" -C "$scratch" content

# signed KEYSTORE ALIAS ALGORITHM OPTION …: jarsigner signs with the alias, and the signature is of this algorithm.
signed() {
  local store="$1" alias="$2" algorithm="$3" code=0
  shift 3
  rm -f "$scratch/signed.jar"
  "$jdk/bin/jarsigner" "${keytool_options[@]/#/-J}" -keystore "$store" -storetype Keystay "$@" \
    -signedjar "$scratch/signed.jar" "$scratch/plain.jar" "$alias" >"$scratch/jarsigner.log" 2>&1 </dev/null || code=$?
  [[ "$code" -eq 0 ]] || fail "jarsigner with $alias and $*"
  "$jdk/bin/jarsigner" -verify -verbose "$scratch/signed.jar" >"$scratch/verified.log" 2>&1 || fail "the signature of $alias"
  expect "$(cat "$scratch/verified.log")" "jar verified"
  expect "$(cat "$scratch/verified.log")" "Signature algorithm: $algorithm"
}

by_class=(-J-cp "-J$jar" -providerClass org.keystay.jca.KeystayProvider)
by_name=(-J-cp "-J$jar" -addprovider Keystay)
signed "$keystore" rsa "SHA" "${by_class[@]}" -protected
signed "$keystore" ec "SHA384withECDSA" "${by_class[@]}" -protected
signed "$keystore" ed "Ed25519" "${by_class[@]}" -protected
signed "$keystore" rsa "SHA512withRSA" "${by_name[@]}" -protected -sigalg SHA512withRSA
signed "$keystore" rsa "RSASSA-PSS" "${by_name[@]}" -protected -sigalg RSASSA-PSS
signed "$keystore" ed "Ed25519" "${by_name[@]}" -storepass:file "$scratch/web.pin" -digestalg SHA-512
if [[ "$jdk_version" -ge 18 ]]; then
  signed "$keystore" ec "SHA384withECDSA" -providerPath "$jar" -providerClass org.keystay.jca.KeystayProvider -protected
fi
signed NONE rsa "SHA" "${by_name[@]}" -protected
