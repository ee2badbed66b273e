// PEM reference files, and the public key in them.
#include <optional>
#include <span>
#include <string_view>

#include "native/pkcs11/error.h"
#include "native/x509/error.h"
#include "native/x509/pem_reference.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

// What `read` returns; nothing for input that it refuses.
template <typename Read>
auto accepted(Read&& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const x509::Error&) {
    return std::nullopt;
  } catch (const pkcs11::Error&) {
    return std::nullopt;
  }
}

void check_public_key(std::string_view attribute) {
  const auto key = accepted([&] { return x509::decode_spki_attribute(attribute); });
  if (!key) return;
  require(x509::decode_spki_attribute(x509::encode_spki_attribute(*key)) == *key,
          "a public key that is written is the same key");
}

void check_reference(std::optional<pkcs11::Uri> uri) {
  if (!uri) return;
  check_public_key(uri->spki);
  uri->pin_value = {};  // never written
  require(x509::decode_pem_reference(x509::encode_pem_reference(*uri)) == *uri,
          "a reference that is written means the same key");
}

// As a file, as what is in its PEM block, and as the attribute with the public key.
void parse(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  check_reference(accepted([&] { return x509::decode_pem_reference(text); }));
  check_reference(accepted([&] { return x509::decode_reference(bytes); }));
  check_public_key(text);
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::parse({data, size});
  return 0;
}
