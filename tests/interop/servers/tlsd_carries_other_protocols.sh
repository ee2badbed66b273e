#!/usr/bin/env bash
# keystay-tlsd carries MQTT to a broker that knows no TLS, and tells a server that takes the PROXY protocol who the
# client is and what TLS was agreed on; HAProxy reads the header.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need mosquitto mosquitto
need mosquitto_pub mosquitto-clients
need haproxy haproxy
readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"

make_token
make_ca
make_alias httpd -keyalg EC
mqtts="$(free_port)"
imaps="$(free_port)"
mqtt="$(free_port)"
imap="$(free_port)"
admin="$(free_port)"
readonly mqtts imaps mqtt imap admin
sed -e "s|/usr/lib/softhsm/libsofthsm2.so|$(softhsm_module)|" -e "s|/etc/keystay/web.pin|$scratch/web.pin|" \
  -e "s|0.0.0.0:8883|127.0.0.1:$mqtts|" -e "s|0.0.0.0:993|127.0.0.1:$imaps|" -e "s|127.0.0.1:1883|127.0.0.1:$mqtt|" \
  -e "s|127.0.0.1:1143|127.0.0.1:$imap|" -e "s|127.0.0.1:9440|127.0.0.1:$admin|" \
  "$examples/tlsd-tcp/keystay.toml" >"$scratch/tlsd.toml"
sed -e "s|1883|$mqtt|" "$examples/tlsd-tcp/mosquitto.conf" >"$scratch/mosquitto.conf"
# Not an IMAP server, but one that shows what it was told in front of the first line.
cat >"$scratch/haproxy.cfg" <<CFG
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend witness
  bind 127.0.0.1:$imap accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] to %[dst]:%[dst_port] for %[fc_pp_authority]\n"
CFG

start mosquitto plain mosquitto -c "$scratch/mosquitto.conf"
start haproxy plain haproxy -db -f "$scratch/haproxy.cfg"
start tlsd "$tlsd" -c "$scratch/tlsd.toml"
wait_for mosquitto listens "$mqtt"
wait_for haproxy listens "$imap"
wait_for tlsd listens "$imaps"

echo "== MQTT"
client=(-h localhost -p "$mqtts" --cafile "$scratch/ca.pem" -t topic)
for text in "first" "second"; do
  plain mosquitto_pub "${client[@]}" --retain -m "$text"
  expect "$(plain mosquitto_sub "${client[@]}" -C 1 -W 60)" "$text"
done

echo "== the PROXY protocol"
told="$(printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' |
  plain timeout 60 openssl s_client -quiet -ign_eof -connect "127.0.0.1:$imaps" -servername localhost -alpn imap \
    -CAfile "$scratch/ca.pem" -verify_return_error 2>/dev/null | tail -n 1)"
[[ "$told" =~ ^127\.0\.0\.1:[0-9]+\ to\ 127\.0\.0\.1:$imaps\ for\ localhost$ ]] || fail "HAProxy was told: $told"

echo "== a broker that is gone"
stop mosquitto TERM
plain mosquitto_pub "${client[@]}" -m "nobody" 2>/dev/null && fail "a message was taken by nobody"
wait_for tlsd grep -q "connection given up: backend mqtt, 127.0.0.1:$mqtt cannot be reached: Connection refused" \
  "$scratch/tlsd.log"
stop tlsd TERM
