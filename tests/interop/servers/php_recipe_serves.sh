#!/usr/bin/env bash
# PHP's streams serve by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need php php-cli
prepare_recipe nobody
port="$(free_port)"
recipe server.php "s|0.0.0.0:8443|127.0.0.1:$port|" >"$scratch/server.php"
start php "${as_signer[@]}" php "$scratch/server.php"
wait_for php listens "$port"
serves_both httpd "$port"
expect "$(fetch "$port")" "signed by the token"
reloads php true -- "$port"
kill -TERM "${pids[php]}"
join_signalled php TERM
