# shellcheck shell=bash
# What the interoperability tests share: a token, a CA, aliases, ports, and processes that must leave by themselves.
# A test sources this file; CTest sets KEYSTAY_SOURCE, KEYSTAY_BUILD and, for a sanitized build, KEYSTAY_SANITIZE.
set -euo pipefail

: "${KEYSTAY_SOURCE:?}" "${KEYSTAY_BUILD:?}"
readonly keystay="$KEYSTAY_BUILD/bin/keystay"
# shellcheck disable=SC2034  # for the tests
readonly interop="$KEYSTAY_SOURCE/tests/interop"

# The exit code that CTest counts as skipped (SKIP_RETURN_CODE).
skip() {
  echo "skipped: $*"
  exit 77
}

fail() {
  echo "FAILED: $*"
  exit 1
}

# finds …: as grep -q at the end of a pipe, but reads all of it. grep -q leaves at the first line that it finds, and what is
# still being written fails then, and with it the pipe (pipefail), now and then.
finds() { grep "$@" >/dev/null; }

# need PROGRAM PACKAGE: skips the test where a server is not installed.
need() {
  command -v "$1" >/dev/null || [[ -x "/usr/sbin/$1" ]] || skip "$1 is not installed (package $2)"
}

scratch="$(mktemp -d "${TMPDIR:-/tmp}/keystay-interop.XXXXXX")"
readonly scratch
declare -A pids=()

# The logs of a failed test are shown, whatever failed; what still runs is ended.
finish() {
  local code=$?
  local name log
  for name in "${!pids[@]}"; do
    kill -KILL "${pids[$name]}" 2>/dev/null || true
  done
  if reported; then
    echo "FAILED: a sanitizer complained of keystay.so"
    code=1
  fi
  if [[ "$code" -ne 0 && "$code" -ne 77 ]]; then
    for log in "$scratch"/*.log; do
      [[ -s "$log" ]] || continue
      echo "--- $(basename "$log") (last 60 lines)"
      tail -n 60 "$log"
    done
  fi
  if [[ -f "$scratch/ports" ]]; then
    (cd "$taken_ports" && xargs -r rmdir <"$scratch/ports") || true # what it says is in the log
    rm "$scratch/ports"
  fi
  [[ -n "${KEYSTAY_KEEP:-}" ]] || rm -rf "$scratch"
  exit "$code"
}
trap finish EXIT

# --- sanitizers ------------------------------------------------------------------------------------------------------
# A program that was built without a sanitizer can load a library that was built with it only if the runtime is there
# first, what throws exceptions, which the runtime looks up when it starts, and what starts it before anything else
# (tests/support/sanitizer_first.cpp). It reports into a directory, since nobody sees how each process of a server ends.
preload=()
readonly reports="$scratch/reports"
# load_runtime NAME OPTIONS_VARIABLE OPTIONS: into what `others` runs.
load_runtime() {
  local runtime
  runtime="$(g++ -print-file-name="$1.so") $(g++ -print-file-name=libstdc++.so)"
  mkdir -m 1777 "$reports"                                              # a server may be another user
  cp "$KEYSTAY_BUILD/tests/libkeystay-sanitizer-first.so" "$scratch" # who may not enter the build directory
  preload=(env "LD_PRELOAD=$runtime $scratch/libkeystay-sanitizer-first.so" "$2=log_path=$reports/report:$3")
}
case "${KEYSTAY_SANITIZE:-}" in
  *thread*)
    export TSAN_OPTIONS="suppressions=$KEYSTAY_SOURCE/tests/support/third_party_races.supp"
    # Other people's programs have races, and handlers of signals that change errno: only what names keystay.so is ours.
    load_runtime libtsan TSAN_OPTIONS "ignore_noninstrumented_modules=1:exitcode=0:$TSAN_OPTIONS"
    ;;
  *address*) load_runtime libasan ASAN_OPTIONS "detect_leaks=0:${ASAN_OPTIONS:-}" ;; # leaks of theirs are theirs
esac

# reported: prints the reports of sanitizers that are for us; fails if there is none.
reported() { grep --recursive --no-messages --files-with-matches 'keystay\.so' "$reports" | xargs --no-run-if-empty cat | grep .; }

# others PROGRAM …: runs a program that is not ours and loads what is.
others() { "${preload[@]}" "$@"; }

# --- token, CA and aliases -------------------------------------------------------------------------------------------
softhsm_module() {
  local candidate
  for candidate in /usr/lib/softhsm /usr/lib/*/softhsm /usr/lib64/softhsm /usr/lib64/pkcs11; do
    if [[ -e "$candidate/libsofthsm2.so" ]]; then
      echo "$candidate/libsofthsm2.so"
      return
    fi
  done
  skip "libsofthsm2.so is not installed (package softhsm2)"
}

