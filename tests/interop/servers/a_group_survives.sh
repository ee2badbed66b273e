#!/usr/bin/env bash
# A group of three tokens serves through keystay-tlsd, nginx with two workers, and Java, under a load of full handshakes:
# whatever becomes of one member, or of both active ones, no handshake fails; without all three they fail at once, and
# succeed again within moments of the return of one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/load.sh"

need nginx nginx-light
need curl curl

# --- three members that fail apart from one another ---------------------------------------------------------------------
make_token
make_ca
make_members a b c
tlsd_port="$(free_port)"
admin_port="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML
[group.front]
members = ["hsm-a", "hsm-b", "hsm-c"]
min-active = 2
verify = true
wrapping-key = "front-kek"
attempt-timeout = "1s"
probe = ["200ms", "1s"]

[tlsd]
admin = "127.0.0.1:$admin_port"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$tlsd_port"]
certificates = ["httpd"]
backend = "admin"

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin_port"]
TOML
# --- one key for all -----------------------------------------------------------------------------------------------
refused "$keystay" -genkeypair -alias httpd -token front -keyalg EC -noprompt
expect "$(cat "$scratch/refused.log")" 'hsm-c: the token has no wrapping key "front-kek"'
"$keystay" group init --dry-run 2>"$scratch/dry.log"
expect "$(cat "$scratch/dry.log")" "hsm-c: has no wrapping key"
refused "$keystay" group init </dev/null
expect "$(cat "$scratch/refused.log")" "write -noprompt"
"$keystay" group init -noprompt
refused "$keystay" -genkeypair -alias httpd -token front -keyalg EC </dev/null
expect "$(cat "$scratch/refused.log")" "CKA_NEVER_EXTRACTABLE will be false"
"$keystay" -genkeypair -alias httpd -token front -keyalg EC -noprompt
"$keystay" -genkeypair -alias spare -token front -keyalg RSA -keysize 2048 -dname CN=spare -noprompt
"$keystay" group status
"$keystay" -changealias -alias spare -destalias rest -token front
"$keystay" group status
"$keystay" -delete -alias rest -token front
for member in a b c; do
  "$keystay" -list -token "hsm-$member" >"$scratch/list.log"
  expect "$(cat "$scratch/list.log")" httpd
  if grep -q rest "$scratch/list.log"; then fail "hsm-$member has what was deleted"; fi
done

# The certificate is brought to each member; the reference file names the group.
"$keystay" -certreq -alias httpd -token front -dname CN=localhost -file "$scratch/httpd.csr"
printf 'subjectAltName = DNS:localhost, IP:127.0.0.1\nauthorityKeyIdentifier = keyid\n' >"$scratch/httpd.ext"
openssl x509 -req -in "$scratch/httpd.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
  -extfile "$scratch/httpd.ext" -out "$scratch/httpd.crt" 2>"$scratch/openssl-x509.log"
cat "$scratch/httpd.crt" "$scratch/ca.pem" >"$scratch/httpd.chain"
"$keystay" -importcert -alias httpd -token hsm-a -file "$scratch/httpd.chain"
refused "$keystay" group status
expect "$(cat "$scratch/refused.log")" 'hsm-c has no certificate for "httpd", unlike hsm-a'
"$keystay" group sync --dry-run 2>"$scratch/dry.log"
expect "$(cat "$scratch/dry.log")" 'hsm-b: the certificate of "httpd" would be brought from hsm-a'
refused "$keystay" group status
"$keystay" -groupsync -token front
"$keystay" group status >"$scratch/status.log"
expect "$(cat "$scratch/status.log")" 'Group "front": 3 members, 2 active at a time'
"$keystay" group status --json | python3 -c '
import json, sys
group = json.load(sys.stdin)
assert [member["role"] for member in group["members"]] == ["active", "active", "stands by"], group
assert group["differences"] == [] and group["members"][2]["aliases"][0]["alias"] == "httpd", group'
fault_at b remove-token
refused "$keystay" group status
expect "$(cat "$scratch/refused.log")" "1 of 3 members cannot be used"
fault_at b return-token
refused "$keystay" group status -token hsm-a
expect "$(cat "$scratch/refused.log")" '"hsm-a" is no group; name one with -token: front'
"$keystay" -list -token front >"$scratch/list.log"
expect "$(cat "$scratch/list.log")" httpd
"$keystay" -exportref -alias httpd -token front -file "$scratch/httpd.pem"

# --- three servers ---------------------------------------------------------------------------------------------------
start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$tlsd_port"

use_provider
nginx_port="$(free_port)"
configure_nginx "$nginx_port" "ssl_certificate $scratch/httpd.chain" "ssl_certificate_key $scratch/httpd.pem" \
  "ssl_session_tickets off" "ssl_protocols TLSv1.2 TLSv1.3"
sed -i 's/^worker_processes 1/worker_processes 2/' "$scratch/nginx.conf"
start nginx others "${nginx[@]}"
wait_for nginx listens "$nginx_port"

ports=("$tlsd_port" "$nginx_port")
jar="$KEYSTAY_BUILD/java/keystay-jca.jar"
if [[ -f "$jar" ]] && command -v java >/dev/null; then
  java_port="$(free_port)"
  printf '# Keystay key store, version 1\ntoken = "front"\nscope = "listed"\naliases = ["httpd"]\n' >"$scratch/web.keystore"
  KEYSTAY_JAR="$jar" start java plain "$KEYSTAY_SOURCE/examples/java-https/run.sh" "$scratch/web.keystore" "$java_port"
  wait_for java listens "$java_port"
  ports+=("$java_port")
