#include "keystore-tools/importseckey.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/genseckey.h"
#include "keystore-tools/terminal.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/unicode.h"
#include "native/pkcs11/wiped_text.h"

namespace keystay::tools {
namespace {

using pkcs11::WipedText;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The bytes that hexadecimal text stands for; never a copy that is not wiped. Throws Failure, which does not
// show the text.
WipedText from_hexadecimal(std::string_view text, const std::string& what) {
  WipedText padded((text.size() + 1) / 2);
  std::size_t digits = 0;
  for (const char c : text) {
    if (is_blank(c)) continue;
    const int value = digit(c);
    if (value < 0) throw Failure(what + " has a character that is no hexadecimal digit");
    char& byte = padded.data()[digits / 2];
    byte = static_cast<char>(digits % 2 == 0 ? value << 4 : byte | value);
    ++digits;
  }
  if (digits % 2 != 0) throw Failure(what + " has half a byte: an odd number of hexadecimal digits");
  return WipedText(padded.view().substr(0, digits / 2));
}

WipedText read_key(const ImportSecKey& command) {
  if (command.file.empty()) {
    const pkcs11::Pin typed = ask_pin("Secret key in hexadecimal: ");
    const auto bytes = typed.bytes();
    return from_hexadecimal({reinterpret_cast<const char*>(bytes.data()), typed.size()}, "what was typed");
  }
  WipedText content = read_secret_input(command.file);
  if (command.form == KeyText::bytes) return content;
  return from_hexadecimal(content.view(), command.file.string());
}

}  // namespace

void ImportSecKey::run(const StoreOptions& options) const {
  argument([&] { keys::require_alias_name(alias); });
  static_cast<void>(argument([&] { return keys::secret_key_spec(key_algorithm, 0); }));
  OpenedStore opened(options, MissingKeyStore::made);
  opened.require_import(options);
  const WipedText value = read_key(*this);
  if (value.empty()) throw Failure("the secret key is empty");
  const auto size = static_cast<unsigned>(std::min<std::size_t>(value.view().size(), 1U << 20U));
  AliasStore& store = opened.aliases();
  const keys::SoftwareSecretKey key{
      keys::secret_key_spec(key_algorithm, size * 8),
      {reinterpret_cast<const std::uint8_t*>(value.view().data()), value.view().size()}};
  if (dry_run) {
    store.keys().require_unused(alias);
    fmt::print(stderr, "Alias \"{}\" would be imported to {}\n", pkcs11::printable(alias),
               store.keys().source().name());
    return report_secret_key("importseckey", store, alias, std::nullopt, output);
  }
  const keys::SecretKey made = store.import_key(alias, key);
  fmt::print(stderr, "Imported alias \"{}\" to {}: {}\n", pkcs11::printable(made.alias),
             store.keys().source().name(), keys::describe_key(made));
  report_secret_key("importseckey", store, made.alias, made, output);
}

}  // namespace keystay::tools
