#!/usr/bin/env bash
# A group of SoftHSM and NSS softokn: keys and certificates go from one to the other, `keystay group` compares and tests both,
# and OpenSSL and keystay-tlsd are served by whichever works.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need certutil libnss3-tools
need curl curl
softokn=""
for candidate in /usr/lib/*/libsoftokn3.so /usr/lib64/libsoftokn3.so; do
  if [[ -e "$candidate" ]]; then softokn="$candidate"; fi
done
[[ -n "$softokn" ]] || skip "libsoftokn3.so is not installed (package libnss3)"
export NSS_MAX_MP_PBE_ITERATION_COUNT=10 # each object has a key that is derived from the PIN

make_token
make_ca
make_members a
mkdir "$scratch/nss"
certutil -N -d "sql:$scratch/nss" -f "$scratch/web.pin"
cp "$KEYSTAY_BUILD/tests/libkeystay-fault-module.so" "$scratch/hsm-nss.so"
cp "$softokn" "$scratch/hsm-nss.so.target"
"$KEYSTAY_BUILD/tests/keystay-fault" "$scratch/hsm-nss.so.control" create
tlsd_port="$(free_port)"
admin_port="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML
[token.nss]
module = "$scratch/hsm-nss.so"
module-arguments = "configDir='sql:$scratch/nss'"
label = "NSS Certificate DB"
pin = "file:$scratch/web.pin"

[group.front]
members = ["hsm-a", "nss"]
wrapping-key = "kek"
timeout = "20s"
attempt-timeout = "5s"
probe = ["200ms"]

[tlsd]
admin = "127.0.0.1:$admin_port"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$tlsd_port"]
certificates = ["rsa", "ec"]
backend = "admin"

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin_port"]
TOML
sed -i '1i default = "front"' "$scratch/keystay.toml"

# --- keys and certificates on both -------------------------------------------------------------------------------------
"$keystay" group init -noprompt
make_alias rsa -keyalg RSA -keysize 2048 -noprompt
"$keystay" group promote nss # softokn takes no wrapped EC key of SoftHSM, which takes those of softokn
make_alias ec -keyalg EC -noprompt
expect "$("$keystay" group status)" "2 keys"
[[ -z "$("$keystay" group diff)" ]] || fail "the members differ"
output="$("$keystay" group test)"
for line in "hsm-a  ec " "hsm-a  rsa" "nss    ec " "nss    rsa"; do expect "$output" "$line"; done
expect "$(certutil -L -d "sql:$scratch/nss")" "rsa" # another witness

# What only one has.
openssl x509 -req -in "$scratch/rsa.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 3 \
  -extfile "$scratch/rsa.ext" -out "$scratch/newer.crt" 2>"$scratch/openssl-x509.log"
cat "$scratch/newer.crt" "$scratch/ca.pem" >"$scratch/newer.chain"
sleep 1 # the times of certificates are in seconds
"$keystay" -importcert -alias rsa -token nss -file "$scratch/newer.chain"
refused "$keystay" group diff
expect "$(cat "$scratch/refused.log")" 'hsm-a has another certificate for "rsa" than nss'
"$keystay" group sync
[[ -z "$("$keystay" group diff)" ]] || fail "the members differ after group sync"

# --- servers -----------------------------------------------------------------------------------------------------------
start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$tlsd_port"
use_provider
serves() {
  local output
  others openssl dgst -sha256 -sign keystay:ec -out "$scratch/signature" "$scratch/ca.pem"
  plain openssl x509 -in "$scratch/ec.crt" -noout -pubkey >"$scratch/public.pem"
  plain openssl dgst -sha256 -verify "$scratch/public.pem" -signature "$scratch/signature" "$scratch/ca.pem" >/dev/null
  for _ in 1 2 3 4; do
    output="$(handshake "$tlsd_port" -no_ticket -tls1_3 -sigalgs ecdsa_secp256r1_sha256)" || fail "$output"
    expect "$output" "Verification: OK"
    output="$(handshake "$tlsd_port" -no_ticket -tls1_3 -sigalgs rsa_pss_rsae_sha256)" || fail "$output"
    expect "$output" "Verification: OK"
  done
}
signed_by() { "$KEYSTAY_BUILD/tests/keystay-fault" "$scratch/hsm-$1.so.control" calls C_Sign; }
all_in_service() {
  local metrics
  metrics="$(plain curl --silent "http://127.0.0.1:$admin_port/metrics")"
  [[ "$(grep -c '^keystay_group_member_in_service{.*} 1$' <<<"$metrics")" -eq 2 ]]
}
serves
[[ "$(signed_by a)" -gt 0 && "$(signed_by nss)" -gt 0 ]] || fail "one make has not signed"
for member in nss a; do
  fault_at "$member" fail C_Sign 48 # CKR_DEVICE_ERROR
  serves
  fault_at "$member" heal C_Sign
  wait_for tlsd all_in_service
  others "$keystay" group test >"$scratch/test.log" 2>&1 || fail "group test: $(cat "$scratch/test.log")"
done
stop tlsd TERM
