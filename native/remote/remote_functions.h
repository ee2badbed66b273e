// A CK_FUNCTION_LIST for each connection. Cryptoki's functions are bare C functions, without an argument that
// says whose list they are from: so there is a set of functions for each of a number of places, made by the
// compiler, and a connection takes a place for as long as it lives.
#pragma once

#include <cstddef>
#include <memory>

#include "native/config/remote_settings.h"
#include "native/remote/remote_cryptoki.h"

namespace keystay::remote {

inline constexpr std::size_t kMostConnections = config::kMostLanes;

class RemoteFunctions final {
 public:
  // Throws pkcs11::Error (client) where all places are taken.
  explicit RemoteFunctions(std::shared_ptr<Connector> connector);
  RemoteFunctions(const RemoteFunctions&) = delete;
  RemoteFunctions& operator=(const RemoteFunctions&) = delete;
  ~RemoteFunctions();

  // Of PKCS #11 v2.40; functions that RemoteCryptoki does not have are null pointers.
  [[nodiscard]] CK_FUNCTION_LIST& list() const noexcept;

 private:
  RemoteCryptoki cryptoki_;
  std::size_t place_;
};

}  // namespace keystay::remote
