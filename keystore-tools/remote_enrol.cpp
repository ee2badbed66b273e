#include "keystore-tools/remote_enrol.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <sys/utsname.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "native/config/configuration.h"
#include "native/config/error.h"
#include "native/config/file.h"
#include "native/config/remote_settings.h"
#include "native/config/toml_document.h"
#include "native/pkcs11/uri.h"
#include "native/x509/certificate_request.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/pem.h"
#include "native/x509/software_key.h"

namespace keystay::tools {
namespace {

namespace fs = std::filesystem;

using config::toml_string;

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kReadableByAll = 0644;

std::string name_of_this_machine() {
  struct utsname names {};
  return ::uname(&names) == 0 ? names.nodename : "";
}

// What both ends must agree about, and where the files of this one are.
struct Enrolment {
  std::string token;
  std::string name;
  std::vector<config::RemoteEndpoint> endpoints;
  std::string host;
  std::string label;
  std::string serial;
  fs::path directory;

  [[nodiscard]] std::string file(const char* of) const { return (directory / of).string(); }
  [[nodiscard]] std::string pin_file() const { return (directory / (token + ".pin")).string(); }
  // By which the endpoint's certificate is to go.
  [[nodiscard]] const std::string& endpoint_name() const {
    return host.empty() ? endpoints.front().host : host;
  }
};

Enrolment enrolment(const RemoteEnrol& command, const StoreOptions& options) {
  Enrolment result{options.token.empty() ? "hsm" : options.token,
                   command.name,
                   {},
                   command.host,
                   command.label,
                   command.serial,
                   {}};
  if (result.name.empty()) result.name = name_of_this_machine();
  if (!config::is_host_name(result.name))
    throw UsageError("--name " + result.name + ": expected a DNS name, web-1.example");
  for (const std::string& text : command.endpoints)
    result.endpoints.push_back(config::parse_remote_endpoint(text).value());  // it was checked
  if (result.label.empty() && result.serial.empty()) result.label = result.token;
  const fs::path file = options.configuration.empty() ? config::configuration_file() : options.configuration;
  result.directory = fs::absolute(command.directory.empty() ? file.parent_path() : command.directory);
  return result;
}

// A name as a part of a dotted key: TOML takes it bare or in quotes.
std::string key_part(const std::string& name) {
  const bool is_bare = std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return is_bare ? name : toml_string(name);
}

// [token.NAME] for this machine.
std::string token_section(const Enrolment& enrolment) {
  std::string endpoints;
  for (const config::RemoteEndpoint& endpoint : enrolment.endpoints) {
    endpoints += (endpoints.empty() ? "" : ", ") + toml_string(config::format_remote_endpoint(endpoint));
  }
  std::string text = fmt::format("[token.{}]\nendpoints = [{}]\n", key_part(enrolment.token), endpoints);
  const auto line = [&](const char* key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} = {}\n", key, toml_string(value));
  };
  line("host", enrolment.host);
  line("ca", enrolment.file("ca.pem"));
  line("certificate", enrolment.file("client.pem"));
  line("key", enrolment.file("client-key.pem"));
  line("label", enrolment.label);
  line("serial", enrolment.serial);
  line("pin", "file:" + enrolment.pin_file());
  return text;
}

// The listener and the backend for the other machine.
std::string listener_section(const Enrolment& enrolment) {
  return fmt::format(
      "[[tlsd.listener]]\nname = {0}\nbind = [\"0.0.0.0:{1}\"]\nmode = \"tcp\"\n"
      "certificates = [\"/etc/keystay/hsm.pem\"]   # certificate, issuers and key; it must be for {2}\n"
      "backend = {0}\nclient-ca = \"/etc/keystay/ca.pem\"   # of the authority that signs client.csr\n"
      "client-names = [{3}]\nidle-timeout = \"24h\"\n\n"
      "[tlsd.backend.{4}]\nservers = [\"unix:/run/keystay-hsm/p11-kit.sock\"]\n",
      toml_string(enrolment.token), enrolment.endpoints.front().port, enrolment.endpoint_name(),
      toml_string(enrolment.name), key_part(enrolment.token));
}

std::string both_ends(const Enrolment& enrolment) {
  pkcs11::Uri uri;
  uri.token = enrolment.label;
  uri.serial = enrolment.serial;
  return fmt::format(
      "# --- this machine, {}: into keystay.toml\n{}\n# --- {}: into keystay.toml there\n{}\n"
      "# --- {}: offers the token; a service of the user of keystay-tlsd, with the module of the HSM\n"
      "# p11-kit server --foreground --provider /usr/lib/vendor/libpkcs11.so --name "
      "/run/keystay-hsm/p11-kit.sock '{}'\n",
      enrolment.name, token_section(enrolment), enrolment.endpoint_name(), listener_section(enrolment),
      enrolment.endpoint_name(), pkcs11::format_uri(uri));
}

// Nobody should be given what the programs at the two ends would refuse.
void require_valid(const Enrolment& enrolment) {
  try {
    static_cast<void>(config::parse_configuration(token_section(enrolment) + listener_section(enrolment),
                                                  "the configuration that this would give"));
  } catch (const config::Error& error) {
    throw UsageError(error.what());
  }
}

void require_absent(const Enrolment& enrolment) {
  for (const char* name : {"client-key.pem", "client.csr"}) {
    if (config::is_absent(enrolment.directory / name)) continue;
    throw Failure(
        enrolment.file(name) +
        " exists, and is not overwritten: use what is there, take it away, or name another --directory");
  }
}

void create(const fs::path& file, std::string_view content, mode_t mode) {
  try {
    config::create_file(file, content, mode);
  } catch (const std::system_error& error) {
    throw Failure("cannot make " + file.string() + ": " + error.code().message());
  }
}

void make_key_and_request(const Enrolment& enrolment) {
  const x509::EvpPkey key = x509::generate_p256_key();
  x509::RequestContent content;
  content.subject = x509::parse_name("CN=" + enrolment.name);
  content.extensions = {"san=dns:" + enrolment.name, "ku:critical=digitalSignature", "eku=clientAuth"};
  const pkcs11::Bytes request = x509::certificate_request(key.get(), content);
  const fs::path key_file = enrolment.directory / "client-key.pem";
  create(key_file, x509::private_key_pem(key.get()).view(), kOwnerOnly);
  try {
    create(enrolment.directory / "client.csr", x509::to_pem(x509::kRequestLabel, request), kReadableByAll);
  } catch (const Failure&) {
    std::error_code error;
    fs::remove(key_file, error);  // nobody has used it
    throw;
  }
}

std::string test_command(const Enrolment& enrolment) {
  std::string text = "keystay test";
  for (const config::RemoteEndpoint& endpoint : enrolment.endpoints)
    text += " -endpoint " + config::format_remote_endpoint(endpoint);
  if (!enrolment.host.empty()) text += " -host " + enrolment.host;
  text += fmt::format(" -ca {} -certificate {} -key {}", enrolment.file("ca.pem"),
                      enrolment.file("client.pem"), enrolment.file("client-key.pem"));
  return text + (enrolment.label.empty() ? " -serial " + enrolment.serial : " -label " + enrolment.label);
}

}  // namespace

