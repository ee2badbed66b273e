# shellcheck shell=bash
# What the tests of servers share on top of tests/interop/lib.sh: a token that blinks, examples with paths of the test,
# and servers that give up their privileges.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# shellcheck disable=SC2034  # for the tests
readonly examples="$KEYSTAY_SOURCE/examples"
# Where scripts/install-deps.sh --servers puts what it unpacks instead of installing it.
readonly unpacked="$KEYSTAY_SOURCE/build/unpacked"
PATH="$PATH:/usr/sbin:/sbin:$unpacked/usr/sbin:$unpacked/usr/bin"

# children_of PID: the processes that it started, in one line.
children_of() { cat "/proc/$1/task/$1/children" 2>/dev/null; }

# end_tree PID: the process and all that it started, parents first, so that nobody replaces what is gone.
end_tree() {
  local children child
  children="$(children_of "$1")"
  kill -KILL "$1" 2>/dev/null || true
  for child in $children; do end_tree "$child"; done
}

# Workers outlive a master that is killed: a test that failed ends them too.
finish_servers() {
  local code=$? name
  set +e
  for name in "${!pids[@]}"; do end_tree "${pids[$name]}"; done
  (exit "$code") # finish shows the logs of a failed test
  finish
}
trap finish_servers EXIT

# --- the token ---------------------------------------------------------------------------------------------------------
# make_blinking_token: the token "web", behind the fault module.
make_blinking_token() {
  make_token
  export KEYSTAY_FAULT_TARGET KEYSTAY_FAULT_CONTROL="$scratch/fault-control"
  KEYSTAY_FAULT_TARGET="$(softhsm_module)"
  cp "$KEYSTAY_BUILD/tests/libkeystay-fault-module.so" "$scratch/fault-module.so"
  sed -i "s|^module = .*|module = \"$scratch/fault-module.so\"|" "$scratch/keystay.toml"
  fault create
}

# fault ORDER …: see tests/support/keystay_fault.cpp.
fault() { "$KEYSTAY_BUILD/tests/keystay-fault" "$KEYSTAY_FAULT_CONTROL" "$@"; }

# give_token_to USER: lets a server that becomes this user reach the token, read its PIN and load the provider. The user
# may not be allowed to enter the directory that was built in, so the provider of the test is a copy.
give_token_to() {
  chmod 755 "$scratch"
  chown -R "$1" "$scratch/tokens" "$scratch/web.pin"
  mkdir "$scratch/provider"
  cp "$OPENSSL_CONF" "$OPENSSL_MODULES/keystay.so" "$scratch/provider"
  export OPENSSL_CONF="$scratch/provider/openssl.cnf" OPENSSL_MODULES="$scratch/provider"
  setpriv --reuid "$1" --clear-groups test -r "$scratch/web.pin" ||
    fail "$1 cannot enter $scratch: let TMPDIR name a directory that all users can enter"
}

# survives_blinks COMMAND …: the command, which needs a signature of the server, works whatever became of the sessions,
# of the module's state, and of a token that was away; while it is away, the command fails. A process that looked for the
# token in vain looks again after a pause of up to a second, and each process of a server has a pause of its own.
survives_blinks() {
  fault drop-sessions
  "$@" || fail "after the sessions were lost: $*"
  fault forget-initialize
  "$@" || fail "after the module lost its state: $*"
  fault remove-token
  if "$@" >/dev/null 2>&1; then fail "without its token the server signed: $*"; fi
  fault return-token
  eventually "$@"
  sleep 1 # the longest pause: now every process finds the token again
  "$@" || fail "after the token was back for a second: $*"
}

# eventually COMMAND …: until the command succeeds; fails after 60 s.
eventually() {
  local deadline=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $deadline ]] || fail "no success within 60 s: $*"
    sleep 0.05 # polling
  done
}

# lay_out_aliases DIRECTORY ALIAS …: ALIAS.crt, the chain, and ALIAS.key, the PEM reference, as the examples name them.
lay_out_aliases() {
  local directory="$1" alias
  shift
  mkdir -p "$directory"
  for alias in "$@"; do
    cp "$scratch/$alias.chain" "$directory/$alias.crt"
    cp "$scratch/$alias.pem" "$directory/$alias.key"
  done
}

