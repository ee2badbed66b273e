#!/usr/bin/env bash
# keystay-tlsd with a key on a token writes access logs that others can read: JSON that Python takes, with the time of the
# signature, and the combined format by Apache's own regular expression; SIGUSR1 opens them again after a rename.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly tlsd="$KEYSTAY_BUILD/bin/keystay-tlsd"
[[ -x "$tlsd" ]] || skip "keystay-tlsd is not built"

need logrotate logrotate

make_token
make_ca
make_alias httpd -keyalg EC
port="$(free_port)"
combined_port="$(free_port)"
backend="$(free_port)"
readonly json="$scratch/json.access" combined="$scratch/combined.access"

cat >>"$scratch/keystay.toml" <<TOML

[tlsd]
access-log = "$json"
access-log-format = "json"

[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$port"]
certificates = ["httpd"]
backend = "app"

[[tlsd.listener]]
name = "combined"
bind = ["127.0.0.1:$combined_port"]
certificates = ["httpd"]
backend = "app"
access-log = "$combined"
access-log-format = "combined"

[tlsd.backend.app]
servers = ["127.0.0.1:$backend"]
TOML

get() {
  plain curl --silent --show-error --output /dev/null --cacert "$scratch/ca.pem" --max-time 60 "$@"
}
has_lines() { [[ "$(wc -l <"$1")" -ge "$2" ]]; }

echo "== check makes no file, and says what cannot be written"
"$tlsd" check -c "$KEYSTAY_CONF" | finds "access log $json: can be written" || fail "check says nothing of $json"
[[ ! -e "$json" ]] || fail "check has made $json"
sed "s|$json|$scratch/none/access.log|" "$KEYSTAY_CONF" >"$scratch/bad.toml"
refused "$tlsd" check -c "$scratch/bad.toml"
grep -q "access-log: cannot open $scratch/none/access.log: No such file or directory" "$scratch/refused.log" ||
  fail "$(cat "$scratch/refused.log")"

start backend plain python3 -m http.server --bind 127.0.0.1 --directory "$scratch/tokens" "$backend"
start tlsd plain "$tlsd" -c "$KEYSTAY_CONF"
wait_for backend listens "$backend"
wait_for tlsd grep -q "listener combined: listening" "$scratch/tlsd.log"

echo "== JSON"
get "https://localhost:$port/%22quoted%22?a=b" --user-agent $'a "strange\\ \xe9 agent'
wait_for tlsd has_lines "$json" 1
python3 - "$json" <<'PYTHON'
import json, sys
line = json.loads(open(sys.argv[1], encoding="utf-8").readline())
expected = {"type": "request", "listener": "https", "method": "GET", "target": "/%22quoted%22?a=b", "status": 404,
            "user_agent": 'a "strange\\ \u00e9 agent', "backend": "app", "end": "complete", "resumed": False,
            "server_name": "localhost"}
for name, value in expected.items():
    assert line[name] == value, (name, line)
assert 0 < line["sign_time"] <= line["handshake_time"], line
assert 0 < line["first_byte"] <= line["duration"], line
PYTHON

echo "== the combined format"
get "https://localhost:$combined_port/a%20b" --referer 'https://a.example/"x"'
wait_for tlsd has_lines "$combined" 1
python3 - "$combined" <<'PYTHON'
import re, sys
line = open(sys.argv[1], encoding="ascii").readline()
form = r'(\S+) (\S+) (\S+) \[([^]]+)\] "([^"\\]*(?:\\.[^"\\]*)*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"\n'
match = re.fullmatch(form, line)
assert match, line
assert match[5] == "GET /a%20b HTTP/2.0" and match[6] == "404" and match[8] == r"https://a.example/\x22x\x22", line
PYTHON

echo "== a rename, and SIGUSR1"
mv "$json" "$json.1"
kill -s USR1 "${pids[tlsd]}"
wait_for tlsd grep -q "access log $json: opened again" "$scratch/tlsd.log"
get "https://localhost:$port/after"
wait_for tlsd has_lines "$json" 1
grep -q '"target":"/after"' "$json" || fail "the line is not in the new file"
[[ "$(wc -l <"$json.1")" -eq 1 ]] || fail "the old file has grown"

echo "== logrotate takes the file of the package, whose signal is for systemd"
sed "s|/var/log/keystay-tlsd/\*.log|$json|" "$KEYSTAY_SOURCE/packaging/keystay-tlsd.logrotate" >"$scratch/logrotate.conf"
chmod 0644 "$scratch/logrotate.conf"
plain /usr/sbin/logrotate --debug "$scratch/logrotate.conf" >"$scratch/logrotate.log" 2>&1 || fail "logrotate refuses the file"
! grep -q '^error' "$scratch/logrotate.log" || fail "$(cat "$scratch/logrotate.log")"

stop tlsd TERM
