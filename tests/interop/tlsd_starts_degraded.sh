#!/usr/bin/env bash
# keystay-tlsd with `start = "degraded"` starts while no member of the group is there, serves what it has, says what it lacks,
# and serves that too once a member is back. Without it, it starts as long as one member is there.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl curl

make_token
make_members a b
make_ca
https_port="$(free_port)"
file_port="$(free_port)"
admin_port="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML
[group.front]
members = ["hsm-a", "hsm-b"]
wrapping-key = "kek"
TOML
"$keystay" group init -noprompt
make_alias httpd -keyalg EC -noprompt
make_alias other -keyalg RSA -keysize 2048 -noprompt
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=file -addext "subjectAltName=DNS:localhost" \
  -keyout "$scratch/file.key" -out "$scratch/file.crt" 2>"$scratch/openssl-req.log"
(umask 077 && cat "$scratch/file.key" "$scratch/file.crt" >"$scratch/file.pem")
cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
admin = "127.0.0.1:$admin_port"
start = "degraded"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$https_port"]
certificates = ["httpd", "other"]
backend = "admin"

[[tlsd.listener]]
name = "file"
bind = ["127.0.0.1:$file_port"]
certificates = ["$scratch/file.pem"]
backend = "admin"

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin_port"]
TOML

health() { plain curl --silent --write-out '%{http_code}' "http://127.0.0.1:$admin_port/health"; }
is_healthy() { [[ "$(health)" == 204 ]]; }
serves() { [[ "$(handshake "$https_port" -tls1_3 "$@" || true)" == *"Verification: OK"* ]]; }
start_tlsd() { start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"; }

# --- nobody is there -------------------------------------------------------------------------------------------------
fault_at a remove-token
fault_at b remove-token
sed -i 's/^start = .*/start = "complete"/' "$scratch/keystay.toml"
refused "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
sed -i 's/^start = .*/start = "degraded"/' "$scratch/keystay.toml"
start_tlsd
wait_for tlsd listens "$https_port"
expect "$(plain curl --silent --cacert "$scratch/file.crt" "https://localhost:$file_port/metrics")" "keystay_tlsd_"
if serves; then fail "it serves without a key"; fi
expect "$(handshake "$https_port" -tls1_3 || true)" "alert"
expect "$(health)" 'certificate "httpd"'
expect "$(health)" 'certificate "other"'
expect "$(health)" 500
grep -q 'started without it (start = "degraded").*httpd' "$scratch/tlsd.log" || fail "the log does not say what is missing"

# --- one comes back --------------------------------------------------------------------------------------------------
fault_at b return-token
wait_for tlsd serves
wait_for tlsd is_healthy
serves -sigalgs rsa_pss_rsae_sha256 || fail "the second certificate is not served"
stop tlsd TERM

# --- one is there from the beginning ---------------------------------------------------------------------------------
sed -i 's/^start = .*/start = "complete"/' "$scratch/keystay.toml"
start_tlsd
wait_for tlsd listens "$https_port"
serves || fail "it does not serve with one member"
stop tlsd TERM