# --- servers -----------------------------------------------------------------------------------------------------------
# configure_nginx PORT DIRECTIVE …: one worker, or $workers of them, that serve what the directives say. Leaves the
# command line in `nginx`.
configure_nginx() {
  local port="$1" count="${workers:-1}" shared=""
  [[ "$count" -eq 1 ]] || shared=" reuseport" # so that each worker gets connections
  shift
  mkdir -p "$scratch/nginx"
  cat >"$scratch/nginx.conf" <<NGINX
worker_processes $count;
$([[ "$(id -u)" -ne 0 ]] || echo "user root;")
$(printf 'env %s;\n' KEYSTAY_CONF SOFTHSM2_CONF KEYSTAY_FAULT_TARGET KEYSTAY_FAULT_CONTROL LD_PRELOAD ASAN_OPTIONS TSAN_OPTIONS)
events {}
http {
  access_log off;
$(for what in client_body proxy fastcgi uwsgi scgi; do echo "  ${what}_temp_path $scratch/nginx/$what;"; done)
  server {
    listen 127.0.0.1:$port ssl$shared;
$(printf '    %s;\n' "$@")
    location / {
      return 200 "worker \$pid\n";
    }
  }
}
NGINX
  # shellcheck disable=SC2034  # for the tests
  nginx=(/usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
    -g "daemon off; pid $scratch/nginx.pid; error_log $scratch/nginx-error.log info;")
}

# answers PORT KIND -tls1_3 …: an HTTP server answers, having signed with a key of this kind.
answers() {
  local port="$1" kind="$2" output
  shift 2
  output="$(handshake "$port" "$@")" || fail "$kind $*: $output"
  expect "$output" "Verification: OK"
  expect_signed_with "$output" "$kind"
  expect "$output" "200 OK"
}

# fetch PORT: one request by curl, with a full handshake; prints the page.
fetch() {
  plain curl --silent --show-error --fail --max-time 60 --cacert "$scratch/ca.pem" \
    --resolve "localhost:$1:127.0.0.1" "https://localhost:$1/"
}

# under_load PORT COMMAND …: runs the command while four clients fetch; none of their requests may fail.
under_load() {
  local port="$1" load
  shift
  [[ -p "$scratch/load-stdin" ]] || mkfifo "$scratch/load-stdin"
  plain python3 "$interop/https_load.py" "$port" "$scratch/ca.pem" 4 <"$scratch/load-stdin" >"$scratch/load.log" 2>&1 &
  load=$!
  exec 9>"$scratch/load-stdin"
  eventually grep -q served "$scratch/load.log"
  "$@"
  exec 9>&-
  wait "$load" || fail "requests failed meanwhile: $(grep -v served "$scratch/load.log")"
}

# leave_in_mid_handshake PORT N [OPTION …]: N clients go away while the server signs for them.
leave_in_mid_handshake() {
  local port="$1" clients="$2" client
  local -a leaving=()
  shift 2
  fault hold C_Sign
  for ((client = 0; client < clients; client++)); do
    start "client$client" plain openssl s_client -connect "127.0.0.1:$port" "$@"
    leaving+=("${pids[client$client]}")
    unset "pids[client$client]"
  done
  eventually signatures_hang "$clients"
  kill -KILL "${leaving[@]}"
  wait "${leaving[@]}" 2>/dev/null || true
  fault release C_Sign
}

# signatures_hang N: so many calls of C_Sign have not returned.
signatures_hang() { [[ "$(fault inside C_Sign)" -ge "$1" ]]; }

# join_signalled NAME SIGNAL: waits for a process that leaves a signal to the system.
join_signalled() {
  local name="$1" code=0
  wait "${pids[$name]}" || code=$?
  unset "pids[$name]"
  [[ "$code" -eq $((128 + $(kill -l "$2"))) ]] || fail "$name left with code $code, not by SIG$2"
}
