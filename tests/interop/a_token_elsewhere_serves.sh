#!/usr/bin/env bash
# A token on another machine: openssl signs with it, keytool lists it, nginx and keystay-tlsd serve with it; and they go on
# when the relay or the process of p11-kit is killed. What is told of a token that cannot be reached is exact.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need p11-kit p11-kit
need nginx nginx-light

# --- the HSM's machine -----------------------------------------------------------------------------------------------
make_token
make_ca
module="$(softhsm_module)"
issue() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1.example" -keyout "$scratch/$1-key.pem" \
    -out "$scratch/$1.csr" 2>>"$scratch/openssl-req.log"
  printf 'subjectAltName = DNS:%s.example\nextendedKeyUsage = %s\n' "$1" "$2" >"$scratch/$1.ext"
  openssl x509 -req -in "$scratch/$1.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
    -extfile "$scratch/$1.ext" -out "$scratch/$1.pem" 2>>"$scratch/openssl-x509.log"
}
issue hsm serverAuth
issue client clientAuth
issue stranger clientAuth
cat "$scratch/hsm.pem" "$scratch/hsm-key.pem" >"$scratch/hsm-both.pem"
hsm_port="$(free_port)"
cat >"$scratch/hsm.toml" <<TOML
[tlsd]
threads = 1

[[tlsd.listener]]
name = "hsm"
bind = ["127.0.0.1:$hsm_port"]
mode = "tcp"
certificates = ["$scratch/hsm-both.pem"]
backend = "hsm"
client-ca = "$scratch/ca.pem"
client-names = ["client.example"]

[tlsd.backend.hsm]
servers = ["unix:$scratch/p11-kit.sock"]
TOML
start p11-kit p11-kit server --foreground --provider "$module" --name "$scratch/p11-kit.sock" "pkcs11:token=web"
wait_for p11-kit test -S "$scratch/p11-kit.sock"
start hsm "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/hsm.toml"
wait_for hsm listens "$hsm_port"

# --- the others, which know nothing of SoftHSM ------------------------------------------------------------------------
unset SOFTHSM2_CONF
cp "$KEYSTAY_BUILD/bin/keystay-relay" "$scratch/keystay-relay"
tlsd_port="$(free_port)"
admin_port="$(free_port)"
cat >"$scratch/keystay.toml" <<TOML
default = "web"

[token.web]
endpoints = ["127.0.0.1:$hsm_port"]
host = "hsm.example"
ca = "$scratch/ca.pem"
certificate = "$scratch/client.pem"
key = "$scratch/client-key.pem"
label = "web"
pin = "file:$scratch/web.pin"
relay = "$scratch/keystay-relay"

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
expect "$("$keystay" test)" "Connected"
make_alias httpd -keyalg EC -groupname secp256r1
expect "$("$keystay" test -alias httpd)" 'signature: with "httpd"'
expect "$("$keystay" -list)" "httpd"

# --- keystay test says what is wrong, also of what is in no file ------------------------------------------------------
unsaved() {
  refused "$keystay" test -endpoint "127.0.0.1:$1" -host hsm.example -ca "$scratch/ca.pem" -certificate "$scratch/$2.pem" \
    -key "$scratch/$2-key.pem" -label "$3" -relay "$scratch/keystay-relay" -storepass:file "$4"
  expect "$(cat "$scratch/refused.log")" "$5"
}
expect "$("$keystay" test -endpoint "127.0.0.1:$hsm_port" -host hsm.example -ca "$scratch/ca.pem" \
  -certificate "$scratch/client.pem" -key "$scratch/client-key.pem" -label web -relay "$scratch/keystay-relay" \
  -storepass:file "$scratch/web.pin")" "Connected"
unsaved "$(free_port)" client web "$scratch/web.pin" "TCP: Connection refused"
unsaved "$hsm_port" stranger web "$scratch/web.pin" "the endpoint refuses our certificate"
unsaved "$hsm_port" client wep "$scratch/web.pin" "wep"
(umask 077 && echo 999999 >"$scratch/wrong.pin")
unsaved "$hsm_port" client web "$scratch/wrong.pin" "CKR_PIN_INCORRECT"

