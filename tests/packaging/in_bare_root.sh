#!/usr/bin/env bash
# What packages_serve.sh does inside the root: the commands of docs/user/install.md, and a look at what they left.
set -euo pipefail

readonly page=/keystay/install.md

say() { printf '\n== %s\n' "$*"; }

fail() {
  echo "FAILED: $*"
  exit 1
}

# block NAME: the code block of the page that follows `<!-- NAME -->`.
block() {
  awk -v marker="<!-- $1 -->" '
    $0 == marker { found = 1; next }
    found && /^```/ { if (inside) exit; inside = 1; next }
    inside' "$page"
}

# kept: what belongs to the administrator, to be compared. SoftHSM writes token.object anew at each login.
kept() {
  find /etc/keystay /var/lib/softhsm/tokens -type f ! -name token.object -exec sha256sum {} + | sort -k 2
}

server=
trap '[[ -z "$server" ]] || kill -KILL "$server" 2>/dev/null || true' EXIT

say "install"
# A root has no init: packages' services are not started.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get update -qq
apt-get install -qq --yes /packages/*.deb >/tmp/apt.log 2>&1 || fail "apt: $(tail -n 20 /tmp/apt.log)"
apt-get install -qq --yes --no-install-recommends curl python3 procps >>/tmp/apt.log 2>&1 || fail "apt: $(tail -n 20 /tmp/apt.log)"
[[ "$(stat --format='%a %U:%G' /etc/keystay/pins)" == "750 root:keystay" ]] || fail "$(ls -ld /etc/keystay/pins)"
for user in keystay-tlsd keystay-acme; do
  id -nG "$user" | grep -w keystay >/dev/null || fail "the service's user is not in the group: $(id "$user")"
done

say "the first alias"
export PIN=123456 SO_PIN=12345678
bash -euc "$(block token)"
block keystay.toml >/etc/keystay/keystay.toml
mkdir /srv/page
echo "a page" >/srv/page/index.html
python3 -m http.server 8080 --bind 127.0.0.1 --directory /srv/page >/tmp/page.log 2>&1 &
alias_commands="$(block alias | grep -v '^systemctl')" # there is no systemd here
[[ "$(wc -l <<<"$alias_commands")" -eq 4 ]] || fail "the page's commands: $alias_commands"
bash -euc "$alias_commands"

# The unit by hand: its user, its groups and its one capability. serve: starts the server and waits for the page.
serve() {
  local unit=/usr/lib/systemd/system/keystay-tlsd.service user group command
  user="$(sed -n 's/^User=//p' "$unit")"
  group="$(sed -n 's/^Group=//p' "$unit")"
  command="$(sed -n 's/^ExecStart=//p' "$unit")"
  [[ "$(sed -n 's/^AmbientCapabilities=//p' "$unit")" == CAP_NET_BIND_SERVICE ]] || fail "the unit's capabilities"
  # shellcheck disable=SC2086  # words; KEYSTAY_TLSD_OPTIONS is empty
  setpriv --reuid "$user" --regid "$group" --init-groups --no-new-privs --bounding-set -all,+net_bind_service \
    --inh-caps -all,+net_bind_service --ambient-caps -all,+net_bind_service \
    ${command/ \$KEYSTAY_TLSD_OPTIONS/} 2>/tmp/tlsd.log &
  server=$!
  for _ in $(seq 100); do
    page_is_served && return
    kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat /tmp/tlsd.log)"
    sleep 0.1 # until it listens
  done
  fail "no page: $(cat /tmp/tlsd.log)"
}

page_is_served() {
  [[ "$(curl --silent --cacert /tmp/httpd.crt https://localhost/)" == "a page" ]]
}

stop() {
  kill "$server"
  wait "$server" || fail "the server ended with $?: $(cat /tmp/tlsd.log)"
  server=
}

say "serve"
keystay -exportcert -rfc -alias httpd -file /tmp/httpd.crt
serve
[[ "$(ps -o user= -p "$server")" == keystay-tlsd ]] || fail "it runs as $(ps -o user= -p "$server")"

say "OpenSSL and Java"
apt-get install -qq --yes openssl >>/tmp/apt.log 2>&1
export OPENSSL_CONF=/usr/share/doc/keystay-openssl-provider/examples/openssl.cnf
openssl dgst -sha256 -sign keystay:httpd -out /tmp/signature "$page"
unset OPENSSL_CONF
openssl x509 -in /tmp/httpd.crt -noout -pubkey >/tmp/httpd.pub
openssl dgst -sha256 -verify /tmp/httpd.pub -signature /tmp/signature "$page"
keytool -list -storetype Keystay -keystore NONE -storepass "$PIN" -providerpath /usr/share/java/keystay-jca.jar \
  -providerclass org.keystay.jca.KeystayProvider | grep "httpd.*PrivateKeyEntry" || fail "keytool does not show the alias"

say "upgrade"
echo "# the administrator's line" >>/etc/keystay/keystay.toml
before="$(kept)"
apt-get install -qq --yes /upgrade/*.deb >/tmp/apt.log 2>&1 || fail "apt: $(tail -n 20 /tmp/apt.log)"
[[ "$(dpkg-query --show --showformat='${Version}' keystay-tlsd)" == 99.0-1 ]] || fail "not upgraded"
[[ "$(kept)" == "$before" ]] || fail "the upgrade changed: $(diff <(echo "$before") <(kept))"
page_is_served || fail "the running server was disturbed"
stop
serve
stop

readonly all=(keystay keystay-tlsd keystay-openssl-provider libkeystay-java)
say "remove"
apt-get remove -qq --yes "${all[@]}" >/tmp/apt.log 2>&1 || fail "apt: $(tail -n 20 /tmp/apt.log)"
[[ "$(kept)" == "$before" ]] || fail "the removal changed: $(diff <(echo "$before") <(kept))"
[[ ! -e /usr/bin/keystay ]] || fail "the program is still there"

say "purge"
apt-get purge -qq --yes "${all[@]}" >/tmp/apt.log 2>&1 || fail "apt: $(tail -n 20 /tmp/apt.log)"
[[ "$(kept)" == "$(grep -v ' /etc/keystay/keystay.toml$' <<<"$before")" ]] ||
  fail "purging changed: $(diff <(echo "$before") <(kept))"
left="$(find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /keystay -o -path /packages -o -path /upgrade \) -prune \
  -o -iname '*keystay*' -print | grep -v '^/etc/keystay$' | grep -v '^/var/\(lib/\|cache/\|log/\)' || true)"
[[ -z "$left" ]] || fail "purged packages left: $left"

say "a token of before serves the packages of after"
apt-get install -qq --yes /packages/*.deb >/tmp/apt.log 2>&1 || fail "apt: $(tail -n 20 /tmp/apt.log)"
block keystay.toml >/etc/keystay/keystay.toml
serve
stop

if compgen -G "/packages/*.rpm" >/dev/null; then
  say "RPM"
  apt-get purge -qq --yes "${all[@]}" >/tmp/apt.log 2>&1
  apt-get install -qq --yes rpm >>/tmp/apt.log 2>&1 || fail "apt: $(tail -n 20 /tmp/apt.log)"
  userdel keystay-tlsd
  # What they depend on, Debian has under names of its own.
  rpm --install --nodeps /packages/*.rpm
  block keystay.toml >/etc/keystay/keystay.toml
  usermod --append --groups softhsm keystay-tlsd
  before="$(kept)"
  serve
  rpm --upgrade --nodeps --replacepkgs /packages/*.rpm
  [[ "$(kept)" == "$before" ]] || fail "the upgrade changed: $(diff <(echo "$before") <(kept))"
  stop
  rpm --erase --nodeps "${all[@]}" 2>/dev/null
  [[ ! -e /usr/bin/keystay ]] || fail "the program is still there"
  [[ "$(kept | sed 's/\.rpmsave$//')" == "$before" ]] || fail "the removal changed: $(diff <(echo "$before") <(kept))"
fi
echo "packages_serve: passed"
