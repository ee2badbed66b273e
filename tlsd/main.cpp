// keystay-tlsd: a TLS front-end whose keys stay in an HSM.
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "native/config/configuration.h"
#include "native/config/error.h"
#include "tlsd/accept/passed_sockets.h"
#include "tlsd/check.h"
#include "tlsd/command_line.h"
#include "tlsd/privileges.h"
#include "tlsd/server.h"
#include "tlsd/tls/certificate.h"

namespace {

using namespace keystay;

enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2 };

config::TlsdSettings read_settings(const std::filesystem::path& file) {
  config::TlsdSettings settings = config::read_configuration(file).tlsd;
  if (settings.listeners.empty()) {
    throw config::Error(file.string() + ": there is no [[tlsd.listener]]; docs/user/tlsd.md shows one");
  }
  return settings;
}

bool needs_provider(const config::TlsdSettings& settings) {
  if (settings.tickets.source == config::TicketSettings::Source::alias &&
      tlsd::needs_keystay(settings.tickets.name))
    return true;
  for (const auto& listener : settings.listeners) {
    for (const auto& certificate : listener.certificates) {
      if (tlsd::needs_keystay(certificate)) return true;
    }
  }
  for (const auto& [_, backend] : settings.backends) {
    if (backend.tls && !backend.tls->certificate.empty() && tlsd::needs_keystay(backend.tls->certificate))
      return true;
  }
  return false;
}

int serve(const tlsd::CommandLine& options, const tlsd::LibraryContext& library,
          const config::TlsdSettings& settings, tlsd::PassedSockets passed) {
  const auto read_again = [&] {
    config::TlsdSettings fresh = read_settings(options.configuration);
    if (needs_provider(fresh) && !library.has_keystay()) {
      throw config::Error("the first key on a token needs a restart");
    }
    return fresh;
  };
  tlsd::Server server(library, settings, read_again, std::move(passed));
  server.handle_signals();
  const int code = server.run() == tlsd::Server::End::drained ? kDone : kFailed;
  if (server.stuck()) {
    // A thread is in a call of the token's module; destructors that run meanwhile might crash it.
    spdlog::default_logger()->flush();
    std::_Exit(code);
  }
  return code;
}

int run(const tlsd::CommandLine& options) {
  tlsd::PassedSockets passed = tlsd::PassedSockets::from_environment();
  const config::TlsdSettings settings = read_settings(options.configuration);
  tlsd::give_up_root(settings);
  tlsd::LibraryContext library;
  if (needs_provider(settings)) library.load_keystay(tlsd::module_directory(), options.configuration);
  if (options.check) return tlsd::check(library, settings, std::cout, std::cerr) ? kDone : kFailed;
  return serve(options, library, settings, std::move(passed));
}

void set_up_log(const tlsd::CommandLine& options) {
  auto logger = spdlog::stderr_logger_mt("keystay-tlsd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l: %v");
  logger->set_level(spdlog::level::from_str(options.log_level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

int main(int argc, char** argv) {
  tlsd::CommandLine options;
  CLI::App app;
  tlsd::declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  try {
    set_up_log(options);
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << "keystay-tlsd: " << error.what() << '\n';
    return kFailed;
  }
}
