#!/usr/bin/env bash
# Redis serves by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need redis-server redis-server
prepare_recipe nobody
port="$(free_port)"
recipe redis.conf "s|6379|$port|" >"$scratch/redis.conf"
printf 'bind 127.0.0.1\nsave ""\n' >>"$scratch/redis.conf"

# ask WORD …: a command by Redis' own client, which verifies the server.
ask() { plain redis-cli --tls --cacert "$scratch/ca.pem" --sni localhost -h 127.0.0.1 -p "$port" "$@"; }

start redis "${as_signer[@]}" redis-server "$scratch/redis.conf"
wait_for redis listens "$port"
serves_both httpd "$port"
expect "$(ask SET key "a value of the test")" OK
expect "$(ask GET key)" "a value of the test"
reloads redis ask CONFIG SET tls-cert-file "$etc/httpd.crt" tls-key-file "$etc/httpd.key" -- "$port"
expect "$(ask GET key)" "a value of the test"
stop redis TERM
