#include "keystore-tools/mac.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/report.h"
#include "keystore-tools/streamed_file.h"
#include "native/keys/alias_name.h"
#include "native/keys/secret_key_use.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;
using pkcs11::Hash;

constexpr std::size_t kPart = std::size_t{64} << 10U;

std::optional<Hash> hash_of(const std::string& algorithm) {
  if (algorithm.empty()) return std::nullopt;
  const auto spec = argument([&] { return keys::secret_key_spec(algorithm, 0); });
  const auto* hmac = std::get_if<keys::HmacSpec>(&spec);
  if (!hmac) throw UsageError("-macalg " + pkcs11::printable(algorithm) + " makes no MAC; take HmacSHA256");
  return hmac->hash;
}

Hash choose_hash(const keys::SecretKey& key, std::optional<Hash> wanted) {
  const std::optional<Hash> own = keys::mac_hash_of(key);
  if (!own && key.reference.type() != CKK_GENERIC_SECRET) {
    throw Failure(keys::quoted_alias(key.alias) + " is a " + keys::describe_key(key) +
                  ", which makes no MACs; keystay -genseckey -keyalg HmacSHA256 makes one that does");
  }
  if (own && wanted && *own != *wanted)
    throw Failure(keys::quoted_alias(key.alias) + " is for " + keys::algorithm_of(key) + " alone");
  return own.value_or(wanted.value_or(Hash::sha256));
}

Bytes mac_of(AliasStore& store, const std::string& alias, const std::string& algorithm,
             const std::filesystem::path& input) {
  const std::optional<Hash> wanted = hash_of(algorithm);
  const keys::SecretKey key = store.require_secret_key(alias);
  const Hash hash = choose_hash(key, wanted);
  bool is_again = false;
  return keys::mac(store.keys().source(), key, hash, [&]() -> keys::NextPart {
    if (std::exchange(is_again, true) && input.empty())
      throw Failure(
          "the token was lost in the middle of it, and standard input cannot be read again; repeat this");
    const auto part = std::make_shared<Bytes>(kPart);
    return [part, read = read_in_parts(input)] { return ByteView(*part).first(read(*part)); };
  });
}

std::optional<Bytes> from_hexadecimal(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  Bytes bytes;
  if (text.empty() || text.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::string digits(text.substr(i, 2));
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits, nullptr, 16)));
  }
  return bytes;
}

// In a time that does not depend on where they differ.
bool is_same(const Bytes& a, const Bytes& b) {
  if (a.size() != b.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) different |= static_cast<unsigned>(a[i] ^ b[i]);
  return different == 0;
}

}  // namespace

void Mac::run(AliasStore& store) const {
  write_output(output, pkcs11::hex(mac_of(store, alias, algorithm, input)) + "\n");
}

void VerifyMac::run(AliasStore& store) const {
  if (mac.empty() == file.empty()) throw UsageError("-verify-mac needs -mac or -macfile, and one of them");
  const auto expected = from_hexadecimal(mac.empty() ? read_input(file) : mac);
  if (!expected) throw UsageError("the MAC is no hexadecimal text, as keystay -mac writes it");
  const std::string name = input.empty() ? "standard input" : input.string();
  if (!is_same(mac_of(store, alias, algorithm, input), *expected))
    throw Failure("the MAC is not that of " + name + ": one of them was changed, or another key made it");
  fmt::print(stderr, "The MAC is that of {}\n", name);
  boost::json::object report = report_of("verify-mac", store.keys().source());
  report["alias"] = json_text(alias);
  report["fits"] = true;
  write_report(form, report);
}

}  // namespace keystay::tools
