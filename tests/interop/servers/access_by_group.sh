#!/usr/bin/env bash
# docs/user/access.md: a server starts without the PIN and fails each handshake with alert 80; its log says why. As soon as
# its group may read the PIN and reach the token, it serves, and so does everybody else of the group.
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"

need hitch hitch
[[ "$(id -u)" -eq 0 ]] || skip "only root can become the user of a server"
prepare_recipe nobody
cp "$keystay" "$scratch/keystay" # the directory of the build may be closed to others
port="$(free_port)"
recipe hitch.conf "s|\[\*\]:443|[127.0.0.1]:$port|" 's|"_hitch"|"nobody"|' "s|\"keystay\"|\"$(id -gn nobody)\"|" >"$scratch/hitch.conf"

# fails_with WORDS: the handshake fails with internal_error (RFC 8446, 6.2), and what the token's user is told has them.
fails_with() {
  expect "$(says "$port" || true)" "alert number 80"
  refused "${as_signer[@]}" openssl pkeyutl -sign -rawin -in "$etc/ca.pem" -inkey keystay:httpd
  expect "$(cat "$scratch/refused.log")" "$1"
}

chown root:root "$scratch/web.pin"
chmod 600 "$scratch/web.pin"
start hitch hitch --config="$scratch/hitch.conf"
wait_for hitch listens "$port"
fails_with "$scratch/web.pin: Permission denied for the user with the ID $(id -u nobody) (token \"web\"); let a group"

chgrp "$(id -g nobody)" "$scratch/web.pin"
chmod 640 "$scratch/web.pin"
eventually presents httpd "$port"
presents httpd "$port" -tls1_2

# Nobody is locked out: not root, and not another user in the group.
operator=(setpriv --reuid daemon --regid "$(id -g nobody)" --clear-groups)
for who in "" "${operator[*]}"; do
  # shellcheck disable=SC2086  # words
  expect "$($who env KEYSTAY_CONF="$etc/keystay.toml" "$scratch/keystay" -list)" httpd
done
stop hitch TERM
wait_until_free "$port" # its workers leave after it

# The token's directory closed to the user: the same, with the module's words.
chmod 700 "$scratch/tokens"
start hitch hitch --config="$scratch/hitch.conf"
wait_for hitch listens "$port"
fails_with "C_Initialize: CKR_GENERAL_ERROR"
chmod 770 "$scratch/tokens"
eventually presents httpd "$port"
stop hitch TERM
