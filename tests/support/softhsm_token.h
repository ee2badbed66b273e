// A real token: SoftHSMv2 in a directory of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fault_control.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace keystay::test {

// What stands between the program under test and SoftHSM.
enum class Front {
  none,
  fault_module,  // libkeystay-fault-module.so, driven by faults()
};

struct SoftHsmOptions {
  Front front = Front::none;
  bool reset_on_fork = false;  // library.reset_on_fork of softhsm2.conf; Debian's default is false
};

// A token with this label, an SO PIN and a user PIN, in a fresh token directory. Sets SOFTHSM2_CONF for this
// process and its children.
//
// SoftHSM reads SOFTHSM2_CONF and the token directory at C_Initialize, so:
// - one SoftHsmToken lives in a process at a time (a second one throws std::logic_error);
// - its destructor calls C_Finalize if the test initialised SoftHSM, so that the next test of the same
// program gets
//   a new, empty token of its own. Whatever still uses the module must be gone by then: declare the token
//   first;
// - several tokens of one test are slots of one SoftHSM: add_token(), before the module's first use;
// - tokens that fail apart from one another need a process each: run one with environment().
// The token itself is made by softhsm2-util in a child process: this one has not loaded the module.
class SoftHsmToken final {
 public:
  explicit SoftHsmToken(std::string label = "web", SoftHsmOptions options = {});
  SoftHsmToken(const SoftHsmToken&) = delete;
  SoftHsmToken& operator=(const SoftHsmToken&) = delete;
  ~SoftHsmToken();

  // The module to load: SoftHSM, or the fault module in front of it.
  [[nodiscard]] const std::filesystem::path& module() const noexcept { return module_; }
  [[nodiscard]] const std::string& label() const noexcept { return label_; }
  [[nodiscard]] const std::string& serial() const noexcept { return serial_; }
  [[nodiscard]] const std::string& pin() const noexcept { return pin_; }
  [[nodiscard]] const std::string& so_pin() const noexcept { return so_pin_; }
  [[nodiscard]] const std::filesystem::path& pin_file() const noexcept { return pin_file_; }
  // For files of the test.
  [[nodiscard]] const TemporaryDirectory& directory() const noexcept { return directory_; }

  // keystay.toml with [token.web], whatever the label is.
  [[nodiscard]] std::string configuration() const;
  // The same with the given lines appended, as a file; returns its path, which KEYSTAY_CONF may name.
  [[nodiscard]] std::filesystem::path write_configuration(std::string_view more = "") const;

  // What a process that does not descend from this one needs. Children inherit it anyway.
  [[nodiscard]] Environment environment() const;

  // Another token in the same SoftHSM, with the same PINs; the label may be one that exists. Returns its
  // serial.
  std::string add_token(const std::string& label);

  // Where SoftHSM keeps the token with this serial number.
  [[nodiscard]] std::filesystem::path token_directory(const std::string& serial) const;
  // Takes that token from SoftHSM, before its first use, and returns the path of a copy of SoftHSM that has
  // this token alone: what one process does with several of them, none sees of the others'. The copy finds
  // its configuration by a variable of its own, which this process and its children have from now on.
  [[nodiscard]] std::filesystem::path take_apart(const std::string& serial);

  // The test's control over the fault module. Throws std::logic_error without one in front.
  [[nodiscard]] FaultControl& faults();

  // pkcs11-tool (OpenSC) on the token, logged in: an independent hand and witness. Throws if it fails.
  std::string pkcs11_tool(const Arguments& arguments) const;

  // The real module, by the path that SoftHSM has on this system.
  [[nodiscard]] static std::filesystem::path softhsm();

 private:
  [[nodiscard]] std::vector<std::string> serials() const;

  TemporaryDirectory directory_;
  std::string label_;
  std::string serial_;
  std::vector<std::string> serials_;  // of all its tokens, sorted
  std::size_t taken_apart_ = 0;
  std::string pin_ = "123456";
  std::string so_pin_ = "87654321";
  std::filesystem::path pin_file_;
  std::filesystem::path module_;
  std::unique_ptr<FaultControl> faults_;
};

}  // namespace keystay::test
