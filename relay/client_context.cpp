#include "relay/client_context.h"

#include <cstring>
#include <stdexcept>
#include <string_view>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "relay/pkcs12_identity.h"

namespace keystay::relay {

std::string openssl_reasons() {
  std::string reasons;
  while (const unsigned long code = ERR_get_error()) {
    const char* text =
        ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    const std::string reason = text != nullptr ? text : "error " + std::to_string(code);
    if (reasons.find(reason) != std::string::npos) continue;     // each layer repeats the one below it
    if (!reasons.empty() && reason.ends_with(" lib")) continue;  // "PEM lib": only that it came from there
    reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  return reasons;
}

namespace {

constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048 bits, no SHA-1

// Where libcrypto's words would not say it: that another file was meant.
std::string reason_of(const char* key) {
  const unsigned long code = ERR_peek_error();
  const bool is_key = std::string_view(key) == "key";
  const bool is_no_pem =
      !ERR_SYSTEM_ERROR(code) &&
      (is_key ? ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER && ERR_GET_REASON(code) == ERR_R_UNSUPPORTED
              : ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE);
  if (is_no_pem)
    return std::string("there is no ") + (is_key ? "private key" : "certificate") + " in PEM form in it";
  const std::string reasons = openssl_reasons();
  const bool is_encrypted = reasons.find("password") != std::string::npos;
  return is_encrypted ? "it is encrypted, and there is nobody to ask for its password" : reasons;
}

[[noreturn]] void fail(const char* key, const std::filesystem::path& file) {
  throw std::runtime_error(std::string(key) + ": cannot use " + file.string() + ": " + reason_of(key));
}

bool is_another_key() {
  const unsigned long code = ERR_peek_error();
  return ERR_GET_LIB(code) == ERR_LIB_X509 && (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
                                               ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH);
}

void use_key(SSL_CTX* context, const config::RemoteSettings& settings) {
  const bool taken = SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) == 1;
  if (taken && SSL_CTX_check_private_key(context) == 1) return;
  if (!taken && !is_another_key()) fail("key", settings.key);
  throw std::runtime_error("key: " + settings.key.string() + " is not the key of the certificate in " +
                           settings.certificate.string());
}

void use_pem_files(SSL_CTX* native, const config::RemoteSettings& settings) {
  if (SSL_CTX_use_certificate_chain_file(native, settings.certificate.c_str()) != 1)
    fail("certificate", settings.certificate);
  use_key(native, settings);
}

void use_pkcs12_file(SSL_CTX* native, const config::RemoteSettings& settings, const pkcs11::Pin& password) {
  const Pkcs12Identity identity = read_pkcs12(settings.pkcs12, password);
  if (SSL_CTX_use_cert_and_key(native, identity.certificate.get(), identity.key.get(), identity.issuers.get(),
                               1) != 1)
    fail("pkcs12", settings.pkcs12);
}

}  // namespace

boost::asio::ssl::context client_context(const config::RemoteSettings& settings,
                                         const pkcs11::Pin& password) {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
  SSL_CTX* native = context.native_handle();
  ERR_clear_error();
  SSL_CTX_set_security_level(native, kSecurityLevel);
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_file(native, settings.ca.c_str()) != 1) fail("ca", settings.ca);
  if (settings.pkcs12.empty()) {
    use_pem_files(native, settings);
  } else {
    use_pkcs12_file(native, settings, password);
  }
  return context;
}

}  // namespace keystay::relay
