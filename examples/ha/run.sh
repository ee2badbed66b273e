#!/usr/bin/env bash
# Three HSMs serve as one, and one of them is killed under load: SoftHSM tokens, each behind a `p11-kit server` of its own,
# two active and one standing by; keystay-tlsd in front. Shows the members before, during and after, and counts handshakes.
#
#   examples/ha/run.sh
#   --build DIRECTORY           with the programs of this build, instead of build/release
#   --directory DIRECTORY       where everything goes, instead of build/ha; it is made anew
#   --ports PAGE SERVER ADMIN   instead of 8443, 8088 and 9440
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly examples="$PWD/examples/ha"

build=build/release
here=build/ha
ports=(8443 8088 9440)
while [[ $# -gt 0 ]]; do
  case "$1" in
    --build) build="${2:?--build needs a directory}"; shift 2 ;;
    --directory) here="${2:?--directory needs a directory}"; shift 2 ;;
    --ports) ports=("${@:2:3}"); shift 4 ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "ha: unknown option $1; try --help" >&2; exit 2 ;;
  esac
done
for program in keystay keystay-tlsd; do
  [[ -x "$build/bin/$program" ]] || { echo "ha: $build/bin/$program is missing; build Keystay first" >&2; exit 1; }
done
for program in softhsm2-util p11-kit setsid curl openssl python3; do
  command -v "$program" >/dev/null || { echo "ha: $program is missing; scripts/install-deps.sh brings it" >&2; exit 1; }
