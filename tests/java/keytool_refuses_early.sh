#!/usr/bin/env bash
# keytool's -protected as docs/user/java.md tells it, and what keytool would find out when the token has been changed already.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
readonly pin=123456
make_alias httpd -keyalg EC
printf '# Keystay key store, version 1\ntoken = "web"\n' >"$keystore"
state() { objects | grep -v '^  *serial' | sort; }

# --- -protected: no prompt, for the commands that do not use a key ----------------------------------------------------
keytool -list -protected </dev/null
said "httpd, "
keytool -genkeypair -protected -alias other -keyalg EC -dname CN=other </dev/null
keytool -exportcert -protected -rfc -alias httpd </dev/null
said "BEGIN CERTIFICATE"
keytool -changealias -protected -alias other -destalias renamed </dev/null
keytool -delete -protected -alias renamed </dev/null
# For those that do, keytool asks for the password of the key, and takes the PIN.
keytool_refuses "$keystore" -certreq -protected -alias httpd </dev/null
said "Enter key password for <httpd>"
keytool -certreq -protected -alias httpd <<<"$pin"
said "BEGIN NEW CERTIFICATE REQUEST"
# A file with the PIN serves all of them, without a prompt.
keytool -certreq -storepass:file "$scratch/web.pin" -alias httpd </dev/null
said "BEGIN NEW CERTIFICATE REQUEST"
keytool -importcert -noprompt -storepass:file "$scratch/web.pin" -alias httpd -file "$scratch/httpd.chain" </dev/null
said "Certificate reply was installed"
# Without a configured PIN there is none.
sed '/^pin = /d' "$KEYSTAY_CONF" >"$scratch/without-pin.toml"
KEYSTAY_CONF="$scratch/without-pin.toml" keytool_refuses "$keystore" -list -protected </dev/null
said "wants its PIN"

# --- a key store file that cannot be written ---------------------------------------------------------------------------
kept="$(state)"
keytool_refuses "$scratch/nodir/x" -genkeypair -alias lost -keyalg EC -dname CN=lost -storepass "$pin" -keypass "$pin"
said "$scratch/nodir/x afterwards; nothing was changed on the token"
keytool_refuses "$scratch/nodir/x" -importcert -noprompt -alias lost -file "$scratch/ca.pem" -storepass "$pin" -keypass "$pin"
said "nothing was changed on the token"
ln -s "$scratch/nodir/x" "$scratch/nowhere"
for file in "$scratch/nowhere" "$scratch" /proc/x; do
  keytool_refuses "$file" -genkeypair -alias lost -keyalg EC -dname CN=lost -storepass "$pin" -keypass "$pin"
done
[[ "$(state)" == "$kept" ]] || fail "a refused command changed the token"
mkdir "$scratch/a directory"
keytool_on "$scratch/a directory/new keystore" -genkeypair -alias found -keyalg EC -dname CN=found -storepass "$pin" -keypass "$pin"
[[ -s "$scratch/a directory/new keystore" ]] || fail "a key store file with blanks in its name was not written"

# --- a key that is to leave its token --------------------------------------------------------------------------------
export_to_pkcs12() {
  "$jdk/bin/keytool" "${keytool_options[@]/#/-J}" -importkeystore -srckeystore "$keystore" -srcstoretype Keystay \
    -srcstorepass "$pin" -destkeystore "$scratch/out.p12" -deststoretype PKCS12 -deststorepass changeit -srcalias httpd \
    -providerclass org.keystay.jca.KeystayProvider -providerpath "$jar" >"$scratch/keytool.log" 2>&1 </dev/null
}
if export_to_pkcs12; then fail "keytool says that it exported a key of the token"; fi
said 'the private key of alias "httpd" stays on its token'
no_jni_warnings "$scratch/keytool.log"

# --- a PIN file that others may read, and a wrong PIN ----------------------------------------------------------------
chmod 644 "$scratch/web.pin"
keytool_refuses "$keystore" -list -protected </dev/null
said "chmod o="
if grep -q "password was incorrect" "$scratch/keytool.log"; then fail "a PIN file open to others is called a wrong password"; fi
chmod 600 "$scratch/web.pin"
KEYSTAY_CONF="$scratch/without-pin.toml" keytool_refuses "$keystore" -list -storepass 999999
said "keystore password was incorrect"
said "the password of the key store is wrong"
