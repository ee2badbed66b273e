#include "keystore-tools/delete.h"

#include <cstdio>
#include <optional>
#include <string>
#include <variant>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/report.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"

namespace keystay::tools {
namespace {

std::string describe(const keys::Certificate& certificate) {
  return "certificate for " + x509::format_name(certificate.subject) + ", valid until " +
         x509::describe_time(certificate.not_after);
}

struct Description {
  std::string operator()(const keys::Entry& entry) const {
    return fmt::format("{} with {}, {}", x509::describe_key(entry.key.public_key()),
                       keys::id_alias(entry.key.reference().id()),
                       entry.leaf ? describe(*entry.leaf) : "no certificate");
  }
  std::string operator()(const keys::TrustedCertificate& trusted) const {
    return "trusted " + describe(trusted.certificate);
  }
  std::string operator()(const keys::SecretKey& key) const {
    return fmt::format("{} with {}", keys::describe_key(key), keys::id_alias(key.reference.id()));
  }
  std::string operator()(const keys::UnreadableObject& object) const {
    return "cannot be used: " + pkcs11::printable(object.reason);
  }
};

// Who asks at a terminal sees what it is. A script is not asked, as it is not by keytool; nor is one who ends
// a deletion that was interrupted.
void agree(AliasStore& store, const std::string& alias) {
  if (!is_at_terminal()) return;
  const std::optional<keys::Named> named = store.resolve(alias);
  if (!named) return;
  fmt::print(stderr, "{} on {}: {}\n", keys::quoted_alias(keys::alias_of(*named)),
             store.keys().source().name(), std::visit(Description{}, *named));
  if (ask(kDestroyQuestion) == Answer::no) throw Failure("nothing was destroyed");
}

void report(const Delete& command, AliasStore& store, const std::string& alias, bool forgets) {
  boost::json::object report = report_of("delete", mode_of(command.dry_run), store.keys().source());
  report["alias"] = json_text(alias);
  report["action"] = forgets ? "forget" : "destroy";
  write_report(command.form, report);
}

}  // namespace

void Delete::run(AliasStore& store) const {
  const bool forgets = store.file().content().on_delete == config::DeleteAction::forget;
  if (!dry_run) {
    if (!forgets && !no_prompt) agree(store, alias);
    store.remove(alias);
    return report(*this, store, alias, forgets);
  }
  const keys::Named named = store.require(alias);
  fmt::print(stderr, "{} would be {} {}\n", keys::quoted_alias(keys::alias_of(named)),
             forgets ? "taken off the list of the" : "destroyed on",
             forgets ? store.file().name() : store.keys().source().name());
  report(*this, store, keys::alias_of(named), forgets);
}

}  // namespace keystay::tools
