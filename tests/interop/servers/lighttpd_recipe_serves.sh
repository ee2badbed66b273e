#!/usr/bin/env bash
# lighttpd serves by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need lighttpd lighttpd
prepare_recipe nobody
port="$(free_port)"
mkdir "$scratch/pages"
echo "the page of lighttpd" >"$scratch/pages/index.html"
{
  recipe lighttpd.conf "s|\":443\"|\"127.0.0.1:$port\"|"
  cat <<CONF
server.document-root = "$scratch/pages"
server.bind = "127.0.0.1"
server.port = $(free_port)
index-file.names = ( "index.html" )
CONF
  [[ "$(id -u)" -ne 0 ]] || printf 'server.username = "nobody"\nserver.groupname = "%s"\n' "$(id -gn nobody)"
} >"$scratch/lighttpd.conf"

start lighttpd lighttpd -D -f "$scratch/lighttpd.conf"
wait_for lighttpd listens "$port"
serves_both httpd "$port"
expect "$(fetch "$port")" "the page of lighttpd"
reloads lighttpd kill -USR1 "${pids[lighttpd]}" -- "$port"
expect "$(fetch "$port")" "the page of lighttpd"
stop lighttpd INT # ends when the last request has
