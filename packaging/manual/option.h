// What a manual and a completion want to know of an option.
#pragma once

#include <string>
#include <vector>

#include "packaging/manual/manual.h"

namespace keystay::manual {

struct OptionText {
  std::vector<std::string> names;  // as they are written: "-alias", "--config"
  std::string value;               // "FILE"; empty: it has none
  std::string description;
  std::string default_value;
  bool required = false;
  bool is_file = false;  // its value is a path

  friend bool operator==(const OptionText&, const OptionText&) = default;
};

// The words of a command that stand without an option: their names, in the order in which they are written.
[[nodiscard]] std::vector<std::string> words_of(const CLI::App& app);

// In the order of their declaration, without those of a group with a name of its own, which have no effect.
[[nodiscard]] std::vector<OptionText> options_of(const CLI::App& app, Form form);

// What all commands have; nothing if there are none. `own` leaves it out, and is everything of `app` else.
[[nodiscard]] std::vector<OptionText> common_options(const CLI::App& app, Form form);
[[nodiscard]] std::vector<OptionText> own_options(const CLI::App& command,
                                                  const std::vector<OptionText>& common, Form form);

[[nodiscard]] std::vector<const CLI::App*> commands_of(const CLI::App& app);

[[nodiscard]] std::string command_name(const CLI::App& command, Form form);

}  // namespace keystay::manual
