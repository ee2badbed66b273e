#!/usr/bin/env bash
# keystay-tlsd and the provider in it read the file that -c names, whatever the environment says, also where the kernel
# makes secure_getenv(3) blind; a token whose settings change at a reload is the one that later handshakes sign with.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"

make_token
make_ca
make_alias httpd -keyalg EC
make_alias '50% off' -keyalg EC
mv "$scratch/httpd.crt" "$scratch/first.crt"
mv "$scratch/httpd.pem" "$scratch/first.pem"
# SoftHSM sees only tokens that were there when it started.
softhsm2-util --init-token --free --label other --pin 123456 --so-pin 87654321 >>"$scratch/softhsm2-util.log" 2>&1
sed -i 's/^label = "web"/label = "other"/' "$scratch/keystay.toml"
make_alias httpd -keyalg EC
mv "$scratch/httpd.crt" "$scratch/second.crt"
port="$(free_port)"
backend="$(free_port)"

# configure TOKEN_LABEL CERTIFICATE: in a directory whose name openssl.cnf would read otherwise.
readonly directory="$scratch/a \$b #c"
readonly configuration="$directory/keystay.toml"
mkdir "$directory"
configure() {
  cat >"$directory/new.toml" <<TOML
default = "web"

[token.web]
module = "$(softhsm_module)"
label = "$1"
pin = "file:$scratch/web.pin"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["$2"]
backend = "app"

[tlsd.backend.app]
servers = ["127.0.0.1:$backend"]
TOML
  mv "$directory/new.toml" "$configuration"
}

# served: the SHA-256 of the certificate that a client gets now.
served() {
  plain timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$scratch/ca.pem" \
    -verify_return_error </dev/null 2>/dev/null | plain openssl x509 -noout -fingerprint -sha256
}
fingerprint() { plain openssl x509 -in "$1" -noout -fingerprint -sha256; }

echo "== -c counts, not KEYSTAY_CONF"
configure web httpd
KEYSTAY_CONF=/nonexistent/keystay.toml "$tlsd" check -c "$configuration"

echo "== a token with several keys is no name of one of them"
for name in pkcs11: pkcs11:token=web keystay: keystay:web/; do
  configure web "$name"
  if "$tlsd" check -c "$configuration" >"$scratch/check.log" 2>&1; then fail "check takes a key of $name"; fi
  grep -q "there are 2 private keys in $name, and it names none of them" "$scratch/check.log" ||
    fail "check does not say why $name is none"
done

echo "== an alias with a percent sign and a blank"
configure web '50% off'
"$tlsd" check -c "$configuration"

echo "== a file with a reference in the place of the key"
for order in "first.pem first.crt" "first.crt first.pem"; do
  # shellcheck disable=SC2086  # words
  (cd "$scratch" && cat $order) >"$scratch/reference.pem"
  for name in "$scratch/reference.pem" "file:$scratch/reference.pem" "file://$scratch/reference.pem"; do
    configure web "$name"
    "$tlsd" check -c "$configuration" | finds "key on a token" || fail "no key on a token: $name"
  done
done

echo "== -c counts for a program with privileges of its own (AT_SECURE)"
if [[ "$(id -u)" -eq 0 ]]; then
  # A file system that honours the bit, and a path that everybody may enter.
  installed="$(mktemp -d /var/tmp/keystay-installed.XXXXXX)"
  mkdir "$installed/bin"
  ln -s "$KEYSTAY_BUILD/ossl-modules" "$installed/ossl-modules"
  cp "$tlsd" "$installed/bin/"
  chmod 755 "$installed"
  chmod 4755 "$installed/bin/keystay-tlsd"
  code=0
  (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups \
    "$installed/bin/keystay-tlsd" check -c "$configuration") || code=$?
  rm -r "$installed"
  [[ "$code" -eq 0 ]] || fail "check exits with $code"
fi

echo "== a reload takes the token that the file names now"
configure web httpd
start tlsd "$tlsd" -c "$configuration"
wait_for tlsd listens "$port"
[[ "$(served)" == "$(fingerprint "$scratch/first.crt")" ]] || fail "not the certificate of the first token"

configure other httpd
kill -s HUP "${pids[tlsd]}"
wait_for tlsd grep -q 'reload: done' "$scratch/tlsd.log"
[[ "$(served)" == "$(fingerprint "$scratch/second.crt")" ]] || fail "the reload kept the first token"

echo "== a reload with a token that is not there changes nothing"
configure absent httpd
kill -s HUP "${pids[tlsd]}"
wait_for tlsd grep -q 'reload: nothing was changed: .*absent' "$scratch/tlsd.log"
[[ "$(served)" == "$(fingerprint "$scratch/second.crt")" ]] || fail "a reload that failed changed something"
echo "== a reload with a PIN that a restart could not read changes nothing"
configure web httpd
cp "$scratch/web.pin" "$scratch/good.pin"
# refused REASON: SIGHUP, whose refusal names the file, the token and the reason; the old settings serve on.
refused() {
  : >"$scratch/tlsd.log"
  kill -s HUP "${pids[tlsd]}"
  wait_for tlsd grep -q 'reload: nothing was changed: .*' "$scratch/tlsd.log"
  for part in "$scratch/web.pin" 'token "web"' "$1"; do
    grep -q "reload: nothing was changed: .*$part" "$scratch/tlsd.log" || fail "the log does not name: $part"
  done
  [[ "$(served)" == "$(fingerprint "$scratch/second.crt")" ]] || fail "a reload that failed changed something"
  if "$tlsd" check -c "$configuration" >"$scratch/check.log" 2>&1; then fail "check takes a PIN file: $1"; fi
  grep -q "$scratch/web.pin.*$1" "$scratch/check.log" || fail "check does not say: $1"
}
printf '\xef\xbb\xbf123456\n' >"$scratch/web.pin"
refused "byte-order mark"
: >"$scratch/web.pin"
refused "is empty"
cat "$scratch/good.pin" >"$scratch/web.pin"
chmod 644 "$scratch/web.pin"
refused "open to all users"
rm "$scratch/web.pin"
refused "No such file"
cp "$scratch/good.pin" "$scratch/web.pin"
chmod 600 "$scratch/web.pin"
: >"$scratch/tlsd.log"
kill -s HUP "${pids[tlsd]}"
wait_for tlsd grep -q 'reload: done' "$scratch/tlsd.log"
[[ "$(served)" == "$(fingerprint "$scratch/first.crt")" ]] || fail "the reload with the PIN in order kept the other token"
stop tlsd TERM
