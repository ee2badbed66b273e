#include <ostream>
#include <string_view>

#include "packaging/manual/manual.h"
#include "packaging/manual/option.h"

namespace keystay::manual {
namespace {

// Text as troff takes it: no hyphen becomes a dash, and no line is a request.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if ((c == '.' || c == '\'') && (result.empty() || result.back() == '\n')) {
      result += "\\&";
      result += c;
    } else {
      result += c;
    }
  }
  return result;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

void write_options(std::ostream& out, const std::vector<OptionText>& options) {
  for (const OptionText& option : options) {
    out << ".TP\n";
    for (std::size_t i = 0; i < option.names.size(); ++i) out << (i > 0 ? ", " : "") << bold(option.names[i]);
    if (!option.value.empty()) out << ' ' << italic(option.value);
    out << '\n' << escaped(option.description);
    if (option.required) out << " (required)";
    if (!option.default_value.empty()) out << " (default: " << escaped(option.default_value) << ')';
    out << '\n';
  }
}

}  // namespace

void write_page(std::ostream& out, const CLI::App& app, const Page& page) {
  out << ".TH " << page.name << ' ' << page.section << ' ' << page.date << " \"Keystay " << page.version
      << "\"\n";
  std::string summary = app.get_description();
  if (summary.ends_with('.')) summary.pop_back();
  out << ".SH NAME\n" << page.name << " \\- " << escaped(summary) << '\n';
  out << ".SH SYNOPSIS\n" << bold(page.name);
  const auto commands = commands_of(app);
  if (!commands.empty()) {
    const bool needs_one = app.get_require_subcommand_min() > 0;
    out << (needs_one ? " " : " [") << italic(page.form == Form::keytool ? "-command" : "command")
        << (needs_one ? "" : "]");
  }
  out << " [" << italic("options") << "]\n";
  if (!app.get_footer().empty()) out << ".PP\n" << escaped(app.get_footer()) << '\n';
  out << ".SH OPTIONS\n";
  write_options(out, options_of(app, page.form));
  const auto common = common_options(app, page.form);
  if (!commands.empty()) out << ".SH COMMANDS\n";
  for (const CLI::App* command : commands) {
    out << ".SS " << bold(command_name(*command, page.form));
    for (const std::string& word : words_of(*command)) out << ' ' << italic(word);
    out << '\n' << escaped(command->get_description()) << '\n';
    write_options(out, own_options(*command, common, page.form));
  }
  if (commands.size() > 1) {
    out << ".SS Options of every command\n";
    write_options(out, common);
  }
  for (const Section& section : page.sections) {
    out << ".SH " << section.title << '\n';
    for (const std::string& entry : section.entries) {
      const std::size_t tab = entry.find('\t');
      out << ".TP\n" << bold(entry.substr(0, tab)) << '\n' << escaped(entry.substr(tab + 1)) << '\n';
    }
  }
}

}  // namespace keystay::manual
