#include "keystore-tools/printcert.h"

#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/entry_json.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/server_chain.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/certificate_text.h"
#include "native/x509/pem.h"

namespace keystay::tools {
namespace {

using keys::Certificate;

std::string text_of(const Certificate& certificate, bool rfc) {
  return rfc ? x509::to_pem(x509::kCertificateLabel, certificate.der)
             : x509::describe_certificate(certificate);
}

// keytool numbers them where there are several, and parts them by an empty line.
std::string of_file(const std::vector<Certificate>& certificates, bool rfc) {
  std::string text;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    if (i > 0) text += "\n";
    if (certificates.size() > 1) text += fmt::format("Certificate[{}]:\n", i + 1);
    text += text_of(certificates[i], rfc);
  }
  return text;
}

std::string of_server(const std::vector<Certificate>& certificates, bool rfc) {
  std::string text;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    if (rfc)
      text += text_of(certificates[i], rfc);
    else
      text += fmt::format("Certificate #{}\n====================================\n{}\n", i,
                          text_of(certificates[i], rfc));
  }
  return text;
}

boost::json::object in_json(const Certificate& certificate) {
  boost::json::object object = certificate_in_json(certificate);
  object["key"] = certificate.public_key ? boost::json::value(x509::describe_key(*certificate.public_key))
                                         : boost::json::value(nullptr);
  object["pem"] = x509::to_pem(x509::kCertificateLabel, certificate.der);
  return object;
}

std::string in_json(const std::vector<Certificate>& certificates) {
  boost::json::array array;
  for (const Certificate& certificate : certificates) array.push_back(in_json(certificate));
  return json_line({{"command", "printcert"}, {"certificates", std::move(array)}});
}

}  // namespace

void PrintCert::run(const StoreOptions& /*options*/) const {
  if (!jar.empty()) {
    throw UsageError(
        "-jarfile " + jar +
        ": keystay reads no signed archives; use the JDK's keytool -printcert -jarfile, which needs no "
        "key store");
  }
  if (!server.empty()) {
    const std::vector<Certificate> chain = server_chain(server);
    return write_output({}, form == OutputForm::json ? in_json(chain) : of_server(chain, rfc));
  }
  try {
    const std::vector<Certificate> certificates = x509::read_certificates(read_input(file));
    write_output({}, form == OutputForm::json ? in_json(certificates) : of_file(certificates, rfc));
  } catch (const x509::Error& error) {
    throw Failure((file.empty() ? "standard input" : file.string()) + ": " + error.what());
  }
}

}  // namespace keystay::tools
