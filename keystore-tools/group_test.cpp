#include "keystore-tools/group_test.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/opened_group.h"
#include "native/keys/key_store.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/error.h"
#include "native/x509/openssl_pkix.h"
#include "native/x509/trial_signature.h"

namespace keystay::tools {
namespace {

struct Member {
  std::string name;
  std::string error;  // why it cannot be used; empty: it answered
  std::vector<keys::Entry> entries;
};

// One key on one member.
struct Trial {
  std::string member;
  std::string alias;
  std::optional<x509::TrialSignature> signature;
  std::string error;       // why there is none
  bool forbidden = false;  // the token says that this key may not sign
};

struct Model {
  std::string member;
  pkcs11::PublicKey key;
};

void sign(const keys::Entry& entry, Trial& trial) {
  try {
    trial.signature = x509::make_trial_signature(entry);
  } catch (const pkcs11::Error& error) {
    trial.error = error.what();
    trial.forbidden = error.code() == CKR_KEY_FUNCTION_NOT_PERMITTED;
  } catch (const x509::Error& error) {
    trial.error = error.what();
  }
}

Trial try_key(const Member& member, const std::string& alias, const Model& model) {
  Trial trial{member.name, alias, {}, {}};
  const auto entry = std::ranges::find(member.entries, alias, &keys::Entry::alias);
  if (entry == member.entries.end()) {
    trial.error = "the member lacks the key, which " + model.member + " has";
  } else if (entry->key.public_key() != model.key) {
    trial.error = "the member has another key under this name than " + model.member;
  } else {
    sign(*entry, trial);
  }
  return trial;
}

class Testing final {
 public:
  Testing(const ha::GroupDescription& group, std::string alias) : alias_(std::move(alias)) {
    for (const ha::MemberToken& member : group.members) members_.push_back(read(member));
    for (const auto& [alias_of_key, model] : models_) try_everywhere(alias_of_key, model);
  }

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] const std::vector<Trial>& trials() const { return trials_; }

 private:
  Member read(const ha::MemberToken& token) {
    Member member{token.name, {}, {}};
    try {
      token.source->recover();
      keys::KeyStore store(token.source, pkix_);
      if (alias_.empty()) {
        member.entries = store.entries();
      } else if (auto entry = store.find(alias_)) {
        member.entries.push_back(*std::move(entry));
      }
    } catch (const pkcs11::Error& error) {
      member.error = error.what();
    }
    for (const keys::Entry& entry : member.entries) {
      if (x509::is_signing_key(entry))
        models_.try_emplace(entry.alias, Model{member.name, entry.key.public_key()});
    }
    return member;
  }

  void try_everywhere(const std::string& alias, const Model& model) {
    std::vector<Trial> trials;
    for (const Member& member : members_) {
      if (member.error.empty()) trials.push_back(try_key(member, alias, model));
    }
    // One that may sign nowhere is no key that signs.
    if (alias_.empty() && std::ranges::all_of(trials, &Trial::forbidden)) return;
    std::ranges::move(trials, std::back_inserter(trials_));
  }

  const std::string alias_;
  const x509::OpenSslPkix pkix_;
  std::vector<Member> members_;
  std::map<std::string, Model, std::less<>> models_;  // the first that has the alias
  std::vector<Trial> trials_;
};

std::string in_json(const ha::GroupDescription& group, const Testing& testing) {
  boost::json::array members;
  for (const Member& member : testing.members()) {
    boost::json::object object{{"name", member.name}};
    if (!member.error.empty()) object["error"] = member.error;
    members.push_back(std::move(object));
  }
  boost::json::array signatures;
  for (const Trial& trial : testing.trials()) {
    boost::json::object object{{"member", trial.member}, {"alias", json_text(trial.alias)}};
    if (trial.signature) {
      object["mechanism"] = trial.signature->mechanism;
      object["milliseconds"] = trial.signature->took.count();
    } else {
      object["error"] = trial.error;
    }
    signatures.push_back(std::move(object));
  }
  return json_line(
      {{"group", group.name}, {"members", std::move(members)}, {"signatures", std::move(signatures)}});
}

std::string in_text(const ha::GroupDescription& group, const Testing& testing) {
  std::size_t member_width = 0;
  std::size_t alias_width = 0;
  for (const Member& member : testing.members()) member_width = std::max(member_width, member.name.size());
  for (const Trial& trial : testing.trials())
    alias_width = std::max(alias_width, pkcs11::printable(trial.alias).size());
  std::string text = fmt::format("Group \"{}\": {} member{}\n", group.name, testing.members().size(),
                                 testing.members().size() == 1 ? "" : "s");
  for (const Member& member : testing.members()) {
    if (!member.error.empty())
      text += fmt::format("  {:<{}}  fails: {}\n", member.name, member_width, member.error);
  }
  for (const Trial& trial : testing.trials()) {
    text += fmt::format("  {:<{}}  {:<{}}  ", trial.member, member_width, pkcs11::printable(trial.alias),
                        alias_width);
    text += trial.signature
                ? fmt::format("{:.2f} ms, {}\n", trial.signature->took.count(), trial.signature->mechanism)
                : "fails: " + trial.error + "\n";
  }
  return text;
}

// Of all that failed; empty if nothing did.
std::string failures(const Testing& testing) {
  std::string text;
  const auto add = [&](const std::string& failure) { text += (text.empty() ? "" : "; ") + failure; };
  for (const Member& member : testing.members()) {
    if (!member.error.empty()) add(member.name + ": " + member.error);
  }
  for (const Trial& trial : testing.trials()) {
    if (!trial.signature)
      add(fmt::format("{}: \"{}\": {}", trial.member, pkcs11::printable(trial.alias), trial.error));
  }
  return text;
}

}  // namespace

void GroupTest::run(const StoreOptions& options) const {
  const ha::GroupDescription group = open_group(options);
  const Testing testing(group, alias);
  write_output({}, form == OutputForm::json ? in_json(group, testing) : in_text(group, testing));
  if (const std::string failed = failures(testing); !failed.empty()) throw Failure(failed);
  if (testing.trials().empty()) {
    throw Failure(alias.empty() ? "no member of \"" + group.name + "\" has a key that signs"
                                : "no member of \"" + group.name + "\" has a key \"" +
                                      pkcs11::printable(alias) + "\" that signs");
  }
}

}  // namespace keystay::tools
