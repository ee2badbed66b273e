#!/usr/bin/env bash
# From a clean clone to an HTTPS page whose key never leaves its token: installs what is missing, builds Keystay, makes
# a SoftHSM token and the alias "httpd" in it, has a demo CA sign its certificate, serves a page with keystay-tlsd,
# fetches it with curl, and shows by the token's own attributes that the key is sensitive and not extractable.
#
#   examples/quickstart.sh      from the beginning; may be repeated
#   --build DIRECTORY           with the programs of a build that is there already
#   --directory DIRECTORY       where the token and everything else goes, instead of build/quickstart
#
# Delete build/quickstart to start over. Root or sudo is needed only where packages are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=
here=build/quickstart
while [[ $# -gt 0 ]]; do
  case "$1" in
    --build) build="${2:?--build needs a directory}"; shift 2 ;;
    --directory) here="${2:?--directory needs a directory}"; shift 2 ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "quickstart: unknown option $1; try --help" >&2; exit 2 ;;
  esac
done

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }

if [[ -z "$build" ]]; then
  say "1. What is missing is installed, and Keystay is built"
  scripts/install-deps.sh --quickstart
  build=build/release
  # The same directory that the README and the tests use; a quick first build leaves tests and Java out of it.
  [[ -f "$build/build.ninja" ]] ||
    cmake --preset release -DKEYSTAY_TESTS=OFF -DKEYSTAY_BENCHMARKS=OFF -DKEYSTAY_JAVA=OFF >/dev/null
  cmake --build --preset release --target bin/keystay bin/keystay-tlsd ossl-modules/keystay.so
fi
build="$(realpath "$build")"
PATH="$build/bin:$PATH"

mkdir -p "$here/page"
here="$(realpath "$here")"
readonly here
cd "$here"

softhsm=
for candidate in /usr/lib/softhsm /usr/lib/*/softhsm; do
  if [[ -e "$candidate/libsofthsm2.so" ]]; then softhsm="$candidate/libsofthsm2.so"; fi
done
[[ -n "$softhsm" ]] || { echo "quickstart: libsofthsm2.so is not where Debian and Ubuntu put it" >&2; exit 1; }

export SOFTHSM2_CONF="$here/softhsm2.conf"
export KEYSTAY_CONF="$here/keystay.toml"

say "2. A token with a PIN that nobody typed"
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$here/tokens" >softhsm2.conf
# pkcs11_tool …: the token through OpenSC's eyes. The PINs go through the environment, so no process list shows them.
pkcs11_tool() {
  PIN="$(cat web.pin)" SO_PIN="$(cat web.so-pin)" pkcs11-tool --module "$softhsm" "$@"
}
if [[ ! -f web.token ]]; then
  rm -rf tokens && mkdir tokens
  (umask 077 && openssl rand -hex 12 >web.pin && openssl rand -hex 12 >web.so-pin)
  pkcs11_tool --slot-index 0 --init-token --label web --so-pin env:SO_PIN
  pkcs11_tool --token-label web --init-pin --login --login-type so --so-pin env:SO_PIN --new-pin env:PIN
  touch web.token
else
  echo "it is there already, in $here/tokens"
fi

# free_ports N: so many ports that nobody listens on.
free_ports() {
  python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*[s.getsockname()[1] for s in sockets])' "$1"
}
read -r https admin backend < <(free_ports 3)
cat >keystay.toml <<TOML
default = "web"

[token.web]
module = "$softhsm"
label = "web"
pin = "file:$here/web.pin"

[tlsd]
admin = "127.0.0.1:$admin"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$https"]
certificates = ["httpd"]
backend = "page"

[tlsd.backend.page]
servers = ["127.0.0.1:$backend"]
TOML

say "3. The alias: a key made in the token, a certificate for it from a CA"
if ! keystay -list -alias httpd >/dev/null 2>&1; then
  show keystay -genkeypair -alias httpd -keyalg EC -groupname secp256r1 -dname "CN=localhost"
fi
show keystay -certreq -alias httpd -file httpd.csr
if [[ ! -f ca.pem ]]; then
  (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -subj "/CN=Quickstart CA" -keyout ca.key -out ca.pem 2>/dev/null)
fi
printf 'subjectAltName = DNS:localhost, IP:127.0.0.1\nextendedKeyUsage = serverAuth\n' >httpd.ext
openssl x509 -req -in httpd.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile httpd.ext -out httpd.crt
cat httpd.crt ca.pem >httpd.chain
show keystay -importcert -alias httpd -file httpd.chain
show keystay -list -v -alias httpd

say "4. keystay-tlsd serves it"
pids=()
stop_all() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap stop_all EXIT

echo "Hello from a server whose private key sits in a token." >page/index.html
python3 -m http.server "$backend" --bind 127.0.0.1 --directory page >backend.log 2>&1 &
pids+=($!)
show keystay-tlsd check -c keystay.toml
keystay-tlsd -c keystay.toml >tlsd.log 2>&1 &
tlsd=$!
pids+=("$tlsd")

healthy() {
  [[ "$(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$admin/health")" == 204 ]] &&
    curl --silent --output /dev/null "http://127.0.0.1:$backend/"
}
for ((attempt = 0; ; attempt++)); do
  if healthy; then break; fi
  if [[ "$attempt" -ge 100 ]] || ! kill -0 "$tlsd" 2>/dev/null; then
    echo "quickstart: keystay-tlsd did not become healthy; its log says:" >&2
    cat tlsd.log >&2
    exit 1
  fi
  sleep 0.2
done

say "5. The page, fetched over TLS"
show curl --silent --show-error --cacert ca.pem --resolve "localhost:$https:127.0.0.1" "https://localhost:$https/"

say "6. What the token itself says of the key"
attributes="$(pkcs11_tool --token-label web --login --pin env:PIN --list-objects --type privkey)"
echo "$attributes"
if [[ "$attributes" != *"label:      httpd"* || "$attributes" != *"sensitive"* ||
  "$attributes" != *"never extractable"* ]]; then
  echo "quickstart: the token does not call this key sensitive and never extractable" >&2
  exit 1
fi

kill -TERM "$tlsd"
wait "$tlsd" || { echo "quickstart: keystay-tlsd left with code $?" >&2; cat tlsd.log >&2; exit 1; }
pids=("${pids[0]}")

say "Done. Everything is in $here:"
echo "  keystay.toml   the configuration; export KEYSTAY_CONF=$here/keystay.toml SOFTHSM2_CONF=$SOFTHSM2_CONF"
echo "  httpd.crt      the certificate; ca.pem: the demo CA"
echo "  web.pin        the token's PIN"
