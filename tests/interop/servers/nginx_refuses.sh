#!/usr/bin/env bash
# What is wrong with a key is in nginx's own log, in one line that says which alias, which token and what to do: at the
# start where the reference file or the certificate is at fault, at the handshake where the token is. Nothing of it
# changes the token.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need nginx nginx-light
need pkcs11-tool opensc
make_blinking_token
make_ca
make_alias httpd -keyalg EC -groupname secp256r1
make_alias other -keyalg EC -groupname secp256r1
module="$(softhsm_module)"
use_provider

port="$(free_port)"

# configure CERTIFICATE KEY
configure() {
  configure_nginx "$port" "ssl_certificate $1" "ssl_certificate_key $2" "ssl_protocols TLSv1.2 TLSv1.3"
}

# one_line FILE TEXT …: exactly one line of the log speaks of Keystay, and it contains each text.
one_line() {
  local log="$1" line text
  shift
  [[ "$(grep -c 'keystay::' "$log")" -eq 1 ]] || fail "expected one line about \"$*\" in: $(cat "$log")"
  line="$(grep 'keystay::' "$log")"
  for text in "$@"; do expect "$line" "$text"; done
}

# does_not_start CERTIFICATE KEY TEXT …: nginx refuses its configuration, and says why.
does_not_start() {
  configure "$1" "$2"
  shift 2
  refused others "${nginx[@]}" -t
  one_line "$scratch/refused.log" "$@"
}

# does_not_sign TEXT …: nginx starts with what is configured; a handshake fails, and the log says why. The client gets
# an alert, internal_error (RFC 8446, section 6.2), and the server lives on.
does_not_sign() {
  local answer
  : >"$scratch/nginx-error.log"
  start nginx others "${nginx[@]}"
  wait_for nginx listens "$port"
  if answer="$(handshake "$port" -tls1_3)"; then fail "the server signed: $answer"; fi
  expect "$answer" "alert internal error"
  wait_for nginx grep -q 'keystay::' "$scratch/nginx-error.log"
  one_line "$scratch/nginx-error.log" "$@"
  stop nginx QUIT
}

head -c 200 "$scratch/httpd.pem" >"$scratch/truncated.pem"
does_not_start "$scratch/httpd.chain" "$scratch/truncated.pem" "$scratch/truncated.pem" "breaks off" "-exportref"
sed 3d "$scratch/httpd.pem" >"$scratch/gap.pem"
does_not_start "$scratch/httpd.chain" "$scratch/gap.pem" "$scratch/gap.pem" "-exportref"
does_not_start "$scratch/other.chain" "$scratch/httpd.pem" 'not that of alias "httpd" on token "web"' "-exportcert" \
  "key values mismatch"

# A reference that pkcs11-provider might have written is looked up at the start.
# write_reference FILE URI
write_reference() {
  printf '%s\n' "asn1 = SEQUENCE:reference" "[reference]" "desc = VISIBLE:PKCS\\#11 Provider URI v1.0" \
    "uri = FORMAT:UTF8,UTF8:$2" >"$scratch/reference.cnf"
  plain openssl asn1parse -noout -genconf "$scratch/reference.cnf" -out "$scratch/reference.der"
  {
    echo "-----BEGIN PKCS#11 PROVIDER URI-----"
    base64 -w 64 "$scratch/reference.der"
    echo "-----END PKCS#11 PROVIDER URI-----"
  } >"$1"
}
write_reference "$scratch/nowhere.pem" "pkcs11:token=web;object=nobody;type=private"
does_not_start "$scratch/httpd.chain" "$scratch/nowhere.pem" 'token "web"' "no private key" "keystay -list"
write_reference "$scratch/attribute.pem" "pkcs11:token=web;object=httpd;x-colour=blue"
does_not_start "$scratch/httpd.chain" "$scratch/attribute.pem" "unusable key reference" "an attribute that Keystay does not know" \
  "use token, serial"

configure "$scratch/httpd.chain" "$scratch/httpd.pem"
fault fail C_SignInit $((0x70)) # CKR_MECHANISM_INVALID
does_not_sign 'alias "httpd" on token "web"' "CKR_MECHANISM_INVALID" "does not offer this mechanism"
fault heal C_SignInit

# A wrong PIN: the workers, of whom none has logged in at the fork, try it once, together; put right, it serves at once.
refusing_workers() { grep 'keystay::' "$scratch/nginx-error.log" | grep -o ' [0-9]*#' | sort -u | wc -l; }
all_workers_refuse() {
  handshake "$port" -tls1_3 >/dev/null 2>&1 || true
  [[ "$(refusing_workers)" -eq 4 ]]
}
workers=4 configure "$scratch/httpd.chain" "$scratch/httpd.pem"
cp -p "$scratch/web.pin" "$scratch/right.pin"
echo 999999 >"$scratch/web.pin"
: >"$scratch/nginx-error.log"
start nginx others "${nginx[@]}"
wait_for nginx listens "$port"
logins="$(fault calls C_Login)"
eventually all_workers_refuse
[[ "$(fault calls C_Login)" -eq $((logins + 1)) ]] || fail "the workers tried a wrong PIN $(($(fault calls C_Login) - logins)) times"
expect "$(grep 'keystay::' "$scratch/nginx-error.log")" "CKR_PIN_INCORRECT" "the token refused the PIN from file:$scratch/web.pin before"
cp "$scratch/right.pin" "$scratch/web.pin"
for _ in 1 2 3 4 5 6 7 8; do answers "$port" ECDSA -tls1_3; done
stop nginx QUIT

# Two keys with the id of the alias. Each tool that makes one more is free to choose it.
id="$(others pkcs11-tool --module "$module" --login --pin "$(cat "$scratch/web.pin")" --list-objects --type privkey 2>/dev/null |
  awk '/label:/ {label = $2} /ID:/ && label == "httpd" {print $2}')"
others pkcs11-tool --module "$module" --login --pin "$(cat "$scratch/web.pin")" --keypairgen --key-type EC:prime256v1 \
  --label httpd --id "$id" >"$scratch/pkcs11-tool.log" 2>&1
does_not_sign 'alias "httpd" on token "web"' "several private keys match" "CKA_ID of its own"

"$keystay" -delete -alias other
configure "$scratch/other.chain" "$scratch/other.pem"
does_not_sign 'alias "other" on token "web"' "no such private key" "was it deleted?"

# A key whose CKA_ALLOWED_MECHANISMS leave out what TLS asks for.
others pkcs11-tool --module "$module" --login --pin "$(cat "$scratch/web.pin")" --keypairgen --key-type rsa:2048 --label fixed \
  --id 0f --allowed-mechanisms SHA256-RSA-PKCS --usage-sign >"$scratch/pkcs11-tool.log" 2>&1
"$keystay" -exportref -alias fixed -file "$scratch/fixed.pem"
others openssl pkey -in 'pkcs11:token=web;object=fixed;type=private' -pubout -out "$scratch/fixed.pub"
plain openssl x509 -new -force_pubkey "$scratch/fixed.pub" -subj /CN=localhost -CA "$scratch/ca.pem" \
  -CAkey "$scratch/ca.key" -days 2 -out "$scratch/fixed.crt" 2>"$scratch/openssl-x509.log"
configure "$scratch/fixed.crt" "$scratch/fixed.pem"
does_not_sign 'alias "fixed" on token "web"' "CKA_ALLOWED_MECHANISMS of the key lacks" "make a key that may be used so"
