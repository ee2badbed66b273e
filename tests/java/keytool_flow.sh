#!/usr/bin/env bash
# The flow of record, with the JDK's own keytool: key pair, request, CA's reply, list, export, rename, delete.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
sed -i '/^pin = /d' "$KEYSTAY_CONF" # the PIN comes as the store password
make_ca
readonly pin=123456
readonly dname="CN=localhost, O=Example"

certificate_of() { # certificate_of ALIAS: the fingerprint of what keytool exports
  keytool -exportcert -alias "$1" -file "$scratch/exported.der" -storepass "$pin" >/dev/null
  openssl x509 -inform DER -in "$scratch/exported.der" -noout -sha256 -fingerprint
}

ca_signs() { # ca_signs ALIAS: leaves ALIAS.chain, the leaf with the CA's certificate appended
  printf 'subjectAltName = DNS:localhost, IP:127.0.0.1\n' >"$scratch/$1.ext"
  openssl x509 -req -in "$scratch/$1.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
    -extfile "$scratch/$1.ext" -out "$scratch/$1.crt" 2>>"$scratch/openssl-x509.log"
  cat "$scratch/$1.crt" "$scratch/ca.pem" >"$scratch/$1.chain"
}

flow() { # flow ALIAS -keyalg …: from the key pair to the installed chain
  local alias="$1"
  shift
  keytool -genkeypair -alias "$alias" -dname "$dname" -storepass "$pin" -keypass "$pin" "$@"
  head -1 "$keystore" | finds -x '# Keystay key store, version 1' || fail "keytool wrote another file"
  keytool -certreq -alias "$alias" -file "$scratch/$alias.csr" -storepass "$pin"
  openssl req -in "$scratch/$alias.csr" -verify -noout -subject 2>&1 | finds -E 'CN ?= ?localhost' ||
    fail "openssl does not verify the request of $alias"
  ca_signs "$alias"
  keytool -importcert -noprompt -alias "$alias" -file "$scratch/$alias.chain" -storepass "$pin"
  said "Certificate reply was installed in keystore"
  keytool -list -v -alias "$alias" -storepass "$pin"
  said "Certificate chain length: 2"
  said "Owner: CN=localhost, O=Example"
  said "Issuer: CN=Interop Test CA"
  [[ "$(certificate_of "$alias")" == "$(openssl x509 -in "$scratch/$alias.crt" -noout -sha256 -fingerprint)" ]] ||
    fail "the exported certificate of $alias is not the one that the CA signed"
}

# --- a reply without its CA, which the key store knows already ---------------------------------------------------------
keytool -importcert -noprompt -alias root -file "$scratch/ca.pem" -storepass "$pin" -keypass "$pin"
said "Certificate was added to keystore"
keytool -genkeypair -alias short -dname "$dname" -keyalg EC -storepass "$pin" -keypass "$pin"
keytool -certreq -alias short -file "$scratch/short.csr" -storepass "$pin"
ca_signs short
keytool -importcert -alias short -file "$scratch/short.crt" -storepass "$pin"
said "Certificate reply was installed in keystore"
keytool -list -v -alias short -storepass "$pin"
said "Certificate chain length: 2"
keytool -delete -alias short -storepass "$pin"
keytool -list -storepass "$pin"
said "root, "
said "trustedCertEntry"

# --- RSA, EC and Ed25519 -----------------------------------------------------------------------------------------------
flow httpd -keyalg RSA -keysize 2048
said_by_others="$(objects)"
expect "$said_by_others" "label:      httpd"
expect "$said_by_others" "never extractable"
flow httpd-ec -keyalg EC -groupname secp384r1
flow httpd-ed -keyalg Ed25519
keytool -list -storepass "$pin"
said "Your keystore contains 4 entries"
[[ "$(grep -c PrivateKeyEntry "$scratch/keytool.log")" -eq 3 ]] || fail "expected three private key entries"
keytool -list -rfc -storepass "$pin"
[[ "$(grep -c 'BEGIN CERTIFICATE' "$scratch/keytool.log")" -eq 7 ]] || fail "expected three chains of two, and the CA"

