#!/usr/bin/env bash
# mosquitto serves by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need mosquitto mosquitto
need mosquitto_pub mosquitto-clients
prepare_recipe nobody
port="$(free_port)"
recipe mosquitto.conf "s|^listener 8883|listener $port 127.0.0.1|" "s|^user .*|user nobody|" >"$scratch/mosquitto.conf"
echo "allow_anonymous true" >>"$scratch/mosquitto.conf"

client=(-h localhost -p "$port" --cafile "$scratch/ca.pem" -t topic)
# exchange TEXT: one client leaves it, another one, with a handshake of its own, gets it.
exchange() {
  plain mosquitto_pub "${client[@]}" --retain -m "$1"
  expect "$(plain mosquitto_sub "${client[@]}" -C 1 -W 60)" "$1"
}

start mosquitto mosquitto -c "$scratch/mosquitto.conf"
wait_for mosquitto listens "$port"
serves_both httpd "$port"
exchange "before the reload"
reloads mosquitto kill -HUP "${pids[mosquitto]}" -- "$port"
exchange "after the reload"
stop mosquitto TERM
