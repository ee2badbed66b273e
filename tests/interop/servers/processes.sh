# shellcheck shell=bash
# A group of three tokens of which each is a process of its own, and what serves with it: hsm-a and hsm-c behind the sockets
# of their `p11-kit server`, hsm-b on "another machine": behind a network with faults (tcp_fault.py) and a keystay-tlsd that
# carries its socket by mutual TLS. In front: keystay-tlsd, nginx with two workers, HAProxy, and where Java was
# built an HTTPS and an FTPS server. A test may put the machine of hsm-b into another network namespace: `hsm_address` is its
# address then, `on_hsm_machine` what a command is started with there, and the network between is the kernel's.
source "$(dirname "${BASH_SOURCE[0]}")/load.sh"

# --- certificates of the two ends ------------------------------------------------------------------------------------
# issue FILE USE DNS-NAME [CA [expired]]: $scratch/FILE.pem and FILE-key.pem.
issue() {
  local file="$scratch/$1" authority="$scratch/${4:-ca}" validity=(-days 2)
  if [[ "${5:-}" == expired ]]; then
    validity=(-days -1) # OpenSSL 3.4 refuses this, and has another way
    [[ "$(plain openssl x509 -help 2>&1)" != *not_after* ]] || validity=(-not_before 20200101000000Z -not_after 20200102000000Z)
  fi
  plain openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$file-key.pem" -out "$file.csr" 2>>"$scratch/openssl-req.log"
  printf 'subjectAltName = DNS:%s\nextendedKeyUsage = %s\n' "$3" "$2" >"$file.ext"
  plain openssl x509 -req -in "$file.csr" -CA "$authority.pem" -CAkey "$authority.key" -CAcreateserial "${validity[@]}" \
    -extfile "$file.ext" -out "$file.pem" 2>>"$scratch/openssl-x509.log"
}

# --- the members -----------------------------------------------------------------------------------------------------
: "${hsm_address:=127.0.0.1}"
[[ -n "${on_hsm_machine+set}" ]] || on_hsm_machine=()

