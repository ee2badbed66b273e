// The provider's section of openssl.cnf (config(5)): where keystay.toml is, and the parameters of
// pkcs11-provider, so that its users change only the line `module =`. docs/user/openssl.md lists them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/tokens.h"
#include "provider/core.h"

namespace keystay::provider {

struct CnfParameter {
  std::string_view name;
  std::string_view value;
};

// What the section says.
struct CnfSection {
  std::string configuration;                      // keystay.toml; empty: the default place
  bool follows_configuration = true;              // groups change with the file while they are used
  std::optional<keys::WholeModule> whole_module;  // `pkcs11-module-path` and what goes with it
};

// `place` is for messages. Throws config::Error for a name that Keystay does not know, and for a value that
// is none.
[[nodiscard]] CnfSection parse_cnf_section(std::span<const CnfParameter> parameters, std::string_view place);

// Every name that is known.
[[nodiscard]] std::vector<std::string_view> cnf_parameter_names();

// The section of this instance of the provider. Throws config::Error.
[[nodiscard]] CnfSection read_cnf_section(const Core& core);

}  // namespace keystay::provider
