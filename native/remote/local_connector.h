// Connections to a `p11-kit server` of this machine, on its UNIX socket.
#pragma once

#include "native/remote/connector.h"

namespace keystay::remote {

class LocalConnector final : public Connector {
 public:
  using Connector::Connector;

  [[nodiscard]] Connection connect(pkcs11::Deadline deadline) override;
};

}  // namespace keystay::remote
