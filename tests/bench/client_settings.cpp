#include "tests/bench/client_settings.h"

#include <cstring>
#include <memory>
#include <stdexcept>

#include <netdb.h>

#include "tests/bench/openssl_error.h"

namespace keystay::bench {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

int protocol(const std::string& version) {
  if (version == "1.3") return TLS1_3_VERSION;
  if (version == "1.2") return TLS1_2_VERSION;
  throw std::invalid_argument("TLS version " + version + "; 1.2 and 1.3 are known");
}

}  // namespace

ServerAddress ServerAddress::parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw std::invalid_argument(text + " is not host:port");
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &list);
  if (error != 0) throw std::invalid_argument(text + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  ServerAddress result;
  result.size = list->ai_addrlen;
  std::memcpy(&result.address, list->ai_addr, list->ai_addrlen);
  return result;
}

ClientContext::ClientContext(const TlsOptions& options) : libctx_(OSSL_LIB_CTX_new()) {
  context_.reset(SSL_CTX_new_ex(libctx_.get(), nullptr, TLS_client_method()));
  require(context_ != nullptr, "SSL_CTX_new_ex");
  const int version = protocol(options.version);
  require(SSL_CTX_set_min_proto_version(context_.get(), version) == 1, "SSL_CTX_set_min_proto_version");
  require(SSL_CTX_set_max_proto_version(context_.get(), version) == 1, "SSL_CTX_set_max_proto_version");
  require(SSL_CTX_set1_groups_list(context_.get(), options.groups.c_str()) == 1, "SSL_CTX_set1_groups_list");
  if (!options.signature_algorithms.empty()) {
    require(SSL_CTX_set1_sigalgs_list(context_.get(), options.signature_algorithms.c_str()) == 1,
            "SSL_CTX_set1_sigalgs_list");
  }
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
}

}  // namespace keystay::bench
