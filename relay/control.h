// What the process that is served tells its relay: docs/design/remote.md.
#pragma once

#include <optional>
#include <string>

namespace keystay::relay {

// One message of the control socket, with the descriptor that came with it.
struct Message {
  std::string text;
  std::optional<int> descriptor;  // the receiver's to close
};

// Nothing at the end of the process that is served.
[[nodiscard]] std::optional<Message> receive_message(int control);

}  // namespace keystay::relay
