#!/usr/bin/env bash
# keystay gets certificates by ACME for keys on the token, by http-01 through keystay-tlsd and by dns-01 with a hook; what it renews
# is served without a restart; and whatever fails, the alias stays what it was.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/interop/acme.sh
source "$interop/acme.sh"

need curl curl

make_token
make_members a
sed -i '1i default = "hsm-a"' "$scratch/keystay.toml"
http="$(free_port)"
https="$(free_port)"
admin="$(free_port)"
challenges="$(free_port)"
start_pebble "$http"
readonly http https admin challenges

cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
admin = "127.0.0.1:$admin"
certificate-check = "1s"

[[tlsd.listener]]
name = "http"
bind = ["127.0.0.1:$http"]
redirect = "https"
acme-backend = "acme"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$https"]
certificates = ["httpd"]
backend = "admin"

[tlsd.backend.acme]
servers = ["127.0.0.1:$challenges"]

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin"]
TOML

cat >"$scratch/zone" <<'SH'
#!/bin/sh
# zone add|remove NAME VALUE: the records of Pebble's DNS server.
set -eu
echo "$1 $2 for $KEYSTAY_ACME_DOMAIN" >>"$ZONE_LOG"
case "$1" in
  add) curl --silent --show-error --fail -d "{\"host\":\"$2.\",\"value\":\"$3\"}" "$ZONE_SERVER/set-txt" ;;
  remove) curl --silent --show-error --fail -d "{\"host\":\"$2.\"}" "$ZONE_SERVER/clear-txt" ;;
esac
if [ -n "${ZONE_THEN:-}" ]; then $ZONE_THEN; fi
SH
chmod 755 "$scratch/zone"
# Whose hook it is, its parent's parent, is told once.
cat >"$scratch/interrupt" <<SH
#!/bin/sh
mkdir "$scratch/interrupted" || exit 0
kill -TERM "\$(ps -o ppid= -p "\$PPID" | tr -d ' ')"
SH
chmod 755 "$scratch/interrupt"
export ZONE_SERVER="http://127.0.0.1:$dns_admin" ZONE_LOG="$scratch/zone.log"
: >"$ZONE_LOG"

readonly ca=(-directory "$directory" -ca-file "$scratch/acme-ca.pem")
readonly by_http=(-http-port "127.0.0.1:$challenges")
objects() { plain pkcs11-tool --module "$(softhsm_module)" --token-label hsm-a --login --pin 123456 --list-objects 2>/dev/null | sort; }
leaf() { "$keystay" -exportcert -rfc -alias "$1"; }
fingerprint() { plain openssl x509 -noout -fingerprint -sha256; }
served() {
  plain timeout 60 openssl s_client -connect "127.0.0.1:$https" -servername www.example -CAfile "$scratch/ca.pem" \
    -verify_return_error </dev/null 2>/dev/null | fingerprint
}
serves_leaf() { [[ "$(served)" == "$(leaf httpd | fingerprint)" ]]; }
said() { grep -q -- "$2" "$scratch/acme-$1.log" || fail "no \"$2\" in: $(cat "$scratch/acme-$1.log")"; }
# acme_fails CODE COMMAND …: with that code, one message, nothing on the standard output, and the token as it was.
acme_fails() {
  local expected="$1" before code=0
  shift
  before="$(objects)"
  acme "$@" >"$scratch/acme.out" || code=$?
  expect_code "keystay acme $*" "$expected" "$code"
  [[ "$(grep -c '^keystay: ' "$scratch/acme-$1.log")" -ge 1 ]] || fail "no message: $(cat "$scratch/acme-$1.log")"
  [[ "$(objects)" == "$before" ]] || fail "the token was changed: $(diff <(echo "$before") <(objects))"
}

echo "== before there is an account"
acme_fails 2 issue -alias httpd -ext san=dns:www.example "${ca[@]}"
said issue 'nothing is said how to answer'
acme_fails 1 issue -alias httpd -ext san=dns:www.example -directory "$directory" "${by_http[@]}" -agree-tos
said issue '-ca-file'
acme_fails 1 issue -alias httpd -ext san=dns:www.example -directory "https://localhost:$(free_port)/dir" "${by_http[@]}"
said issue 'no answer from'
acme_fails 1 issue -alias httpd -ext san=dns:www.example -directory "${directory%/dir}/nothing" -ca-file "$scratch/acme-ca.pem" \
  "${by_http[@]}"
