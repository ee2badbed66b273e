#!/usr/bin/env bash
# Node.js serves by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need node nodejs
prepare_recipe nobody
port="$(free_port)"
recipe server.js "s|listen(8443)|listen($port, '127.0.0.1')|" >"$scratch/server.js"
start node "${as_signer[@]}" node --openssl-shared-config "$scratch/server.js"
wait_for node listens "$port"
serves_both httpd "$port"
expect "$(fetch "$port")" "signed by the token"
reloads node kill -HUP "${pids[node]}" -- "$port"
stop node TERM

# As the page says: without the option, node reads a section that is not there.
refused node "$scratch/server.js"
expect "$(cat "$scratch/refused.log")" "DECODER routines::unsupported"