# --- the same token through the other doors ------------------------------------------------------------------------------
printf '%s\n' "$pin" >"$scratch/pin.txt"
chmod 600 "$scratch/pin.txt"
sed "\$a pin = \"file:$scratch/pin.txt\"" "$KEYSTAY_CONF" >"$scratch/tool.toml"
tool() { KEYSTAY_CONF="$scratch/tool.toml" "$keystay" "$@"; }
# keystay reads keytool's key store, and keytool that of keystay; each finds the other's key.
expect "$(tool -list -keystore "$keystore")" "httpd-ec"
tool -genkeypair -alias by-tool -keyalg EC -keystore "$scratch/tool.keystore" -dname "$dname"
keytool_on "$scratch/tool.keystore" -list -v -alias by-tool -storepass "$pin"
said "Owner: CN=localhost, O=Example"
keytool_on "$scratch/tool.keystore" -certreq -alias by-tool -file "$scratch/by-tool.csr" -storepass "$pin"
tool -delete -alias by-tool -keystore "$scratch/tool.keystore"

# --- the PIN from elsewhere ----------------------------------------------------------------------------------------------
STORE_PIN="$pin" keytool -list -storepass:env STORE_PIN
said "Your keystore contains 4 entries"
keytool -list -storepass:file "$scratch/pin.txt"
said "Your keystore contains 4 entries"
keytool -list <<<"$pin" # the prompt
said "Your keystore contains 4 entries"
keytool_on NONE -list -storepass "$pin"
said "Your keystore contains 4 entries"
# Without -storetype and -providername, by the file's first line.
KEYSTAY_CONF="$KEYSTAY_CONF" "$jdk/bin/keytool" "${keytool_options[@]/#/-J}" -list -keystore "$keystore" -storepass "$pin" \
  -providerclass org.keystay.jca.KeystayProvider -providerpath "$jar" >"$scratch/by-first-line.log" 2>&1
cp "$scratch/by-first-line.log" "$scratch/keytool.log"
said "Your keystore contains 4 entries"

# --- renaming and deleting -------------------------------------------------------------------------------------------------
before="$(certificate_of httpd-ec)"
keytool -changealias -alias httpd-ec -destalias renamed -storepass "$pin"
[[ "$(certificate_of renamed)" == "$before" ]] || fail "the renamed alias has another certificate"
keytool -certreq -alias renamed -file "$scratch/renamed.csr" -storepass "$pin" # the key signs
keytool_refuses "$keystore" -list -alias httpd-ec -storepass "$pin"
said "does not exist"
keytool -delete -alias renamed -storepass "$pin"
keytool_refuses "$keystore" -list -alias renamed -storepass "$pin"
if objects | finds 'label:      renamed'; then fail "the deleted alias left objects on the token"; fi
objects | finds 'label:      root' || fail "the CA's certificate is gone"

# --- what is refused, and leaves everything as it was ------------------------------------------------------------------------
state() { objects | grep -v '^  *serial' | sort; }
kept="$(state)"
content="$(cat "$keystore")"

keytool_refuses "$keystore" -genkeypair -alias httpd -keyalg EC -dname "$dname" -storepass "$pin" -keypass "$pin"
said "already exists"
# Without -providername keytool makes the key in software, and hands it to the key store.
if "$jdk/bin/keytool" "${keytool_options[@]/#/-J}" -genkeypair -alias software -keyalg RSA -dname "$dname" -storepass "$pin" \
  -keypass "$pin" -keystore "$keystore" -storetype Keystay -providerclass org.keystay.jca.KeystayProvider \
  -providerpath "$jar" >"$scratch/keytool.log" 2>&1; then
  fail "a key made in software was taken"
