#!/usr/bin/env bash
# OpenVPN's server and client sign by the recipes of docs/user/servers.md. No tunnel is made, for which not every machine
# has a device: both ends authenticate each other and agree on keys.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need openvpn openvpn
prepare_recipe nobody
port="$(free_port)"
end_to_end=("s|^dev tun|dev null|")
drop=()
[[ "$(id -u)" -eq 0 ]] || drop=("/^user/d" "/^group/d")
{
  recipe openvpn-server.conf "${end_to_end[@]}" "s|^server .*|tls-server|" "s|^port .*|port $port|" "${drop[@]}"
  echo "local 127.0.0.1"
} >"$scratch/server.conf"
use_client() {
  cat "$scratch/$1.chain" >"$etc/laptop.crt"
  cat "$scratch/$1.pem" >"$etc/laptop.key"
}
{
  recipe openvpn-client.conf "${end_to_end[@]}" "s|^client|tls-client|" "s|vpn.example.com 1194|127.0.0.1 $port|" \
    "/^remote-cert-tls/d"
  printf 'nobind\nverb 4\n'
} >"$scratch/client.conf"

start server openvpn --config "$scratch/server.conf" --verb 4
connected() { grep -q "Initialization Sequence Completed" "$scratch/client.log"; }
# connects VERSION ALIAS BITS: a client with this alias agrees on the version; the server's key has so many bits.
connects() {
  use_client "$2"
  start client openvpn --config "$scratch/client.conf" --tls-version-max "$1"
  wait_for client connected
  grep -q "Control Channel: TLSv$1.* peer certificate: $3" "$scratch/client.log" || fail "no TLS $1 with $3"
  stop client TERM
}
connects 1.3 renewed "256 bits EC"
connects 1.2 httpd "256 bits EC"
use_alias renewed
kill -USR1 "${pids[server]}"
wait_for server grep -q "SIGUSR1.*process restarting" "$scratch/server.log"
connects 1.3 httpd "384 bits EC"
stop server TERM
