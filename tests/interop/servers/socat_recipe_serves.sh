#!/usr/bin/env bash
# socat serves by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need socat socat
prepare_recipe nobody
port="$(free_port)"
backend_port="$(free_port)"
mkdir "$scratch/pages"
echo "the page behind socat" >"$scratch/pages/index.html"
start backend plain python3 -m http.server "$backend_port" --bind 127.0.0.1 --directory "$scratch/pages"
read -ra command < <(recipe socat.sh "s|LISTEN:8443|LISTEN:$port,bind=127.0.0.1|" "s|TCP:127.0.0.1:8080|TCP:127.0.0.1:$backend_port|")
start socat "${as_signer[@]}" "${command[@]}"
wait_for backend listens "$backend_port"
wait_for socat listens "$port"
serves_both httpd "$port"
expect "$(fetch "$port")" "the page behind socat"
kill -TERM "${pids[socat]}"
join_signalled socat TERM
