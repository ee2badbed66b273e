#!/usr/bin/env bash
# The whole life of a key: a token is prepared, an alias made, its certificate signed by a CA, imported and served, renewed and
# rotated while it is served, audited and retired. README.md beside this file tells the story.
#
#   examples/custodian/run.sh
#   --build DIRECTORY         with the programs of this build, instead of build/release
#   --directory DIRECTORY     where everything goes, instead of build/custodian; it is made anew
#   --acme URL                the directory of a CA with ACME, which issues one of the certificates. With it:
#   --acme-ca FILE            whom the CA's own certificate is from
#   --acme-root FILE          the root of the certificates that it issues
#   --acme-port PORT          where it looks for the responses to its challenges
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly examples="$PWD/examples/custodian"

build=build/release
here=build/custodian
acme= acme_ca= acme_root= http=
while [[ $# -gt 0 ]]; do
  case "$1" in
    --build) build="${2:?--build needs a directory}"; shift 2 ;;
    --directory) here="${2:?--directory needs a directory}"; shift 2 ;;
    --acme) acme="${2:?--acme needs a URL}"; shift 2 ;;
    --acme-ca) acme_ca="$(realpath "$2")"; shift 2 ;;
    --acme-root) acme_root="$(realpath "$2")"; shift 2 ;;
    --acme-port) http="${2:?--acme-port needs a port}"; shift 2 ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "custodian: unknown option $1; try --help" >&2; exit 2 ;;
  esac
done

give_up() {
  echo "custodian: $*" >&2
  exit 1
}
for program in keystay keystay-tlsd; do
  [[ -x "$build/bin/$program" ]] || give_up "$build/bin/$program is missing; build Keystay first"
done
PATH="$(realpath "$build/bin"):$PATH"
rm -rf "$here"
mkdir -p "$here/page" "$here/tokens"
here="$(realpath "$here")"
readonly here
cd "$here"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }
declare -A started=()
finish() {
  local process
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
}
trap finish EXIT

# until_true COMMAND …: or the end, after 30 s.
until_true() {
  local deadline=$((SECONDS + 30))
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $deadline ]] || give_up "no success within 30 s: $*"
    sleep 0.1 # polling
  done
}

