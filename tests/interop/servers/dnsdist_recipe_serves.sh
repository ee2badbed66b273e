#!/usr/bin/env bash
# dnsdist answers over TLS and HTTPS by the recipe of docs/user/servers.md.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need dnsdist dnsdist
prepare_recipe nobody
port="$(free_port)"
https_port="$(free_port)"
{
  recipe dnsdist.conf "s|0.0.0.0:853|127.0.0.1:$port|" "s|0.0.0.0:443|127.0.0.1:$https_port|" \
    's|^newServer.*|addAction("name.test.", SpoofAction("192.0.2.7"))|'
  cat <<CONF
setLocal("127.0.0.1:$(free_port)")
setSecurityPollSuffix("")
setKey("$(plain openssl rand -base64 32)")
controlSocket("127.0.0.1:$(free_port)")
CONF
} >"$scratch/dnsdist.conf"
chmod 644 "$scratch/dnsdist.conf"
user=()
[[ "$(id -u)" -ne 0 ]] || user=(--uid nobody --gid "$(id -gn nobody)")

resolves() { [[ "$(plain python3 "$interop/servers/dns_over_tls.py" "$port" "$scratch/ca.pem" name.test)" == 192.0.2.7 ]]; }
console() { plain dnsdist -C "$scratch/dnsdist.conf" -c -e "$1"; }

start dnsdist dnsdist --supervised --disable-syslog "${user[@]}" -C "$scratch/dnsdist.conf"
wait_for dnsdist listens "$https_port"
wait_for dnsdist listens "$port"
serves_both httpd "$port"
serves_both httpd "$https_port"
resolves || fail "no answer"
reloads dnsdist console "reloadAllCertificates()" -- "$port"
presents renewed "$https_port" || fail "HTTPS has the old certificate after the reload"
resolves || fail "no answer after the reload"
console "shutdown()"
join dnsdist 0