fi
no_jni_warnings "$scratch/keytool.log"
said "-providername Keystay"
keytool_refuses "$keystore" -importcert -noprompt -alias httpd -file "$scratch/httpd-ed.chain" -storepass "$pin"
keytool_refuses "$keystore" -list -storepass 999999
said "keystore password was incorrect"
said "CKR_PIN_INCORRECT"
keytool_refuses "$keystore" -storepasswd -new 654321 -storepass "$pin"
said "PIN"
keytool_refuses "$keystore" -keypasswd -alias httpd -new 654321 -storepass "$pin"
openssl pkcs12 -export -inkey "$scratch/ca.key" -in "$scratch/ca.pem" -name imported -passout pass:changeit \
  -out "$scratch/soft.p12"
import_p12() { # import_p12 [-srcalias …]: keytool tells the problem of each entry, and ends well
  "$jdk/bin/keytool" "${keytool_options[@]/#/-J}" -importkeystore -srckeystore "$scratch/soft.p12" -srcstorepass changeit \
    -srcstoretype PKCS12 -destkeystore "$keystore" -deststoretype Keystay -destprovidername Keystay -deststorepass "$pin" \
    -noprompt "$@" -providerclass org.keystay.jca.KeystayProvider -providerpath "$jar" \
    >"$scratch/keytool.log" 2>&1
  no_jni_warnings "$scratch/keytool.log"
}
import_p12 -srcalias imported -destalias imported
said "was made in software"
said 'import = "allow"'
said "imported not imported"
: >"$scratch/empty.keystore"
keytool_refuses "$scratch/empty.keystore" -list -storepass "$pin"
echo '-----BEGIN CERTIFICATE-----' >"$scratch/foreign.keystore"
keytool_refuses "$scratch/foreign.keystore" -list -storepass "$pin"
said "not a key store file"

[[ "$(state)" == "$kept" ]] || fail "a refused command changed the token"
[[ "$(cat "$keystore")" == "$content" ]] || fail "a refused command changed the key store file"

# --- keys from a PKCS12 file, where keystay.toml allows it -----------------------------------------------------------------
for key in "rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048" "ec -algorithm EC -pkeyopt ec_paramgen_curve:P-256"; do
  read -r name options <<<"$key"
  # shellcheck disable=SC2086  # words
  openssl genpkey $options -out "$scratch/soft-$name.key" 2>>"$scratch/genpkey.log"
  openssl req -new -key "$scratch/soft-$name.key" -subj "/CN=localhost" -out "$scratch/soft-$name.csr"
  ca_signs "soft-$name"
  openssl pkcs12 -export -inkey "$scratch/soft-$name.key" -in "$scratch/soft-$name.chain" -name "soft-$name" \
    -passout pass:changeit -out "$scratch/soft.p12"
  KEYSTAY_CONF="$scratch/import.toml"
  sed '$a import = "allow"' "$scratch/keystay.toml" >"$KEYSTAY_CONF"
  import_p12
  said "1 entries successfully imported"
  KEYSTAY_CONF="$scratch/keystay.toml"
  keytool -list -v -alias "soft-$name" -storepass "$pin"
  said "Certificate chain length: 2"
  [[ "$(certificate_of "soft-$name")" == "$(openssl x509 -in "$scratch/soft-$name.crt" -noout -sha256 -fingerprint)" ]] ||
    fail "the imported certificate is another one"
  keytool -certreq -alias "soft-$name" -file "$scratch/again.csr" -storepass "$pin" # the key signs
  openssl req -in "$scratch/again.csr" -verify -noout || fail "the request is not signed by its key"
  [[ "$(openssl req -in "$scratch/again.csr" -noout -pubkey)" == "$(openssl pkey -pubout \
    -in "$scratch/soft-$name.key")" ]] || fail "another key than the imported one signed the request"
done
# The token tells the truth about them: they stay from now on, and were elsewhere before.
access="$(objects | grep -A4 'Private Key Object' | grep -A3 'label:      soft-' | grep 'Access:')"
[[ "$(grep -c 'sensitive' <<<"$access")" -eq 2 ]] || fail "an imported key is not sensitive"
if grep -E 'always sensitive|never extractable|local' <<<"$access"; then fail "an imported key is called the token's own"; fi
