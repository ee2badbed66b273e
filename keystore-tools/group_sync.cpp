#include "keystore-tools/group_sync.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/opened_group.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_state.h"
#include "native/keys/key_store.h"
#include "native/keys/rotation.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::tools {
namespace {

// The certificate that an alias should have, and who has it.
struct Model {
  std::string member;
  keys::Entry entry;
  keys::Chain chain;
};

// Of two chains for one key: as a member chooses among its own leaves, and with more issuers.
bool is_better(const keys::Chain& chain, const keys::Chain& known) {
  if (chain.empty() || known.empty()) return known.empty() && !chain.empty();
  if (chain.front().der == known.front().der) return chain.size() > known.size();
  return keys::preferred_leaf(chain.front(), known.front());
}

// As far as bringing the other chain would change it: among issuers that it has, a token chooses by itself.
bool is_as_good(const keys::Chain& chain, const keys::Chain& model) {
  return !chain.empty() && chain.front().der == model.front().der && chain.size() >= model.size();
}

class Syncing final {
 public:
  Syncing(bool dry_run, OutputForm form) : dry_run_(dry_run), form_(form) {}

  void run(const ha::GroupDescription& group) {
    for (const ha::MemberToken& member : group.members)
      with(member, [&](keys::KeyStore& store) { seen_.emplace(member.name, store.entries()); });
    for (const ha::MemberToken& member : group.members)
      with(member, [&](keys::KeyStore& store) { finish_rotations(member.name, store); });
    for (const ha::MemberToken& member : group.members)
      with(member, [&](keys::KeyStore& store) { look_for_models(member.name, store); });
    for (const ha::MemberToken& member : group.members) {
      with(member, [&](keys::KeyStore& store) {
        name_copies(member.name, store);
        bring_to(member.name, store);
      });
    }
    report(group.name);
    if (!failed_.empty()) throw Failure(failed_);
    if (!changes_.empty()) return;
    fmt::print(stderr, "All members of \"{}\" {}have the same certificates\n", group.name,
               !lacking_.empty() ? "that have a key " : "");
  }

 private:
  template <typename Body>
  void with(const ha::MemberToken& member, const Body& body) {
    if (failing_.contains(member.name)) return;
    try {
      keys::KeyStore store(member.source, pkix_);
      body(store);
    } catch (const pkcs11::Error& error) {
      failing_.insert(member.name);
      failed_ += (failed_.empty() ? "" : "; ") + member.name + ": " + error.what();
    }
  }

  void report(const std::string& group) const {
    boost::json::object report = report_of("groupsync", mode_of(dry_run_));
    report["group"] = group;
    report["changes"] = changes_;
    report["lacking"] = lacking_;
    write_report(form_, report);
  }

  void note(const char* change, const std::string& member, const std::string& alias) {
    changes_.push_back({{"member", member}, {"alias", json_text(alias)}, {"change", change}});
  }

  // A rotation that was interrupted between two members: on one the alias is the new key already.
  void finish_rotations(const std::string& member, keys::KeyStore& store) {
    const std::vector<keys::Entry>& entries = seen_.at(member);
    for (const keys::Entry& next : entries) {
      const keys::AliasVersion version = keys::version_of(next.alias);
      if (version.state != keys::AliasState::next) continue;
      const auto current = std::ranges::find(entries, version.alias, &keys::Entry::alias);
      if (current == entries.end()) continue;
      const std::optional<GoneOver> there = gone_over(*current, next);
      if (!there) continue;
      note("rotation", member, version.alias);
      rotated_.insert(version.alias);
      fmt::print(stderr, "{}: \"{}\" {} over to its new key, as it has on {}\n", member,
                 pkcs11::printable(version.alias), dry_run_ ? "would go" : "goes", there->member);
      if (dry_run_) continue;
      if (!next.leaf) store.replace_chain(next, {*there->leaf});
      keys::Rotation(store).finish_as(*current, *store.find_again(next.key.reference()), there->number);
    }
  }

