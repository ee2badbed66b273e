#include "packaging/manual/option.h"

#include <algorithm>
#include <cctype>

namespace keystay::manual {
namespace {

// keytool's names of options that CLI11 cannot have: -storepass:env.
std::string keytool_name(std::string name) {
  const std::size_t dash = name.rfind('-');
  const bool has_source = name.ends_with("-file") || name.ends_with("-env");
  const std::string secret = has_source ? name.substr(0, dash) : "";
  if (secret.ends_with("pass") || secret.ends_with("pin")) name[dash] = ':';
  return "-" + name;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

bool is_path(const std::string& name) {
  constexpr std::string_view kNames[] = {"file",         "conf",     "config",  "keystore",
                                         "module",       "infile",   "outfile", "srckeystore",
                                         "destkeystore", "srccerts", "policy",  "html"};
  return std::ranges::find(kNames, name) != std::ranges::end(kNames) || name.ends_with("-file");
}

// A word for the value in the text of the manual.
std::string value_name(const std::string& name) {
  if (is_path(name)) return "FILE";
  if (name == "alias" || name == "destalias" || name == "signer") return "ALIAS";
  const std::size_t source = name.rfind('-');
  return source == std::string::npos ? upper(name) : upper(name.substr(source + 1));
}

OptionText text_of(const CLI::Option& option, Form form) {
  OptionText text;
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    text.names.push_back(form == Form::keytool ? keytool_name(name) : "--" + name);
  const std::string& name =
      option.get_lnames().empty() ? option.get_snames().front() : option.get_lnames().front();
  if (option.get_items_expected_max() > 0) {
    text.value = value_name(name);
    text.is_file = is_path(name);
    text.default_value = option.get_default_str();
  }
  text.description = option.get_description();
  text.required = option.get_required();
  return text;
}

}  // namespace

std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) names.push_back(option->get_name(true));
  }
  return names;
}

std::vector<OptionText> options_of(const CLI::App& app, Form form) {
  std::vector<OptionText> texts;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == "Options" && !option->get_positional())
      texts.push_back(text_of(*option, form));
  }
  return texts;
}

std::vector<OptionText> common_options(const CLI::App& app, Form form) {
  const auto commands = commands_of(app);
  if (commands.empty()) return {};
  std::vector<OptionText> common = options_of(*commands.front(), form);
  for (const CLI::App* command : commands) {
    const auto theirs = options_of(*command, form);
    std::erase_if(
        common, [&](const OptionText& option) { return std::ranges::find(theirs, option) == theirs.end(); });
  }
  return common;
}

std::vector<OptionText> own_options(const CLI::App& command, const std::vector<OptionText>& common,
                                    Form form) {
  std::vector<OptionText> own = options_of(command, form);
  std::erase_if(own,
                [&](const OptionText& option) { return std::ranges::find(common, option) != common.end(); });
  return own;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string command_name(const CLI::App& command, Form form) {
  return form == Form::keytool ? "-" + command.get_name() : command.get_name();
}

}  // namespace keystay::manual
