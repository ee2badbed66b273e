// A program's manual page and completions, from the declaration of its command line: what --help prints is
// the same.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace keystay::manual {

// How options are written: `-alias NAME` as keytool does, or `--alias NAME`.
enum class Form { keytool, gnu };

struct Section {
  std::string title;                 // "FILES"
  std::vector<std::string> entries;  // each a term, a tab, and a description
};

struct Page {
  std::string name;     // of the program
  std::string section;  // of the manual: "1", "8"
  std::string version;
  std::string date;  // YYYY-MM-DD
  Form form = Form::gnu;
  std::vector<Section> sections;  // after the options
};

// man(7).
void write_page(std::ostream& out, const CLI::App& app, const Page& page);

void write_bash_completion(std::ostream& out, const CLI::App& app, const Page& page);
void write_zsh_completion(std::ostream& out, const CLI::App& app, const Page& page);

}  // namespace keystay::manual
