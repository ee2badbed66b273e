// Writes the public key object of an EC key as other hands do: with whatever CKA_EC_POINT. For tests that are
// shell scripts; pkcs11-tool writes sound ones only.
//
//   PIN=… keystay-write-public-key MODULE TOKEN LABEL ID PARAMETERS POINT      (the last three in
//   hexadecimal)
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include "native/pkcs11/token.h"

namespace keystay {
namespace {

pkcs11::Bytes bytes_of(std::string_view hex) {
  pkcs11::Bytes bytes;
  for (; hex.size() >= 2; hex.remove_prefix(2))
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(0, 2)), nullptr, 16)));
  return bytes;
}

void write(const char* const* arguments) {
  const char* pin = std::getenv("PIN");
  pkcs11::TokenOptions options;
  options.name = arguments[1];
  options.identity.label = arguments[1];
  options.pin = [pin] { return pkcs11::Pin(pin != nullptr ? pin : ""); };
  pkcs11::Token token(pkcs11::Module::at(arguments[0]), options);
  token.with_rw_session([&](pkcs11::Session& session) {
    pkcs11::Template object;
    object.number(CKA_CLASS, CKO_PUBLIC_KEY)
        .flag(CKA_TOKEN, true)
        .flag(CKA_PRIVATE, false)
        .number(CKA_KEY_TYPE, CKK_EC)
        .text(CKA_LABEL, arguments[2])
        .bytes(CKA_ID, bytes_of(arguments[3]))
        .bytes(CKA_EC_PARAMS, bytes_of(arguments[4]))
        .bytes(CKA_EC_POINT, bytes_of(arguments[5]));
    session.create_object(std::move(object));
  });
}

}  // namespace
}  // namespace keystay

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: keystay-write-public-key MODULE TOKEN LABEL ID PARAMETERS POINT\n", stderr);
    return 2;
  }
  try {
    keystay::write(argv + 1);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "keystay-write-public-key: %s\n", error.what());
    return 1;
  }
}
