#include "keystore-tools/unfinished_text.h"

#include <chrono>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "native/keys/unfinished_label.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

using keys::Leftover;
using keys::Unfinished;

std::string_view kind(const Unfinished& object) {
  if (object.object_class == CKO_PRIVATE_KEY) return "private key";
  if (object.object_class == CKO_SECRET_KEY) return "secret key";
  return object.object_class == CKO_PUBLIC_KEY ? "public key" : "certificate";
}

std::string since(const Unfinished& object) {
  const auto time = keys::unfinished_since(object.label);
  if (!time) return "";
  return fmt::format(" since {:%b %d, %Y %H:%M:%S} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(*time)));
}

std::string what(const Unfinished& object) {
  switch (object.leftover) {
    case Leftover::unnamed:
      return std::string(kind(object));
    case Leftover::claim:
      return "private key that lost its name to the alias of this name";
    case Leftover::public_half:
    case Leftover::leaf:
      return fmt::format("{} whose private key is gone", kind(object));
    case Leftover::issuer:
      return "issuer's certificate that is in the chain of no alias";
    case Leftover::label:
      return fmt::format("label of the {} of alias \"{}\"", kind(object), pkcs11::printable(object.alias));
    case Leftover::superseded:
      return fmt::format("{} of alias \"{}\" that another one has replaced", kind(object),
                         pkcs11::printable(object.alias));
  }
  return "";
}

}  // namespace

std::string describe(const std::vector<Unfinished>& unfinished) {
  std::string text;
  for (const Unfinished& object : unfinished)
    text +=
        fmt::format("{}, unfinished{}: {}\n", pkcs11::printable(object.label), since(object), what(object));
  return text;
}

}  // namespace keystay::tools
