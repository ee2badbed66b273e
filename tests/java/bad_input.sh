#!/usr/bin/env bash
# What goes wrong at an operator's desk: keytool and the JVM say what to do, and nothing on the token is lost.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
readonly pin=123456
state() { objects | grep -v '^  *serial' | sort; }

# --- a noexec directory for temporary files, where the tests may make one ----------------------------------------------
mkdir "$scratch/noexec" "$scratch/alone"
cp "$jar" "$scratch/alone/"
list_with_noexec() { # the jar alone, so that its library must be written somewhere
  # shellcheck disable=SC2016  # for the shell in its own mount namespace
  unshare --mount sh -c 'mount -t tmpfs -o noexec tmpfs "$1" && shift && exec "$@"' sh "$scratch/noexec" \
    "$jdk/bin/keytool" "${keytool_options[@]/#/-J}" "-J-Djava.io.tmpdir=$scratch/noexec" "$@" -list -keystore NONE \
    -storetype Keystay -storepass "$pin" -providerclass org.keystay.jca.KeystayProvider \
    -providerpath "$scratch/alone/keystay-jca.jar" >"$scratch/keytool.log" 2>&1
}
if unshare --mount true 2>/dev/null; then
  if list_with_noexec; then fail "a library was loaded from a directory mounted noexec"; fi
  said "noexec"
  said "$scratch/noexec"
  list_with_noexec "-J-Dorg.keystay.tmpdir=$scratch" || fail "the remedy does not help"
else
  echo "not run, for want of privileges: a directory mounted noexec"
fi

# --- a PIN of four digits: keytool's own rule for files that do not exist yet ------------------------------------------
softhsm2-util --init-token --free --label short --pin 1234 --so-pin 87654321 >>"$scratch/softhsm2-util.log" 2>&1
printf 'default = "short"\n[token.short]\nmodule = "%s"\nlabel = "short"\n' "$(softhsm_module)" >"$scratch/short.toml"
KEYSTAY_CONF="$scratch/short.toml" keytool_refuses "$scratch/short.keystore" -genkeypair -alias httpd -keyalg EC -dname CN=a -storepass 1234
said "at least 6 characters"
[[ ! -e "$scratch/short.keystore" ]] || fail "a refused command left a key store file"
printf '# Keystay key store, version 1\ntoken = "short"\n' >"$scratch/short.keystore"
KEYSTAY_CONF="$scratch/short.toml" keytool_on "$scratch/short.keystore" -genkeypair -alias httpd -keyalg EC -dname CN=a -storepass 1234 <<<""
KEYSTAY_CONF="$scratch/short.toml" keytool_on "$scratch/short.keystore" -certreq -alias httpd -storepass 1234
said "BEGIN NEW CERTIFICATE REQUEST"

# --- two JVMs at once: both aliases are there, and the file is what it was ----------------------------------------------
printf '# Keystay key store, version 1\ntoken = "web"\n# ours\n' >"$keystore"
content="$(cat "$keystore")"
for name in one two; do
  "$jdk/bin/keytool" "${keytool_options[@]/#/-J}" -genkeypair -alias "$name" -keyalg EC -dname "CN=$name" \
    -keystore "$keystore" -storetype Keystay -storepass "$pin" -keypass "$pin" -providername Keystay \
    -providerclass org.keystay.jca.KeystayProvider -providerpath "$jar" >"$scratch/$name.log" 2>&1 &
  pids[$name]=$!
done
for name in one two; do
  wait "${pids[$name]}" || fail "keytool failed beside another one"
  unset "pids[$name]"
done
keytool -list -storepass "$pin"
said "one, "
said "two, "
said "Your keystore contains 2 entries"
[[ "$(cat "$keystore")" == "$content" ]] || fail "the key store file has changed"

# --- a token that is full ----------------------------------------------------------------------------------------------
make_ca
keytool -certreq -alias one -file "$scratch/one.csr" -storepass "$pin"
openssl x509 -req -in "$scratch/one.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -out "$scratch/one.crt" 2>>"$scratch/openssl-x509.log"
cat "$scratch/one.crt" "$scratch/ca.pem" >"$scratch/one.chain"
use_fault_module "$(softhsm_module)"
kept="$(state)"
readonly device_memory=49 # CKR_DEVICE_MEMORY
fault fail C_GenerateKeyPair "$device_memory"
keytool_refuses "$keystore" -genkeypair -alias three -keyalg EC -dname CN=three -storepass "$pin" -keypass "$pin"
[[ "$(state)" == "$kept" ]] || fail "a full token has other objects than before"
fault heal C_GenerateKeyPair
fault fail C_CreateObject "$device_memory"
keytool_refuses "$keystore" -importcert -noprompt -alias one -file "$scratch/one.chain" -storepass "$pin"
said "CKR_DEVICE_MEMORY"
said "the token is full: delete what nobody needs"
[[ "$(state)" == "$kept" ]] || fail "a full token lost a certificate"
fault heal C_CreateObject
keytool -importcert -noprompt -alias one -file "$scratch/one.chain" -storepass "$pin"
said "Certificate reply was installed"

