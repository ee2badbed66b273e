// keystay-tlsd: a TLS front-end whose keys stay in an HSM.
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "native/config/configuration.h"
#include "native/config/error.h"
#include "tlsd/certificate.h"
#include "tlsd/check.h"
#include "tlsd/server.h"

namespace {

using namespace keystay;

enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2 };

struct Options {
  std::filesystem::path configuration = config::configuration_file();
  std::string log_level = "info";
  bool check = false;
};

config::TlsdSettings read_settings(const std::filesystem::path& file) {
  config::TlsdSettings settings = config::read_configuration(file).tlsd;
  if (settings.listeners.empty()) {
    throw config::Error(file.string() + ": there is no [[tlsd.listener]]; docs/user/tlsd.md shows one");
  }
  return settings;
}

bool needs_provider(const config::TlsdSettings& settings) {
  for (const auto& listener : settings.listeners) {
    for (const auto& certificate : listener.certificates) {
      if (!tlsd::names_file(certificate)) return true;
    }
  }
  return false;
}

int serve(const Options& options, const tlsd::LibraryContext& library, const config::TlsdSettings& settings) {
  tlsd::Server server(library, settings, [&] {
    config::TlsdSettings fresh = read_settings(options.configuration);
    if (needs_provider(fresh) && !library.has_keystay()) {
      throw config::Error("the first certificate whose key is on a token needs a restart");
    }
    return fresh;
  });
  server.handle_signals();
  const int code = server.run() == tlsd::Server::End::drained ? kDone : kFailed;
  if (server.stuck()) {
    // A thread is inside the token's library; whatever would tidy up around it might crash.
    spdlog::default_logger()->flush();
    std::_Exit(code);
  }
  return code;
}

int run(const Options& options) {
  const config::TlsdSettings settings = read_settings(options.configuration);
  tlsd::LibraryContext library;
  if (needs_provider(settings)) library.load_keystay(tlsd::module_directory(), options.configuration);
  if (options.check) return tlsd::check(library, settings, std::cout, std::cerr) ? kDone : kFailed;
  return serve(options, library, settings);
}

void set_up_log(const Options& options) {
  auto logger = spdlog::stderr_logger_mt("keystay-tlsd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l: %v");
  logger->set_level(spdlog::level::from_str(options.log_level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("TLS front-end for HTTP servers; the private keys stay in an HSM.", "keystay-tlsd");
  app.set_version_flag("--version", "keystay-tlsd " KEYSTAY_VERSION);
  app.add_option("-c,--config", options.configuration, "keystay.toml")->capture_default_str();
  app.add_option("--log-level", options.log_level, "error, warn, info or debug")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
      ->capture_default_str();
  app.add_subcommand("check", "Validate everything, with one test signature per key, and do not serve")
      ->fallthrough();
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  options.check = app.got_subcommand("check");
  try {
    set_up_log(options);
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << "keystay-tlsd: " << error.what() << '\n';
    return kFailed;
  }
}
