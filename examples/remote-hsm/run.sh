#!/usr/bin/env bash
# An HSM on another machine, played on two addresses of this one: SoftHSM, `p11-kit server` and keystay-tlsd are the HSM's
# machine (127.0.0.2), another keystay-tlsd is the web server, whose key it has. Makes the certificates of both ends, makes
# the web server's key on the token, and fetches a page.
#
#   examples/remote-hsm/run.sh
#   --build DIRECTORY           with the programs of this build, instead of build/release
#   --directory DIRECTORY       where everything goes, instead of build/remote-hsm; it is made anew
#   --ports HSM PAGE SERVER ADMIN   instead of 4442, 8443, 8088 and 9440
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly examples="$PWD/examples/remote-hsm"

build=build/release
here=build/remote-hsm
ports=(4442 8443 8088 9440)
while [[ $# -gt 0 ]]; do
  case "$1" in
    --build) build="${2:?--build needs a directory}"; shift 2 ;;
    --directory) here="${2:?--directory needs a directory}"; shift 2 ;;
    --ports) ports=("${@:2:4}"); shift 5 ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "remote-hsm: unknown option $1; try --help" >&2; exit 2 ;;
  esac
done
for program in keystay keystay-tlsd keystay-relay; do
  [[ -x "$build/bin/$program" ]] || { echo "remote-hsm: $build/bin/$program is missing; build Keystay first" >&2; exit 1; }
done
build="$(realpath "$build")"
rm -rf "$here"
mkdir -p "$here/hsm" "$here/web" "$here/page"
here="$(realpath "$here")"
readonly here build
cd "$here"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
started=()
finish() {
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
}
trap finish EXIT
listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
until_true() {
  for _ in {1..200}; do
    if "$@" 2>/dev/null; then return; fi
    sleep 0.05
  done
  echo "remote-hsm: no success within 10 s: $*" >&2
  exit 1
}
fill_in() {
  sed -e "s|@HERE@|$here|; s|@BUILD@|$build|" -e "s|:4442|:${ports[0]}|; s|:8443|:${ports[1]}|; s|:8088|:${ports[2]}|; s|:9440|:${ports[3]}|" \
    "$examples/$1"
}

say "1. An authority, and a certificate for each end"
# issue NAME USE DNS-NAME DIRECTORY
issue() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$4/$1-key.pem" -out "$1.csr" 2>>openssl.log
  printf 'subjectAltName = DNS:%s\nextendedKeyUsage = %s\n' "$3" "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile "$1.ext" -out "$4/$1.pem" 2>>openssl.log
  echo "$4/$1.pem: $3 ($2)"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Remote HSM Demo CA" \
  -addext "keyUsage = critical, keyCertSign, cRLSign" -keyout ca-key.pem -out ca.pem 2>>openssl.log
issue hsm serverAuth hsm.example hsm
cat hsm/hsm-key.pem >>hsm/hsm.pem
issue client clientAuth web.example web

say "2. The HSM's machine: a token, p11-kit server, keystay-tlsd"
softhsm=
for candidate in /usr/lib/softhsm /usr/lib/*/softhsm; do
  if [[ -e "$candidate/libsofthsm2.so" ]]; then softhsm="$candidate/libsofthsm2.so"; fi
done
mkdir hsm/tokens
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$here/hsm/tokens" >hsm/softhsm2.conf
pin="$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')"
(umask 077 && echo "$pin" >web/web.pin)
SOFTHSM2_CONF="$here/hsm/softhsm2.conf" softhsm2-util --init-token --free --label web --pin "$pin" --so-pin "$pin"
fill_in hsm.toml >hsm/keystay.toml
SOFTHSM2_CONF="$here/hsm/softhsm2.conf" p11-kit server --foreground --provider "$softhsm" --name "$here/hsm/p11-kit.sock" \
  "pkcs11:token=web" >hsm/p11-kit.log 2>&1 &
started+=($!)
until_true test -S hsm/p11-kit.sock
"$build/bin/keystay-tlsd" -c hsm/keystay.toml 2>hsm/tlsd.log &
started+=($!)
until_true listens 127.0.0.2 "${ports[0]}"
echo "p11-kit server offers the token on $here/hsm/p11-kit.sock, keystay-tlsd carries it on 127.0.0.2:${ports[0]}"

# From here on nothing knows of SoftHSM.
say "3. The web server's machine: its key is made over there"
fill_in web.toml >web/keystay.toml
export KEYSTAY_CONF="$here/web/keystay.toml"
"$build/bin/keystay" test
"$build/bin/keystay" -genkeypair -alias httpd -keyalg EC -dname "CN=localhost" -ext san=dns:localhost
"$build/bin/keystay" -certreq -alias httpd -file httpd.csr
printf 'subjectAltName = DNS:localhost\nauthorityKeyIdentifier = keyid\n' >httpd.ext
openssl x509 -req -in httpd.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile httpd.ext -out httpd.pem 2>>openssl.log
cat ca.pem >>httpd.pem
"$build/bin/keystay" -importcert -alias httpd -file httpd.pem
"$build/bin/keystay" test -alias httpd

say "4. A page, served with that key"
echo "Hello from a server whose private key is on another machine." >page/index.html
python3 -m http.server --bind 127.0.0.1 --directory page "${ports[2]}" >web/page.log 2>&1 &
started+=($!)
until_true listens 127.0.0.1 "${ports[2]}"
"$build/bin/keystay-tlsd" -c web/keystay.toml 2>web/tlsd.log &
started+=($!)
until_true listens 127.0.0.1 "${ports[1]}"
curl --silent --show-error --fail --cacert ca.pem "https://localhost:${ports[1]}/"

say "5. A client that is not on the list gets nothing"
issue stranger clientAuth stranger.example web
if "$build/bin/keystay" test -endpoint "127.0.0.2:${ports[0]}" -host hsm.example -ca ca.pem -certificate web/stranger.pem \
  -key web/stranger-key.pem -label web -relay "$build/bin/keystay-relay" -storepass:file web/web.pin; then
  echo "remote-hsm: it was let in" >&2
  exit 1
fi
grep -o "TLS handshake refused: .*" hsm/tlsd.log
