#include "native/remote/remote_module.h"

#include "native/remote/local_connector.h"
#include "native/remote/relay_process.h"
#include "native/remote/remote_functions.h"

namespace keystay::remote {
namespace {

// What tells the tokens behind these settings from those behind others.
std::string scope_of(const std::string& name, const config::RemoteSettings& settings) {
  std::string scope = "remote " + name;
  for (const config::RemoteEndpoint& endpoint : settings.endpoints)
    scope += " " + config::format_remote_endpoint(endpoint);
  return scope;
}

}  // namespace

std::vector<std::shared_ptr<pkcs11::Module>> remote_modules(const std::string& name,
                                                            const config::RemoteSettings& settings) {
  std::shared_ptr<Connector> connector;
  if (settings.is_local())
    connector = std::make_shared<LocalConnector>(settings);
  else
    connector = std::make_shared<RelayProcess>(settings);
  const auto logins = std::make_shared<pkcs11::LoginMemory>(scope_of(name, settings));
  std::vector<std::shared_ptr<pkcs11::Module>> modules;
  for (std::size_t i = 0; i < settings.lanes; ++i) {
    const auto functions = std::make_shared<const RemoteFunctions>(connector);
    modules.push_back(std::make_shared<pkcs11::Module>(
        "of token \"" + name +
            (settings.is_local() ? "\" behind a socket of this machine" : "\" on another machine"),
        [functions]() -> CK_FUNCTION_LIST& { return functions->list(); }, logins));
  }
  return modules;
}

}  // namespace keystay::remote
