// The configuration of those who may do without one: a "pkcs11:" URI with a module-path says everything
// itself.
#pragma once

#include <filesystem>

#include "native/config/configuration.h"

namespace keystay::config {

// Reads the file that an option names, or, if that is empty, KEYSTAY_CONF, or the usual one. A file that
// the caller or KEYSTAY_CONF named must be there; the usual one may be absent, and the configuration is empty
// then. Throws as read_configuration().
[[nodiscard]] Configuration read_optional_configuration(const std::filesystem::path& named);

}  // namespace keystay::config
