#include "keystore-tools/showinfo.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <openssl/ssl.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"

namespace keystay::tools {
namespace {

struct FreeSsl {
  void operator()(SSL* connection) const noexcept { SSL_free(connection); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(STACK_OF(SSL_CIPHER) * ciphers) const noexcept { sk_SSL_CIPHER_free(ciphers); }
};
template <typename T>
using Handle = std::unique_ptr<T, FreeSsl>;

struct Version {
  int number;
  const char* name;
};
constexpr std::array kVersions = std::to_array<Version>({{TLS1_3_VERSION, "TLSv1.3"},
                                                         {TLS1_2_VERSION, "TLSv1.2"},
                                                         {TLS1_1_VERSION, "TLSv1.1"},
                                                         {TLS1_VERSION, "TLSv1"}});

// Before TLS 1.2 signatures are made with SHA-1, which OpenSSL 3 has below security level 1 only.
bool is_offered(SSL_CTX* context, int version) {
  if (version < TLS1_2_VERSION && SSL_CTX_get_security_level(context) > 0) return false;
  const Handle<SSL> connection(SSL_new(context));
  if (!connection || SSL_set_min_proto_version(connection.get(), version) != 1 ||
      SSL_set_max_proto_version(connection.get(), version) != 1) {
    return false;
  }
  const Handle<STACK_OF(SSL_CIPHER)> ciphers(SSL_get1_supported_ciphers(connection.get()));
  return ciphers && sk_SSL_CIPHER_num(ciphers.get()) > 0;
}

std::string ruled(const std::string& title) { return title + "\n" + std::string(title.size(), '-') + "\n"; }

std::string lines(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

std::vector<std::string> offered_protocols(SSL_CTX* context) {
  std::vector<std::string> names;
  for (const Version& version : kVersions)
    if (is_offered(context, version.number)) names.emplace_back(version.name);
  return names;
}

std::vector<std::string> offered_suites(SSL_CTX* context) {
  std::vector<std::string> names;
  const Handle<SSL> connection(SSL_new(context));
  const Handle<STACK_OF(SSL_CIPHER)> ciphers(connection ? SSL_get1_supported_ciphers(connection.get())
                                                        : nullptr);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers.get()); ++i)
    names.emplace_back(SSL_CIPHER_standard_name(sk_SSL_CIPHER_value(ciphers.get(), i)));
  return names;
}

}  // namespace

void ShowInfo::run(const StoreOptions& /*options*/) const {
  if (!tls) throw UsageError("-showinfo shows what an option names: -tls");
  const Handle<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  if (!context) throw Failure("cannot start libssl");
  const std::vector<std::string> protocols = offered_protocols(context.get());
  const std::vector<std::string> suites = offered_suites(context.get());
  if (form == OutputForm::json) {
    return write_output({}, json_line({{"command", "showinfo"},
                                       {"protocols", boost::json::value_from(protocols)},
                                       {"cipher-suites", boost::json::value_from(suites)}}));
  }
  write_output({}, ruled("Enabled Protocols") + lines(protocols) + "\n" + ruled("Enabled Cipher Suites") +
                       lines(suites));
}

}  // namespace keystay::tools
