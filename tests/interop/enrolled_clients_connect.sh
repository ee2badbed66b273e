#!/usr/bin/env bash
# A client that `keystay remote enrol` has enrolled: an authority signs its request, both ends are configured by what the
# command shows, and `keystay test` connects. A client of another name is refused.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need p11-kit p11-kit

# --- the authority, and the HSM's machine without its configuration ---------------------------------------------------
make_token
make_ca
module="$(softhsm_module)"
# sign REQUEST EXTENSIONS OUTPUT: what the request asks for, and these.
sign() {
  openssl x509 -req -in "$1" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 -copy_extensions copy \
    -extfile <(printf '%s\n' "$2") -out "$3" 2>>"$scratch/openssl-x509.log"
}
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=hsm.example" -addext "subjectAltName = DNS:hsm.example" \
  -keyout "$scratch/hsm-key.pem" -out "$scratch/hsm.csr" 2>>"$scratch/openssl-req.log"
sign "$scratch/hsm.csr" "extendedKeyUsage = serverAuth" "$scratch/hsm.pem"
cat "$scratch/hsm-key.pem" >>"$scratch/hsm.pem"
hsm_port="$(free_port)"

# --- the clients -------------------------------------------------------------------------------------------------------
# enrol NAME: with the reply of the authority; what the command shows is in NAME/shown.toml.
enrol() {
  mkdir "$scratch/$1"
  "$keystay" remote enrol -endpoint "127.0.0.1:$hsm_port" -host hsm.example -name "$1.example" -token web \
    -directory "$scratch/$1" >"$scratch/$1/shown.toml" 2>"$scratch/enrol.log"
  sign "$scratch/$1/client.csr" "authorityKeyIdentifier = keyid" "$scratch/$1/client.pem"
  cp "$scratch/ca.pem" "$scratch/$1/ca.pem"
  cp "$scratch/web.pin" "$scratch/$1/web.pin"
}
enrol web-1
enrol web-2
expect "$(cat "$scratch/enrol.log")" "keystay test -endpoint 127.0.0.1:$hsm_port -host hsm.example -ca $scratch/web-2/ca.pem"

# --- both ends as web-1 was shown -------------------------------------------------------------------------------------
# ours: the paths of this test instead of those of a machine.
ours() {
  sed -e "s|/etc/keystay/|$scratch/|; s|/run/keystay-hsm/|$scratch/|; s|0\.0\.0\.0|127.0.0.1|; s|/usr/lib/vendor/libpkcs11.so|$module|" \
    "$scratch/web-1/shown.toml"
}
{
  printf '[tlsd]\nthreads = 1\n'
  ours | sed -n '/^\[\[tlsd.listener/,$p'
} >"$scratch/hsm.toml"
command="$(ours | sed -n 's/^# \(p11-kit server .*\)/exec \1/p')"
start p11-kit bash -c "$command"
wait_for p11-kit test -S "$scratch/p11-kit.sock"
start hsm "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/hsm.toml"
wait_for hsm listens "$hsm_port"

unset SOFTHSM2_CONF
# Not installed where the configuration expects it.
relay="$KEYSTAY_BUILD/bin/keystay-relay"
for client in web-1 web-2; do
  sed -n '/^\[token/,/^$/p' "$scratch/$client/shown.toml" >"$scratch/$client/keystay.toml"
  echo "relay = \"$relay\"" >>"$scratch/$client/keystay.toml"
done
expect "$("$keystay" test -conf "$scratch/web-1/keystay.toml")" "Connected"
expect "$("$keystay" test -endpoint "127.0.0.1:$hsm_port" -host hsm.example -ca "$scratch/web-1/ca.pem" \
  -certificate "$scratch/web-1/client.pem" -key "$scratch/web-1/client-key.pem" -label web -relay "$relay" \
  -storepass:file "$scratch/web-1/web.pin")" "Connected"
"$keystay" -genkeypair -alias httpd -keyalg EC -conf "$scratch/web-1/keystay.toml"
expect "$("$keystay" test -alias httpd -conf "$scratch/web-1/keystay.toml")" 'signature: with "httpd"'

refused "$keystay" test -conf "$scratch/web-2/keystay.toml"
expect "$(cat "$scratch/refused.log")" "the endpoint refuses our certificate"
