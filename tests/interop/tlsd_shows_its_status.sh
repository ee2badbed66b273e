#!/usr/bin/env bash
# The status page of keystay-tlsd, in a browser: live charts and tables, light and dark, on a desk and on a phone, without
# anything from elsewhere; names of certificates are text, whatever they contain. KEYSTAY_SHOTS=DIRECTORY keeps screenshots.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"
command -v chromium-headless-shell >/dev/null || need chromium chromium-headless-shell

make_token
make_ca
make_alias httpd -keyalg EC
port="$(free_port)"
admin="$(free_port)"
backend="$(free_port)"
hostile="$scratch/<img src=x onerror=\"document.title=1\"><b>.pem"
readonly hostile
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj "/CN=<script>document.title=1<\/script>" \
  -addext "subjectAltName = DNS:xss.example" -keyout "$scratch/hostile.key" -out "$scratch/hostile.crt" 2>"$scratch/openssl-req.log"
cat "$scratch/hostile.key" "$scratch/hostile.crt" >"$hostile"

cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
admin = "127.0.0.1:$admin"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd", '$hostile']
backend = "app"

[tlsd.backend.app]
servers = ["127.0.0.1:$backend", "127.0.0.1:1"]
TOML

start backend plain python3 -m http.server --bind 127.0.0.1 --directory "$scratch/tokens" "$backend"
start tlsd plain "$tlsd" -c "$KEYSTAY_CONF"
wait_for backend listens "$backend"
wait_for tlsd grep -q "admin: listening" "$scratch/tlsd.log"

# Something to see: clients that come and go.
load() {
  while true; do
    for path in / /missing; do
      plain curl --silent --output /dev/null --cacert "$scratch/ca.pem" --max-time 10 "https://localhost:$port$path" || true
    done
    sleep 0.2 # not all of the processor
  done
}
load &
pids[load]=$!

python3 "$interop/status_page.py" "http://127.0.0.1:$admin/" "$scratch" "$hostile" ${KEYSTAY_SHOTS:+"$KEYSTAY_SHOTS"}
stop tlsd TERM
