#!/usr/bin/env bash
# unbound answers over TLS by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need unbound unbound
prepare_recipe nobody
port="$(free_port)"
user='s|"unbound"|"nobody"|'
[[ "$(id -u)" -eq 0 ]] || user='s|"unbound"|""|'
{
  recipe unbound.conf "s|0.0.0.0@853|127.0.0.1@$port|" "s|tls-port: 853|tls-port: $port|" "$user"
  cat <<CONF
  directory: "$scratch"
  pidfile: ""
  use-syslog: no
  local-data: "name.test. A 192.0.2.7"
remote-control:
  control-enable: no
CONF
} >"$scratch/unbound.conf"

resolves() { [[ "$(plain python3 "$interop/servers/dns_over_tls.py" "$port" "$scratch/ca.pem" name.test)" == 192.0.2.7 ]]; }

launch() {
  start unbound unbound -d -p -c "$scratch/unbound.conf"
  wait_for unbound listens "$port"
}
launch
serves_both httpd "$port"
resolves || fail "no answer"
reload() { kill -HUP "${pids[unbound]}"; }
# restart: what old versions need, as the page says; they are not hurt by a reload.
restart() {
  reload
  wait_for unbound resolves
  presents httpd "$port" || fail "unbound $version took the renewed certificate: correct the page"
  stop unbound TERM
  launch
}
version="$(unbound -V | sed -n '1s/^Version //p')"
case "$version" in
  1.[0-9].* | 1.1[0-9].*) reloads unbound restart -- "$port" ;;
  *) reloads unbound reload -- "$port" ;;
esac
resolves || fail "no answer with the renewed certificate"
stop unbound TERM
