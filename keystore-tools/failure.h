// What ends a command: the message is complete, the type decides about the exit code.
#pragma once

#include <stdexcept>

#include "native/pkcs11/error.h"
#include "native/x509/error.h"

namespace keystay::tools {

// The command line is wrong: exit code 2.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs `parse`, which reads a value of the command line: what it refuses is a UsageError.
template <typename Parse>
decltype(auto) argument(const Parse& parse) {
  try {
    return parse();
  } catch (const pkcs11::Error& error) {
    throw UsageError(error.what());
  } catch (const x509::Error& error) {
    throw UsageError(error.what());
  }
}

// The command could not be done: exit code 1.
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace keystay::tools
