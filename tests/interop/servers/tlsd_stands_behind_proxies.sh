#!/usr/bin/env bash
# keystay-tlsd behind HAProxy, which tells it of the client by each version of the PROXY protocol, and in front of clients
# in clear, which it sends to https.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need haproxy haproxy
need curl curl
readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"

make_token
make_ca
make_alias httpd -keyalg EC
https="$(free_port)"
http="$(free_port)"
witness="$(free_port)"
v1="$(free_port)"
v2="$(free_port)"
checked="$(free_port)"
socket="$(free_port)"
readonly https http witness v1 v2 checked socket
cp "$scratch/keystay.toml" "$scratch/tlsd.toml"
cat >>"$scratch/tlsd.toml" <<TOML
[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$https", "unix:$scratch/tls.sock"]
certificates = ["httpd"]
backend = "witness"
accept-proxy = ["127.0.0.1", "unix"]
deny = ["127.0.0.66"]

[[tlsd.listener]]
name = "http"
bind = ["127.0.0.1:$http"]
redirect = "https"
redirect-port = $v1
acme-backend = "witness"

[tlsd.backend.witness]
servers = ["127.0.0.1:$witness"]
TOML
# HAProxy is on both sides: in front with each way to send the header, and behind to show who the client is.
cat >"$scratch/haproxy.cfg" <<CFG
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
listen v1
  bind 127.0.0.1:$v1
  server tlsd 127.0.0.1:$https send-proxy check
listen v2
  bind 127.0.0.1:$v2
  server tlsd 127.0.0.1:$https send-proxy-v2 check check-send-proxy
listen checked
  bind 127.0.0.1:$checked
  server tlsd 127.0.0.1:$https send-proxy-v2 proxy-v2-options crc32c,unique-id,authority
listen socket
  bind 127.0.0.1:$socket
  server tlsd unix@$scratch/tls.sock send-proxy-v2
frontend witness
  mode http
  bind 127.0.0.1:$witness
  http-request return status 200 content-type text/plain lf-string "%[req.hdr(x-forwarded-for)] %[req.hdr(x-forwarded-proto)] %[path]\n"
CFG

start haproxy plain haproxy -db -f "$scratch/haproxy.cfg"
start tlsd "$tlsd" -c "$scratch/tlsd.toml"
wait_for haproxy listens "$witness"
wait_for tlsd listens "$https"

# get ADDRESS PORT PATH: from that address, over HAProxy.
get() {
  plain curl --silent --show-error --max-time 60 --interface "$1" --cacert "$scratch/ca.pem" \
    --resolve "localhost:$2:127.0.0.1" "https://localhost:$2$3"
}
for port in "$v1" "$v2" "$checked" "$socket"; do
  # HAProxy's own checks come first, without a client.
  wait_for tlsd get 127.0.0.5 "$port" /
  expect "$(get 127.0.0.5 "$port" /a)" "127.0.0.5 https /a"
  if get 127.0.0.66 "$port" / >"$scratch/denied.log" 2>&1; then fail "a client that is denied was served"; fi
done
grep -q "client 127.0.0.66:.*refused: the listener denies the address (deny)" "$scratch/tlsd.log" || fail "no line"

echo "== a redirect, and a challenge of ACME"
plain curl --silent --show-error --max-time 60 --include "http://127.0.0.1:$http/a?b" >"$scratch/redirect"
expect "$(cat "$scratch/redirect")" "301 Moved Permanently"
expect "$(cat "$scratch/redirect")" "Location: https://127.0.0.1:$v1/a?b"
followed="$(plain curl --silent --show-error --max-time 60 --location --cacert "$scratch/ca.pem" --interface 127.0.0.7 \
  --resolve "localhost:$http:127.0.0.1" --resolve "localhost:$v1:127.0.0.1" "http://localhost:$http/b")"
expect "$followed" "127.0.0.7 https /b"
challenge="$(plain curl --silent --show-error --max-time 60 "http://127.0.0.1:$http/.well-known/acme-challenge/abc")"
expect "$challenge" "127.0.0.1 http /.well-known/acme-challenge/abc"
stop tlsd TERM