# --- a name of several addresses, none of which answers, costs connect-timeout once -----------------------------------
silent_port="$(free_port)"
start silent python3 -c '
import socket, sys, time
listener = socket.socket()
listener.bind(("0.0.0.0", int(sys.argv[1])))
listener.listen(0)
waiting = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))]  # fills the queue: the system drops what comes next
time.sleep(600)  # until it is ended' "$silent_port"
wait_for silent grep -q ":$(printf %04X "$silent_port") " /proc/net/tcp
printf '127.0.0.%d silent.example\n' 11 12 13 14 15 16 >"$scratch/hosts"
sed "s|^endpoints = .*|endpoints = [\"silent.example:$silent_port\", \"127.0.0.1:$hsm_port\"]\nconnect-timeout = \"1s\"|" \
  "$scratch/keystay.toml" >"$scratch/silent.toml"
# Another /etc/hosts, in a mount namespace.
if unshare --mount true 2>"$scratch/unshare.log"; then
  output="$(KEYSTAY_CONF="$scratch/silent.toml" unshare --mount bash -c 'mount --bind "$1" /etc/hosts && "$2" test' - "$scratch/hosts" \
    "$keystay" 2>&1)" || fail "the second endpoint was not reached: $output"
  expect "$output" "Connected"
else
  echo "not tried: a name of several addresses, for which this user may not mount a file over /etc/hosts"
fi
kill "${pids[silent]}"
unset "pids[silent]"

# --- OpenSSL, nginx, keystay-tlsd --------------------------------------------------------------------------------------
start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
wait_for tlsd listens "$tlsd_port"
use_provider
echo "to be signed" >"$scratch/data"
sign() {
  others openssl dgst -sha256 -sign keystay:httpd -out "$scratch/signature" "$scratch/data"
  plain openssl x509 -in "$scratch/httpd.crt" -noout -pubkey >"$scratch/public.pem"
  plain openssl dgst -sha256 -verify "$scratch/public.pem" -signature "$scratch/signature" "$scratch/data" >/dev/null
}
sign
nginx_port="$(free_port)"
cat >"$scratch/nginx.conf" <<CONF
daemon off;
worker_processes 2;
$([[ "$(id -u)" -ne 0 ]] || echo "user root;")
pid $scratch/nginx.pid;
error_log $scratch/nginx-error.log info;
env KEYSTAY_CONF;
events {}
http {
  access_log off;
  ssl_session_tickets off;
  server {
    listen 127.0.0.1:$nginx_port ssl;
    ssl_certificate $scratch/httpd.chain;
    ssl_certificate_key $scratch/httpd.pem;
    location / { return 200 "Hello from nginx"; }
  }
}
CONF
start nginx others /usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
wait_for nginx listens "$nginx_port"
get() {
  plain curl --silent --show-error --fail --cacert "$scratch/ca.pem" --resolve "localhost:$1:127.0.0.1" "https://localhost:$1$2"
}
all_serve() {
  for _ in 1 2 3 4; do
    expect "$(get "$nginx_port" /)" "Hello from nginx"
    expect "$(get "$tlsd_port" /metrics)" "keystay_tlsd_handshakes_total"
  done
  sign
}
# of_ours PATTERN: the relays of this test, or the processes of its p11-kit server.
relays() {
  local exe
  for exe in /proc/[0-9]*/exe; do
    [[ "$(readlink "$exe")" != "$scratch/keystay-relay"* ]] || basename "$(dirname "$exe")"
  done 2>/dev/null
}
all_serve
for _ in 1 2; do
  relays | xargs -r kill -KILL
  all_serve
  pgrep -P "${pids[p11-kit]}" | xargs -r kill -KILL
  all_serve
done
if grep -E "unknown process|exited on signal" "$scratch/nginx-error.log"; then fail "nginx noticed a process that is not its own"; fi

# --- Java --------------------------------------------------------------------------------------------------------------
jar="$KEYSTAY_BUILD/java/keystay-jca.jar"
if [[ -f "$jar" ]] && command -v keytool >/dev/null; then
  listing="$(plain keytool -list -storetype Keystay -keystore NONE -storepass:file "$scratch/web.pin" \
    -providerpath "$jar" -providerclass org.keystay.jca.KeystayProvider 2>&1)"
  expect "$listing" "httpd, "
fi

stop nginx QUIT
stop tlsd TERM
for _ in {1..100}; do
  if [[ -z "$(relays)" ]]; then exit 0; fi
  sleep 0.1 # polling
done
fail "a relay has outlived its process"