# make_token: a SoftHSM token "web" of this test alone, and the configuration that names it.
make_token() {
  need softhsm2-util softhsm2
  local pin=123456
  mkdir -p "$scratch/tokens"
  printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$scratch/tokens" >"$scratch/softhsm2.conf"
  export SOFTHSM2_CONF="$scratch/softhsm2.conf"
  softhsm2-util --init-token --free --label web --pin "$pin" --so-pin 87654321 >"$scratch/softhsm2-util.log" 2>&1
  (umask 077 && echo "$pin" >"$scratch/web.pin")
  cat >"$scratch/keystay.toml" <<TOML
default = "web"

[token.web]
module = "$(softhsm_module)"
label = "web"
pin = "file:$scratch/web.pin"
TOML
  export KEYSTAY_CONF="$scratch/keystay.toml"
}

# tlsd_before_its_admin LINE: after make_token, a keystay-tlsd with the alias httpd on $port, whose backend is its own admin
# listener on $admin; the line stands in [tlsd].
tlsd_before_its_admin() {
  cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
admin = "127.0.0.1:$admin"
$1

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd"]
backend = "admin"

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin"]
TOML
}

# make_members NAME …: after make_token, tokens hsm-NAME that fail apart from one another, with a section for each in a new
# keystay.toml; fault_at NAME … orders faults of one (keystay-fault).
make_members() {
  local member
  : >"$scratch/keystay.toml"
  for member in "$@"; do
    softhsm2-util --init-token --free --label "hsm-$member" --pin 123456 --so-pin 87654321 >>"$scratch/softhsm2-util.log" 2>&1
    cp "$KEYSTAY_BUILD/tests/libkeystay-fault-module.so" "$scratch/hsm-$member.so"
    cp "$(softhsm_module)" "$scratch/hsm-$member.so.target"
    "$KEYSTAY_BUILD/tests/keystay-fault" "$scratch/hsm-$member.so.control" create
    cat >>"$scratch/keystay.toml" <<TOML
[token.hsm-$member]
module = "$scratch/hsm-$member.so"
label = "hsm-$member"
pin = "file:$scratch/web.pin"

TOML
  done
}
fault_at() {
  local member="$1"
  shift
  "$KEYSTAY_BUILD/tests/keystay-fault" "$scratch/hsm-$member.so.control" "$@"
}

# make_ca: a root of this test, in $scratch/ca.pem, as strict clients want one (RFC 5280): Python's are since 3.13.
make_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Interop Test CA" \
    -addext "keyUsage = critical, keyCertSign, cRLSign" -keyout "$scratch/ca.key" -out "$scratch/ca.pem" 2>"$scratch/openssl-req.log"
}

# make_alias ALIAS -keyalg …: a key pair on the token, with a certificate for localhost from the CA.
# Leaves ALIAS.crt, and ALIAS.pem, the PEM reference file of the key.
make_alias() {
  local alias="$1"
  shift
  "$keystay" -genkeypair -alias "$alias" -dname "CN=localhost" "$@"
  "$keystay" -certreq -alias "$alias" -file "$scratch/$alias.csr"
  printf 'subjectAltName = DNS:localhost, IP:127.0.0.1\nauthorityKeyIdentifier = keyid\n' >"$scratch/$alias.ext"
  openssl x509 -req -in "$scratch/$alias.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial \
    -days 2 -extfile "$scratch/$alias.ext" -out "$scratch/$alias.crt" 2>"$scratch/openssl-x509.log"
  cat "$scratch/$alias.crt" "$scratch/ca.pem" >"$scratch/$alias.chain"
  "$keystay" -importcert -alias "$alias" -file "$scratch/$alias.chain"
  "$keystay" -exportref -alias "$alias" -file "$scratch/$alias.pem"
}

# --- OpenSSL ---------------------------------------------------------------------------------------------------------
# use_provider: what a server needs in its environment to find the provider.
use_provider() {
  export OPENSSL_CONF="$KEYSTAY_SOURCE/examples/nginx/openssl.cnf"
  export OPENSSL_MODULES="$KEYSTAY_BUILD/ossl-modules"
}

