// Another real token: NSS softokn on a database of its own, which certutil makes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace keystay::test {

// The token "NSS Certificate DB" with a user PIN. A module starts once in a process, with one set of
// arguments, so a process has one NssToken; the destructor calls C_Finalize if the test initialised softokn.
class NssToken final {
 public:
  NssToken();
  NssToken(const NssToken&) = delete;
  NssToken& operator=(const NssToken&) = delete;
  ~NssToken();

  // Empty where softokn and certutil are installed, else what is missing.
  [[nodiscard]] static std::string missing();
  [[nodiscard]] static std::filesystem::path module();

  [[nodiscard]] std::string arguments() const;  // where the database is
  [[nodiscard]] const std::string& pin() const noexcept { return pin_; }
  [[nodiscard]] const std::filesystem::path& pin_file() const noexcept { return pin_file_; }
  [[nodiscard]] const TemporaryDirectory& directory() const noexcept { return directory_; }

  // keystay.toml with [token.nss] as a file; returns its path, which KEYSTAY_CONF may name.
  [[nodiscard]] std::filesystem::path write_configuration(std::string_view more = "") const;

  // C_Finalize behind the program's back.
  static void finalize();

  // An EC key with a self-signed certificate of this nickname, as NSS's own tools make them.
  void make_native_key(const std::string& nickname) const;
  // certutil on the database, with its PIN: an independent hand and witness. Throws if it fails.
  std::string certutil(const Arguments& arguments) const;

 private:
  TemporaryDirectory directory_;
  std::string pin_ = "123456";
  std::filesystem::path pin_file_;
};

}  // namespace keystay::test
