// Which SSL_CTX serves which server name.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

// RFC 6125, section 6.4.3: "*.example.com" stands for exactly one label. Both in lower case.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view name) noexcept;

class SniTable final {
 public:
  // `pattern` is a dNSName in lower case, perhaps with a wildcard label in front. `context` must outlive the
  // table.
  void add(const std::string& pattern, SSL_CTX* context);

  // The context for the name that a client sent, in any case; null if none. Allocates nothing, for it runs on
  // the 32 KiB stack of a handshake's fibre.
  [[nodiscard]] SSL_CTX* find(std::string_view server_name) const noexcept;

 private:
  std::map<std::string, SSL_CTX*, std::less<>> exact_;
  std::map<std::string, SSL_CTX*, std::less<>> wildcard_;  // by what follows "*."
};

}  // namespace keystay::tlsd
