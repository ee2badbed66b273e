#include "relay/client_context.h"

#include <cstring>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace keystay::relay {
namespace {

constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048 bits, no SHA-1

[[noreturn]] void fail(const char* key, const std::filesystem::path& file) {
  throw std::runtime_error(std::string(key) + ": cannot use " + file.string() + ": " + openssl_reasons());
}

}  // namespace

std::string openssl_reasons() {
  std::string reasons;
  while (const unsigned long code = ERR_get_error()) {
    const char* text =
        ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    const std::string reason = text != nullptr ? text : "error " + std::to_string(code);
    if (reasons.find(reason) != std::string::npos) continue;  // each layer repeats the one below it
    reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  return reasons;
}

boost::asio::ssl::context client_context(const config::RemoteSettings& settings) {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
  SSL_CTX* native = context.native_handle();
  ERR_clear_error();
  SSL_CTX_set_security_level(native, kSecurityLevel);
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_file(native, settings.ca.c_str()) != 1) fail("ca", settings.ca);
  if (SSL_CTX_use_certificate_chain_file(native, settings.certificate.c_str()) != 1)
    fail("certificate", settings.certificate);
  if (SSL_CTX_use_PrivateKey_file(native, settings.key.c_str(), SSL_FILETYPE_PEM) != 1)
    fail("key", settings.key);
  if (SSL_CTX_check_private_key(native) != 1)
    throw std::runtime_error("key: " + settings.key.string() + " is not the key of the certificate in " +
                             settings.certificate.string());
  return context;
}

}  // namespace keystay::relay