said issue '404'
acme issue -alias httpd -ext san=dns:www.example "${ca[@]}" "${by_http[@]}" -dry-run >"$scratch/dry-run.out"
said issue 'An account would be registered'
[[ -z "$(objects)" ]] || fail "a dry run has made: $(objects)"

echo "== terms that nobody has agreed to"
code=0
acme issue -alias httpd -ext san=dns:www.example "${ca[@]}" "${by_http[@]}" || code=$?
expect_code "issue without -agree-tos" 2 "$code"
said issue '-agree-tos'
"$keystay" -list | finds '^acme-account,' || fail "the account key was not made"

echo "== a challenge that nobody answers"
acme_fails 1 issue -alias httpd -ext san=dns:www.example "${ca[@]}" "${by_http[@]}" -agree-tos -contact mailto:admin@www.example
said issue 'has not found the response to its challenge for www.example: connection'

echo "== http-01 by the client itself, for an alias that is made"
acme issue -alias httpd -ext san=dns:www.example,dns:Example.example "${ca[@]}" -http-port "127.0.0.1:$http" -keyalg RSA \
  -deploy-hook "$(type -P true)"
names="$(leaf httpd | plain openssl x509 -noout -ext subjectAltName)"
expect "$names" DNS:www.example
expect "${names,,}" dns:example.example
leaf httpd | plain openssl x509 -noout -text | finds 'rsaEncryption' || fail "another key"
"$keystay" -list -v -alias httpd | finds 'Certificate chain length: 2' || fail "the chain: $("$keystay" -list -v -alias httpd)"

start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$https"
wait_for tlsd serves_leaf

echo "== nothing is due"
[[ "$(acme renew)" == "Nothing is due: of 1 certificate, \"httpd\" ends first, on "* ]] || fail "$(acme renew)"
[[ "$(acme renew -o json)" == \
  '{"command":"acmerenew","dry-run":false,"certificates":[{"alias":"httpd","source":"token \"hsm-a\"","result":"not-due","not-after":"2'* ]] || fail "$(acme renew -o json)"

echo "== http-01 through keystay-tlsd, with the same key, and the certificate is served"
before="$(served)"
key="$(leaf httpd | plain openssl x509 -noout -pubkey)"
# One of the names is new, so that no earlier authorization of it can be used.
acme issue -alias httpd -ext san=dns:www.example,dns:through.example "${ca[@]}" "${by_http[@]}"
if grep challenge "$scratch/tlsd.log"; then fail "keystay-tlsd complains of a challenge"; fi
[[ "$(leaf httpd | plain openssl x509 -noout -pubkey)" == "$key" ]] || fail "issue has made another key"
wait_for tlsd serves_leaf
[[ "$(served)" != "$before" ]] || fail "the certificate is the one before"

echo "== renewed while it is served, with the key and with another one"
before="$(served)"
[[ "$(acme renew -all -days 36500)" == "httpd: certificate was renewed, valid until "* ]] || fail "renew: $(cat "$scratch/acme-renew.log")"
wait_for tlsd serves_leaf
[[ "$(served)" != "$before" ]] || fail "the certificate is the one before"
acme renew -alias httpd -days 36500 -rotate -o json | finds '"result":"rotated"' || fail "rotate: $(cat "$scratch/acme-renew.log")"
wait_for tlsd serves_leaf
[[ "$(leaf httpd | plain openssl x509 -noout -pubkey)" != "$key" ]] || fail "the key was not rotated"
"$keystay" -list | finds '^version-1-httpd,' || fail "the old key is not kept"

echo "== the CA finds something else there"
: >"$scratch/tlsd.log"
mkdir "$scratch/elsewhere"
# The name is new, so that no earlier authorization of it can be used.
acme_fails 1 issue -alias other -ext san=dns:other.example "${ca[@]}" -webroot "$scratch/elsewhere"
said issue 'unauthorized'
[[ -z "$(find "$scratch/elsewhere" -type f)" ]] || fail "a response to a challenge stays: $(find "$scratch/elsewhere")"
acme_fails 1 issue -alias other -ext san=dns:blocked.example "${ca[@]}" "${by_http[@]}"
said issue 'rejectedIdentifier'

