#include "native/config/optional_configuration.h"

#include <cstdlib>

#include "native/config/file.h"

namespace keystay::config {
namespace {

bool is_named_by_environment() {
  const char* file = ::secure_getenv("KEYSTAY_CONF");
  return file && *file != '\0';
}

}  // namespace

Configuration read_optional_configuration(const std::filesystem::path& named) {
  if (!named.empty()) return read_configuration(named);
  const std::filesystem::path usual = configuration_file();
  if (!is_named_by_environment() && is_absent(usual)) return {};
  return read_configuration(usual);
}

}  // namespace keystay::config
