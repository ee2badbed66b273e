// A token that a test saves and restores, and what it holds, so that commands can be tried again and again
// from one state.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {

class SavedTokenTest : public KeystayTest {
 protected:
  struct State {
    std::vector<std::string> entries;
    std::vector<std::string> labels;

    friend bool operator==(const State&, const State&) = default;
    friend void PrintTo(const State& state, std::ostream* stream) {
      *stream << testing::PrintToString(state.entries) << " of " << testing::PrintToString(state.labels);
    }
  };

  explicit SavedTokenTest(test::SoftHsmOptions options = {.front = test::Front::fault_module})
      : KeystayTest(options) {}

  // "httpd PrivateKeyEntry 2": alias, type, and how many certificates its chain has.
  [[nodiscard]] std::vector<std::string> entries() const;
  // Kind and label of all objects, sorted, as pkcs11-tool sees them.
  [[nodiscard]] std::vector<std::string> labels() const;
  [[nodiscard]] State state() const { return {entries(), labels()}; }

  // What the token is. No process may use it meanwhile.
  void save(const std::string& name) const;
  void restore(const std::string& name) const;
  [[nodiscard]] std::filesystem::path tokens() const { return token_.directory().path() / "tokens"; }

  // Longer tests are asked for by KEYSTAY_SOAK.
  [[nodiscard]] static bool soak();

 private:
  [[nodiscard]] std::filesystem::path copy(const std::string& name) const;
};

}  // namespace keystay::tools
