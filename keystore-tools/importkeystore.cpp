#include "keystore-tools/importkeystore.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/key_source_file.h"
#include "keystore-tools/report.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"

namespace keystay::tools {
namespace {

void refuse_other_destinations(const ImportKeyStore& command) {
  const std::string& type = command.destination_type;
  if (type.empty() || pkcs11::equal_ignoring_case(type, "Keystay")) return;
  throw UsageError(
      "-deststoretype " + type +
      ": a private key does not leave its token, so that no other key store can have it; -exportcert "
      "writes certificates, and -exportref what servers read in the place of a key");
}

// The entry that -srcalias names, in any letter case.
void choose(std::vector<SourceEntry>& entries, const ImportKeyStore& command) {
  if (command.source_alias.empty()) return;
  std::string there;
  for (const SourceEntry& entry : entries)
    there += (there.empty() ? "" : ", ") + (entry.alias.empty() ? "a key without a name" : entry.alias);
  std::erase_if(entries, [&](const SourceEntry& entry) {
    return !pkcs11::equal_ignoring_case(entry.alias, command.source_alias);
  });
  if (entries.size() == 1) return;
  throw Failure("alias \"" + pkcs11::printable(command.source_alias) + "\" " +
                (entries.empty() ? "does not exist in " : "is several entries of ") +
                command.source.string() + "; there is: " + pkcs11::printable(there));
}

// A file may have several entries and none may have a name: what each is to be called.
void give_names(std::vector<SourceEntry>& entries, const ImportKeyStore& command) {
  if (!command.alias.empty() && entries.size() > 1) {
    throw UsageError("-destalias " + command.alias + ": " + command.source.string() + " has " +
                     std::to_string(entries.size()) + " entries; choose one with -srcalias");
  }
  for (SourceEntry& entry : entries) {
    if (!command.alias.empty()) entry.alias = command.alias;
    if (entry.alias.empty())
      throw UsageError("the key in " + command.source.string() + " has no name; give it one with -destalias");
  }
}

std::string kind_of(const SourceEntry& entry) {
  if (!entry.key) return "trusted certificate";
  return x509::describe_key(entry.key->public_key()) + ", " +
         (entry.chain.empty() ? "without a certificate"
                              : fmt::format("certificate chain length {}", entry.chain.size()));
}

void tell(const SourceEntry& entry) {
  if (entry.key && entry.chain.empty()) {
    fmt::print(
        stderr,
        "keystay: note: there is no certificate for \"{}\"; import one with -importcert when the CA has "
        "issued it\n",
        pkcs11::printable(entry.alias));
  }
  if (entry.chain.empty()) return;
  const keys::Certificate& leaf = entry.chain.front();
  if (leaf.not_after < std::chrono::system_clock::now()) {
    fmt::print(stderr, "keystay: note: the certificate \"{}\" expired on {}\n",
               x509::format_name(leaf.subject), x509::describe_time(leaf.not_after));
  }
}

void import_entry(AliasStore& store, const SourceEntry& entry) {
  keys::require_alias_name(entry.alias);
  if (!entry.key) return store.add_trusted(entry.alias, entry.chain.front());
  const keys::Chain chain =
      entry.chain.empty() ? keys::Chain{} : store.keys().chain(entry.chain.front(), entry.others);
  store.import_key(entry.alias, entry.key->software_key(), chain);
}

// What is refused of one entry, whichever layer refuses it.
std::string problem(AliasStore& store, const SourceEntry& entry) {
  try {
    import_entry(store, entry);
    return "";
  } catch (const pkcs11::Error& error) {
    return error.what();
  } catch (const x509::Error& error) {
    return error.what();
  }
}

boost::json::object imported(const SourceEntry& entry, const std::string& fault = "") {
  return {{"alias", json_text(entry.alias)},
          {"kind", entry.key ? "PrivateKeyEntry" : "trustedCertEntry"},
          {"chain-length", entry.chain.size()},
          {"error", text_or_null(fault)}};
}

void report(const ImportKeyStore& command, AliasStore& store, boost::json::array entries) {
  boost::json::object report = report_of("importkeystore", mode_of(command.dry_run), store.keys().source());
  report["entries"] = std::move(entries);
  write_report(command.form, report);
}

void tell_dry_run(const ImportKeyStore& command, AliasStore& store, const std::vector<SourceEntry>& entries) {
  boost::json::array objects;
  for (const SourceEntry& entry : entries) {
    objects.push_back(imported(entry));
    if (command.form == OutputForm::text)
      fmt::print("{} would be imported to {}: {}\n", keys::quoted_alias(entry.alias),
                 store.keys().source().name(), kind_of(entry));
  }
  report(command, store, std::move(objects));
}

// One line for each, in keytool's words.
void import_all(const ImportKeyStore& command, AliasStore& store, const std::vector<SourceEntry>& entries) {
  std::size_t done = 0;
  boost::json::array objects;
  for (const SourceEntry& entry : entries) {
    const std::string alias = pkcs11::printable(entry.alias);
    const std::string why = problem(store, entry);
    objects.push_back(imported(entry, why));
    if (!why.empty()) {
      fmt::print(stderr, "Problem importing entry for alias {}: {}.\nEntry for alias {} not imported.\n",
                 alias, why, alias);
      continue;
    }
    ++done;
    fmt::print(stderr, "Entry for alias {} successfully imported.\n", alias);
    tell(entry);
  }
  report(command, store, std::move(objects));
  fmt::print(stderr,
             "Import command completed:  {} entries successfully imported, {} entries failed or cancelled\n",
             done, entries.size() - done);
  if (done < entries.size())
    throw Failure(fmt::format("{} of {} entries of {} were not imported", entries.size() - done,
                              entries.size(), command.source.string()));
}

}  // namespace

void ImportKeyStore::run(const StoreOptions& options) const {
  refuse_other_destinations(*this);
  if ((options.passwords.contains("srcstorepass") && !password.empty()) ||
      (options.passwords.contains("srckeypass") && !key_password.empty())) {
    throw UsageError("a password is given twice: as itself, and by :file or :env");
  }
  if (!alias.empty()) argument([&] { keys::require_alias_name(alias); });
  OpenedStore opened(options, MissingKeyStore::made);
  opened.require_import(options);
  AliasStore& store = opened.aliases();
  std::vector<SourceEntry> entries = read_source(*this, options, store.pkix());
  choose(entries, *this);
  give_names(entries, *this);
  if (dry_run) return tell_dry_run(*this, store, entries);
  fmt::print(stderr, "Importing keystore {} to {}...\n", source.string(), store.keys().source().name());
  if (source_alias.empty() && entries.size() > 1) return import_all(*this, store, entries);
  import_entry(store, entries.front());
  fmt::print(stderr, "Entry for alias {} successfully imported.\n", pkcs11::printable(entries.front().alias));
  tell(entries.front());
  report(*this, store, {imported(entries.front())});
}

}  // namespace keystay::tools
