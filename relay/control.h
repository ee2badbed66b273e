// What the process that is served tells its relay: docs/design/remote.md.
#pragma once

#include <optional>
#include <string_view>

#include "native/pkcs11/pin.h"

namespace keystay::relay {

// One message of the control socket, with the descriptor that came with it.
struct Message {
  pkcs11::Pin text;               // there may be a password in it
  std::optional<int> descriptor;  // the receiver's to close

  [[nodiscard]] std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(text.bytes().data()), text.size()};
  }
};

// Nothing at the end of the process that is served.
[[nodiscard]] std::optional<Message> receive_message(int control);

}  // namespace keystay::relay
