// keystay-manual OUTPUT DATE: writes the manual pages and completions of both programs into a directory.
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>

#include "keystore-tools/command_line.h"
#include "packaging/manual/manual.h"
#include "tlsd/command_line.h"

namespace keystay::manual {
namespace {

namespace fs = std::filesystem;

Page tool_page() {
  Page page{"keystay", "1", KEYSTAY_VERSION, "", Form::keytool, {}};
  page.sections = {
      {"ENVIRONMENT", {"KEYSTAY_CONF\tThe configuration file, where -conf does not name one."}},
      {"FILES",
       {"/etc/keystay/keystay.toml\tThe tokens, and where their PINs come from.",
        "/usr/share/doc/keystay\tThe manual: keystay.md has each command with examples, configuration.md "
        "each "
        "setting, errors.md each message."}},
      {"EXIT STATUS",
       {"0\tDone.", "1\tIt failed; one line on standard error says what, on what, why, and what to do.",
        "2\tThe command line is wrong."}},
      {"SEE ALSO", {"keystay-tlsd(8), keytool(1), openssl(1), pkcs11-tool(1), p11tool(1)\t"}}};
  return page;
}

Page server_page() {
  Page page{"keystay-tlsd", "8", KEYSTAY_VERSION, "", Form::gnu, {}};
  page.sections = {
      {"SIGNALS",
       {"SIGHUP\tReads the configuration again; if anything is wrong, nothing changes.",
        "SIGTERM, SIGINT\tStops when the requests in flight are answered; a second one stops at once."}},
      {"ENVIRONMENT",
       {"KEYSTAY_CONF\tThe configuration file, where --config does not name one.",
        "NOTIFY_SOCKET, CREDENTIALS_DIRECTORY\tSet by systemd; see sd_notify(3) and systemd.exec(5)."}},
      {"FILES",
       {"/etc/keystay/keystay.toml\tTokens, listeners, certificates and backends.",
        "/usr/share/doc/keystay/tlsd.md\tThe manual: every option, metric and line of the log."}},
      {"EXIT STATUS",
       {"0\tStopped in order, or all is well (check).",
        "1\tIt could not start, check found a fault, or connections had to be cut.",
        "2\tThe command line is wrong."}},
      {"SEE ALSO", {"keystay(1), openssl(1), systemd.service(5)\t"}}};
  return page;
}

void write(const fs::path& file, const std::function<void(std::ostream&)>& content) {
  std::ofstream out(file);
  content(out);
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

void write_all(const fs::path& directory, const CLI::App& app, const Page& page) {
  write(directory / (page.name + "." + page.section), [&](std::ostream& out) { write_page(out, app, page); });
  write(directory / (page.name + ".bash"), [&](std::ostream& out) { write_bash_completion(out, app, page); });
  write(directory / ("_" + page.name), [&](std::ostream& out) { write_zsh_completion(out, app, page); });
}

void run(const fs::path& directory, const std::string& date) {
  Page tool = tool_page();
  Page server = server_page();
  tool.date = server.date = date;
  tools::with_declaration([&](const CLI::App& app) { write_all(directory, app, tool); });
  tlsd::CommandLine line;
  CLI::App app;
  tlsd::declare(app, line);
  write_all(directory, app, server);
}

}  // namespace
}  // namespace keystay::manual

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error("usage: keystay-manual DIRECTORY DATE");
    keystay::manual::run(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "keystay-manual: " << error.what() << '\n';
    return 1;
  }
}
