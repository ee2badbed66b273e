#!/usr/bin/env bash
# A group whose members are processes, one of them on another machine, serves through keystay-tlsd, nginx, HAProxy and Java
# under a load of full handshakes. A member's process is killed or stopped, the network between is cut, slow or silent, a
# certificate there is wrong, a PIN is: no handshake fails. Without all members they fail by an alert.
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
  is_out a 20
  signal_hsm a CONT
  is_back a
}
carrier_killed() {
  kill_carrier
  is_out b
  start_carrier carrier
  is_back b
}
# The processes keystay-relay of the servers.
relays() {
  local exe
  for exe in /proc/[0-9]*/exe; do
    [[ "$(readlink "$exe")" != "$scratch/keystay-relay"* ]] || basename "$(dirname "$exe")"
  done 2>/dev/null
}
relays_killed() {
  for _ in 1 2 3; do
    relays | xargs -r kill -KILL
    more_handshakes 5
  done
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
  is_out b 20
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
  tells_why() { grep -F 'token "hsm-b"' "$scratch/tlsd.log" | grep -qF "$message"; }
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
  told_of_pin() { grep -F '"hsm-a"' "$scratch/tlsd.log" | grep -qF "until its PIN is put right"; }
  wait_for tlsd told_of_pin
  more_handshakes 40
  after="$(fault_at a calls C_Login)"
  echo "a wrong PIN: $((after - before)) logins by ${#ports[@]} servers"
  [[ "$((after - before))" -le "$((${#ports[@]} + 1))" ]] || fail "a process tried a wrong PIN twice" # nginx has two
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
}

# under WHAT COMMAND …: the command under load, of which nothing fails.
under() {
  local what="$1"
  shift
  begin_load
  more_handshakes 5
  "$@"
  end_load "$what"
}

under "quiet" more_handshakes 10
member_is c operations_total 0 || fail "the member that stands by has signed"
issue expired serverAuth hsm.example ca -1
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
