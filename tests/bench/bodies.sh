#!/usr/bin/env bash
# How fast large bodies pass keystay-tlsd, HAProxy and nginx, down to the clients and up from them, and what processor time the
# servers spend. All servers run at once and are measured in turn, so that whatever else the machine does meets all of them
# alike.
#
#   tests/bench/bodies.sh [BUILD]    BUILD is build/release unless given
#
# KEYSTAY_BENCH_MIB (1024) is the size of all bodies of one measurement together, KEYSTAY_BENCH_REPETITIONS (5) the number of
# measurements, of which the table has the medians; KEYSTAY_BENCH_CLIENTS (2) is the number of clients, each a curl with one body;
# KEYSTAY_BENCH_HTTP is 1.1 or 2.
export KEYSTAY_BENCH_REPETITIONS="${KEYSTAY_BENCH_REPETITIONS:-5}" KEYSTAY_BENCH_CLIENTS="${KEYSTAY_BENCH_CLIENTS:-2}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/bench/lib.sh
source "$here/lib.sh"
# shellcheck source=tests/interop/lib.sh
source "$here/../interop/lib.sh"

readonly mib="${KEYSTAY_BENCH_MIB:-1024}"
readonly http="${KEYSTAY_BENCH_HTTP:-1.1}"
readonly size=$((mib * 1048576 / clients)) # of one body

make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=localhost" \
    -addext "subjectAltName = DNS:localhost" -keyout "$scratch/key.pem" -out "$scratch/crt.pem" 2>"$scratch/openssl-req.log"
  cat "$scratch/crt.pem" "$scratch/key.pem" >"$scratch/httpd.pem"
}

start_backend() {
  backend="$(free_port)"
  start backend python3 "$here/bulk_server.py" "$backend"
  wait_for backend listens "$backend"
}

start_keystay_tlsd() {
  ports[keystay-tlsd]="$(free_port)"
  cat >"$scratch/tlsd.toml" <<TOML
[tlsd]
threads = $workers

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:${ports[keystay-tlsd]}"]
certificates = ["$scratch/httpd.pem"]
backend = "bulk"

[tlsd.backend.bulk]
servers = ["127.0.0.1:$backend"]
TOML
  start keystay-tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/tlsd.toml"
  servers+=(keystay-tlsd)
}

start_haproxy() {
  ports[haproxy]="$(free_port)"
  cat >"$scratch/haproxy.cfg" <<HAPROXY
global
  nbthread $workers
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend https
  bind 127.0.0.1:${ports[haproxy]} ssl crt $scratch/httpd.pem alpn h2,http/1.1
  default_backend bulk
backend bulk
  server bulk 127.0.0.1:$backend
HAPROXY
  start haproxy haproxy -f "$scratch/haproxy.cfg"
  servers+=(haproxy)
}

# Bodies are streamed, as the others do it.
start_nginx() {
  local user=""
  ports[nginx]="$(free_port)"
  if [[ "$(id -u)" -eq 0 ]]; then user="user root;"; fi
  cat >"$scratch/nginx.conf" <<NGINX
$user
worker_processes $workers;
daemon off;
pid $scratch/nginx.pid;
error_log $scratch/nginx-error.log error;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $scratch/body;
  proxy_temp_path $scratch/proxy;
  fastcgi_temp_path $scratch/fastcgi;
  uwsgi_temp_path $scratch/uwsgi;
  scgi_temp_path $scratch/scgi;
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_max_temp_file_size 0;
  proxy_request_buffering off;
  server {
    listen 127.0.0.1:${ports[nginx]} ssl http2 reuseport;
    ssl_certificate $scratch/crt.pem;
    ssl_certificate_key $scratch/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / { proxy_pass http://127.0.0.1:$backend; }
  }
}
NGINX
  start nginx /usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" -e "$scratch/nginx-error.log"
  servers+=(nginx)
}

# transfer DIRECTION SERVER: one body.
transfer() {
  local url="https://localhost:${ports[$2]}/$size" body=()
  if [[ "$1" == up ]]; then body=(--upload-file "$scratch/upload" --header "Expect:"); fi
  curl --silent --show-error --fail "--http$http" --cacert "$scratch/crt.pem" --tls13-ciphers TLS_AES_256_GCM_SHA384 \
    --tlsv1.3 "${body[@]}" --output /dev/null "$url"
}

# processor_time SERVER: of it and its children, in ticks of a hundredth of a second.
processor_time() {
  local pid fields sum=0
  for pid in "${pids[$1]}" $(pgrep --parent "${pids[$1]}"); do
    read -r -a fields <"/proc/$pid/stat"
    sum=$((sum + fields[13] + fields[14]))
  done
  echo "$sum"
}

# measure_bodies DIRECTION SERVER: appends a line to results.tsv.
measure_bodies() {
  local direction="$1" server="$2" client processor begin end waited=()
  processor="$(processor_time "$server")"
  begin="${EPOCHREALTIME/./}"
  for ((client = 0; client < clients; ++client)); do
    transfer "$direction" "$server" &
    waited+=($!)
  done
  for client in "${waited[@]}"; do wait "$client" || fail "a body did not pass $server"; done
  end="${EPOCHREALTIME/./}"
  processor=$(($(processor_time "$server") - processor))
  printf '%s\t%s\t%s\t%s\t%s\n' "$direction" "$server" "$mib" "$((end - begin))" "$((processor * 10000))" |
    tee -a "$scratch/results.tsv" >&2
}

need haproxy haproxy
need nginx nginx
make_certificate
truncate --size="$size" "$scratch/upload"
start_backend
start_keystay_tlsd
start_haproxy
start_nginx
for server in "${servers[@]}"; do wait_for "$server" listens "${ports[$server]}"; done
for ((repetition = 0; repetition < repetitions; ++repetition)); do
  for direction in down up; do
    for server in "${servers[@]}"; do measure_bodies "$direction" "$server"; done
  done
done

echo
echo "$mib MiB by $clients clients, HTTP/$http, TLS_AES_256_GCM_SHA384; $workers threads or workers each; medians of $repetitions"
python3 "$bench/bodies_table.py" "$scratch/results.tsv" haproxy

stop keystay-tlsd TERM
stop haproxy USR1
stop nginx QUIT
stop backend TERM