  // A member on which `next` is the alias, and its certificate and the number of `current` there.
  struct GoneOver {
    std::string member;
    std::optional<keys::Certificate> leaf;
    unsigned number;
  };
  std::optional<GoneOver> gone_over(const keys::Entry& current, const keys::Entry& next) const {
    for (const auto& [member, entries] : seen_) {
      const auto has_gone = [&](const keys::Entry& entry) {
        return entry.alias == current.alias && entry.leaf && entry.key.public_key() == next.key.public_key();
      };
      const auto is_kept = [&](const keys::Entry& entry) {
        return keys::version_of(entry.alias).state == keys::AliasState::kept &&
               entry.key.public_key() == current.key.public_key();
      };
      const auto alias = std::ranges::find_if(entries, has_gone);
      const auto kept = std::ranges::find_if(entries, is_kept);
      if (alias != entries.end() && kept != entries.end())
        return GoneOver{member, alias->leaf, keys::version_of(kept->alias).number};
    }
    return std::nullopt;
  }

  void look_for_models(const std::string& member, keys::KeyStore& store) {
    for (const keys::Entry& entry : store.entries()) {
      if (dry_run_ && rotated_.contains(keys::version_of(entry.alias).alias)) continue;
      const auto known = models_.find(entry.alias);
      keys::Chain chain = store.chain(entry);
      if (known == models_.end() || (known->second.entry.key.public_key() == entry.key.public_key() &&
                                     is_better(chain, known->second.chain)))
        models_.insert_or_assign(entry.alias, Model{member, entry, std::move(chain)});
    }
  }

  // A copy of a key that has no name yet: the command that made it was interrupted.
  void name_copies(const std::string& member, keys::KeyStore& store) {
    for (const auto& [alias, model] : models_) {
      const std::optional<keys::Entry> copy = store.find_again(model.entry.key.reference());
      if (!copy || !keys::is_unfinished_label(copy->key.reference().label())) continue;
      note("name", member, alias);
      fmt::print(stderr, "{}: the unfinished copy of \"{}\" {} its name\n", member, pkcs11::printable(alias),
                 dry_run_ ? "would get" : "gets");
      if (dry_run_) continue;
      if (!model.chain.empty()) store.replace_chain(*copy, model.chain);
      static_cast<void>(store.name(*store.find_again(model.entry.key.reference()), alias));
    }
  }

  void bring_to(const std::string& member, keys::KeyStore& store) {
    const std::vector<keys::Entry> entries = store.entries();
    for (const auto& [alias, model] : models_) {
      if (std::ranges::find(entries, alias, &keys::Entry::alias) != entries.end()) continue;
      lacking_.push_back({{"member", member}, {"alias", json_text(alias)}});
      fmt::print(stderr, "{}: lacks the key \"{}\", which {} has; certificates are brought, and no keys\n",
                 member, pkcs11::printable(alias), model.member);
    }
    for (const keys::Entry& entry : entries) {
      const auto model = models_.find(entry.alias);
      if (model == models_.end() || model->second.chain.empty()) continue;
      if (is_as_good(store.chain(entry), model->second.chain)) continue;
      if (entry.key.public_key() != model->second.entry.key.public_key()) {
        fmt::print(stderr, "{}: \"{}\" is another key than on {}; its certificate stays\n", member,
                   pkcs11::printable(entry.alias), model->second.member);
        continue;
      }
      note("certificate", member, entry.alias);
      fmt::print(stderr, "{}: the certificate of \"{}\" {} from {}\n", member, pkcs11::printable(entry.alias),
                 dry_run_ ? "would be brought" : "is brought", model->second.member);
      if (!dry_run_) store.replace_chain(entry, model->second.chain);
    }
  }

  const bool dry_run_;
  const OutputForm form_;
  const x509::OpenSslPkix pkix_;
  std::map<std::string, Model, std::less<>> models_;      // by alias
  std::map<std::string, std::vector<keys::Entry>> seen_;  // at the beginning, by member
  std::set<std::string> rotated_;                         // aliases whose rotation was to be finished
  boost::json::array changes_;
  boost::json::array lacking_;
  std::set<std::string> failing_;  // names of members
  std::string failed_;
};

}  // namespace

void GroupSync::run(const StoreOptions& options) const { Syncing(dry_run, form).run(open_group(options)); }

}  // namespace keystay::tools
