// RFC 7512 URIs.
#include <string_view>

#include "native/pkcs11/error.h"
#include "native/pkcs11/uri.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

void parse(std::string_view text) {
  pkcs11::Uri uri;
  try {
    uri = pkcs11::parse_uri(text);
  } catch (const pkcs11::Error& error) {
    require(error.error_class() == pkcs11::ErrorClass::client,
            "a bad URI is the writer's fault, not the token's");
    return;
  }
  require(text.find('\0') == std::string_view::npos, "nothing of a URI is left unread");
  require(uri.pin_source.empty() || !uri.pin_value, "a URI has one PIN at most");
  uri.pin_value = {};  // never written
  require(pkcs11::parse_uri(pkcs11::format_uri(uri)) == uri, "a URI that is written means the same key");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
