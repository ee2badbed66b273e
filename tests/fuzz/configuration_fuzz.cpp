// keystay.toml.
#include <string_view>

#include "native/config/configuration.h"
#include "native/config/error.h"
#include "native/config/pin_source.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

void read(std::string_view text) {
  config::Configuration configuration;
  try {
    configuration = config::parse_configuration(text, "keystay.toml");
  } catch (const config::Error& error) {
    require(std::string_view(error.what()).starts_with("keystay.toml:"), "an error names file and line");
    return;
  }
  require(configuration.default_token.empty() || configuration.tokens.contains(configuration.default_token),
          "the default token is one of the configured");
  for (const auto& [name, token] : configuration.tokens) {
    require(!name.empty(), "a token has a name");
    require(token.module.is_absolute(), "a module has an absolute path");
    require(!token.label.empty() || !token.serial.empty(), "a token is told by its label or serial");
    require(token.sessions > 0 && token.timeout.count() > 0, "limits are above zero");
    require(config::is_pin_source(token.pin), "a PIN has a source");
  }
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
