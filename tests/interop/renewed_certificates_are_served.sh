#!/usr/bin/env bash
# keystay-tlsd serves a certificate that was renewed on the token, also with a new key, without a reload; while the token is away
# or an alias is incomplete the one before stays, and the log says so once.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl curl

make_token
make_members a
sed -i '1i default = "hsm-a"' "$scratch/keystay.toml"
make_ca
make_alias httpd -keyalg EC
port="$(free_port)"
admin="$(free_port)"
tlsd_before_its_admin 'certificate-check = "1s"'

fingerprint() { plain openssl x509 -noout -fingerprint -sha256; }
served() {
  plain timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$scratch/ca.pem" \
    -verify_return_error </dev/null 2>/dev/null | fingerprint
}
serves() { [[ "$(served)" == "$(fingerprint <"$1")" ]]; }
metric() { plain curl --silent "http://127.0.0.1:$admin/metrics" | sed -n "s/^$1 //p"; }
checks() { metric "keystay_tlsd_certificate_checks_total{result=\"$1\"}"; }
checked_since() { [[ "$(checks "$1")" -ge $(($2 + 2)) ]]; } # one that had begun before, and one whole
renewals() { grep -c 'certificate "httpd": renewed on its token' "$scratch/tlsd.log"; }

start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$port"
serves "$scratch/httpd.crt" || fail "the first certificate is not served"

echo "== nothing has changed"
before="$(checks succeeded)"
wait_for tlsd checked_since succeeded "$before"
if grep -q renewed "$scratch/tlsd.log"; then fail "a certificate is taken for a new one"; fi

echo "== renewed, with the same key"
openssl x509 -req -in "$scratch/httpd.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 3 \
  -extfile "$scratch/httpd.ext" -out "$scratch/renewed.crt" 2>"$scratch/openssl-x509.log"
cat "$scratch/renewed.crt" "$scratch/ca.pem" >"$scratch/renewed.chain"
"$keystay" -importcert -alias httpd -file "$scratch/renewed.chain"
wait_for tlsd serves "$scratch/renewed.crt"
[[ "$(renewals)" == 1 ]] || fail "the log has no line, or several"
[[ "$(metric keystay_tlsd_certificates_renewed_total)" == 1 ]] || fail "the renewal is not counted"

echo "== an alias that is gone, and one with a new key"
"$keystay" -delete -alias httpd
wait_for tlsd grep -q 'cannot look for a renewed certificate, the one before is served: certificate "httpd"' "$scratch/tlsd.log"
make_alias httpd -keyalg EC
wait_for tlsd serves "$scratch/httpd.crt"

echo "== a token that is away"
fault_at a remove-token
: >"$scratch/tlsd.log"
before="$(checks failed)"
wait_for tlsd checked_since failed "$((before + 1))"
[[ "$(grep -c 'cannot look for a renewed certificate' "$scratch/tlsd.log")" -le 2 ]] || fail "each look is a line"
fault_at a return-token
before="$(checks succeeded)"
wait_for tlsd checked_since succeeded "$before"
serves "$scratch/httpd.crt" || fail "it does not serve after that"
stop tlsd TERM
