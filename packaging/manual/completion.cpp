#include <ostream>
#include <set>
#include <string_view>

#include "packaging/manual/manual.h"
#include "packaging/manual/option.h"

namespace keystay::manual {
namespace {

std::string function_name(std::string program) {
  for (char& c : program) {
    if (c == '-') c = '_';
  }
  return "_" + program;
}

std::string joined_names(const std::vector<OptionText>& options) {
  std::string names;
  for (const OptionText& option : options) {
    for (const std::string& name : option.names) names += " " + name;
  }
  return names;
}

// What zsh's _arguments takes for a description: no bracket, colon or quote of its own.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\'' || c == '\\') continue;
    result += c;
  }
  return result;
}

void write_zsh_arguments(std::ostream& out, const std::vector<OptionText>& options, std::string_view indent) {
  for (const OptionText& option : options) {
    for (const std::string& name : option.names) {
      std::string escaped;
      for (const char c : name) escaped += c == ':' ? "\\:" : std::string(1, c);
      out << " \\\n" << indent << "'" << escaped << '[' << plain(option.description) << ']';
      if (!option.value.empty()) out << ':' << option.value << ':' << (option.is_file ? "_files" : " ");
      out << '\'';
    }
  }
}

}  // namespace

void write_bash_completion(std::ostream& out, const CLI::App& app, const Page& page) {
  const std::string function = function_name(page.name);
  out << "# bash completion for " << page.name << "\n"
      << function << "()\n{\n"
      << "    local cur prev words cword\n"
      << "    _init_completion -n : || return\n";
  std::set<std::string> path_options;
  const auto add_paths = [&](const CLI::App& command) {
    for (const OptionText& option : options_of(command, page.form)) {
      if (!option.is_file) continue;
      path_options.insert(option.names.begin(), option.names.end());
    }
  };
  add_paths(app);
  for (const CLI::App* command : commands_of(app)) add_paths(*command);
  std::string paths;
  for (const std::string& name : path_options) paths += (paths.empty() ? "" : "|") + name;
  out << "    case \"$prev\" in\n        " << paths << ") _filedir; return ;;\n    esac\n"
      << "    local options=\"" << joined_names(options_of(app, page.form)) << "\" word\n"
      << "    local known=\"\"\n"
      << "    for word in \"${words[@]:1:cword-1}\"; do\n        case \"$word\" in\n";
  std::string names;
  for (const CLI::App* command : commands_of(app)) {
    const std::string name = command_name(*command, page.form);
    names += " " + name;
    out << "            " << name << ") known=yes options=\"" << joined_names(options_of(*command, page.form))
        << "\" ;;\n";
  }
  out << "            *) ;;\n        esac\n    done\n"
      << "    [[ -n \"$known\" ]] || options+=\"" << names << "\"\n"
      << "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
      << "    __ltrim_colon_completions \"$cur\"\n"
      << "} && complete -F " << function << ' ' << page.name << '\n';
}

void write_zsh_completion(std::ostream& out, const CLI::App& app, const Page& page) {
  out << "#compdef " << page.name << "\n\nlocal -a commands\ncommands=(\n";
  for (const CLI::App* command : commands_of(app)) {
    out << "  '" << command_name(*command, page.form) << ':' << plain(command->get_description()) << "'\n";
  }
  out << ")\n\nlocal word\nfor word in ${words[2,CURRENT-1]}; do\n  case $word in\n";
  for (const CLI::App* command : commands_of(app)) {
    out << "    (" << command_name(*command, page.form) << ")\n      _arguments";
    write_zsh_arguments(out, options_of(*command, page.form), "        ");
    out << " \\\n        '*: :'\n      return\n      ;;\n";
  }
  out << "  esac\ndone\n_describe -o command commands\n_arguments";
  write_zsh_arguments(out, options_of(app, page.form), "  ");
  out << '\n';
}

}  // namespace keystay::manual
