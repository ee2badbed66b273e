// Files with private keys in software, as openssl and the JDK's keytool write them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_ca.h"

namespace keystay::tools {

// A key and its certificate, in files of PEM.
struct SoftwareChain {
  std::string key;           // PKCS #8, not encrypted
  std::string certificates;  // the leaf and its intermediate
};

class KeyFiles final {
 public:
  // They are written there.
  explicit KeyFiles(const test::TemporaryDirectory& directory);

  // "rsa", "ec" or "ed25519".
  [[nodiscard]] SoftwareChain chain(const std::string& kind, const test::TestCa& ca) const;
  // Of all files below that have one.
  [[nodiscard]] const std::string& password() const noexcept { return password_; }
  [[nodiscard]] const std::string& password_file() const noexcept { return password_file_; }

  [[nodiscard]] std::string pkcs12(const SoftwareChain& made, const std::string& name) const;
  // PKCS #8 and the form of one algorithm, in PEM and DER, encrypted and not.
  [[nodiscard]] std::vector<std::string> all_forms(const SoftwareChain& made) const;
  // Made by the JDK's keytool, with a self-signed EC key of each name.
  [[nodiscard]] std::string pkcs12_of_jdk(const std::vector<std::string>& names,
                                          const test::Arguments& options = {}) const;

  // A JDK's.
  [[nodiscard]] static std::string keytool();

 private:
  [[nodiscard]] std::string file(const std::string& name) const;

  const test::TemporaryDirectory& directory_;
  std::string password_ = "changeit";
  std::string password_file_;
};

}  // namespace keystay::tools
