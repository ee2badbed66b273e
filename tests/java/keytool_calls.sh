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
  local golden="$KEYSTAY_SOURCE/tests/java/golden/$1.txt" calls="$scratch/$1.calls"
  "$jdk/bin/keytool" "${jvm_options[@]/#/-J}" "-J-Drecorder.file=$calls" "${@:2}" -keystore "$keystore" -storepass "$pin" \
    -storetype Keystay -providername Recorder -providerclass org.keystay.jca.RecordingProvider \
    -providerpath "$jar:$scratch/recorder" >"$scratch/keytool.log" 2>&1
  if [[ "${KEYSTAY_GOLDEN:-}" == write ]]; then cp "$calls" "$golden"; fi
  diff --unified "$golden" "$calls" || fail "keytool of JDK $jdk_version asks otherwise for ${*:2}"
}

recorded genkeypair-rsa -genkeypair -alias a -keyalg RSA -keysize 2048 -dname CN=a -keypass "$pin"
recorded genkeypair-ec -genkeypair -alias b -keyalg EC -groupname secp256r1 -dname CN=b -keypass "$pin"
recorded certreq -certreq -alias a -file "$scratch/a.csr"
openssl x509 -req -in "$scratch/a.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -out "$scratch/a.crt" 2>>"$scratch/openssl-x509.log"
cat "$scratch/a.crt" "$scratch/ca.pem" >"$scratch/a.chain"
recorded importcert -importcert -noprompt -alias a -file "$scratch/a.chain"
recorded list -list -alias a
recorded list-all -list
recorded exportcert -exportcert -alias a -file "$scratch/a.der"
recorded changealias -changealias -alias b -destalias c
recorded delete -delete -alias c