done
build="$(realpath "$build")"
rm -rf "$here"
mkdir -p "$here/page" "$here/made"
here="$(realpath "$here")"
readonly here build
cd "$here"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
declare -A hsms=() # the process groups of the three `p11-kit server`
others=()
finish() {
  touch over # ends the load
  for process in "${others[@]}"; do kill "$process" 2>/dev/null || true; done
  for group in "${hsms[@]}"; do kill -- "-$group" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap finish EXIT
give_up() { echo "ha: $*" >&2; exit 1; }
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
until_true() {
  for _ in {1..600}; do
    if "$@" 2>/dev/null; then return; fi
    sleep 0.05
  done
  give_up "no success within 30 s: $*"
}
fill_in() {
  sed -e "s|@HERE@|$here|; s|@MODULE@|$softhsm|; s|:8443|:${ports[0]}|; s|:8088|:${ports[1]}|; s|:9440|:${ports[2]}|" "$examples/$1"
}

say "1. Three tokens, and one key on all of them"
softhsm=
for candidate in /usr/lib/softhsm /usr/lib/*/softhsm; do
  if [[ -e "$candidate/libsofthsm2.so" ]]; then softhsm="$candidate/libsofthsm2.so"; fi
done
[[ -n "$softhsm" ]] || give_up "libsofthsm2.so is not where Debian and Ubuntu put it"
fill_in modules.toml >modules.toml
fill_in server.toml >server.toml

# Wrapped keys do not pass p11-kit, so the key is made where the modules are. SoftHSM's three are one module, whose tokens
# are directories: each goes to its own HSM afterwards.
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$here/made" >softhsm2.conf
export SOFTHSM2_CONF="$here/softhsm2.conf" KEYSTAY_CONF="$here/modules.toml"
for hsm in hsm-a hsm-b hsm-c; do
  pin="$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')"
  (umask 077 && echo "$pin" >"$hsm.pin")
  mkdir -p "$hsm/tokens"
  ls made >before
  softhsm2-util --init-token --free --label "$hsm" --pin "$pin" --so-pin "$pin" >>softhsm2-util.log
  comm -13 before <(ls made) >"$hsm/directory"
  printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$here/$hsm/tokens" >"$hsm/softhsm2.conf"
done
keystay() { "$build/bin/keystay" "$@"; }
keystay group init -noprompt
keystay -genkeypair -alias httpd -token front -keyalg EC -dname "CN=localhost" -noprompt
for hsm in hsm-a hsm-b hsm-c; do mv "made/$(cat "$hsm/directory")" "$hsm/tokens/"; done

say "2. Each token behind a process of its own"
start_hsm() {
  SOFTHSM2_CONF="$here/$1/softhsm2.conf" setsid p11-kit server --foreground --provider "$softhsm" --name "$here/$1/p11-kit.sock" \
    "pkcs11:token=$1" >>"$1/p11-kit.log" 2>&1 &
  hsms[$1]=$!
  until_true test -S "$1/p11-kit.sock"
  echo "$1: p11-kit server, process $!"
}
for hsm in hsm-a hsm-b hsm-c; do start_hsm "$hsm"; done
unset SOFTHSM2_CONF # from here on nothing knows of SoftHSM
export KEYSTAY_CONF="$here/server.toml"

say "3. A certificate for the key, on all three"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=HA Demo CA" \
  -addext "keyUsage = critical, keyCertSign, cRLSign" -keyout ca-key.pem -out ca.pem 2>>openssl.log
keystay -certreq -alias httpd -file httpd.csr
printf 'subjectAltName = DNS:localhost\nauthorityKeyIdentifier = keyid\n' >httpd.ext
openssl x509 -req -in httpd.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile httpd.ext -out httpd.pem 2>>openssl.log
cat ca.pem >>httpd.pem
keystay -importcert -alias httpd -file httpd.pem

say "4. keystay-tlsd serves with the group"
echo "Hello from a server whose private key is in three HSMs." >page/index.html
python3 -m http.server --bind 127.0.0.1 --directory page "${ports[1]}" >page.log 2>&1 &
others+=($!)
until_true listens "${ports[1]}"
"$build/bin/keystay-tlsd" -c server.toml 2>tlsd.log &
others+=($!)
until_true listens "${ports[0]}"
page() { curl --silent --show-error --fail --max-time 20 --cacert ca.pem "https://localhost:${ports[0]}/"; }
page
say "Before:"
keystay group status

# served_by MEMBER, in_service MEMBER: as keystay-tlsd tells monitoring.
metric() { curl --silent "http://127.0.0.1:${ports[2]}/metrics" | sed -n "s/^keystay_group_member_$1{.*member=\"$2\"} //p"; }
is_in_service() { [[ "$(metric in_service "$1")" == "$2" ]]; }
has_signed_beyond() { [[ "$(metric operations_total "$1")" -gt "$2" ]]; }

say "5. kill -9 of hsm-a, under a load of full handshakes"
load() { # curl resumes nothing: each page is a full handshake, and a signature
  while [[ ! -e over ]]; do
    if page >/dev/null; then echo served; else echo failed; fi
  done >"load-$1" 2>"load-$1.log"
}
loads=()
for number in 1 2 3 4; do
  load "$number" &
  loads+=($!)
done
for hsm in hsm-a hsm-b; do until_true has_signed_beyond "$hsm" 20; done
signed_by_c="$(metric operations_total hsm-c)"
echo "hsm-a has signed $(metric operations_total hsm-a) times, hsm-b $(metric operations_total hsm-b), hsm-c $signed_by_c: it stands by"
kill -KILL -- "-${hsms[hsm-a]}" # p11-kit server, and its process for each connection
wait "${hsms[hsm-a]}" 2>/dev/null || true
unset "hsms[hsm-a]"
until_true is_in_service hsm-a 0
until_true has_signed_beyond hsm-c "$((signed_by_c + 20))"
say "During:"
if keystay group status; then give_up "the group is whole without hsm-a"; fi

say "6. hsm-a returns"
signed_by_a="$(metric operations_total hsm-a)"
start_hsm hsm-a
until_true is_in_service hsm-a 1
until_true has_signed_beyond hsm-a "$((signed_by_a + 20))"
touch over
wait "${loads[@]}"
say "After:"
keystay group status

say "What keystay-tlsd says of it"
grep 'member "hsm-' tlsd.log
failed="$(cat load-? | grep -c failed || true)"
say "$(cat load-? | wc -l) handshakes, $failed failed"
[[ "$failed" -eq 0 ]] || give_up "$(head -3 load-?.log)"
[[ "$signed_by_c" -eq 0 ]] || give_up "hsm-c has signed while it stood by"
