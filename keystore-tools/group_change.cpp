#include "keystore-tools/group_change.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/member_report.h"
#include "keystore-tools/opened_group.h"
#include "keystore-tools/report.h"
#include "native/config/configuration.h"
#include "native/config/file.h"
#include "native/config/group_members.h"
#include "native/keys/wrapping.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::tools {
namespace {

namespace fs = std::filesystem;

// Where a group is configured.
struct GroupSection {
  fs::path file;
  std::string group;
};

GroupSection section_of(const keys::Tokens& tokens, const StoreOptions& options) {
  return {tokens.configuration().file, group_of(tokens, options).name};
}

std::string joined(const std::vector<std::string>& names, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : separator).append(name);
  return text;
}

// Which command it is, and how it speaks.
struct Speech {
  std::string_view command;
  bool dry_run;
  OutputForm form;
};

boost::json::array array_of(const std::vector<std::string>& names) {
  boost::json::array array;
  for (const std::string& name : names) array.emplace_back(name);
  return array;
}

// Of the group as this text has it.
void tell_members(std::string_view text, const GroupSection& section, const Speech& speech) {
  const config::GroupSettings group =
      config::parse_configuration(text, section.file).groups.at(section.group);
  const auto first_standby = group.members.begin() + static_cast<std::ptrdiff_t>(group.min_active);
  const std::vector<std::string> active(group.members.begin(), first_standby);
  const std::vector<std::string> standing_by(first_standby, group.members.end());
  fmt::print(stderr, "Group \"{}\" {} {} active{}, as long as all answer\n", section.group,
             speech.dry_run ? "would have" : "has now", joined(active),
             standing_by.empty() ? "" : ", and " + joined(standing_by) + " standing by");
  boost::json::object report = report_of(speech.command, mode_of(speech.dry_run));
  report["group"] = section.group;
  report["active"] = array_of(active);
  report["standing-by"] = array_of(standing_by);
  report["file"] = json_text(section.file.string());
  write_report(speech.form, report);
}

// From the text of the file, the text that it is to have.
using Change = std::function<std::string(const std::string& text)>;

std::string read(const GroupSection& section) {
  try {
    return config::read_file(section.file);
  } catch (const std::system_error& error) {
    throw Failure("cannot read " + section.file.string() + ": " + error.code().message());
  }
}

void change_members(const GroupSection& section, const Speech& speech, const Change& change) {
  std::string text;
  try {
    config::change_file(section.file, [&](const std::string& before) { return text = change(before); });
  } catch (const std::system_error& error) {
    throw Failure("cannot change " + section.file.string() + ": " + error.code().message() +
                  "; it is as it was");
  }
  tell_members(text, section, speech);
  fmt::print(stderr,
             "Changed {}. keystay-tlsd notices at SIGHUP (systemctl reload keystay-tlsd), other servers by "
             "themselves\n",
             section.file.string());
}

void change_or_tell(const GroupSection& section, const Speech& speech, const Change& change) {
  if (speech.dry_run)
    tell_members(change(read(section)), section, speech);
  else
    change_members(section, speech, change);
}

std::vector<std::string> members(const std::string& text, const GroupSection& section) {
  return config::parse_configuration(text, section.file).groups.at(section.group).members;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> names;
  for (;;) {
    const std::size_t comma = list.find(',');
    std::string_view name = list.substr(0, comma);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    name = name.substr(0, name.find_last_not_of(' ') + 1);
    names.emplace_back(name);
    if (comma == std::string_view::npos) return names;
    list.remove_prefix(comma + 1);
  }
}

// What the new member has otherwise than the others.
class Comparison final {
 public:
  Comparison(const ha::GroupDescription& group, const ha::MemberToken& token) {
    const x509::OpenSslPkix pkix;
    reports_ = ask_members(group, pkix);
    others_fail_ = failures(reports_);
    for (const MemberReport& member : reports_) known_ |= member.error.empty();
    reports_.push_back(ask_member(token, pkix));
    if (!report().error.empty()) return;
    require_other_token();
    for (Difference& difference : differences(reports_)) {
      if (difference.member != token.name) continue;
      const bool lacks = difference.kind == DifferenceKind::missing || difference.kind == DifferenceKind::key;
      (lacks ? lacking_ : other_).push_back(std::move(difference.sentence));
    }
  }

