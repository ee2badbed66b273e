#!/usr/bin/env bash
# What keytool asks of a provider, command by command: golden/COMMAND.txt, the same on every JDK. A JDK that asks
# otherwise is one to look at before it is supported. KEYSTAY_GOLDEN=write records them anew.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
sed -i '/^pin = /d' "$KEYSTAY_CONF"
make_ca
readonly pin=123456
"$jdk/bin/javac" -cp "$jar" -d "$scratch/recorder" "$KEYSTAY_SOURCE/tests/java/recorder/org/keystay/jca/RecordingProvider.java"

# recorded COMMAND -genkeypair …: runs keytool and compares what it asked with golden/COMMAND.txt.
recorded() {
  recorded_ask "$@" -keystore "$keystore" -storepass "$pin" -storetype Keystay -providername Recorder
}

# The same without the options of the key store, and whether keytool does it or refuses.
recorded_ask() {
  local golden="$KEYSTAY_SOURCE/tests/java/golden/$1.txt" calls="$scratch/$1.calls"
  # Where JDKs differ: JDK 17 looks for the issuer of what it imports, to warn of weak algorithms.
  if [[ -e "${golden%.txt}-$jdk_version.txt" ]]; then golden="${golden%.txt}-$jdk_version.txt"; fi
  "$jdk/bin/keytool" "${jvm_options[@]/#/-J}" "-J-Drecorder.file=$calls" "${@:2}" \
    -providerclass org.keystay.jca.RecordingProvider -providerpath "$jar:$scratch/recorder" >"$scratch/keytool.log" 2>&1 ||
    [[ "$1" == refused-* ]] || fail "keytool of JDK $jdk_version fails: ${*:2}"
  no_jni_warnings "$scratch/keytool.log"
  if [[ "${KEYSTAY_GOLDEN:-}" == write ]]; then cp "$calls" "$golden"; fi
  diff --unified "$golden" "$calls" || fail "keytool of JDK $jdk_version asks otherwise for ${*:2}"
}

recorded genkeypair-rsa -genkeypair -alias a -keyalg RSA -keysize 2048 -dname CN=a -keypass "$pin"
recorded genkeypair-ec -genkeypair -alias b -keyalg EC -groupname secp256r1 -dname CN=b -keypass "$pin"
recorded genkeypair-ed25519 -genkeypair -alias d -keyalg Ed25519 -dname CN=d -keypass "$pin"
recorded certreq -certreq -alias a -file "$scratch/a.csr"
openssl x509 -req -in "$scratch/a.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -out "$scratch/a.crt" 2>>"$scratch/openssl-x509.log"
cat "$scratch/a.crt" "$scratch/ca.pem" >"$scratch/a.chain"
recorded importcert -importcert -noprompt -alias a -file "$scratch/a.chain"
recorded list -list -alias a
recorded_ask list-none -list -alias a -keystore NONE -storepass "$pin" -storetype Keystay -providername Recorder
recorded list-verbose -list -v -alias a
recorded list-all -list
recorded exportcert -exportcert -alias a -file "$scratch/a.der"
recorded changealias -changealias -alias b -destalias c
recorded delete -delete -alias c
recorded delete-with-chain -delete -alias a
recorded importcert-ca -importcert -noprompt -alias root -file "$scratch/ca.pem"

# --- what the provider refuses ---------------------------------------------------------------------------------------
recorded refused-storepasswd -storepasswd -new 654321
recorded refused-keypasswd -keypasswd -alias d -new 654321
openssl pkcs12 -export -inkey "$scratch/ca.key" -in "$scratch/ca.pem" -name soft -passout pass:changeit \
  -out "$scratch/soft.p12"
recorded_import() { # recorded_import COMMAND
  recorded_ask "$1" -importkeystore -srckeystore "$scratch/soft.p12" -srcstorepass changeit -srcstoretype PKCS12 \
    -noprompt -srcalias soft -destalias soft -destkeypass "$pin" -destkeystore "$keystore" -deststorepass "$pin" \
    -deststoretype Keystay -destprovidername Recorder
}
recorded_import refused-importkeystore

# --- what it takes where keystay.toml says so ------------------------------------------------------------------------
sed -i '$a import = "allow"' "$KEYSTAY_CONF"
recorded_import importkeystore
