// What ends a command: the message is complete, the type decides about the exit code.
#pragma once

#include <stdexcept>

namespace keystay::tools {

// The command line is wrong: exit code 2.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The command could not be done: exit code 1.
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace keystay::tools
