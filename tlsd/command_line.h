// The command line of keystay-tlsd.
#pragma once

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include "native/config/configuration.h"

namespace keystay::tlsd {

struct CommandLine {
  std::filesystem::path configuration = config::configuration_file();
  std::string log_level = "info";
  bool check = false;
};

// Both must outlive app.parse().
inline void declare(CLI::App& app, CommandLine& line) {
  app.name("keystay-tlsd");
  app.description("TLS front-end for HTTP servers; the private keys stay in an HSM.");
  app.set_version_flag("--version", "keystay-tlsd " KEYSTAY_VERSION);
  app.add_option("-c,--config", line.configuration, "keystay.toml")->capture_default_str();
  app.add_option("--log-level", line.log_level, "error, warn, info or debug")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
      ->capture_default_str();
  app.add_subcommand("check", "Validate everything, with one test signature per key, and do not serve")
      ->fallthrough()
      ->callback([&line] { line.check = true; });
  app.require_subcommand(0, 1);
}

}  // namespace keystay::tlsd