# --- a module without a mechanism --------------------------------------------------------------------------------------
kept="$(state)"
readonly mechanism_invalid=112 # CKR_MECHANISM_INVALID
fault fail C_GenerateKeyPair "$mechanism_invalid"
keytool_refuses "$keystore" -genkeypair -alias three -keyalg EC -dname CN=three -storepass "$pin" -keypass "$pin"
said "CKR_MECHANISM_INVALID"
fault heal C_GenerateKeyPair
fault fail C_SignInit "$mechanism_invalid"
keytool_refuses "$keystore" -certreq -alias one -storepass "$pin"
said "CKR_MECHANISM_INVALID"
fault heal C_SignInit
[[ "$(state)" == "$kept" ]] || fail "a module without a mechanism has changed the token"

# --- objects that nobody can read: named in the log with the reason, and the rest works -----------------------------------
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out "$scratch/odd.der"
PIN="$pin" pkcs11-tool --module "$(softhsm_module)" --token-label web --login --pin env:PIN --write-object "$scratch/odd.der" \
  --type privkey --label odd --id 0dd0 >"$scratch/pkcs11-tool.log" 2>&1
keytool -list -storepass "$pin"
said 'key "odd" is left out: '
said "one, "
said "Your keystore contains 2 entries"
keytool -certreq -alias one -storepass "$pin"
said "BEGIN NEW CERTIFICATE REQUEST"
keytool_refuses "$keystore" -certreq -alias odd -storepass "$pin"
said "cannot be used"
kept="$(state)"
for command in "-importcert -noprompt -file $scratch/one.chain" "-importcert -noprompt -file $scratch/ca.pem" \
  "-changealias -destalias even" -list -exportcert "-exportcert -rfc"; do
  # shellcheck disable=SC2086  # words
  keytool_refuses "$keystore" $command -alias odd -storepass "$pin" </dev/null
  said 'alias "odd" is a key that cannot be used'
done
[[ "$(state)" == "$kept" ]] || fail "a command on a key that cannot be used has changed the token"

# --- the default token, which no key store file names: what is on it stays under its name -------------------------------
keytool_on NONE -list -storepass "$pin"
said "one, "
keytool_refuses NONE -changealias -alias one -destalias renamed -storepass "$pin"
said 'cannot rename alias "one"'
keytool_refuses NONE -delete -alias one -storepass "$pin"
[[ "$(state)" == "$kept" ]] || fail "a key of a token that nobody named has another name"

# --- PSS with two hashes on a token without raw RSA: refused when it is asked for, and not at the signature ------------------
keytool -genkeypair -alias rsa -keyalg RSA -keysize 2048 -dname CN=rsa -storepass "$pin" -keypass "$pin"
cat >"$scratch/TwoHashes.java" <<'JAVA'
import java.security.InvalidKeyException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import org.keystay.jca.KeystayProvider;

class TwoHashes {
  public static void main(String[] arguments) throws Exception {
    KeystayProvider provider = new KeystayProvider();
    KeyStore keyStore = KeyStore.getInstance("Keystay", provider);
    keyStore.load(null, null);
    Signature signature = Signature.getInstance("RSASSA-PSS", provider);
    signature.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA1, 32, 1));
    try {
      signature.initSign((PrivateKey) keyStore.getKey("rsa", null));
      System.out.println("signed with " + signature.sign().length + " bytes");
    } catch (InvalidKeyException e) {
      System.out.println("refused: " + e.getMessage());
    }
  }
}
JAVA
two_hashes() { "$jdk/bin/java" "${jvm_options[@]}" -cp "$jar" "$scratch/TwoHashes.java" 2>&1 | tee "$scratch/two-hashes.log"; }
expect "$(two_hashes)" "signed with 256 bytes"
fault fail C_GetMechanismInfo "$mechanism_invalid"
expect "$(two_hashes)" "has no CKM_RSA_X_509"
fault heal C_GetMechanismInfo
