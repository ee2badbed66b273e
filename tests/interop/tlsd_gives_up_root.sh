#!/usr/bin/env bash
# keystay-tlsd that root has started becomes `user` and `group`: it listens on a port below 1024, signs, and reloads as that user,
# with no other right of root's. It does not start where it cannot become that user.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ "$(id -u)" -eq 0 ]] || skip "only root can become another user"
need curl curl

make_token
make_ca
make_alias httpd -keyalg EC -noprompt
port="$(python3 -c '
import socket
for port in range(1023, 600, -1):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(port)
        break')"
admin_port="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
user = "nobody"
group = "daemon"
admin = "127.0.0.1:$admin_port"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd"]
backend = "admin"

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin_port"]
TOML
chmod 711 "$scratch"
chgrp -R daemon "$scratch/tokens" "$scratch/web.pin"
chmod -R g+rwX "$scratch/tokens"
chmod 640 "$scratch/web.pin"
mkdir "$scratch/bin" "$scratch/ossl-modules" # the directory of the build may be closed to others
cp "$KEYSTAY_BUILD/bin/keystay-tlsd" "$scratch/bin"
cp "$KEYSTAY_BUILD/ossl-modules/keystay.so" "$scratch/ossl-modules"
tlsd=("$scratch/bin/keystay-tlsd" -c "$scratch/keystay.toml")

start tlsd "${tlsd[@]}"
wait_for tlsd listens "$port"
status="/proc/${pids[tlsd]}/status"
field() { sed -n "s/^$1:[[:space:]]*//p" "$status"; }
nobody="$(id -u nobody)" daemon="$(getent group daemon | cut -d: -f3)"
[[ "$(field Uid)" == "$nobody"$'\t'"$nobody"$'\t'"$nobody"$'\t'"$nobody" ]] || fail "users: $(field Uid)"
[[ "$(field Gid)" == "$daemon"$'\t'"$daemon"$'\t'"$daemon"$'\t'"$daemon" ]] || fail "groups: $(field Gid)"
for set in CapPrm CapEff; do
  [[ "$(field "$set")" == 0000000000000400 ]] || fail "$set: $(field "$set")" # CAP_NET_BIND_SERVICE, and no other
done
[[ "$(field CapInh)$(field CapAmb)" == 00000000000000000000000000000000 ]] || fail "what it starts has rights"
[[ "$(field NoNewPrivs)" == 1 ]] || fail "it can gain rights"
[[ "$(handshake "$port" -tls1_3 || true)" == *"Verification: OK"* ]] || fail "it does not serve"

kill -HUP "${pids[tlsd]}"
reloaded() { grep -q "reload: done" "$scratch/tlsd.log"; }
wait_for tlsd reloaded
sed -i 's/^group = "daemon"/group = "nogroup"/' "$scratch/keystay.toml"
kill -HUP "${pids[tlsd]}"
unchanged() { grep -q "nothing was changed: tlsd.user or tlsd.group has changed, which needs a restart" "$scratch/tlsd.log"; }
wait_for tlsd unchanged
stop tlsd TERM

# says WORDS: the server, and its check, do not start and say this.
says() {
  local command
  for command in "" check; do
    # shellcheck disable=SC2086  # no word, or one
    refused "${as[@]}" "$scratch/bin/keystay-tlsd" $command -c "$scratch/keystay.toml"
    grep -qF -- "$1" "$scratch/refused.log" || fail "the message is: $(cat "$scratch/refused.log")"
  done
}
as=()
sed -i 's/^group = .*/group = "keystay-nobody-has-it"/' "$scratch/keystay.toml"
says 'cannot run as user "nobody" (tlsd.user): there is no group "keystay-nobody-has-it" (tlsd.group)'
sed -i 's/^group = .*//; s/^user = .*/user = "keystay-nobody-is"/' "$scratch/keystay.toml"
says 'cannot run as user "keystay-nobody-is" (tlsd.user): there is no such user'
sed -i 's/^user = .*/user = "root"/' "$scratch/keystay.toml"
says 'this is root itself'
sed -i 's/^user = .*/user = "nobody"/' "$scratch/keystay.toml"
chmod 644 "$scratch/keystay.toml"
as=(setpriv --reuid daemon --regid daemon --clear-groups)
says 'only root can become another user'
sed -i 's/^user = .*/group = "daemon"/' "$scratch/keystay.toml"
as=()
says 'tlsd.group: means nothing without "user"'
