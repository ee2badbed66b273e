#!/usr/bin/env bash
# `keystay rotate` of an alias of a group makes one new key on both members; keystay-tlsd goes over to it with its certificate,
# while it serves and no handshake fails; then either member alone signs with it. `keystay retire` destroys the old version on both,
# and what cannot be done on one member is done on none.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need pkcs11-tool opensc
make_token
make_members a b
port="$(free_port)"
admin="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML
[group.front]
members = ["hsm-a", "hsm-b"]
wrapping-key = "kek"
probe = ["200ms", "200ms"]
TOML
tlsd_before_its_admin 'certificate-check = "1s"'
sed -i '1i default = "front"' "$scratch/keystay.toml"

make_ca
"$keystay" group init -noprompt
make_alias httpd -keyalg EC -noprompt

served() {
  plain timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$scratch/ca.pem" \
    -verify_return_error </dev/null 2>/dev/null | plain openssl x509 -outform PEM
}
serves() { [[ "$(served)" == "$(plain openssl x509 -in "$1" -outform PEM)" ]]; }
# clients: handshakes until the file `enough` is there, and their count.
clients() {
  local done=0 failed=0
  until [[ -e "$scratch/enough" ]]; do
    if served >/dev/null; then done=$((done + 1)); else failed=$((failed + 1)); fi
  done
  echo "$done done, $failed failed" >"$scratch/clients.log"
}
# objects MEMBER: their labels, as pkcs11-tool sees them, without those of issuers.
objects() {
  plain pkcs11-tool --module "$(softhsm_module)" --token-label "hsm-$1" --login --pin 123456 --list-objects 2>/dev/null |
    sed -n 's/^ *label: *//p' | grep -v '^issuer-' | sort -u
}
id_of() { "$keystay" -list -o json -token "hsm-$1" | python3 -c '
import json, sys
print(*[entry["id"] for entry in json.load(sys.stdin)["entries"] if entry["alias"] == sys.argv[1]])' "$2"; }
alike() {
  "$keystay" group status >"$scratch/status.log" 2>&1 || fail "the members are not alike: $(cat "$scratch/status.log")"
  [[ "$(id_of a "$1")" == "$(id_of b "$1")" ]] || fail "\"$1\" is another key on one member"
}

start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$port"
serves "$scratch/httpd.crt" || fail "the first certificate is not served"
old="$(id_of a httpd)"
clients &
pids[clients]=$!

echo "== a new key on both, and the alias stays with the old one"
"$keystay" rotate -alias httpd -file "$scratch/next.csr"
alike version-next-httpd
[[ -n "$(id_of a version-next-httpd)" && "$(id_of a version-next-httpd)" != "$old" ]] || fail "there is no new key"
[[ "$(id_of a httpd)" == "$old" ]] || fail "the alias is another key without a certificate for it"

echo "== its certificate: both members go over, and so does keystay-tlsd"
plain openssl x509 -req -in "$scratch/next.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -extfile "$scratch/httpd.ext" -out "$scratch/next.crt" 2>"$scratch/openssl-x509.log"
cat "$scratch/next.crt" "$scratch/ca.pem" >"$scratch/next.chain"
"$keystay" -importcert -alias httpd -file "$scratch/next.chain"
wait_for tlsd serves "$scratch/next.crt"
alike httpd
alike version-1-httpd
[[ "$(id_of b version-1-httpd)" == "$old" && "$(id_of b httpd)" != "$old" ]] || fail "the old key is not kept as a version"
touch "$scratch/enough"
join clients 0
grep -qE '^[1-9][0-9]* done, 0 failed$' "$scratch/clients.log" || fail "handshakes failed in the rotation"

echo "== either member signs with the new key alone"
for away in a b; do
  fault_at "$away" remove-token
  for _ in {1..5}; do serves "$scratch/next.crt" || fail "no handshake while hsm-$away is away"; done
  refused "$keystay" retire -alias httpd -which 1 -noprompt
  fault_at "$away" return-token
done
alike version-1-httpd
[[ "$(id_of a version-1-httpd)" == "$old" ]] || fail "a version was destroyed though one member was away"

echo "== the old version is retired on both"
"$keystay" retire -alias httpd -which 1 -noprompt
for member in a b; do
  [[ -z "$(id_of "$member" version-1-httpd)" ]] || fail "hsm-$member still has the old key"
  [[ "$(objects "$member")" == $'httpd\nkek' ]] || fail "hsm-$member has: $(objects "$member")"
done
alike httpd
"$keystay" group test
wait_for tlsd serves "$scratch/next.crt"
stop tlsd TERM
