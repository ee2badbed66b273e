#!/usr/bin/env bash
# What keystay acme renews comes to nginx on OpenSSL's provider by the deploy hook of docs/user/acme.md: a reload, no restart, with the
# old key and with a new one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/interop/acme.sh
source "$interop/acme.sh"

need nginx nginx-light
make_token
http="$(free_port)"
port="$(free_port)"
start_pebble "$http"
mkdir "$scratch/nginx"

# The page's, with this test's directory, tool and way to reload.
awk '/^# deploy: for nginx/ { print "#!/bin/sh"; found = 1 } found && /^```/ { exit } found' "$KEYSTAY_SOURCE/docs/user/acme.md" |
  sed "s|/etc/nginx|$scratch/nginx|g; s|^keystay |$keystay |; s|systemctl reload nginx|$scratch/reload|" >"$scratch/deploy"
cat >"$scratch/reload" <<SH
#!/bin/sh
# Before it is started there is nothing to reload.
[ ! -e "$scratch/nginx.pid" ] || kill -HUP "\$(cat "$scratch/nginx.pid")"
SH
chmod 755 "$scratch/deploy" "$scratch/reload"
[[ "$(grep -c "$scratch" "$scratch/deploy")" == 4 ]] || fail "the page's hook is another one: $(cat "$scratch/deploy")"

acme issue -alias httpd -directory "$directory" -ca-file "$scratch/acme-ca.pem" -agree-tos -http-port "127.0.0.1:$http" \
  -ext san=dns:localhost,dns:www.example -deploy-hook "$scratch/deploy"
[[ -s "$scratch/nginx/httpd.crt" && -s "$scratch/nginx/httpd.key" ]] || fail "the hook has written nothing: $(ls "$scratch/nginx")"

use_provider
configure_nginx "$port" "ssl_certificate $scratch/nginx/httpd.crt" "ssl_certificate_key $scratch/nginx/httpd.key"
start nginx others "${nginx[@]}"
wait_for nginx listens "$port"
master="${pids[nginx]}"
served() { plain openssl s_client -connect "127.0.0.1:$port" -servername localhost </dev/null 2>/dev/null | plain openssl x509 -outform PEM; }
serves_leaf() { [[ "$(served)" == "$("$keystay" -exportcert -rfc -alias httpd | plain openssl x509 -outform PEM)" ]]; }
serves_leaf || fail "the first certificate is not served"
first="$(served)"

echo "== renewed, with the same key"
plain "$keystay" acme renew -days 36500 2>"$scratch/acme-renew.log"
wait_for nginx serves_leaf
[[ "$(served)" != "$first" ]] || fail "it is the one before"

echo "== renewed, with another key"
plain "$keystay" acme renew -days 36500 -rotate 2>"$scratch/acme-renew.log"
wait_for nginx serves_leaf
[[ "$(served | plain openssl x509 -noout -pubkey)" != "$(plain openssl x509 -noout -pubkey <<<"$first")" ]] || fail "the key is the one before"
expect "$(fetch "$port")" worker
[[ "${pids[nginx]}" == "$master" ]] || fail "nginx was restarted"
stop nginx QUIT