echo "== a webroot"
mkdir "$scratch/webroot"
start web plain python3 -m http.server --bind 127.0.0.1 --directory "$scratch/webroot" "$challenges"
wait_for web listens "$challenges"
acme issue -alias other -ext san=dns:other.example "${ca[@]}" -webroot "$scratch/webroot"
kill "${pids[web]}"
wait "${pids[web]}" || true # by the signal
unset "pids[web]"
[[ -z "$(find "$scratch/webroot" -type f)" ]] || fail "a response to a challenge stays: $(find "$scratch/webroot")"

echo "== dns-01, for a wildcard and the name above it"
acme_fails 2 issue -alias wild -ext 'san=dns:*.wild.example' "${ca[@]}" "${by_http[@]}"
said issue 'dns-01 alone'
acme issue -alias wild -ext 'san=dns:*.wild.example,dns:wild.example' "${ca[@]}" -dns-hook "$scratch/zone"
leaf wild | plain openssl x509 -noout -ext subjectAltName | finds 'DNS:\*.wild.example' || fail "no wildcard"
# Both records of one name are there before the CA looks for the first of them.
[[ "$(uniq -c "$ZONE_LOG" | sed 's/^ *//')" == "2 add _acme-challenge.wild.example for wild.example
2 remove _acme-challenge.wild.example for wild.example" ]] || fail "the hook was called with: $(cat "$ZONE_LOG")"

echo "== a hook that fails"
acme_fails 1 issue -alias wild2 -ext 'san=dns:*.fails.example' "${ca[@]}" -dns-hook "$(type -P false)"
said issue 'ended with code 1'

echo "== a signal in the middle"
: >"$ZONE_LOG"
ZONE_THEN="$scratch/interrupt" acme_fails 1 issue -alias wild3 -ext 'san=dns:*.interrupted.example' "${ca[@]}" -dns-hook "$scratch/zone"
said issue 'interrupted by signal 15'
[[ "$(uniq -c "$ZONE_LOG" | sed 's/^ *//')" == "1 add _acme-challenge.interrupted.example for interrupted.example
1 remove _acme-challenge.interrupted.example for interrupted.example" ]] || fail "the record is not withdrawn: $(cat "$ZONE_LOG")"

echo "== the token is gone in the middle"
"$keystay" -list >"$scratch/list.before"
code=0
# The name is new, so that the hook is called.
ZONE_THEN="$KEYSTAY_BUILD/tests/keystay-fault $scratch/hsm-a.so.control remove-token" \
  acme issue -alias wild -ext 'san=dns:*.gone.example' "${ca[@]}" -dns-hook "$scratch/zone" >"$scratch/issue.out" || code=$?
expect_code "issue without token" 1 "$code"
said issue 'token'
fault_at a return-token
"$keystay" -list >"$scratch/list.after"
cmp "$scratch/list.before" "$scratch/list.after" || fail "what is on the token has changed"
acme renew -alias wild -days 36500 >/dev/null

echo "== the token is gone in the middle of a new alias, whose key stays unfinished until it is cleaned up"
"$keystay" -list >"$scratch/list.before"
code=0
ZONE_THEN="$KEYSTAY_BUILD/tests/keystay-fault $scratch/hsm-a.so.control remove-token" \
  acme issue -alias wild4 -ext 'san=dns:*.gone-too.example' "${ca[@]}" -dns-hook "$scratch/zone" >"$scratch/issue.out" || code=$?
expect_code "issue without token" 1 "$code"
fault_at a return-token
"$keystay" -list | finds unfinished || fail "the key that was made is not told of: $("$keystay" -list)"
if "$keystay" -list | finds '^wild4,'; then fail "the alias came to be without a certificate"; fi
"$keystay" -cleanup -noprompt 2>"$scratch/cleanup.log"
"$keystay" -list >"$scratch/list.after"
cmp "$scratch/list.before" "$scratch/list.after" || fail "what is on the token has changed"

echo "== an alias that is gone does not keep others from being renewed"
"$keystay" -delete -alias wild
code=0
acme renew -days 36500 -dry-run -o json >"$scratch/renew.out" || code=$?
expect_code "renew of a deleted alias" 1 "$code"
grep -q '"alias":"wild","source":null,"result":"failed"' "$scratch/renew.out" || fail "$(cat "$scratch/renew.out")"
grep -q '"alias":"httpd","source":"token ."hsm-a."","result":"would-be-made"' "$scratch/renew.out" || fail "$(cat "$scratch/renew.out")"
"$keystay" deactivate -alias other 2>"$scratch/deactivate.log"
acme renew -alias other -days 36500 -o json | finds '"result":"skipped"' || fail "a deactivated alias was renewed"
stop tlsd TERM
