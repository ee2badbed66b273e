// A connection of p11-kit's own client module to `p11-kit server`.
#pragma once

#include <string>

#include "native/pkcs11/cryptoki.h"

namespace keystay::bench {

// p11-kit's client makes a connection for each C_GetFunctionList, and does one call at a time on it. Logged
// in for as long as it lives.
class P11KitConnection final {
 public:
  // Sets P11_KIT_SERVER_ADDRESS, which is where the client reads where to connect. The server offers one
  // token. Throws std::runtime_error where the client is not installed, and pkcs11::Error.
  P11KitConnection(const std::string& socket, const std::string& pin);
  P11KitConnection(const P11KitConnection&) = delete;
  P11KitConnection& operator=(const P11KitConnection&) = delete;
  ~P11KitConnection();  // C_Finalize

  [[nodiscard]] CK_FUNCTION_LIST& functions() const noexcept { return *functions_; }
  [[nodiscard]] CK_SLOT_ID slot() const noexcept { return slot_; }

 private:
  void log_in(const std::string& pin);

  CK_FUNCTION_LIST* functions_ = nullptr;
  CK_SLOT_ID slot_ = 0;
};

}  // namespace keystay::bench
