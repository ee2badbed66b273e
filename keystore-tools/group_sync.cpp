#include "keystore-tools/group_sync.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/opened_group.h"
#include "native/keys/key_store.h"
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

bool is_better_leaf(const keys::Entry& entry, const keys::Entry& known) {
  return entry.leaf && (!known.leaf || keys::preferred(*entry.leaf, *known.leaf));
}

class Syncing final {
 public:
  explicit Syncing(bool dry_run) : dry_run_(dry_run) {}

  void run(const ha::GroupDescription& group) {
    for (const ha::MemberToken& member : group.members)
      with(member, [&](keys::KeyStore& store) { look_for_models(member.name, store); });
    for (const ha::MemberToken& member : group.members) {
      with(member, [&](keys::KeyStore& store) {
        name_copies(member.name, store);
        bring_to(member.name, store);
      });
    }
    if (!failed_.empty()) throw Failure(failed_);
    if (brought_ == 0) fmt::print(stderr, "All members of \"{}\" have the same certificates\n", group.name);
  }

 private:
  template <typename Body>
  void with(const ha::MemberToken& member, const Body& body) {
    try {
      keys::KeyStore store(member.source, pkix_);
      body(store);
    } catch (const pkcs11::Error& error) {
      failed_ += (failed_.empty() ? "" : "; ") + member.name + ": " + error.what();
    }
  }

  void look_for_models(const std::string& member, keys::KeyStore& store) {
    for (const keys::Entry& entry : store.entries()) {
      const auto known = models_.find(entry.alias);
      const bool is_better =
          known == models_.end() || (known->second.entry.key.public_key() == entry.key.public_key() &&
                                     is_better_leaf(entry, known->second.entry));
      if (is_better) models_.insert_or_assign(entry.alias, Model{member, entry, store.chain(entry)});
    }
  }

  // A copy of a key that has no name yet: the command that made it was interrupted.
  void name_copies(const std::string& member, keys::KeyStore& store) {
    for (const auto& [alias, model] : models_) {
      const std::optional<keys::Entry> copy = store.find_again(model.entry.key.reference());
      if (!copy || !keys::is_unfinished_label(copy->key.reference().label())) continue;
      ++brought_;
      fmt::print(stderr, "{}: the unfinished copy of \"{}\" {} its name\n", member, pkcs11::printable(alias),
                 dry_run_ ? "would get" : "gets");
      if (dry_run_) continue;
      if (!model.chain.empty()) store.replace_chain(*copy, model.chain);
      static_cast<void>(store.name(*store.find_again(model.entry.key.reference()), alias));
    }
  }

  void bring_to(const std::string& member, keys::KeyStore& store) {
    for (const keys::Entry& entry : store.entries()) {
      const auto model = models_.find(entry.alias);
      if (model == models_.end()) continue;
      const keys::Entry& wanted = model->second.entry;
      if (!wanted.leaf || (entry.leaf && entry.leaf->der == wanted.leaf->der)) continue;
      if (entry.key.public_key() != wanted.key.public_key()) {
        fmt::print(stderr, "{}: \"{}\" is another key than on {}; its certificate stays\n", member,
                   pkcs11::printable(entry.alias), model->second.member);
        continue;
      }
      ++brought_;
      fmt::print(stderr, "{}: the certificate of \"{}\" {} from {}\n", member, pkcs11::printable(entry.alias),
                 dry_run_ ? "would be brought" : "is brought", model->second.member);
      if (!dry_run_) store.replace_chain(entry, model->second.chain);
    }
  }

  const bool dry_run_;
  const x509::OpenSslPkix pkix_;
  std::map<std::string, Model, std::less<>> models_;  // by alias
  std::size_t brought_ = 0;
  std::string failed_;
};

}  // namespace

void GroupSync::run(const StoreOptions& options) const { Syncing(dry_run).run(open_group(options)); }

}  // namespace keystay::tools