  // On standard error.
  void tell() const {
    if (report().error.empty()) {
      fmt::print(stderr, "{}: answered in {} ms, {} key{}, serial {}\n", report().name, report().took.count(),
                 report().aliases.size(), report().aliases.size() == 1 ? "" : "s", report().token.serial);
    }
    for (const std::string& sentence : lacking_) fmt::print(stderr, "{}\n", sentence);
    for (const std::string& sentence : other_)
      fmt::print(stderr, "{}; keystay group sync brings certificates\n", sentence);
    if (!others_fail_.empty()) fmt::print(stderr, "not compared with {}\n", others_fail_);
  }

  // Why it should not become a member; empty if it may.
  [[nodiscard]] std::string objection() const {
    if (!report().error.empty()) return report().name + " cannot be used: " + report().error;
    if (!lacking_.empty())
      return fmt::format("{} lacks {} of the group's keys", report().name, lacking_.size());
    return known_ ? "" : "no member answers, so nobody knows which keys the group has";
  }

 private:
  [[nodiscard]] const MemberReport& report() const { return reports_.back(); }

  // Two names for one token would look like two HSMs and be one.
  void require_other_token() const {
    for (const MemberReport& member : reports_) {
      if (&member != &report() && member.error.empty() && is_same_token(member.token, report().token)) {
        throw Failure(fmt::format("{} and {} are the same token, serial {}; a token is a member once",
                                  report().name, member.name, report().token.serial));
      }
    }
  }

  std::vector<MemberReport> reports_;  // the new one last
  std::string others_fail_;
  bool known_ = false;  // one member at least has said what it has
  std::vector<std::string> lacking_;
  std::vector<std::string> other_;
};

void tell_of_wrapping_key(const ha::MemberToken& token, const std::string& label) {
  if (label.empty()) return;
  try {
    if (keys::wrapping_key_state(*token.source, label).keys != 0) return;
    fmt::print(stderr, "{} has no wrapping key \"{}\": run keystay group init before the next -genkeypair\n",
               token.name, pkcs11::printable(label));
  } catch (const pkcs11::Error& error) {
    fmt::print(stderr, "{}: {}\n", token.name, error.what());
  }
}

}  // namespace

void GroupAdd::run(const StoreOptions& options) const {
  const auto tokens = open_tokens(options);
  const ha::GroupDescription group = group_of(*tokens, options);
  const GroupSection section{tokens->configuration().file, group.name};
  const Change change = [&](const std::string& text) {
    return config::with_member(text, section.file, section.group, member);
  };
  static_cast<void>(change(read(section)));  // refuses what cannot be, before anybody is asked
  const ha::MemberToken token{member, {}, tokens->source(member)};
  const Comparison comparison(group, token);
  comparison.tell();
  const std::string objection = comparison.objection();
  if (!objection.empty() && !force)
    throw Failure(objection +
                  "; put that right first, or write --force: the group does without it for these");
  if (objection.empty()) tell_of_wrapping_key(token, group.wrapping_key);
  change_or_tell(section, {"groupadd", dry_run, form}, change);
}

void GroupRemove::run(const StoreOptions& options) const {
  const GroupSection section = section_of(*open_tokens(options), options);
  change_or_tell(section, {"groupremove", dry_run, form}, [&](const std::string& text) {
    return config::without_member(text, section.file, section.group, member);
  });
}

void GroupPromote::run(const StoreOptions& options) const {
  const GroupSection section = section_of(*open_tokens(options), options);
  change_or_tell(section, {"grouppromote", dry_run, form}, [&](const std::string& text) {
    std::vector<std::string> order = members(text, section);
    std::erase(order, member);
    order.insert(order.begin(), member);
    return config::with_order(text, section.file, section.group, order);
  });
}

void GroupReorder::run(const StoreOptions& options) const {
  const GroupSection section = section_of(*open_tokens(options), options);
  change_or_tell(section, {"groupreorder", dry_run, form}, [&](const std::string& text) {
    return config::with_order(text, section.file, section.group, split(order));
  });
}

}  // namespace keystay::tools
