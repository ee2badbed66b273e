#!/usr/bin/env bash
# Python's ssl serves by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

[[ -x /usr/bin/python3 ]] || skip "the system has no Python (package python3)"
prepare_recipe nobody
port="$(free_port)"
mkdir "$scratch/pages"
echo "the page of Python" >"$scratch/pages/index.html"
recipe server.py "s|(\"\", 8443)|(\"127.0.0.1\", $port)|" >"$scratch/server.py"
cd "$scratch/pages"
start python "${as_signer[@]}" /usr/bin/python3 "$scratch/server.py"
cd "$scratch"
wait_for python listens "$port"
serves_both httpd "$port"
expect "$(fetch "$port")" "the page of Python"
reloads python kill -HUP "${pids[python]}" -- "$port"
stop python TERM
