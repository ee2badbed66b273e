# shellcheck shell=bash
# A load of full handshakes on several servers at once, and its counts. The test sets `ports`, in which the first server is
# the keystay-tlsd that start() called tlsd, and `admin_port`, which is its `admin`. The one at `ftps_port`, if it is set, is an
# FTPS server, of which each session is two handshakes.
declare -A loads inputs

# begin_load: two clients for each server.
begin_load() {
  local port client
  for port in "${ports[@]}"; do
    client=https_load.py
    [[ "$port" != "${ftps_port:-}" ]] || client=ftps_load.py
    rm -f "$scratch/load-$port.input"
    mkfifo "$scratch/load-$port.input"
    : >"$scratch/load-$port.log" # now, so that nobody counts the lines of no file
    plain python3 "$KEYSTAY_SOURCE/tests/interop/$client" "$port" "$scratch/ca.pem" 2 /metrics \
      <"$scratch/load-$port.input" >>"$scratch/load-$port.log" 2>&1 &
    loads[$port]=$!
  done
  for port in "${ports[@]}"; do # after all have been started, which would have it open too
    exec {fd}>"$scratch/load-$port.input"
    inputs[$port]=$fd
  done
}

# more_handshakes N: each server has made so many more.
more_handshakes() {
  local port
  local -A before=()
  for port in "${ports[@]}"; do before[$port]="$(wc -l <"$scratch/load-$port.log")"; done
  for port in "${ports[@]}"; do
    has_more() { [[ "$(wc -l <"$scratch/load-$port.log")" -gt "$((before[$port] + $1))" ]]; }
    wait_for tlsd has_more "$1"
  done
}

# end_load WHAT: prints how many handshakes were tried and failed meanwhile; fails if one did.
end_load() {
  local what="$1" port failed unit
  for port in "${ports[@]}"; do
    fd="${inputs[$port]}"
    echo over >&"$fd" # what was started meanwhile has it open too, so that closing it would not end the load
    exec {fd}>&-
    wait "${loads[$port]}" || true
    failed="$(grep -c -v '^served$' "$scratch/load-$port.log" || true)"
    unit=handshakes
    [[ "$port" != "${ftps_port:-}" ]] || unit="FTPS sessions of two handshakes"
    echo "$what, port $port: $(wc -l <"$scratch/load-$port.log") $unit, $failed failed"
    [[ "$failed" == 0 ]] || fail "$(grep -v '^served$' "$scratch/load-$port.log" | head -3)"
  done
}

# member_is MEMBER METRIC VALUE: as tlsd sees the member hsm-MEMBER of the group "front".
member_is() {
  plain curl --silent "http://127.0.0.1:$admin_port/metrics" |
    finds -x "keystay_group_member_$2{group=\"front\",member=\"hsm-$1\"} $3"
}

# shakes_hands PORT: whether a full handshake succeeds. The client leaves then: an FTP server would wait for a command.
shakes_hands() {
  local output
  output="$(plain timeout 60 openssl s_client -connect "127.0.0.1:$1" -servername localhost -CAfile "$scratch/ca.pem" \
    -verify_return_error -brief -no_ticket -tls1_3 </dev/null 2>&1 || true)"
  [[ "$output" == *"Verification: OK"* ]]
}
