#include "provider/cnf_file.h"

#include <memory>
#include <string_view>

#include <openssl/conf.h>
#include <openssl/core_names.h>

#include "native/x509/error_mark.h"
#include "native/x509/openssl_types.h"

namespace keystay::provider {
namespace {

using Configuration = x509::Owned<CONF, NCONF_free>;

// Sections belong to the configuration.
const STACK_OF(CONF_VALUE) * section(const CONF* configuration, const char* name) {
  return name ? NCONF_get_section(configuration, name) : nullptr;
}

const char* value(const CONF* configuration, const char* section_name, const char* name) {
  return NCONF_get_string(configuration, section_name, name);
}

// libcrypto takes what follows a dot for the name of a provider, and `identity` for a better one.
std::string_view provider_name(const CONF* configuration, const CONF_VALUE& entry) {
  if (const char* identity = value(configuration, entry.value, "identity")) return identity;
  const std::string_view name = entry.name;
  return name.substr(name.find('.') + 1);
}

const char* section_of(const CONF* configuration, std::string_view provider) {
  const char* init = value(configuration, nullptr, "openssl_conf");
  const auto* providers = section(configuration, init ? value(configuration, init, "providers") : nullptr);
  for (int i = 0; i < sk_CONF_VALUE_num(providers); ++i) {
    const CONF_VALUE& entry = *sk_CONF_VALUE_value(providers, i);
    if (provider_name(configuration, entry) == provider) return entry.value;
  }
  return nullptr;
}

}  // namespace

CnfFile read_cnf_file(const Core& core) {
  const x509::ErrorMark a_missing_file_is_no_error;
  const std::unique_ptr<char, x509::OpensslFree> path(CONF_get1_default_config_file());
  const Configuration configuration(NCONF_new(nullptr));
  long line = 0;
  if (!path || !configuration || NCONF_load(configuration.get(), path.get(), &line) != 1) return {};
  const char* name = section_of(configuration.get(), core.parameter(OSSL_PROV_PARAM_CORE_PROV_NAME));
  const auto* entries = section(configuration.get(), name);
  if (!entries) return {};

  CnfFile file{std::string(path.get()) + ": [" + name + "]", {}};
  for (int i = 0; i < sk_CONF_VALUE_num(entries); ++i) {
    const CONF_VALUE& entry = *sk_CONF_VALUE_value(entries, i);
    // An application may have read another file: what libcrypto does not know is of no interest.
    if (core.parameter(entry.name) == entry.value) file.names.emplace_back(entry.name);
  }
  return file;
}

}  // namespace keystay::provider