fi

# --- faults under load -----------------------------------------------------------------------------------------------
begin_load
more_handshakes 10
end_load "quiet"
member_is c operations_total 0 || fail "the member that stands by has signed"

begin_load
more_handshakes 5
fault_at a fail C_Sign 48 # CKR_DEVICE_ERROR
wait_for tlsd member_is a in_service 0
wait_for tlsd member_is c active 1
more_handshakes 10
expect "$(plain curl --silent "http://127.0.0.1:$admin_port/health/groups")" 'member "hsm-a" is out of service: '
[[ "$(plain curl --silent --write-out '%{http_code}' "http://127.0.0.1:$admin_port/health")" == 204 ]] ||
  fail "/health is not 204 although two members sign"
fault_at a heal C_Sign
wait_for tlsd member_is a in_service 1
wait_for tlsd member_is c active 0
more_handshakes 5
[[ "$(plain curl --silent --write-out '%{http_code}' "http://127.0.0.1:$admin_port/health/groups")" == 204 ]] ||
  fail "/health/groups is not 204 although all members are in service"
end_load "device error of one"

begin_load
more_handshakes 5
fault_at b hold C_Sign
wait_for tlsd member_is b in_service 0
more_handshakes 20
fault_at b release C_Sign
wait_for tlsd member_is b in_service 1
more_handshakes 5
end_load "one that hangs"

begin_load
more_handshakes 5
for member in a b c; do fault_at "$member" drop-sessions; done
# One by one: SoftHSM's tokens are in one directory here, and a module that starts may find each of them half written by
# servers that log in just then.
for member in a b c; do
  more_handshakes 5
  fault_at "$member" forget-initialize
done
more_handshakes 5
end_load "all sessions lost"

begin_load
more_handshakes 5
fault_at a remove-token
fault_at b remove-token
wait_for tlsd member_is a in_service 0
wait_for tlsd member_is b in_service 0
more_handshakes 20
fault_at a return-token
fault_at b return-token
wait_for tlsd member_is a in_service 1
wait_for tlsd member_is b in_service 1
end_load "both active members away"

begin_load
for member in a b c; do
  fault_at "$member" remove-token
  wait_for tlsd member_is "$member" in_service 0
  more_handshakes 5
  fault_at "$member" return-token
  wait_for tlsd member_is "$member" in_service 1
  more_handshakes 5
done
end_load "a rolling restart"

begin_load
fault_at a sign-wrongly
wait_for tlsd member_is a in_service 0
more_handshakes 10
fault_at a sign-rightly
wait_for tlsd member_is a in_service 1
end_load "wrong signatures of one"

for port in "${ports[@]}"; do shakes_hands "$port" || fail "no handshake on port $port"; done
for member in a b c; do fault_at "$member" remove-token; done
for port in "${ports[@]}"; do
  for _ in 1 2 3 4; do if shakes_hands "$port"; then fail "port $port serves without a token"; fi; done
done
fault_at c return-token
for port in "${ports[@]}"; do wait_for tlsd shakes_hands "$port"; done
for member in a b; do fault_at "$member" return-token; done

# --- members that come and go -----------------------------------------------------------------------------------------
# nginx and Java notice the changed file, each process by itself; keystay-tlsd takes it at SIGHUP and not before.
# leaves MEMBER: no server has it sign any more.
leaves() {
  left_alone() {
    local before
    before="$(fault_at "$1" calls C_Sign)"
    more_handshakes 10
    [[ "$(fault_at "$1" calls C_Sign)" == "$before" ]]
  }
  wait_for tlsd left_alone "$1"
}
# comes MEMBER: it signs for them.
comes() {
  local before
  before="$(fault_at "$1" calls C_Sign)"
  signs_more() { [[ "$(fault_at "$1" calls C_Sign)" -gt "$((before + 10))" ]]; }
  wait_for tlsd signs_more "$1"
}
for member in a b c; do wait_for tlsd member_is "$member" in_service 1; done
all_ports=("${ports[@]}")
ports=("${all_ports[@]:1}") # all but keystay-tlsd's
begin_load
more_handshakes 5
"$keystay" group remove hsm-a -token front
comes c
leaves a
"$keystay" group add hsm-a -token front
"$keystay" group promote hsm-a -token front
comes a
leaves c
"$keystay" group remove hsm-b -token front
comes c
leaves b
end_load "members changed in the file"
ports=("${all_ports[@]}")
member_is b active 1 || fail "keystay-tlsd has followed the file by itself"
begin_load
more_handshakes 5
kill -HUP "${pids[tlsd]}"
not_a_member() { ! member_is b in_service 1; }
wait_for tlsd not_a_member
more_handshakes 10
end_load "members changed, and SIGHUP"
"$keystay" group status -token front

# What an operator reads, once each.
for line in 'group "front": member "hsm-a" is out of service: ' 'group "front": member "hsm-a" is back in service after ' \
  'member "hsm-b" is out of service: token "hsm-b" did not answer within the time of one attempt'; do
  grep -qF "$line" "$scratch/tlsd.log" || fail "no line in tlsd's log: $line"
done
stop tlsd TERM
stop nginx QUIT