# plain PROGRAM …: runs a program that does not load the provider: clients, and witnesses.
plain() { env -u OPENSSL_CONF -u OPENSSL_MODULES "$@"; }

# handshake PORT -tls1_3 -sigalgs … : one request by s_client; prints what it says and the answer.
handshake() {
  local port="$1"
  shift
  printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' |
    plain timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$scratch/ca.pem" \
      -verify_return_error -brief -ign_eof "$@" 2>&1
}

# --- processes -------------------------------------------------------------------------------------------------------
# free_port: one that nobody listens on, below those that the kernel gives away, and that no other test gets as long as
# this one runs: a server may take its time until it binds.
readonly taken_ports="${TMPDIR:-/tmp}/keystay-ports-$UID"
free_port() {
  local port
  mkdir -p "$taken_ports"
  for _ in {1..1000}; do
    port=$((10000 + SRANDOM % 20000))
    if ! listens "$port" && mkdir "$taken_ports/$port" 2>/dev/null; then
      echo "$port" | tee -a "$scratch/ports"
      return
    fi
  done
  fail "no port is free; tests that were killed may have left theirs in $taken_ports" >&2
}

# start NAME [others|plain] PROGRAM …: runs it in the background, with NAME.log. A simple command, so that the process is
# the program: with a function it would be a shell that waits for it, and signals would end that one.
start() {
  local name="$1"
  shift
  case "$1" in
    others) shift; set -- "${preload[@]}" "$@" ;;
    plain) shift; set -- env -u OPENSSL_CONF -u OPENSSL_MODULES "$@" ;;
  esac
  : >"$scratch/$name.log" # now, so that nobody waits for a line of an earlier process
  "$@" </dev/null >>"$scratch/$name.log" 2>&1 &
  pids[$name]=$!
}

# wait_for NAME COMMAND …: until the command succeeds; fails when the process NAME ends or after 60 s.
wait_for() {
  local name="$1" deadline=$((SECONDS + 60))
  shift
  until "$@" >/dev/null 2>&1; do
    kill -0 "${pids[$name]}" 2>/dev/null || fail "$name ended while the test waited for: $*"
    [[ $SECONDS -lt $deadline ]] || fail "no success within 60 s: $*"
    sleep 0.05 # polling
  done
}

# listens PORT [ADDRESS]
listens() { (exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null; }

# wait_until_free PORT: until nobody listens there any more, or 60 s.
wait_until_free() {
  local deadline=$((SECONDS + 60))
  while listens "$1"; do
    [[ $SECONDS -lt $deadline ]] || fail "somebody still listens on port $1"
    sleep 0.05 # polling
  done
}

# stop NAME SIGNAL: sends the signal; the process must leave with code 0, by itself.
stop() {
  local name="$1" signal="$2"
  kill -s "$signal" "${pids[$name]}"
  join "$name" 0
}

# join NAME CODE: waits for the process; it must exit with this code. A code of 128 or more is a signal.
join() {
  local name="$1" expected="$2" code=0
  wait "${pids[$name]}" || code=$?
  unset "pids[$name]"
  expect_code "$name" "$expected" "$code"
}

expect_code() {
  local what="$1" expected="$2" code="$3"
  if [[ "$code" -ge 128 ]]; then fail "$what was ended by signal $((code - 128))"; fi
  [[ "$code" -eq "$expected" ]] || fail "$what: exit code $code, expected $expected"
}

# refused PROGRAM …: the program must fail by itself, with code 1; its output is in $scratch/refused.log.
refused() {
  local code=0
  "$@" >"$scratch/refused.log" 2>&1 </dev/null || code=$?
  expect_code "$*" 1 "$code"
}

# signed_with TEXT KIND: s_client says that the server signed with RSA-PSS, RSA (PKCS #1 v1.5) or ECDSA. From OpenSSL 3.5
# on it says the signature scheme instead (RFC 8446, section 4.2.3).
signed_with() {
  local -A schemes=([RSA-PSS]=rsa_pss_rsae_ [RSA]=rsa_pkcs1_ [ECDSA]=ecdsa_secp)
  grep -qE "^Signature type: ($2\$|${schemes[$2]})" <<<"$1"
}

expect_signed_with() { signed_with "$1" "$2" || fail "expected a signature with $2 in: $1"; }

# expect TEXT WORD: the text contains the word.
expect() {
  [[ "$1" == *"$2"* ]] || fail "expected \"$2\" in: $1"
}
