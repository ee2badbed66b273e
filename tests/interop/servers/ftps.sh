# shellcheck shell=bash
# FTPS as a user of lftp does it, against a server that the test starts for the user "alice".
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need lftp lftp
readonly ftp_user=alice ftp_home="$scratch/ftp/alice" ftp_uid=54321
ftp_password="$(plain openssl rand -hex 8)"
readonly ftp_password
mkdir "$scratch/client"
seq 20000 >"$scratch/client/upload.txt"

# make_ftp_home: a directory that nobody on this machine but the server's user has.
make_ftp_home() {
  mkdir -p "$ftp_home"
  chown "$ftp_uid:$ftp_uid" "$ftp_home"
}

# ftp_account: the line of passwd(5) with the password in it, for a server that takes one.
ftp_account() { echo "$ftp_user:$(plain openssl passwd -6 "$ftp_password"):$ftp_uid:$ftp_uid::$ftp_home:/bin/sh"; }

# lftp_session URL COMMAND …: one session; lftp verifies chain and name, and protects every data connection.
lftp_session() {
  local url="$1"
  shift
  rm -f "$scratch/client/"*.back
  {
    cat <<SETTINGS
debug 4
set cmd:fail-exit yes
set dns:order inet
set net:timeout 60
set net:max-retries 1
set net:reconnect-interval-base 1
set ftp:ssl-force yes
set ftp:ssl-protect-data yes
set ftp:ssl-protect-list yes
set ssl:verify-certificate yes
set ssl:check-hostname yes
set ssl:ca-file "$scratch/ca.pem"
open -u $ftp_user,$ftp_password $url
SETTINGS
    printf '%s\n' "$@"
  } >"$scratch/session.lftp"
  (cd "$scratch/client" && HOME="$scratch/client" plain lftp --norc -f "$scratch/session.lftp") >>"$scratch/lftp.log" 2>&1
}

# Each transfer and each listing is a data connection of its own. By default lftp resumes on it the TLS session of the
# control connection, as servers ask for; without that, the server signs for each of them.
# shellcheck disable=SC2034  # for the tests
readonly no_resumption="set ftp:ssl-copy-sid no"

# In TLS 1.3 a server sends tickets to a client that uploads and reads nothing: when the client closes its data
# connection, unread tickets turn that into a reset, and the rest of the upload is lost now and then. This is so with any
# key, so uploads are made in TLS 1.2.
readonly for_uploads="set ssl:priority NORMAL:-VERS-TLS1.3"

# transfers URL [COMMAND]: login, upload; login again, list and download.
transfers() {
  lftp_session "$1" "$for_uploads" "${2:-}" "put upload.txt" || return 1
  lftp_session "$1" "${2:-}" "cls -1 > list.back" "get upload.txt -o upload.back" "rm upload.txt" || return 1
  grep -qx upload.txt "$scratch/client/list.back" && cmp "$scratch/client/upload.txt" "$scratch/client/upload.back"
}

# survives_blinks_in_a_session URL [COMMAND]: while a user is logged in, the token loses its sessions, then its state.
survives_blinks_in_a_session() {
  local order="!$KEYSTAY_BUILD/tests/keystay-fault $KEYSTAY_FAULT_CONTROL"
  lftp_session "$1" "$for_uploads" "${2:-}" "put upload.txt" "$order drop-sessions" "cls -1" "$order forget-initialize" \
    "get upload.txt -o upload.back" "$order remove-token" "$order return-token" "rm upload.txt" "cls -1" ||
    fail "the token blinked within a session of $1"
}

# signs_for COMMAND …: how many signatures the command costs.
signs_for() {
  local before
  before="$(fault calls C_Sign)"
  "$@" || fail "$*"
  echo $(($(fault calls C_Sign) - before))
}

# control_connection PORT OPTION …: what s_client says of the handshake, and the server's greeting.
control_connection() {
  local port="$1"
  shift
  plain timeout 60 openssl s_client -connect "127.0.0.1:$port" -CAfile "$scratch/ca.pem" -verify_return_error -brief \
    "$@" 2>&1 < <(printf 'QUIT\r\n')
}

# no_sessions NAME: no client is left, so the server has no process for one.
no_sessions() { [[ -z "$(children_of "${pids[$1]}")" ]]; }
