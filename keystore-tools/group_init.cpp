#include "keystore-tools/group_init.h"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/opened_group.h"
#include "keystore-tools/report.h"
#include "keystore-tools/terminal.h"
#include "native/keys/wrapping.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

// Throws Failure if one cannot be asked.
void describe(const ha::GroupDescription& group) {
  std::string failed;
  for (const ha::MemberToken& member : group.members) {
    try {
      const keys::WrappingKeyState state = keys::wrapping_key_state(*member.source, group.wrapping_key);
      const std::string check_value =
          state.check_value.empty() ? "" : ", check value " + pkcs11::hex(state.check_value);
      fmt::print(stderr, "{}: {}\n", member.name,
                 state.keys == 0 ? "has no wrapping key" : "has one that is replaced" + check_value);
    } catch (const pkcs11::Error& error) {
      failed += (failed.empty() ? "" : "; ") + member.name + ": " + error.what();
    }
  }
  if (!failed.empty()) throw Failure("nothing was changed, since all members must answer: " + failed);
}

void agree() {
  const Answer answer = ask("Give all members a new wrapping key? [no]:  ");
  if (answer == Answer::nobody) throw Failure("nobody can be asked; write -noprompt");
  if (answer == Answer::no) throw Failure("nothing was changed");
}

void report(const GroupInit& command, const ha::GroupDescription& group) {
  boost::json::array members;
  for (const ha::MemberToken& member : group.members) members.emplace_back(member.name);
  boost::json::object report = report_of("groupinit", mode_of(command.dry_run));
  report["group"] = group.name;
  report["wrapping-key"] = json_text(group.wrapping_key);
  report["members"] = std::move(members);
  write_report(command.form, report);
}

}  // namespace

void GroupInit::run(const StoreOptions& options) const {
  const ha::GroupDescription group = open_group(options);
  if (group.wrapping_key.empty()) {
    throw Failure("[group." + group.name +
                  "] has no wrapping-key; write wrapping-key = \"LABEL\", the label that it is to have");
  }
  describe(group);
  fmt::print(
      stderr,
      "{} makes an AES-256 key \"{}\"; each member gets it under an RSA key of its own that exists only "
      "meanwhile,\nand keeps it not extractable. Private keys that are made in this group from then on leave "
      "the token that\nmade them once, wrapped: their CKA_NEVER_EXTRACTABLE is false.\n",
      group.members.front().name, pkcs11::printable(group.wrapping_key));
  if (dry_run) return report(*this, group);
  if (!no_prompt) agree();
  std::vector<keys::Replica> replicas;
  for (const ha::MemberToken& member : group.members) replicas.push_back({member.name, member.source});
  keys::share_wrapping_key(replicas, group.wrapping_key);
  fmt::print(stderr, "All {} members of \"{}\" have the wrapping key \"{}\"\n", group.members.size(),
             group.name, pkcs11::printable(group.wrapping_key));
  report(*this, group);
}

}  // namespace keystay::tools
