#include "keystore-tools/key_source_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/terminal.h"
#include "native/config/error.h"
#include "native/config/pin_source.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/key_file.h"

namespace keystay::tools {
namespace {

using x509::KeyFile;
using x509::KeyFileForm;

// What Java's own key stores begin with.
constexpr std::array<std::string_view, 2> kJavaMagic = {"\xfe\xed\xfe\xed",
                                                        "\xce\xce\xce\xce"};  // JKS, JCEKS
constexpr std::string_view kKeystayMagic = "# Keystay key store";

Failure in(const ImportKeyStore& command, const std::string& what) {
  return Failure(command.source.string() + ": " + what);
}

std::string how_to_convert(const ImportKeyStore& command) {
  return "it is a key store of Java's own; make PKCS12 of it, and import that: keytool -importkeystore "
         "-srckeystore " +
         command.source.string() + " -destkeystore " + command.source.stem().string() +
         ".p12 -deststoretype PKCS12";
}

// The form that -srcstoretype names; nothing if it is not given.
std::optional<KeyFileForm> named_form(const ImportKeyStore& command) {
  const std::string& type = command.source_type;
  const auto is = [&](std::string_view name) { return pkcs11::equal_ignoring_case(type, name); };
  if (type.empty()) return std::nullopt;
  if (is("PKCS12") || is("P12")) return KeyFileForm::pkcs12;
  if (is("PEM")) return KeyFileForm::pem;
  if (is("PKCS8")) return KeyFileForm::pkcs8;
  if (is("JKS") || is("JCEKS") || is("DKS")) throw in(command, how_to_convert(command));
  throw UsageError("-srcstoretype " + type + ": expected PKCS12, PEM or PKCS8");
}

KeyFileForm form_of(const ImportKeyStore& command, std::string_view content) {
  const auto named = named_form(command);
  for (const std::string_view magic : kJavaMagic)
    if (content.starts_with(magic)) throw in(command, how_to_convert(command));
  if (content.starts_with(kKeystayMagic)) {
    throw in(
        command,
        "it is a key store file of Keystay, whose keys are on a token already and stay there; to use them, "
        "name this file with -keystore");
  }
  const auto found = x509::key_file_form(content);
  if (!found) throw in(command, "it is neither PKCS12 nor PEM nor a private key in PKCS8");
  if (!named || *named == *found) return *found;
  // A private key of PKCS #8 may be in PEM as well.
  if (*named == KeyFileForm::pkcs8 && *found == KeyFileForm::pem) return *found;
  throw in(command, "it is not of the type that -srcstoretype names; leave that out");
}

pkcs11::Pin read_password(const std::string& source, const std::string& file) {
  return config::read_password(source, file);
}

// A plain one of the command line, or what the option says, or what a person types.
pkcs11::Pin password(const StoreOptions& options, std::string_view name, const std::string& source,
                     const std::string& file) {
  if (const auto given = options.passwords.find(name); given != options.passwords.end())
    return given->second->copy();
  if (!source.empty()) return read_password(source, file);
  try {
    return ask_pin("Password of " + file + ": ");
  } catch (const pkcs11::Error&) {
    throw Failure(
        file + ": it is encrypted, and nobody can be asked for its password; write -srcstorepass:file FILE");
  }
}

x509::KeyFilePasswords passwords(const ImportKeyStore& command, const StoreOptions& options) {
  x509::KeyFilePasswords result;
  const std::string file = command.source.string();
  result.file = [&command, &options, file] {
    return password(options, "srcstorepass", command.password, file);
  };
  if (!command.key_password.empty() || options.passwords.contains("srckeypass"))
    result.key = [&command, &options, file] {
      return password(options, "srckeypass", command.key_password, file);
    };
  return result;
}

KeyFile read(const ImportKeyStore& command, const StoreOptions& options) {
  const pkcs11::WipedText content = read_secret_input(command.source);
  const KeyFileForm form = form_of(command, content.view());
  KeyFile file;
  try {
    file = x509::read_key_file(content.view(), form, passwords(command, options));
  } catch (const x509::Error& error) {
    throw in(command, error.what());
  }
  if (command.certificates.empty()) return file;
  try {
    for (keys::Certificate& more : x509::read_certificates(read_input(command.certificates)))
      file.certificates.push_back(std::move(more));
  } catch (const x509::Error& error) {
    throw Failure(command.certificates.string() + ": " + error.what());
  }
  return file;
}

std::string small_letters(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string quoted(const std::string& name) { return "\"" + pkcs11::printable(name) + "\""; }

std::string key_in_words(const std::string& alias) {
  return alias.empty() ? "the private key" : "the private key " + quoted(alias);
}

SourceEntry key_entry(const ImportKeyStore& command, std::string alias, EVP_PKEY* key, const KeyFile& file,
                      const keys::Pkix& pkix) {
  SourceEntry entry{.alias = std::move(alias), .key = std::nullopt, .chain = {}, .others = file.certificates};
  try {
    entry.key.emplace(key);
  } catch (const x509::Error& error) {
    throw in(command, key_in_words(entry.alias) + ": " + error.what());
  }
  entry.chain = x509::order_chain(file.certificates, entry.key->public_key(), pkix).chain;
  if (entry.chain.empty() && !file.certificates.empty()) {
    throw in(command,
             key_in_words(entry.alias) +
                 " fits none of the certificates beside it; bring the certificate that was issued for it");
  }
  return entry;
}

}  // namespace

std::vector<SourceEntry> read_source(const ImportKeyStore& command, const StoreOptions& options,
                                     const keys::Pkix& pkix) {
  KeyFile file = read(command, options);
  std::vector<SourceEntry> entries;
  const bool has_names = file.keys.size() > 1 || !file.trusted.empty();
  unsigned unnamed = 0;  // keytool numbers what has no name
  for (x509::NamedPrivateKey& key : file.keys) {
    std::string alias = small_letters(key.name);
    if (alias.empty() && has_names) alias = std::to_string(++unnamed);
    entries.push_back(key_entry(command, std::move(alias), key.key.get(), file, pkix));
    key.key.reset();
  }
  for (x509::NamedCertificate& trusted : file.trusted) {
    std::string alias = small_letters(trusted.name);
    if (alias.empty()) alias = std::to_string(++unnamed);
    entries.push_back({.alias = std::move(alias),
                       .key = std::nullopt,
                       .chain = {std::move(trusted.certificate)},
                       .others = {}});
  }
  if (entries.empty()) {
    throw in(command, file.certificates.empty() ? "there is neither a private key nor a certificate in it"
                                                : "there is no private key in it, and no certificate that it "
                                                  "marks as trusted; -importcert brings certificates");
  }
  return entries;
}

}  // namespace keystay::tools
