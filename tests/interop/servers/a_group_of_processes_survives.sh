#!/usr/bin/env bash
# A group whose members are processes, one of them on another machine, serves through keystay-tlsd, nginx, HAProxy, and Java's
# HTTPS and FTPS servers under a load of full handshakes. A member's process is killed or stopped, the network between is cut,
# slow or silent, a certificate there is wrong, a PIN is: no handshake fails. Without all members they fail by an alert.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"

need p11-kit p11-kit
need nginx nginx-light
need haproxy haproxy
need curl curl

rounds=1
if [[ -n "${KEYSTAY_SOAK:-}" ]]; then rounds=10; fi
readonly rounds

make_group
start_members
start_servers

# is_out MEMBER [N]: the member is out, its place is filled, and the servers serve; is_back MEMBER: as before.
is_out() {
  wait_for tlsd member_is "$1" in_service 0
  wait_for tlsd member_is c active 1
  more_handshakes "${2:-10}"
}
is_back() {
  wait_for tlsd member_is "$1" in_service 1
  wait_for tlsd member_is c active 0
  more_handshakes 5
}
# says TEXT: there is such a line in tlsd's log.
says() { grep -qF "$1" "$scratch/tlsd.log" || fail "no line in tlsd's log: $1"; }

killed() {
  kill_hsm a
  is_out a
  start_hsm a
  is_back a
}
killed_for_a_moment() {
  kill_hsm a
  start_hsm a
  more_handshakes 10
}
stopped() {
  signal_hsm a STOP
  is_out a
  signal_hsm a CONT
  is_back a
}
carrier_killed() {
  kill_carrier
  is_out b
  start_carrier carrier
  is_back b
}
relays_killed() {
  for _ in 1 2 3; do
    relays | xargs -r kill -KILL
    more_handshakes 5
  done
}
relays_stopped() {
  local stopped
  mapfile -t stopped < <(relays)
  kill -STOP "${stopped[@]}"
  is_out b
  kill -CONT "${stopped[@]}"
  is_back b
}
# Both at once: the one that stands by is all that is left.
both_active_killed() {
  kill_hsm a
  kill_hsm b
  is_out a
  is_out b
  start_hsm a
  start_hsm b
  is_back a
  is_back b
}
# A token that was initialised again: the same label and PIN, and no key.
initialised_again() {
  kill_hsm a
  mv "$scratch/hsm-a/tokens" "$scratch/hsm-a/before"
  mkdir "$scratch/hsm-a/tokens"
  SOFTHSM2_CONF="$scratch/hsm-a/softhsm2.conf" plain softhsm2-util --init-token --free --label hsm-a --pin 123456 --so-pin 87654321 \
    >>"$scratch/softhsm2-util.log" 2>&1
  start_hsm a
  wait_for tlsd grep -qF 'member "hsm-a" cannot use alias "httpd": ' "$scratch/tlsd.log"
  more_handshakes 20
  kill_hsm a
  rm -r "$scratch/hsm-a/tokens"
  mv "$scratch/hsm-a/before" "$scratch/hsm-a/tokens"
  start_hsm a
  is_back a # for other keys: for this one it is asked again after ten seconds
  signed="$(signed_by a)"
}
signs_again() { [[ "$(signed_by a)" -gt "$signed" ]]; }
signed_by() {
  plain curl --silent "http://127.0.0.1:$admin_port/metrics" |
    sed -n "s/^keystay_group_member_operations_total{group=\"front\",member=\"hsm-$1\"} //p"
}
cut_in_mid_call() {
  fault_at b delay C_Sign 100000 # so that a call is on its way
  more_handshakes 5
  for _ in 1 2 3; do
    the_network reset
    more_handshakes 5
  done
  fault_at b delay C_Sign 0
  is_back b
}
black_hole() {
  the_network blackhole
  is_out b
  the_network pass
  is_back b
}
slow_network() {
  the_network delay 100 # each way
  more_handshakes 20
  the_network pass
  is_back b
}

