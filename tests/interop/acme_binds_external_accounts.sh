#!/usr/bin/env bash
# A CA that registers its customers only gets their key (external account binding), for an account key of any kind; keystay asks it for
# addresses as well as names.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/interop/acme.sh
source "$interop/acme.sh"

make_token
http="$(free_port)"
external_accounts=true
start_pebble "$http"
readonly http external_accounts
readonly ca=(-directory "$directory" -ca-file "$scratch/acme-ca.pem" -http-port "127.0.0.1:$http" -agree-tos)
names=(-ext san=dns:www.example,ip:127.0.0.1)

echo "== without the CA's key"
code=0
acme issue -alias httpd "${ca[@]}" "${names[@]}" || code=$?
expect_code "issue without binding" 2 "$code"
grep -q -- '-eab-kid and -eab-hmac-file' "$scratch/acme-issue.log" || fail "$(cat "$scratch/acme-issue.log")"

echo "== with another key than the CA's"
echo "AAAA" >"$scratch/wrong.key"
code=0
acme issue -alias httpd "${ca[@]}" "${names[@]}" -eab-kid kid-1 -eab-hmac-file "$scratch/wrong.key" || code=$?
expect_code "issue with a wrong key" 1 "$code"
echo "not base64url!" >"$scratch/bad.key"
code=0
acme issue -alias httpd "${ca[@]}" "${names[@]}" -eab-kid kid-1 -eab-hmac-file "$scratch/bad.key" || code=$?
expect_code "issue with no key" 1 "$code"
grep -q 'holds no key in base64url' "$scratch/acme-issue.log" || fail "$(cat "$scratch/acme-issue.log")"

echo "== with the CA's key, for accounts with keys of each kind"
echo "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W" >"$scratch/mac.key"
binding=(-eab-kid kid-1 -eab-hmac-file "$scratch/mac.key")
acme issue -alias httpd "${ca[@]}" "${names[@]}" "${binding[@]}" -o json >"$scratch/issue.json"
grep -q '^{"command":"acmeissue","dry-run":false,"certificates":\[{"alias":"httpd",.*"result":"issued","not-after":"2' "$scratch/issue.json" || fail "$(cat "$scratch/issue.json")"
found="$("$keystay" -exportcert -rfc -alias httpd | plain openssl x509 -noout -ext subjectAltName)"
expect "$found" "DNS:www.example"
expect "$found" "IP Address:127.0.0.1"
"$keystay" -genkeypair -alias account-rsa -keyalg RSA -keysize 2048
"$keystay" -genkeypair -alias account-384 -keyalg EC -groupname secp384r1
for account in account-rsa account-384; do
  acme issue -alias httpd "${ca[@]}" "${binding[@]}" -account "$account" >"$scratch/issue.out"
  # Registered now, and asked for once more without a binding.
  acme issue -alias httpd "${ca[@]}" -account "$account" -contact mailto:admin@www.example >"$scratch/issue.out"
done
[[ "$(grep -c '^\[\[certificate\]\]' "$scratch/acme.toml")" == 1 ]] || fail "$(cat "$scratch/acme.toml")"
grep -q '^account = "account-384"' "$scratch/acme.toml" || fail "$(cat "$scratch/acme.toml")"
if grep -q kid-1 "$scratch/acme.toml"; then fail "the CA's key is recorded: $(cat "$scratch/acme.toml")"; fi
acme renew -days 36500 >"$scratch/renew.out"
grep -q '^httpd: certificate was renewed' "$scratch/renew.out" || fail "$(cat "$scratch/renew.out")"
