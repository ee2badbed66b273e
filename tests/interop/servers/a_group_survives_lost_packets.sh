#!/usr/bin/env bash
# Two machines that are network namespaces, and a cable between them (veth): the servers sign with a group of which one member
# is on the other machine. Half of all packets is lost on the cable, then each of them: under a load of full handshakes none
# fails, and the member is back in service when the cable is good again.
if [[ -z "${own_network:-}" ]] && unshare --net true 2>/dev/null; then
  own_network=yes exec unshare --net "${BASH_SOURCE[0]}" # it is the servers' machine, and ends with its processes
fi
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ -n "${own_network:-}" ]] || skip "this user may not make a network namespace"
need p11-kit p11-kit
need nginx nginx-light
need haproxy haproxy
need curl curl
need ip iproute2
need nft nftables

# --- the machines ----------------------------------------------------------------------------------------------------
readonly web_address=192.0.2.1 hsm_address=192.0.2.2 # RFC 5737
: >"$scratch/cable.log"
start machine unshare --net sleep 3600 # until it is ended
on_hsm_machine=(nsenter --target "${pids[machine]}" --net)
has_its_own() { [[ "$(readlink "/proc/${pids[machine]}/ns/net")" != "$(readlink /proc/self/ns/net)" ]]; }
wait_for machine has_its_own
ip link set lo up
ip link add cable type veth peer name cable netns "${pids[machine]}"
ip address add "$web_address/24" dev cable
ip link set cable up
"${on_hsm_machine[@]}" ip link set lo up
"${on_hsm_machine[@]}" ip address add "$hsm_address/24" dev cable
"${on_hsm_machine[@]}" ip link set cable up

# the_cable_loses [EXPRESSION]: what comes to that machine and goes out from there, as far as the expression of nft is true;
# without one, nothing.
the_cable_loses() {
  local rule="counter name \"lost\" drop"
  "${on_hsm_machine[@]}" nft flush ruleset
  [[ $# -gt 0 ]] || return 0
  "${on_hsm_machine[@]}" nft -f - <<NFT
table inet cable {
  counter lost { }
  chain input { type filter hook input priority 0; iifname "cable" $1 $rule; }
  chain output { type filter hook output priority 0; oifname "cable" $1 $rule; }
}
NFT
}
lost_packets() { "${on_hsm_machine[@]}" nft list counter inet cable lost | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
readonly half="numgen random mod 2 == 0"
the_cable_loses "$half" 2>"$scratch/nft.log" || skip "this kernel loses no packets at random (nf_tables, numgen)"
the_cable_loses

# --- the group and the servers ---------------------------------------------------------------------------------------
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"
make_group
start_members
start_servers
expect "$("$keystay" test -token hsm-b)" "Connected"

signed_by_b() {
  plain curl --silent "http://127.0.0.1:$admin_port/metrics" |
    sed -n 's/^keystay_group_member_operations_total{group="front",member="hsm-b"} //p'
}
is_back() {
  wait_for tlsd member_is b in_service 1
  wait_for tlsd member_is c active 0
}

begin_load
more_handshakes 20
end_load "two namespaces"
[[ "$(signed_by_b)" -gt 0 ]] || fail "the member on the other machine has signed nothing"
member_is c operations_total 0 || fail "the member that stands by has signed"

begin_load
the_cable_loses "$half"
wait_for tlsd member_is b in_service 0
more_handshakes 50
echo "half of the packets lost: $(lost_packets) packets, hsm-b has signed $(signed_by_b) times by now"
[[ "$(lost_packets)" -gt 0 ]] || fail "no packet was lost"
the_cable_loses
is_back
end_load "half of the packets lost"

begin_load
the_cable_loses "meta l4proto tcp"
wait_for tlsd member_is b in_service 0
wait_for tlsd member_is c active 1
more_handshakes 20
the_cable_loses
is_back
more_handshakes 5
end_load "all packets lost"

before="$(signed_by_b)"
begin_load
signs_again() { [[ "$(signed_by_b)" -gt "$before" ]]; }
wait_for tlsd signs_again
end_load "a good cable again"
stop tlsd TERM
stop nginx QUIT
stop haproxy USR1
