#!/usr/bin/env bash
# The HSM is another process (p11-kit server in front of SoftHSM), which is killed and started again under load: FTPS and
# HTTPS come back by themselves. The JVM stays, and nobody types the PIN again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl curl
need p11-kit p11-kit
[[ -d "$KEYSTAY_BUILD/java/java-server/lib" ]] || skip "Maven has not fetched the servers (see java-maven-fetches)"
for client in /usr/lib/*/pkcs11/p11-kit-client.so /usr/lib64/pkcs11/p11-kit-client.so; do
  [[ ! -e "$client" ]] || break
done
[[ -e "$client" ]] || skip "p11-kit-client.so is not installed (package p11-kit-modules)"

make_token
make_ca
make_alias httpd -keyalg RSA -keysize 2048
make_alias ftpd -keyalg EC -groupname secp256r1

readonly socket="$scratch/hsm.socket"
# In a process group of its own: p11-kit serves each connection in a child, and all of them are the HSM.
start_hsm() {
  start hsm setsid p11-kit server --foreground --name "$socket" --provider "$(softhsm_module)" "pkcs11:token=web"
  wait_for hsm test -S "$socket"
}
kill_hsm() {
  kill -KILL -- "-${pids[hsm]}"
  wait "${pids[hsm]}" 2>/dev/null || true
  unset "pids[hsm]"
  rm -f "$socket"
}
# However the test ends, the HSM's processes end with it.
trap '[[ -z "${pids[hsm]:-}" ]] || kill -KILL -- "-${pids[hsm]}" 2>/dev/null || true; finish' EXIT
start_hsm
export P11_KIT_SERVER_ADDRESS="unix:path=$socket"
sed -i "s|^module = .*|module = \"$client\"|; /^pin = /d" "$KEYSTAY_CONF"

printf '# Keystay key store, version 1\ntoken = "web"\n' >"$scratch/hsm.keystore"
mkdir -p "$scratch/files"
ftp="$(free_port)" ftps="$(free_port)" https="$(free_port)"
cat >"$scratch/server.properties" <<PROPERTIES
Hsm.keystorePath = hsm.keystore
Hsm.keystorePassword = $(cat "$scratch/web.pin")
Ftp.Hsm.enabled = true
Ftp.Hsm.keyAlias = ftpd
Ftp.port = $ftp
Ftp.implicitPort = $ftps
Ftp.home = files
Ftp.user = demo
Ftp.password = demo
Http.Hsm.enabled = true
Http.Hsm.keyAlias = httpd
Http.port = $https
PROPERTIES
start server env JAVA_HOME="$jdk" JAVA_OPTIONS="${jvm_options[*]}" "$KEYSTAY_SOURCE/examples/java-server/run.sh" \
  "$scratch/server.properties"
wait_for server grep -q '^ready$' "$scratch/server.log"

page() { curl --silent --show-error --max-time 30 --cacert "$scratch/ca.pem" "https://localhost:$https/"; }
file() { python3 "$KEYSTAY_SOURCE/tests/java/ftps_transfer.py" explicit "$ftp" 1.3 "$scratch/ca.pem"; }
page >/dev/null
file

load() { # until the file $scratch/enough is there
  until [[ -e "$scratch/enough" ]]; do page || true; done
}
start load1 load
start load2 load
for round in 1 2; do
  kill_hsm
  if page >/dev/null 2>&1; then fail "a page was served without the HSM, in round $round"; fi
  start_hsm
  wait_for server page
  wait_for server file
done
touch "$scratch/enough"
join load1 0
join load2 0
page >/dev/null
file
stop_java server
