#include "keystore-tools/output_option.h"

#include <map>
#include <string>

#include <CLI/CLI.hpp>

namespace keystay::tools {

void declare_output(CLI::App& options, OutputForm& form) {
  static const std::map<std::string, OutputForm> kForms{{"json", OutputForm::json},
                                                        {"text", OutputForm::text}};
  options
      .add_option_function<std::string>(
          "--o,--output", [&form](const std::string& name) { form = kForms.at(name); },
          "json: one line of JSON; text: for people")
      ->check(CLI::IsMember(kForms))
      ->default_str("text");
}

}  // namespace keystay::tools
