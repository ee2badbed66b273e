// What is wrong in a configuration file, and what to write instead.
#pragma once

#include <stdexcept>

namespace keystay::config {

// The message is complete: `/etc/keystay/keystay.toml:12: token.web.sessions: expected 1 to 1024, got 0`.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace keystay::config
