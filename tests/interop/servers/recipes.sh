# shellcheck shell=bash
# What the tests of docs/user/servers.md share: each runs a server by the configuration that stands on that page.
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A recipe is about configuration; what the code does in a server, the tests of nginx and its like try with sanitizers.
[[ -z "${KEYSTAY_SANITIZE:-}" ]] || skip "recipes are tried in the builds that users have"

readonly page="$KEYSTAY_SOURCE/docs/user/servers.md" etc="$scratch/etc"

# recipe FILE [SED-EXPRESSION …]: prints the code block of the page that follows `<!-- FILE -->`, with the directories of
# this test, and changed by the expressions. An expression that changes nothing fails: the page says something else by now.
recipe() {
  local file="$1" text changed expression
  shift
  text="$(awk -v marker="<!-- $file -->" '
    $0 == marker { found = 1; next }
    found && /^```/ { if (inside) exit; inside = 1; next }
    inside' "$page" | sed -e "s|/etc/keystay/|$etc/|g" -e "s|/usr/lib/keystay/|$KEYSTAY_BUILD/ossl-modules/|g")"
  [[ -n "$text" ]] || fail "$page has no code block for $file" >&2
  for expression in "$@"; do
    changed="$(sed -e "$expression" <<<"$text")"
    [[ "$changed" != "$text" ]] || fail "$page: nothing in $file that $expression changes" >&2
    text="$changed"
  done
  printf '%s\n' "$text"
}

# What runs a server that changes no user by itself as the one of prepare_recipe.
as_signer=()

# prepare_recipe [USER]: a token with the alias httpd and its renewal, and what the page lays into /etc/keystay. The
# server signs as USER, who gets no more than docs/user/access.md gives: by the group.
prepare_recipe() {
  make_token
  make_ca
  make_alias httpd -keyalg EC -groupname secp256r1
  make_alias renewed -keyalg EC -groupname secp384r1
  mkdir "$etc"
  cp "$scratch/keystay.toml" "$scratch/ca.pem" "$etc"
  recipe openssl.cnf >"$etc/openssl.cnf"
  use_alias httpd
  if [[ "$(id -u)" -eq 0 && -n "${1:-}" ]]; then share_with_group_of "$1"; fi
  unset KEYSTAY_CONF OPENSSL_MODULES
  export OPENSSL_CONF="$etc/openssl.cnf"
}

# use_alias ALIAS: certificate and key of the page are this alias's from now on.
use_alias() {
  cat "$scratch/$1.chain" >"$etc/httpd.crt"
  cat "$scratch/$1.pem" >"$etc/httpd.key"
}

# share_with_group_of USER: as docs/user/access.md says. The directory of the build may be closed to this user, so the
# provider is a copy.
share_with_group_of() {
  local group
  group="$(id -g "$1")"
  chmod 755 "$scratch" "$etc"
  chgrp -R "$group" "$scratch/tokens" "$scratch/web.pin"
  chmod -R g+rwX "$scratch/tokens"
  chmod 640 "$scratch/web.pin"
  mkdir "$scratch/provider"
  cp "$KEYSTAY_BUILD/ossl-modules/keystay.so" "$scratch/provider"
  sed -i "s|$KEYSTAY_BUILD/ossl-modules/|$scratch/provider/|" "$etc/openssl.cnf"
  setpriv --reuid "$1" --regid "$group" --clear-groups test -r "$scratch/web.pin" ||
    fail "$1 cannot enter $scratch: let TMPDIR name a directory that all users can enter"
  # shellcheck disable=SC2034  # for the tests
  as_signer=(setpriv --reuid "$1" --regid "$group" --clear-groups)
}

# says PORT [OPTION …]: what s_client says of one verified handshake.
says() {
  local port="$1"
  shift
  plain timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$scratch/ca.pem" \
    -verify_return_error "$@" 2>&1 </dev/null
}

# presents ALIAS PORT [OPTION …]: a verified handshake, in which the server has this alias's certificate.
presents() {
  local alias="$1" output
  shift
  output="$(says "$@")" || return 1
  [[ "$(plain openssl x509 -noout -fingerprint -sha256 <<<"$output")" == \
    "$(plain openssl x509 -noout -fingerprint -sha256 -in "$scratch/$alias.crt")" ]]
}

# serves_both ALIAS PORT [OPTION …]: TLS 1.2 and 1.3.
serves_both() {
  local version
  for version in -tls1_3 -tls1_2; do
    presents "$@" "$version" || fail "$*, $version: $(says "${@:2}" "$version" 2>&1 | head -n 20)"
  done
}

# reloads NAME COMMAND … -- PORT [OPTION …]: after the renewal and the command, the server has the new certificate.
reloads() {
  local name="$1"
  local -a command=()
  shift
  while [[ "$1" != -- ]]; do
    command+=("$1")
    shift
  done
  shift
  use_alias renewed
  "${command[@]}"
  wait_for "$name" presents renewed "$@"
  serves_both renewed "$@"
}