# start_hsm MEMBER: its `p11-kit server`, the leader of a process group in which there is a process for each connection.
start_hsm() {
  start "hsm-$1" others env -u OPENSSL_CONF "SOFTHSM2_CONF=$scratch/hsm-$1/softhsm2.conf" setsid p11-kit server --foreground \
    --provider "$scratch/hsm-$1.so" --name "$scratch/hsm-$1/p11-kit.sock" "pkcs11:token=hsm-$1"
  wait_for "hsm-$1" offered "$1"
}
offered() { python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$scratch/hsm-$1/p11-kit.sock"; }
signal_hsm() { kill -s "$2" -- "-${pids[hsm-$1]}"; } # MEMBER SIGNAL
kill_hsm() {
  signal_hsm "$1" KILL
  wait "${pids[hsm-$1]}" 2>/dev/null || true
  unset "pids[hsm-$1]"
}

# start_carrier CERTIFICATE [haproxy]: keystay-tlsd on the machine of hsm-b, which shows this certificate (issue), or another
# program in its place: keystay-tlsd does not start with a certificate that has expired.
start_carrier() {
  cat "$scratch/$1.pem" "$scratch/$1-key.pem" >"$scratch/carrier-both.pem"
  if [[ "${2:-}" == haproxy ]]; then
    start carrier "${on_hsm_machine[@]}" env -u OPENSSL_CONF -u OPENSSL_MODULES haproxy -db -f "$scratch/carrier.cfg"
  else
    start carrier "${on_hsm_machine[@]}" "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/carrier.toml"
  fi
  wait_for carrier listens "$carrier_port" "$hsm_address"
}
kill_carrier() {
  kill -KILL "${pids[carrier]}"
  wait "${pids[carrier]}" 2>/dev/null || true
  unset "pids[carrier]"
}
# The processes keystay-relay of the servers.
relays() {
  local exe
  for exe in /proc/[0-9]*/exe; do
    [[ "$(readlink "$exe")" != "$scratch/keystay-relay"* ]] || basename "$(dirname "$exe")"
  done 2>/dev/null
}
# the_network ORDER …: see tcp_fault.py.
the_network() {
  echo "$*" >&"$network_orders"
  wait_for network grep -qx "$*" "$scratch/network.log"
  : >"$scratch/network.log"
}

# make_group: one key on three tokens, made where the modules are, since no wrapped key passes p11-kit.
make_group() {
  local member
  make_token
  make_ca
  make_members a b c
  printf '[group.front]\nmembers = ["hsm-a", "hsm-b", "hsm-c"]\nwrapping-key = "kek"\n' >>"$scratch/keystay.toml"
  "$keystay" group init -noprompt 2>"$scratch/init.log"
  sed -i '1i default = "front"' "$scratch/keystay.toml"
  make_alias httpd -keyalg EC -noprompt
  for member in a b c; do
    mkdir -p "$scratch/hsm-$member/tokens"
    mv "$(dirname "$(grep -l "hsm-$member" "$scratch"/tokens/*/token.object)")" "$scratch/hsm-$member/tokens"
    printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$scratch/hsm-$member/tokens" >"$scratch/hsm-$member/softhsm2.conf"
    cp "$scratch/web.pin" "$scratch/hsm-$member.pin"
  done
  unset SOFTHSM2_CONF
}

start_members() {
  carrier_port="$(free_port)"
  cat >"$scratch/carrier.toml" <<TOML
[tlsd]
threads = 1

[[tlsd.listener]]
name = "hsm"
bind = ["$hsm_address:$carrier_port"]
mode = "tcp"
certificates = ["$scratch/carrier-both.pem"]
backend = "hsm"
client-ca = "$scratch/ca.pem"
client-names = ["web.example"]

[tlsd.backend.hsm]
servers = ["unix:$scratch/hsm-b/p11-kit.sock"]
TOML
  cat >"$scratch/carrier.cfg" <<CFG
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen hsm
  bind $hsm_address:$carrier_port ssl crt $scratch/carrier-both.pem ca-file $scratch/ca.pem verify required
  server hsm unix@$scratch/hsm-b/p11-kit.sock
CFG
  issue carrier serverAuth hsm.example
  issue client clientAuth web.example
  for member in a b c; do start_hsm "$member"; done
  start_carrier carrier
  hsm_endpoint="$hsm_address:$carrier_port"
  if [[ "$hsm_address" == 127.0.0.1 ]]; then start_network; fi
}

# start_network: in the way to hsm-b.
start_network() {
  local network_port
  network_port="$(free_port)"
  hsm_endpoint="127.0.0.1:$network_port"
  mkfifo "$scratch/orders"
  exec {network_orders}<>"$scratch/orders"
  : >"$scratch/network.log"
  "$(dirname "${BASH_SOURCE[0]}")/tcp_fault.py" "$network_port" "$carrier_port" <"$scratch/orders" >>"$scratch/network.log" 2>&1 &
  pids[network]=$!
  wait_for network listens "$network_port"
}

# --- the servers -----------------------------------------------------------------------------------------------------
configure_servers() {
  cp "$KEYSTAY_BUILD/bin/keystay-relay" "$scratch/keystay-relay"
  tlsd_port="$(free_port)"
  admin_port="$(free_port)"
  cat >"$scratch/keystay.toml" <<TOML
default = "front"

[token.hsm-a]
endpoints = ["unix:$scratch/hsm-a/p11-kit.sock"]
label = "hsm-a"
pin = "file:$scratch/hsm-a.pin"

[token.hsm-b]
endpoints = ["$hsm_endpoint"]
host = "hsm.example"
ca = "$scratch/ca.pem"
certificate = "$scratch/client.pem"
key = "$scratch/client-key.pem"
relay = "$scratch/keystay-relay"
label = "hsm-b"
pin = "file:$scratch/hsm-b.pin"

[token.hsm-c]
endpoints = ["unix:$scratch/hsm-c/p11-kit.sock"]
label = "hsm-c"
pin = "file:$scratch/hsm-c.pin"

[group.front]
members = ["hsm-a", "hsm-b", "hsm-c"]
min-active = 2
timeout = "8s"
attempt-timeout = "2s"
probe = ["200ms", "500ms"]
check = "1s"

[tlsd]
admin = "127.0.0.1:$admin_port"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$tlsd_port"]
certificates = ["httpd"]
backend = "admin"

[tlsd.backend.admin]
servers = ["127.0.0.1:$admin_port"]
TOML
  "$keystay" -exportref -alias httpd -file "$scratch/httpd.pem"
}

start_servers() {
  local port jar="$KEYSTAY_BUILD/java/keystay-jca.jar"
  configure_servers
  start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
  wait_for tlsd listens "$tlsd_port"
  ports=("$tlsd_port")

  use_provider
  port="$(free_port)"
  configure_nginx "$port" "ssl_certificate $scratch/httpd.chain" "ssl_certificate_key $scratch/httpd.pem" \
    "ssl_session_tickets off" "ssl_protocols TLSv1.2 TLSv1.3"
  sed -i 's/^worker_processes 1/worker_processes 2/' "$scratch/nginx.conf"
  start nginx others "${nginx[@]}"
  wait_for nginx listens "$port"
  ports+=("$port")

  port="$(free_port)"
  mkdir "$scratch/haproxy"
  cat "$scratch/httpd.chain" "$scratch/httpd.pem" >"$scratch/haproxy/httpd.pem"
  sed -e "s|/etc/haproxy/keystay|$scratch/haproxy|" -e "s|bind :443 |bind 127.0.0.1:$port |" "$examples/haproxy/haproxy.cfg" >"$scratch/haproxy.cfg"
  start haproxy others haproxy -W -f "$scratch/haproxy.cfg"
  wait_for haproxy listens "$port"
  ports+=("$port")

  if [[ -f "$jar" ]] && command -v java >/dev/null; then
    port="$(free_port)"
    printf '# Keystay key store, version 1\ntoken = "front"\nscope = "listed"\naliases = ["httpd"]\n' >"$scratch/web.keystore"
    KEYSTAY_JAR="$jar" start java plain "$examples/java-https/run.sh" "$scratch/web.keystore" "$port"
    wait_for java listens "$port"
    ports+=("$port")
    # shellcheck disable=SC2034  # for the tests
    java_port="$port"
    start_ftps
  else
    echo "not tried: Java's servers, which this build is without"
  fi
}

# start_ftps: the FTPS server of examples/java-server; its file has the name of the page that the load asks the others for.
start_ftps() {
  if [[ ! -d "$KEYSTAY_BUILD/java/java-server/lib" ]]; then
    echo "not tried: FTPS, whose server Maven has not fetched (see java-maven-fetches)"
    return
  fi
  ftps_port="$(free_port)"
  mkdir "$scratch/files"
  echo "by FTPS" >"$scratch/files/metrics"
  cat >"$scratch/server.properties" <<PROPERTIES
Hsm.keystorePath = web.keystore
Ftp.Hsm.enabled = true
Ftp.Hsm.keyAlias = httpd
Ftp.port = $(free_port)
Ftp.implicitPort = $ftps_port
Ftp.home = files
Ftp.user = demo
Ftp.password = demo
PROPERTIES
  start ftps plain "$examples/java-server/run.sh" "$scratch/server.properties"
  wait_for ftps grep -q '^ready$' "$scratch/ftps.log"
  ports+=("$ftps_port")
}
