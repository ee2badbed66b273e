#!/usr/bin/env bash
# A random fault each second, on the members of a group and on the way to them, under a load of full handshakes on
# keystay-tlsd, nginx, HAProxy, and HTTPS and FTPS in Java: none fails, and at the end the servers have as many descriptors and
# threads, and as much memory, as after the first faults. 8,000 handshakes; with KEYSTAY_SOAK 100,000. KEYSTAY_SEED repeats a
# run's faults.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"

need p11-kit p11-kit
need nginx nginx-light
need haproxy haproxy
need curl curl

wanted=8000
if [[ -n "${KEYSTAY_SOAK:-}" ]]; then wanted=100000; fi
seed="${KEYSTAY_SEED:-$SRANDOM}"
readonly wanted seed
echo "KEYSTAY_SEED=$seed"
RANDOM=$((seed % 32768))

# --- faults ----------------------------------------------------------------------------------------------------------
# Each is NAME_begins and NAME_ends, with its arguments. hsm-c, which stands by, only loses its sessions: what takes a member
# away comes again before the last one is back.
killed_begins() { kill_hsm "$1"; }
killed_ends() { start_hsm "$1"; }
stopped_begins() { signal_hsm "$1" STOP; }
stopped_ends() { signal_hsm "$1" CONT; }
refusing_begins() { fault_at "$1" fail C_Sign 48; } # CKR_DEVICE_ERROR
refusing_ends() { fault_at "$1" heal C_Sign; }
hanging_begins() { fault_at "$1" hold C_Sign; }
hanging_ends() { fault_at "$1" release C_Sign; }
removed_begins() { fault_at "$1" remove-token; }
removed_ends() { fault_at "$1" return-token; }
sessionless_begins() { fault_at "$1" drop-sessions; }
sessionless_ends() { :; }
uncarried_begins() { kill_carrier; }
uncarried_ends() { start_carrier carrier; }
unrelayed_begins() { relays | xargs -r kill -KILL 2>/dev/null || true; }
unrelayed_ends() { :; }
cut_begins() { the_network reset; }
cut_ends() { :; }
silent_begins() { the_network blackhole; }
silent_ends() { the_network pass; }
slow_begins() { the_network delay 100; }
slow_ends() { the_network pass; }
readonly faults=("killed a" "killed b" "stopped a" "stopped b" "refusing a" "refusing b" "hanging a" "hanging b" "removed a"
  "removed b" "sessionless a" "sessionless b" "sessionless c" uncarried unrelayed cut silent slow)

# fault_for_a_second FAULT: none of the handshakes so far has failed.
fault_for_a_second() {
  local kind member log
  read -r kind member <<<"$1"
  echo "$1" >>"$scratch/faults.log"
  "${kind}_begins" "$member"
  sleep 1 # of fault
  "${kind}_ends" "$member"
  for log in "$scratch"/load-*.log; do
    ! grep -v '^served$' "$log" || fail "after the faults: $(tail -n 5 "$scratch/faults.log" | paste -sd,)"
  done
}
handshakes() { cat "$scratch"/load-*.log | wc -l; }
all_serve() {
  local member
  for member in a b c; do wait_for tlsd member_is "$member" in_service 1; done
}

# --- what the servers hold -------------------------------------------------------------------------------------------
# The processes that sign; Java's memory is its collector's.
processes() { echo "${pids[tlsd]} $(children_of "${pids[nginx]}") $(children_of "${pids[haproxy]}")"; }
held_by() { # PROCESS: descriptors, threads, KiB
  echo "$(find "/proc/$1/fd" -mindepth 1 | wc -l) $(sed -n 's/^Threads:\t//p' "/proc/$1/status") $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status")"
}
declare -A held
note_held() {
  local process
  for process in $(processes); do held[$process]="$(held_by "$process")"; done
}
# A connection to a member (4 `lanes`) and a thread for a call (those, and 2 for probes) are made when they are needed and kept:
# a server may have got its last ones after the first faults. Memory: what the allocator keeps of 8 MiB for them; a sanitizer
# keeps what was freed.
expect_held() {
  local process name descriptors threads memory now
  for process in $(processes); do
    read -r descriptors threads memory <<<"${held[$process]:?process $process is a new one}"
    read -ra now <<<"$(held_by "$process")"
    name="$(cat "/proc/$process/comm")"
    echo "$name: descriptors $descriptors, then ${now[0]}; threads $threads, then ${now[1]}; memory $memory KiB, then ${now[2]} KiB"
    [[ "${now[0]}" -le $((descriptors + 3 * 4)) ]] || fail "$name: too many descriptors"
    [[ "${now[1]}" -le $((threads + 3 * 6)) ]] || fail "$name: too many threads"
    [[ -n "${KEYSTAY_SANITIZE:-}" || "${now[2]}" -le $((memory + 8192)) ]] || fail "$name: too much memory"
  done
}

# --- the run ---------------------------------------------------------------------------------------------------------
make_group
start_members
start_servers
begin_load
more_handshakes 5
for fault in "killed a" "hanging a" "hanging b" silent; do fault_for_a_second "$fault"; done
all_serve
more_handshakes 5
end_load "the first faults"
note_held

begin_load
count=0
while [[ "$(handshakes)" -lt "$wanted" ]]; do
  fault_for_a_second "${faults[RANDOM % ${#faults[@]}]}"
  count=$((count + 1))
done
all_serve
more_handshakes 5
end_load "$count faults"
echo "$(handshakes) handshakes, 0 failed, $count faults in $count seconds or more"
expect_held
[[ "$(relays | wc -l)" -le 6 ]] || fail "$(relays | wc -l) relays for tlsd, two workers of nginx, HAProxy and two JVMs"
stop tlsd TERM
stop nginx QUIT
stop haproxy USR1
