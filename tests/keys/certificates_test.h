// What the tests of certificates share: leaves of any age, what is on the token, and another hand that writes
// to it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "tests/keys/key_store_test.h"

namespace keystay::keys {

using std::chrono::hours;

class Certificates : public KeyStoreTest {
 protected:
  static LeafOptions begun(hours ago) {
    LeafOptions options;
    options.valid_from = -ago;
    return options;
  }

  std::size_t certificates() const {
    std::size_t count = 0;
    for (const std::string& line : inventory()) count += line.starts_with("certificate") ? 1 : 0;
    return count;
  }

  // Another hand writes a certificate.
  void write_by_pkcs11_tool(const Certificate& certificate, const std::string& label, const std::string& id) {
    const auto file = hsm_.directory().write(
        "certificate.der", {reinterpret_cast<const char*>(certificate.der.data()), certificate.der.size()});
    hsm_.pkcs11_tool({"--write-object", file, "--type", "cert", "--label", label, "--id", id});
  }
};

}  // namespace keystay::keys