std::string fault_of_remote_endpoint(const std::string& text) {
  const auto endpoint = config::parse_remote_endpoint(text);
  if (endpoint && endpoint->socket.empty()) return {};
  return "\"" + text + "\": expected a name or an address and a port, hsm.example:4442" +
         (endpoint ? "; a socket of this machine needs no certificate" : "");
}

void RemoteEnrol::run(const StoreOptions& options) const {
  const Enrolment agreed = enrolment(*this, options);
  require_valid(agreed);
  require_absent(agreed);
  make_key_and_request(agreed);
  write_output({}, both_ends(agreed));
  fmt::print(stderr,
             "Made {0} (keep it here) and {1}. Next:\n"
             "1. have your authority sign {1}, for {2} with extendedKeyUsage clientAuth; its reply is {3}\n"
             "2. put the certificate of the authority that signed the one of {4} into {5}\n"
             "3. configure {4} as shown\n"
             "4. {6}\n"
             "5. when it says \"Connected\": write the section [token.{7}] into keystay.toml of this "
             "machine, and the PIN "
             "into {8}, which only the user of the server may read\n",
             agreed.file("client-key.pem"), agreed.file("client.csr"), agreed.name, agreed.file("client.pem"),
             agreed.endpoint_name(), agreed.file("ca.pem"), test_command(agreed), key_part(agreed.token),
             agreed.pin_file());
}

}  // namespace keystay::tools
