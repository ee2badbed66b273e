#!/usr/bin/env bash
# examples/monitoring fits: promtool takes rules and configuration, the alerts are raised by what they are for, and every metric
# that rules and dashboard name is one that a running keystay-tlsd has.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"
need promtool prometheus
readonly example="$KEYSTAY_SOURCE/examples/monitoring"

echo "== the rules"
for check in "check rules alerts.yml" "check config prometheus.yml" "test rules alerts_test.yml"; do
  # shellcheck disable=SC2086  # words of a command
  (cd "$example" && promtool $check >"$scratch/promtool.log" 2>&1) || fail "promtool $check: $(cat "$scratch/promtool.log")"
done

echo "== each alert has its case"
python3 - "$example" <<'PYTHON'
import re, sys
names = set(re.findall(r"- alert: (\w+)", open(sys.argv[1] + "/alerts.yml").read()))
tested = set(re.findall(r'alertname(?:="|: )(\w+)', open(sys.argv[1] + "/alerts_test.yml").read()))
assert names and names == tested, names ^ tested
PYTHON

echo "== a server with a group, and everything that it counts"
make_token
make_members a b
make_ca
port="$(free_port)"
admin="$(free_port)"
cat >>"$scratch/keystay.toml" <<TOML
[group.front]
members = ["hsm-a", "hsm-b"]
wrapping-key = "kek"
TOML
"$keystay" group init -noprompt
make_alias httpd -keyalg EC -noprompt
tlsd_before_its_admin "access-log = \"$scratch/access\""
start tlsd plain "$tlsd" -c "$KEYSTAY_CONF"
wait_for tlsd listens "$port"
plain curl --silent --fail --output /dev/null --cacert "$scratch/ca.pem" "https://localhost:$port/health"
plain curl --silent --output /dev/null --cacert "$scratch/ca.pem" --request TRACK "https://localhost:$port/not:this" || true
printf 'GET / HTTP/1.1\r\nHost : a\r\n\r\n' | # refused: an answer of its own
  plain openssl s_client -connect "127.0.0.1:$port" -quiet -ign_eof >"$scratch/refused-request" 2>/dev/null || true
plain curl --silent --fail "http://127.0.0.1:$admin/metrics" >"$scratch/metrics"
promtool check metrics <"$scratch/metrics" >"$scratch/promtool.log" 2>&1 || fail "promtool check metrics: $(cat "$scratch/promtool.log")"

python3 - "$example" "$scratch/metrics" "$KEYSTAY_SOURCE/docs/user/tlsd.md" <<'PYTHON'
import json, re, sys
example, metrics, manual = sys.argv[1:]
there = {re.sub(r"_(bucket|sum|count)$", "", line.split("{")[0].split(" ")[0])
         for line in open(metrics) if line.startswith("keystay_")}
documented = set(re.findall(r"`(keystay_\w+)`", open(manual).read()))
dashboard = json.load(open(example + "/dashboard.json"))
expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
expressions += [block or line for block, line in
                re.findall(r"expr: (?:\|\n((?: {10}.*\n)+)|(.*))", open(example + "/alerts.yml").read())]
named = set()
for expression in expressions:
    named |= {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"keystay_\w+", expression)}
assert len(named) > 20, named
assert named <= there, f"named, and not there: {named - there}"
assert there <= documented, f"there, and not in the manual: {there - documented}"
panels = [panel["id"] for panel in dashboard["panels"]]
assert len(panels) == len(set(panels))
PYTHON

echo "== Prometheus can evaluate what the dashboard asks"
python3 - "$example" >"$scratch/dashboard-rules.yml" <<'PYTHON'
import json, sys
values = {"$job": "keystay-tlsd", "$instance": ".*", "$__rate_interval": "5m"}
print("groups:\n- name: dashboard\n  rules:")
for panel in json.load(open(sys.argv[1] + "/dashboard.json"))["panels"]:
    for target in panel.get("targets", []):
        expression = target["expr"]
        for name, value in values.items():
            expression = expression.replace(name, value)
        print(f"  - record: panel:{panel['id']}:{target['refId']}\n    expr: {json.dumps(expression)}")
PYTHON
promtool check rules "$scratch/dashboard-rules.yml" >"$scratch/promtool.log" 2>&1 || fail "$(cat "$scratch/promtool.log")"

stop tlsd TERM
