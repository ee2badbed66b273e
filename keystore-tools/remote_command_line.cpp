#include "keystore-tools/remote_command_line.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "keystore-tools/failure.h"
#include "native/config/pin_source.h"

namespace keystay::tools {
namespace {

using config::RemoteSettings;

config::RemoteEndpoint endpoint(const std::string& text) {
  if (const auto endpoint = config::parse_remote_endpoint(text)) return *endpoint;
  throw UsageError("--endpoint " + text +
                   ": expected a name or an address and a port, hsm.example:4442, or unix:SOCKET");
}

void refuse_tls(const RemoteSettings& remote) {
  const std::array given{!remote.ca.empty(),     !remote.certificate.empty(),     !remote.key.empty(),
                         !remote.pkcs12.empty(), !remote.pkcs12_password.empty(), !remote.host.empty(),
                         !remote.relay.empty()};
  if (std::ranges::find(given, true) != given.end())
    throw UsageError(
        "a socket of this machine has no TLS: leave --ca, --certificate, --key, --pkcs12, --pkcs12-password, "
        "--host and --relay out");
}

void require_file(const std::string& option, std::filesystem::path& file) {
  if (file.empty()) throw UsageError(option + " is missing: the connection is by mutual TLS");
  file = std::filesystem::absolute(file);
}

void require_pkcs12(RemoteSettings& remote) {
  if (!remote.certificate.empty() || !remote.key.empty())
    throw UsageError("--pkcs12 has certificate and key in it: leave --certificate and --key out");
  // What was given may be the password itself.
  if (!config::is_password_source(remote.pkcs12_password))
    throw UsageError("--pkcs12-password names no place of a password (is it the password itself?); write " +
                     std::string(config::kPasswordSourceForms));
  require_file("--pkcs12", remote.pkcs12);
}

void require_pem(RemoteSettings& remote) {
  if (!remote.pkcs12_password.empty()) throw UsageError("--pkcs12-password needs --pkcs12");
  require_file("--certificate", remote.certificate);
  require_file("--key", remote.key);
}

void require_tls(RemoteSettings& remote) {
  require_file("--ca", remote.ca);
  remote.pkcs12.empty() ? require_pem(remote) : require_pkcs12(remote);
  if (remote.relay.empty()) remote.relay = config::default_relay();
}

}  // namespace

void declare(CLI::App& options, RemoteEnrol& command) {
  options.add_option("--endpoint", command.endpoints, "HOST:PORT of the other machine; may be repeated")
      ->required()
      ->allow_extra_args(false)
      ->check(fault_of_remote_endpoint);
  options.add_option("--host", command.host, "Name that the endpoint's certificate has, if another one");
  options.add_option("--name", command.name, "Name of this machine, for its certificate");
  options.add_option("--label", command.label, "Label of the token, else the value of -token");
  options.add_option("--serial", command.serial, "Serial number of the token");
  options.add_option("--directory", command.directory,
                     "Where the files go, else the directory of the configuration");
}

void declare(CLI::App& options, UnsavedToken& token) {
  CLI::Option* endpoints = options.add_option_function<std::vector<std::string>>(
      "--endpoint",
      [&token](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) token.remote.endpoints.push_back(endpoint(text));
      },
      "Of a token that is not in the configuration: HOST:PORT or unix:SOCKET; may be repeated");
  endpoints->allow_extra_args(false);
  const auto add = [&](const char* name, auto& value, const char* description) {
    options.add_option(name, value, description)->needs(endpoints);
  };
  RemoteSettings& remote = token.remote;
  add("--ca", remote.ca, "PEM file with the authorities of the endpoint's certificate");
  add("--certificate", remote.certificate, "PEM file with our certificate and its issuers");
  add("--key", remote.key, "PEM file with its private key");
  add("--pkcs12", remote.pkcs12, "PKCS #12 file with both, instead of the two");
  add("--pkcs12-password", remote.pkcs12_password,
      "Where the password of the PKCS #12 file is: file:/PATH, env:NAME or credential:NAME");
  add("--relay", remote.relay, "keystay-relay, where it is not installed");
  add("--host", remote.host, "Name that the endpoint's certificate must have");
  add("--label", token.label, "Label of the token");
  add("--serial", token.serial, "Serial number of the token");
}

void require_complete(UnsavedToken& token) {
  if (token.remote.endpoints.empty()) return;
  token.remote.is_local() ? refuse_tls(token.remote) : require_tls(token.remote);
  if (token.label.empty() && token.serial.empty())
    throw UsageError("--label or --serial is missing: which token is meant?");
}

}  // namespace keystay::tools
