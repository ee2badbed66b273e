#!/usr/bin/env bash
# hitch serves by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need hitch hitch
prepare_recipe nobody
port="$(free_port)"
backend_port="$(free_port)"
mkdir "$scratch/pages"
echo "the page behind hitch" >"$scratch/pages/index.html"
start backend plain python3 -m http.server "$backend_port" --bind 127.0.0.1 --directory "$scratch/pages"

identity=('s|"_hitch"|"nobody"|' "s|\"keystay\"|\"$(id -gn nobody)\"|")
[[ "$(id -u)" -eq 0 ]] || identity=('/^user/d' '/^group/d')
recipe hitch.conf "s|\[\*\]:443|[127.0.0.1]:$port|" "s|8080|$backend_port|" "${identity[@]}" >"$scratch/hitch.conf"
start hitch hitch --config="$scratch/hitch.conf"
wait_for backend listens "$backend_port"
wait_for hitch listens "$port"
serves_both httpd "$port"
expect "$(fetch "$port")" "the page behind hitch"
reloads hitch kill -HUP "${pids[hitch]}" -- "$port"
expect "$(fetch "$port")" "the page behind hitch"
stop hitch TERM
