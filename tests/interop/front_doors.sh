# shellcheck shell=bash
# Keystay's own servers on aliases of the token that make_token made, for tests that look at several at once.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# start_tlsd ALIAS …: keystay-tlsd as the process "tlsd", with a listener for each alias, whose port is then
# ${tlsd_ports[ALIAS]}. Its backend is its own administrator's listener, on $admin_port.
declare -A tlsd_ports=()
start_tlsd() {
  admin_port="$(free_port)"
  printf '\n[tlsd]\nadmin = "127.0.0.1:%s"\n\n[tlsd.backend.admin]\nservers = ["127.0.0.1:%s"]\n' \
    "$admin_port" "$admin_port" >>"$scratch/keystay.toml"
  local alias
  for alias in "$@"; do
    tlsd_ports[$alias]="$(free_port)"
    printf '\n[[tlsd.listener]]\nname = "%s"\nbind = ["127.0.0.1:%s"]\ncertificates = ["%s"]\nbackend = "admin"\n' \
      "$alias" "${tlsd_ports[$alias]}" "$alias" >>"$scratch/keystay.toml"
  done
  start tlsd "$KEYSTAY_BUILD/bin/keystay-tlsd" -c "$scratch/keystay.toml"
  wait_for tlsd listens "${tlsd_ports[$1]}"
}

# has_java: whether the Java key store is built and can run.
has_java() { [[ -f "$KEYSTAY_BUILD/java/keystay-jca.jar" ]] && command -v java >/dev/null; }

# start_java ALIAS: Java's own HTTPS server as the process "java", on $java_port.
start_java() {
  java_port="$(free_port)"
  cat >"$scratch/web.keystore" <<TOML
# Keystay key store, version 1
token = "web"
scope = "listed"
aliases = ["$1"]
TOML
  KEYSTAY_JAR="$KEYSTAY_BUILD/java/keystay-jca.jar" start java plain "$KEYSTAY_SOURCE/examples/java-https/run.sh" \
    "$scratch/web.keystore" "$java_port"
  wait_for java listens "$java_port"
}
