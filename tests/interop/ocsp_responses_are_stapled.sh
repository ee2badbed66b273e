#!/usr/bin/env bash
# keystay-tlsd staples OCSP responses: fetched from the responder of the certificate, whose key is on the token, too, or from a
# file. A responder that is away does no harm, one that nobody has charged is not believed, and a revoked certificate has none.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl curl
readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"

make_token
make_ca
port="$(free_port)"
admin="$(free_port)"
responder="$(free_port)"
touch "$scratch/index.txt"

# certified ALIAS EXTENSIONS: a key pair on the token with a certificate of the CA, which the index knows as good.
certified() {
  local alias="$1" end serial
  "$keystay" -genkeypair -alias "$alias" -dname "CN=$alias" -keyalg EC
  "$keystay" -certreq -alias "$alias" -file "$scratch/$alias.csr"
  printf '%s\n' "authorityKeyIdentifier = keyid" "$2" >"$scratch/$alias.ext"
  openssl x509 -req -in "$scratch/$alias.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
    -extfile "$scratch/$alias.ext" -out "$scratch/$alias.crt" 2>"$scratch/openssl-x509.log"
  cat "$scratch/$alias.crt" "$scratch/ca.pem" >"$scratch/$alias.chain"
  "$keystay" -importcert -alias "$alias" -file "$scratch/$alias.chain"
  "$keystay" -exportref -alias "$alias" -file "$scratch/$alias.pem"
  end="$(date -u -d "$(openssl x509 -in "$scratch/$alias.crt" -noout -enddate | cut -d= -f2)" +%y%m%d%H%M%SZ)"
  serial="$(openssl x509 -in "$scratch/$alias.crt" -noout -serial | cut -d= -f2)"
  printf 'V\t%s\t\t%s\tunknown\t/CN=%s\n' "$end" "$serial" "$alias" >>"$scratch/index.txt"
}
certified httpd "subjectAltName = DNS:localhost
authorityInfoAccess = OCSP;URI:http://127.0.0.1:$responder/ocsp"
certified other "subjectAltName = DNS:other.example"
certified responder "extendedKeyUsage = OCSPSigning"

# configure OCSP: keystay-tlsd with this setting.
sections="$(cat "$scratch/keystay.toml")"
configure() {
  cat >"$scratch/new.toml" <<TOML
$sections

[tlsd]
admin = "127.0.0.1:$admin"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd"]
backend = "admin"
ocsp = $1

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin"]
TOML
  mv "$scratch/new.toml" "$scratch/keystay.toml"
}
status() {
  plain timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$scratch/ca.pem" -status \
    "$@" </dev/null 2>&1
}
stapled() { status "$@" | finds "Cert Status: good"; }
unstapled() { status | finds "OCSP response: no response sent"; }
metric() { plain curl --silent "http://127.0.0.1:$admin/metrics" | sed -n "s/^$1 //p"; }
# start is a simple command, so that the process is the responder.
responding=(env "OPENSSL_CONF=$KEYSTAY_SOURCE/examples/nginx/openssl.cnf" "OPENSSL_MODULES=$KEYSTAY_BUILD/ossl-modules"
  "${preload[@]}" openssl ocsp -index "$scratch/index.txt" -port "$responder" -CA "$scratch/ca.pem" -rsigner
  "$scratch/responder.crt" -rkey "$scratch/responder.pem" -nmin 1)

echo "== a responder that is not there"
configure '"fetch"'
"$tlsd" check -c "$scratch/keystay.toml"
start tlsd "$tlsd" -c "$scratch/keystay.toml"
wait_for tlsd grep -q 'no new OCSP response: http://127.0.0.1:[0-9]*/ocsp: Connection refused; none is stapled' "$scratch/tlsd.log"
wait_for tlsd listens "$port"
unstapled || fail "there is a response, but no responder"

echo "== it comes"
start responder "${responding[@]}"
wait_for tlsd grep -q 'certificate "httpd": an OCSP response is stapled, valid until ' "$scratch/tlsd.log"
stapled -tls1_3 || fail "no response in TLS 1.3"
stapled -tls1_2 || fail "no response in TLS 1.2"
[[ "$(metric 'keystay_tlsd_ocsp_next_update_timestamp_seconds{certificate="httpd"}')" != 0 ]] || fail "the metric knows no response"
[[ "$(metric 'keystay_tlsd_ocsp_updates_total{certificate="httpd",result="succeeded"}')" -ge 1 ]] || fail "no update is counted"

echo "== a reload keeps it, and the responder may be away"
kill -KILL "${pids[responder]}"
kill -HUP "${pids[tlsd]}"
wait_for tlsd grep -q "reload: done" "$scratch/tlsd.log"
stapled || fail "the reload has lost the response"

echo "== the certificate is revoked"
now="$(date -u +%y%m%d%H%M%SZ)"
sed -i "/CN=httpd\$/s/^V\t\([0-9]*Z\)\t\t/R\t\1\t$now,keyCompromise\t/" "$scratch/index.txt"
start responder "${responding[@]}"
wait_for tlsd grep -q 'no new OCSP response: its issuer has revoked it (keyCompromise)' "$scratch/tlsd.log"
unstapled || fail "what said otherwise is still sent"
kill -KILL "${pids[responder]}"
stop tlsd TERM

echo "== files"
sed -i "/CN=httpd\$/s/^R\t\([0-9]*Z\)\t[^\t]*\t/V\t\1\t\t/" "$scratch/index.txt"
# response NAME CERTIFICATE SIGNER KEY …
response() {
  plain openssl ocsp -index "$scratch/index.txt" -CA "$scratch/ca.pem" -issuer "$scratch/ca.pem" -cert "$scratch/$2.crt" \
    -rsigner "$3" -rkey "$4" -respout "$scratch/$1.der" "${@:5}" >"$scratch/ocsp-$1.log" 2>&1
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Somebody" -keyout "$scratch/somebody.key" \
  -out "$scratch/somebody.pem" 2>"$scratch/openssl-req.log"
response good httpd "$scratch/ca.pem" "$scratch/ca.key" -ndays 1
response foreign other "$scratch/ca.pem" "$scratch/ca.key" -ndays 1
response forged httpd "$scratch/somebody.pem" "$scratch/somebody.key" -ndays 1
echo nonsense >"$scratch/nonsense.der"
refuses() {
  configure "\"$scratch/$1.der\""
  refused "$tlsd" check -c "$scratch/keystay.toml"
  grep -q "keystay.toml:[0-9]*: tlsd.listener.ocsp: no certificate of the listener can use it: .*$2" "$scratch/refused.log" ||
    fail "check does not say what is wrong with $1.der"
  refused "$tlsd" -c "$scratch/keystay.toml"
}
refuses foreign "the response is for another certificate"
refuses forged "the response is not signed by the certificate's issuer, or on its behalf"
refuses nonsense "no OCSP response (DER)"
refuses absent "cannot read"
configure "[\"$scratch/good.der\"]"
"$tlsd" check -c "$scratch/keystay.toml"
start tlsd "$tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$port"
stapled || fail "no response from the file"
stop tlsd TERM
