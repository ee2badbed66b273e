// What passes between a process and its keystay-relay. On the control socket (SOCK_SEQPACKET): one message
// with the settings, then one for each connection, with the far end of a socket pair (SCM_RIGHTS). On that
// socket: one line that says what became of the connection, then the bytes of p11-kit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "native/config/remote_settings.h"

namespace keystay::remote {

inline constexpr int kControlDescriptor = 3;  // of keystay-relay
inline constexpr int kProcessDescriptor =
    4;  // a pidfd of the process that it serves (pidfd_open(2)), or closed
// The message that brings a connection begins so; the password of `pkcs12` follows.
inline constexpr char kLane = 'L';

// "KEY VALUE" lines.
[[nodiscard]] std::string format_relay_settings(const config::RemoteSettings& settings);
// Throws std::invalid_argument.
[[nodiscard]] config::RemoteSettings parse_relay_settings(std::string_view text);

struct Reached {
  int version;  // of p11-kit's protocol, the lower of both sides
  std::string endpoint;
};

// The line without its end: "+VERSION ENDPOINT", or "-REASON".
[[nodiscard]] std::string format_reached(const Reached& reached);
[[nodiscard]] std::optional<Reached> parse_reached(std::string_view line);

}  // namespace keystay::remote