# wrong_certificate MESSAGE FILE [haproxy]: the machine of hsm-b shows another certificate.
wrong_certificate() {
  local message="$1"
  shift
  kill_carrier
  is_out b 5
  start_carrier "$@"
  tells_why() { grep -F 'token "hsm-b"' "$scratch/tlsd.log" | finds -F "$message"; }
  wait_for tlsd tells_why
  more_handshakes 10
  kill_carrier
  start_carrier carrier
  is_back b
}
wrong_pin() {
  local before after
  kill_hsm a
  is_out a 5
  echo 999999 >"$scratch/hsm-a.pin"
  before="$(fault_at a calls C_Login)"
  start_hsm a
  told_of_pin() { grep -F '"hsm-a"' "$scratch/tlsd.log" | finds -F "until its PIN is put right"; }
  wait_for tlsd told_of_pin
  more_handshakes 20
  after="$(fault_at a calls C_Login)"
  echo "a wrong PIN: $((after - before)) logins by ${#ports[@]} servers"
  [[ "$((after - before))" -le "${#ports[@]}" ]] || fail "a server tried a wrong PIN twice"
  cp "$scratch/web.pin" "$scratch/hsm-a.pin"
  is_back a
}
rolling_restart() {
  local member
  for member in a b c; do
    kill_hsm "$member"
    wait_for tlsd member_is "$member" in_service 0
    more_handshakes 5
    start_hsm "$member"
    wait_for tlsd member_is "$member" in_service 1
    more_handshakes 5
  done
  wait_for tlsd signs_again # hsm-a, after its token had no key
}

# under WHAT COMMAND …: the command under load, of which nothing fails.
under() {
  local what="$1" begin="$SECONDS"
  shift
  begin_load
  more_handshakes 5
  "$@"
  end_load "$what"
  echo "$what: $((SECONDS - begin)) s"
}

under "quiet" more_handshakes 10
member_is c operations_total 0 || fail "the member that stands by has signed"
issue expired serverAuth hsm.example ca expired
plain openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Another CA" \
  -addext "keyUsage = critical, keyCertSign, cRLSign" -keyout "$scratch/another.key" -out "$scratch/another.pem" 2>>"$scratch/openssl-req.log"
issue stranger serverAuth hsm.example another
issue misnamed serverAuth other.example
for ((round = 0; round < rounds; round++)); do
  under "SIGKILL of an active member" killed
  under "SIGKILL, and back at once" killed_for_a_moment
  under "SIGSTOP" stopped
  under "the carrier of hsm-b killed" carrier_killed
  under "keystay-relay killed" relays_killed
  under "keystay-relay stopped" relays_stopped
  under "both active members killed" both_active_killed
  under "a token initialised again" initialised_again
  under "connections reset in mid-call" cut_in_mid_call
  under "a black hole" black_hole
  under "200 ms more" slow_network
  under "certificate expired" wrong_certificate "certificate has expired" expired haproxy
  under "certificate of another CA" wrong_certificate "unable to get local issuer certificate" stranger
  under "certificate of another name" \
    wrong_certificate "the endpoint's certificate is for other.example, and not for hsm.example" misnamed
  under "wrong PIN" wrong_pin
  under "a rolling restart" rolling_restart
done

# All down: an alert, at once; and served again soon after one is back. The HTTP server of the JDK closes a connection
# whose handshake fails without sending the alert that JSSE has for it.
for port in "${ports[@]}"; do shakes_hands "$port" || fail "no handshake on port $port"; done
for member in a b c; do kill_hsm "$member"; done
for member in a b c; do wait_for tlsd member_is "$member" in_service 0; done
for port in "${ports[@]}"; do
  for _ in 1 2 3 4; do
    begin="${EPOCHREALTIME/[.,]/}"
    output="$(handshake "$port" -no_ticket -tls1_3 || true)"
    echo "all down, port $port: $(((${EPOCHREALTIME/[.,]/} - begin) / 1000)) ms"
    [[ "$output" != *"Verification: OK"* ]] || fail "port $port serves without a token"
    [[ "${output,,}" == *alert* || "$port" == "${java_port:-}" && "$output" == *"unexpected eof"* ]] ||
      fail "port $port: no alert: $output"
  done
done
start_hsm c
begin="${EPOCHREALTIME/[.,]/}"
for port in "${ports[@]}"; do
  wait_for tlsd shakes_hands "$port"
  echo "one is back, port $port: $(((${EPOCHREALTIME/[.,]/} - begin) / 1000)) ms"
done
for member in a b; do start_hsm "$member"; done

says 'group "front": member "hsm-a" is out of service: '
says 'group "front": member "hsm-a" is back in service after '
stop tlsd TERM
stop nginx QUIT
stop haproxy USR1
