// What is said of a call that was not waited for.
#pragma once

#include <string>

#include "native/pkcs11/error.h"

namespace keystay::ha {

// It was left: CallEnd::left.
inline pkcs11::Error hung(const std::string& name) {
  return {pkcs11::ErrorClass::server,
          name +
              " did not answer within the time of one attempt; the call was left, and its "
              "thread with it. Check the HSM and the network"};
}

// It was not begun: CallEnd::not_begun.
inline pkcs11::Error crowded(const std::string& name) {
  return {pkcs11::ErrorClass::busy, name + " has no session free within the time of one attempt"};
}

}  // namespace keystay::ha
