#!/usr/bin/env bash
# What an operator may write wrongly about groups and tokens on other machines: the tool, keystay-tlsd, OpenSSL with the
# provider and the JDK's keytool say file, line, key and what to write instead. And a group of which no member has the key.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_members a b
use_provider
jar="$KEYSTAY_BUILD/java/keystay-jca.jar"
doors=(tool tlsd provider)
if [[ -f "$jar" ]] && command -v keytool >/dev/null; then
  doors+=(java)
else
  echo "not tried: the JDK's keytool, since this build is without Java"
fi
sections="$(cat "$scratch/keystay.toml")"
readonly sections jar

# The same question to each front door: for the key "httpd" of the default group.
tool() { plain "$keystay" -exportref -alias httpd -file "$scratch/httpd.pem"; }
tlsd() { plain "$KEYSTAY_BUILD/bin/keystay-tlsd" check -c "$scratch/keystay.toml"; }
provider() { others openssl pkey -in keystay:httpd -pubout; }
java() {
  plain keytool -list -alias httpd -storetype Keystay -keystore NONE -storepass:file "$scratch/web.pin" -providerpath "$jar" \
    -providerclass org.keystay.jca.KeystayProvider -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC
}

# configure TOML: behind the sections of two tokens; with a server, for keystay-tlsd.
configure() {
  cat >"$scratch/keystay.toml" <<TOML
${top:-}
$sections
$1
[tlsd]
[[tlsd.listener]]
name = "https"
bind = ["127.0.0.1:$tlsd_port"]
certificates = ["httpd"]
backend = "page"
[tlsd.backend.page]
servers = ["127.0.0.1:$tlsd_port"]
TOML
}
tlsd_port="$(free_port)"

# every_door_says TEXT …: each front door fails, and says all that.
every_door_says() {
  local door text
  for door in "${doors[@]}"; do
    if output="$("$door" 2>&1)"; then fail "$door found nothing wrong: $output"; fi
    for text in "$@"; do
      [[ "$output" == *"$text"* ]] || fail "$door does not say \"$text\": $output"
    done
  done
}

# refuses LINE-WITH MESSAGE TOML: the message is for the line of the file that has these words.
refuses() {
  local line
  configure "$3"
  line="$(grep -nF -- "$1" "$scratch/keystay.toml" | head -1)"
  every_door_says "keystay.toml:${line%%:*}: $2"
  echo "refused by ${#doors[@]} front doors: $2"
}

front='[group.front]
members = ["hsm-a", "hsm-b"]'
refuses "min-active" "group.front.min-active: 3 is more than the group has members; write at most 2, or leave the key out for all" \
  "$front
min-active = 3"
refuses "members" 'group.front.members: "hsm-a" stands there twice; name each token once' '[group.front]
members = ["hsm-a", "hsm-b", "hsm-a"]'
refuses "members" 'group.front.members: there is no section [token.hsm-z]; did you mean "hsm-a", "hsm-b"?' '[group.front]
members = ["hsm-a", "hsm-z"]'
refuses 'members = ["back"' 'group.front.members: "back" is a group, and members are tokens; write its members' '[group.back]
members = ["hsm-a"]
[group.front]
members = ["back", "hsm-b"]'
refuses "prefer-same-zone" 'group.front.prefer-same-zone: the zone of this machine is not known; write zone = "…" at the top' \
  "$front
prefer-same-zone = true"
top='zone = "fra1"' refuses "prefer-same-zone" \
  'group.front.prefer-same-zone: no member is in the zone "fra1" of this machine; write zone = "…" in the members'"' sections" \
  "$front
prefer-same-zone = true"
refuses "[group.hsm-a]" 'group.hsm-a: there is a [token.hsm-a] too, and an alias "hsm-a/…" could mean either; give the group another name' \
  '[group.hsm-a]
members = ["hsm-a", "hsm-b"]'
refuses "[token.far]" 'token.far.ca: missing; write ca = ' '[token.far]
endpoints = ["hsm.example:4442"]
label = "far"'
refuses "[token.far]" 'token.far.key: missing; write key = ' '[token.far]
endpoints = ["hsm.example:4442"]
ca = "/etc/keystay/ca.pem"
certificate = "/etc/keystay/client.pem"
label = "far"'
refuses "members" 'group.front.members: "one" and "two" are the same token by serial "0a1b2c3d4e5f6071"; name it once, or give each its own serial' \
  '[token.one]
module = "/usr/lib/one.so"
serial = "0a1b2c3d4e5f6071"
[token.two]
module = "/usr/lib/one.so"
serial = "0a1b2c3d4e5f6071"
[group.front]
members = ["one", "two"]'

# --- no member has the key ---------------------------------------------------------------------------------------------
top='default = "front"' configure "$front"
doors=(tool tlsd provider) # keytool's own words know no members: Alias <httpd> does not exist
every_door_says '"httpd"' 'hsm-a' 'hsm-b'
echo "nobody has it: $(provider 2>&1 | tail -1)"
fault_at b fail C_OpenSession 48 # CKR_DEVICE_ERROR
every_door_says '"hsm-b"' "CKR_DEVICE_ERROR"
echo "one of them cannot say: $(provider 2>&1 | tail -1)"
