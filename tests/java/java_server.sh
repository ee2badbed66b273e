# shellcheck shell=bash
# The FTPS and HTTPS server of examples/java-server, and its clients: lftp, curl and s_client.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl curl
need lftp lftp
[[ -d "$KEYSTAY_BUILD/java/java-server/lib" ]] || skip "Maven has not fetched the servers (see java-maven-fetches)"

printf '# Keystay key store, version 1\ntoken = "web"\n' >"$scratch/hsm.keystore"
mkdir -p "$scratch/files" "$scratch/client"
head -c 300000 /dev/urandom >"$scratch/client/content"

settings() { # settings FTP-ALIAS HTTP-ALIAS [LINE…]: server.properties, on free ports
  ftp="$(free_port)" ftps="$(free_port)" https="$(free_port)"
  cat >"$scratch/server.properties" <<PROPERTIES
Hsm.keystorePath = hsm.keystore
Ftp.Hsm.enabled = true
Ftp.Hsm.keyAlias = $1
Ftp.port = $ftp
Ftp.implicitPort = $ftps
Ftp.home = files
Ftp.user = demo
Ftp.password = demo
Http.Hsm.enabled = true
Http.Hsm.keyAlias = $2
Http.port = $https
PROPERTIES
  printf '%s\n' "${@:3}" >>"$scratch/server.properties"
}

# Takes the place of the subshell that it is called in, so that a signal reaches the JVM.
server() {
  exec env JAVA_HOME="$jdk" JAVA_OPTIONS="${jvm_options[*]}" "$KEYSTAY_SOURCE/examples/java-server/run.sh" \
    "$scratch/server.properties"
}

start_server() {
  start server server
  (wait_for server grep -q '^ready$' "$scratch/server.log") || {
    kill -s QUIT "${pids[server]}" && sleep 2 # what its threads wait for is in the log then
    fail "the server does not start"
  }
}

run_curl() { curl --silent --show-error --max-time 60 --cacert "$scratch/ca.pem" "$@"; }

# page VERSION: by HTTPS.
page() { run_curl "--tlsv$1" --tls-max "$1" "https://localhost:$https/"; }

# lftp_transfers URL VERSION NAME: a file there and back by protected data connections, which cost a handshake each.
# lftp verifies the chain and the name; it may turn in a loop of its own when a handshake fails, so it gets a time limit.
lftp_transfers() {
  local name="$3"
  cat >"$scratch/client/$name.lftp" <<SESSION
set cmd:fail-exit yes
set dns:order inet
set net:timeout 60
set net:max-retries 1
set ftp:ssl-force yes
set ftp:ssl-protect-data yes
set ftp:ssl-protect-list yes
set ftp:ssl-copy-sid no
set ssl:check-hostname yes
set ssl:ca-file "$scratch/ca.pem"
set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS$2
open -u demo,demo $1
put content -o $name
cls -1
get $name -o $name.back
SESSION
  rm -f "$scratch/client/$name.back"
  (cd "$scratch/client" && HOME="$scratch/client" timeout 180 lftp --norc -f "$name.lftp") >>"$scratch/lftp.log" 2>&1 &&
    cmp "$scratch/client/content" "$scratch/client/$name.back"
}

# curl_transfers VERSION: curl closes a data connection with tickets unread, so there must be none.
curl_transfers() {
  local options=(--ssl-reqd --user demo:demo "--tlsv$1" --tls-max "$1")
  run_curl "${options[@]}" --upload-file "$scratch/client/content" "ftp://localhost:$ftp/by-curl"
  run_curl "${options[@]}" --output "$scratch/received" "ftp://localhost:$ftp/by-curl"
  cmp "$scratch/client/content" "$scratch/received" || fail "curl got back other bytes over TLS $1"
}