softhsm=
for candidate in /usr/lib/softhsm /usr/lib/*/softhsm; do
  if [[ -e "$candidate/libsofthsm2.so" ]]; then softhsm="$candidate/libsofthsm2.so"; fi
done
[[ -n "$softhsm" ]] || give_up "libsofthsm2.so is not where Debian and Ubuntu put it"
export SOFTHSM2_CONF="$here/softhsm2.conf"
export KEYSTAY_CONF="$here/keystay.toml"
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$here/tokens" >softhsm2.conf

read -r https admin page challenges free < <(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*[s.getsockname()[1] for s in sockets])')
http="${http:-$free}"
fill_in() {
  sed -e "s|@HERE@|$here|g; s|@MODULE@|$softhsm|" -e "s|@HTTPS@|$https|; s|@ADMIN@|$admin|; s|@PAGE@|$page|" \
    -e "s|@HTTP@|$http|; s|@CHALLENGES@|$challenges|" "$examples/$1"
}
fill_in keystay.toml >keystay.toml

# --- the CA, which knows nothing of tokens -------------------------------------------------------------------------------
# Its commands, with what they say in openssl.log.
openssl_ca() { openssl "$@" 2>>openssl.log; }
make_ca() {
  mkdir root issuing
  fill_in ca.cnf >ca.cnf
  openssl_ca req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -days 3650 -subj "/CN=Example Root CA" \
    -config ca.cnf -extensions authority -keyout root/ca-key.pem -out root/ca.pem
  openssl_ca req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=Example Issuing CA" -config ca.cnf \
    -keyout issuing/ca-key.pem -out issuing/ca.csr
  openssl_ca x509 -req -in issuing/ca.csr -CA root/ca.pem -CAkey root/ca-key.pem -CAcreateserial -days 1825 \
    -extfile ca.cnf -extensions authority -out issuing/ca.pem
  cat root/ca.pem ${acme_root:+"$acme_root"} >trusted.pem
  : >issuing/index.txt
  echo 1000 >issuing/serial
}
# sign REQUEST CHAIN: the certificate and its issuers.
sign() {
  openssl_ca ca -batch -notext -config ca.cnf -in "$1" -out "$2"
  cat issuing/ca.pem root/ca.pem >>"$2"
}

# --- the clients, which trust the roots ----------------------------------------------------------------------------------
fetch() {
  curl --silent --show-error --fail --max-time 20 --cacert trusted.pem --resolve "www.example:$https:127.0.0.1" \
    "https://www.example:$https/"
}
show_page() {
  echo "$ curl --cacert trusted.pem https://www.example:$https/"
  fetch
}
# clients: fetch the page until the file `enough` is there, and count.
clients() {
  local pages=0 failed=0
  until [[ -e enough ]]; do
    if [[ "$(fetch 2>>clients.log)" == "$(cat page/index.html)" ]]; then pages=$((pages + 1)); else failed=$((failed + 1)); fi
  done
  echo "$pages pages, $failed failed" >clients.result
}
served_certificate() {
  openssl s_client -connect "127.0.0.1:$https" -servername www.example </dev/null 2>/dev/null | openssl x509 -outform PEM
}
# serves FILE: whether the first certificate in the file is what a client gets.
serves() { [[ "$(served_certificate)" == "$(openssl x509 -in "$1" -outform PEM)" ]]; }
key_of() { openssl x509 -in "$1" -noout -pubkey; }

# --- the steps -----------------------------------------------------------------------------------------------------------
prepare_token() {
  say "A token is prepared: initialised by the security officer, who gives the user the first PIN"
  (umask 077 && openssl rand -hex 12 >web.so-pin && openssl rand -hex 12 >web.pin)
  show keystay init-token -token web -sopin:file web.so-pin
  show keystay init-pin -token web -sopin:file web.so-pin -newpin:file web.pin
  show keystay tokens
  show keystay test
}

make_alias() {
  say "An alias is made, and a CA signs its request"
  show keystay genkeypair -alias httpd -keyalg EC -groupname secp256r1 -dname CN=www.example
  show keystay certreq -alias httpd -ext san=dns:www.example -file first.csr
  sign first.csr first.pem
  show keystay importcert -alias httpd -file first.pem
  show keystay list -alias httpd
}

serve() {
  say "keystay-tlsd serves it"
  echo "Hello from a server whose key has a whole life before it." >page/index.html
  python3 -m http.server "$page" --bind 127.0.0.1 --directory page >page.log 2>&1 &
  started[page]=$!
  show keystay-tlsd check -c keystay.toml
  keystay-tlsd -c keystay.toml 2>tlsd.log &
  started[tlsd]=$!
  until_true fetch
  show_page
  serves first.pem || give_up "another certificate is served"
  clients &
  started[clients]=$!
}

renew_certificate() {
  say "The certificate is renewed, with the same key, while it is served"
  show keystay renew -alias httpd -file renewed.csr
  sign renewed.csr renewed.pem
  show keystay importcert -alias httpd -file renewed.pem
  until_true serves renewed.pem
  [[ "$(key_of first.pem)" == "$(key_of renewed.pem)" ]] || give_up "the renewed certificate is for another key"
}

rotate_key() {
  say "The key is followed by a new one, while it is served"
  show keystay rotate -alias httpd -file rotated.csr
  show keystay list
  serves renewed.pem || give_up "the new key is served before it has a certificate"
  sign rotated.csr rotated.pem
  show keystay importcert -alias httpd -file rotated.pem
  until_true serves rotated.pem
  [[ "$(key_of first.pem)" != "$(key_of rotated.pem)" ]] || give_up "the rotated certificate is for the old key"
}

audit() {
  say "Keys and certificates are compared with what is wanted"
  show keystay audit -policy "$examples/audit.toml" -html audit.html
  echo "for an auditor: $here/audit.html"
}

retire_key() {
  say "The old key is destroyed; the alias stays"
  show keystay retire -alias httpd -which 1 --dry-run
  show keystay retire -alias httpd -which 1 -noprompt
  show keystay list
  show_page
}

renew_by_acme() {
  say "A CA is asked for the next certificate by ACME, while the one before is served"
  if [[ -z "$acme" ]]; then
    echo "left out: no CA is named with --acme"
    return
  fi
  show keystay importcert -alias acme-root -file "$acme_root" -noprompt
  show keystay acme issue -alias httpd -directory "$acme" -ca-file "$acme_ca" -http-port "127.0.0.1:$challenges" -agree-tos
  keystay exportcert -rfc -alias httpd -file acme.pem
  until_true serves acme.pem
  [[ "$(key_of rotated.pem)" == "$(key_of acme.pem)" ]] || give_up "the certificate by ACME is for another key"
}

end_clients() {
  say "No request has failed meanwhile"
  touch enough
  wait "${started[clients]}"
  unset "started[clients]"
  [[ "$(cat clients.result)" == *" 0 failed" ]] || give_up "$(cat clients.result): $(cat clients.log tlsd.log)"
  cat clients.result
}

take_off_duty() {
  say "An alias is kept from being served, and comes back"
  show keystay deactivate -alias httpd
  until_true refuses
  echo "no page any more"
  show keystay activate -alias httpd
  until_true fetch
  show_page
}
refuses() { ! fetch; }

make_ca
# Each step finds what those before it have left.
steps=(prepare_token make_alias serve renew_certificate rotate_key renew_by_acme audit retire_key end_clients take_off_duty)
for step in "${steps[@]}"; do "$step"; done

kill -TERM "${started[tlsd]}"
wait "${started[tlsd]}" || give_up "keystay-tlsd left with code $?: $(cat tlsd.log)"
unset "started[tlsd]"
served=(first.pem renewed.pem rotated.pem)
if [[ -n "$acme" ]]; then served+=(acme.pem); fi
keys="$(for file in "${served[@]}"; do key_of "$file" | sha256sum; done | sort -u | wc -l)"
say "$(cat clients.result); served were ${#served[@]} certificates of $keys keys"
