// keystay-bench: what a signature with a key in a token costs, through Keystay and without.
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include "native/config/configuration.h"
#include "native/keys/tokens.h"
#include "tests/bench/calls.h"
#include "tests/bench/contender.h"
#include "tests/bench/group_of_one.h"
#include "tests/bench/key_loading.h"
#include "tests/bench/many_aliases.h"
#include "tests/bench/remote.h"
#include "tests/bench/speed.h"
#include "tests/bench/two_members.h"

namespace keystay::bench {
namespace {

constexpr int kFailed = 1;

int speed(const std::vector<std::string>& arguments) {
  const BenchToken token(test::Front::none);
  const std::vector<Contender> all = contenders(token);
  run_speed(all, arguments);
  return 0;
}

int calls() {
  BenchToken token(test::Front::fault_module);
  return count_calls(token) ? 0 : kFailed;
}

int group() {
  const BenchToken token(test::Front::none);
  measure_group_of_one(token);
  return 0;
}

struct Signing {
  std::string contender;
  std::string algorithm = "P-256";
  std::uint64_t signatures = 10'000;
  unsigned threads = 1;
};

int load(std::size_t aliases) {
  const BenchToken token(test::Front::none);
  measure_key_loading(token, aliases);
  return 0;
}

// For benchmarks in other languages, on a token of their own.
int fill(const std::filesystem::path& configuration, std::size_t aliases) {
  const keys::Tokens tokens(config::read_configuration(configuration), config::PinPrompt{});
  fmt::print("{} aliases\n", add_aliases(*tokens.source(""), aliases).size());
  return 0;
}

// For tools that watch from outside: strace, perf, valgrind.
int sign(const Signing& signing) {
  const BenchToken token(test::Front::none);
  const std::vector<Contender> all = all_contenders(token);
  const Contender& chosen = contender(all, signing.contender);
  const Algorithm& with = algorithm(signing.algorithm);
  std::vector<std::jthread> threads;
  for (unsigned thread = 0; thread < signing.threads; ++thread) {
    threads.emplace_back([&] {
      const std::unique_ptr<Signer> signer = chosen.signer(with);
      for (std::uint64_t i = 0; i < signing.signatures; ++i) signer->sign();
    });
  }
  return 0;
}

// Commands without options.
struct Command {
  const char* name;
  const char* description;
  int (*run)();
};
constexpr std::array kCommands{
    Command{"calls", "module calls and allocations per signature; fails if Keystay makes others", calls},
    Command{"group", "processor time of a signature through a group of one beside its token", group},
    Command{"members", "parallel signatures of a group of two beside one of its members",
            [] {
              measure_two_members();
              return 0;
            }},
    Command{"remote", "parallel signatures of a token on another machine beside p11-kit alone and the module",
            [] {
              measure_remote();
              return 0;
            }},
};

int run(int argc, char** argv) {
  CLI::App app("What a signature with a key in a token costs, through Keystay and without.", "keystay-bench");
  app.require_subcommand(1);
  Signing signing;
  CLI::App* speed_command = app.add_subcommand("speed", "signatures per second, by Google Benchmark");
  speed_command->prefix_command();  // its options are Google Benchmark's
  std::vector<CLI::App*> commands;
  for (const Command& command : kCommands)
    commands.push_back(app.add_subcommand(command.name, command.description));
  std::size_t aliases = 1000;
  CLI::App* load_command = app.add_subcommand("load", "the time to load one alias among many");
  load_command->add_option("--aliases", aliases)->capture_default_str()->check(CLI::PositiveNumber);
  std::filesystem::path configuration;
  CLI::App* fill_command = app.add_subcommand("fill", "puts many aliases on a token");
  fill_command->add_option("configuration", configuration, "keystay.toml, whose default token it is")
      ->required();
  fill_command->add_option("aliases", aliases)->required()->check(CLI::PositiveNumber);
  CLI::App* sign_command = app.add_subcommand("sign", "signs, to be watched from outside");
  sign_command->add_option("contender", signing.contender, "raw-copy, native, provider …")->required();
  sign_command->add_option("--algorithm", signing.algorithm)->capture_default_str();
  sign_command->add_option("--signatures", signing.signatures, "of each thread")->capture_default_str();
  sign_command->add_option("--threads", signing.threads)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  if (speed_command->parsed()) return speed(speed_command->remaining());
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (commands[i]->parsed()) return kCommands[i].run();
  }
  if (load_command->parsed()) return load(aliases);
  if (fill_command->parsed()) return fill(configuration, aliases);
  return sign(signing);
}

}  // namespace
}  // namespace keystay::bench

int main(int argc, char** argv) {
  // At exit the peer engine would call into a module that is gone by then.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
  try {
    return keystay::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "keystay-bench: {}\n", error.what());
    return keystay::bench::kFailed;
  }
}
