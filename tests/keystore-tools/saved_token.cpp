#include "tests/keystore-tools/saved_token.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>

namespace keystay::tools {

namespace fs = std::filesystem;

std::vector<std::string> SavedTokenTest::entries() const {
  std::vector<std::string> entries;
  std::istringstream lines(done({"-list", "-v"}));
  for (std::string line; std::getline(lines, line);) {
    const auto rest = [&](std::string_view key) -> std::optional<std::string> {
      return line.starts_with(key) ? std::optional(line.substr(key.size())) : std::nullopt;
    };
    if (const auto alias = rest("Alias name: ")) entries.push_back(*alias);
    if (const auto type = rest("Entry type: ")) entries.back() += " " + *type;
    if (const auto length = rest("Certificate chain length: ")) entries.back() += " " + *length;
  }
  return entries;
}

std::vector<std::string> SavedTokenTest::labels() const {
  std::vector<std::string> labels;
  for (const std::string& object : objects()) {
    const std::size_t at = object.find("label:");
    const std::string label =
        at == std::string::npos ? "" : object.substr(at + 6, object.find('\n', at) - at - 6);
    labels.push_back(object.substr(0, object.find(' ')) + label.substr(label.find_first_not_of(' ')));
  }
  std::ranges::sort(labels);
  return labels;
}

void SavedTokenTest::save(const std::string& name) const {
  fs::remove_all(copy(name));
  fs::copy(tokens(), copy(name), fs::copy_options::recursive);
}

// The directory itself may be a mount point.
void SavedTokenTest::restore(const std::string& name) const {
  for (const fs::directory_entry& file : fs::directory_iterator(tokens())) fs::remove_all(file.path());
  fs::copy(copy(name), tokens(), fs::copy_options::recursive);
}

bool SavedTokenTest::soak() { return std::getenv("KEYSTAY_SOAK") != nullptr; }

fs::path SavedTokenTest::copy(const std::string& name) const {
  return token_.directory().path() / ("copy-" + name);
}

}  // namespace keystay::tools
