// Key store files, as keytool and keystay are given them.
#include <string>
#include <string_view>

#include "native/config/error.h"
#include "native/config/key_store_file.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

void read(std::string_view text) {
  config::KeyStoreFile file;
  try {
    file = config::parse_key_store(text, "a.keystore");
  } catch (const config::Error& error) {
    require(std::string_view(error.what()).starts_with("a.keystore:"), "an error names file and line");
    return;
  }
  require(config::is_key_store(text), "a key store file begins with its magic");
  require(config::parse_key_store(config::format_key_store(file), "b.keystore") == file,
          "a file that is written again means the same");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
