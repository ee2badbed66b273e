// Which SSL_CTX serves which server name, and to which sessions the name belongs.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

// RFC 6125, section 6.4.3: "*.example.com" stands for exactly one label. Both in lower case.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view name) noexcept;

// What SSL_set_session_id_context takes: a session of one is not resumed in another.
using SessionIdContext = std::array<unsigned char, 32>;

struct NamedContext {
  SSL_CTX* context = nullptr;
  SessionIdContext sessions{};
};

class SniTable final {
 public:
  // `pattern` is a dNSName in lower case, perhaps with a wildcard label in front. What the
  // context refers to must outlive the table. Of two for one pattern the first one stays.
  void add(const std::string& pattern, const NamedContext& context);

  // The context for the name that a client sent, in any case; null if none. Allocates nothing, for it runs on
  // the 32 KiB stack of a handshake's fibre.
  [[nodiscard]] const NamedContext* find(std::string_view server_name) const noexcept;

 private:
  std::map<std::string, NamedContext, std::less<>> exact_;
  std::map<std::string, NamedContext, std::less<>> wildcard_;  // by what follows "*."
};

}  // namespace keystay::tlsd
