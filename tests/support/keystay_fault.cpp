// keystay-fault: orders faults from the fault module, for tests that are shell scripts.
//
//   keystay-fault FILE create            the control file, which KEYSTAY_FAULT_CONTROL names; all may give
//   orders keystay-fault FILE drop-sessions     every process finds its sessions closed and its login ended
//   keystay-fault FILE forget-initialize every process has to call C_Initialize again
//   keystay-fault FILE remove-token      the token is out of its slot …
//   keystay-fault FILE return-token      … and back
//   keystay-fault FILE hold FUNCTION     calls of C_… hang …
//   keystay-fault FILE release FUNCTION  … and go on
//   keystay-fault FILE delay FUNCTION N  calls of C_… take N microseconds longer
//   keystay-fault FILE fail FUNCTION N   calls of C_… answer the return value N (CKR_…) …
//   keystay-fault FILE heal FUNCTION     … and reach the token again
//   keystay-fault FILE kill-at-call N    the process that makes the N-th call from now on dies of it
//   keystay-fault FILE kill-at-write N   the same for calls that may change what is on the token; 0: nobody
//   dies keystay-fault FILE sessions          prints how many are open keystay-fault FILE calls FUNCTION
//   prints how many came in keystay-fault FILE inside FUNCTION   prints how many have not returned
#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/control_file.h"
#include "tests/support/fault_module/control_block.h"
#include "tests/support/fault_module/cryptoki_function.h"

namespace keystay::test {
namespace {

using Arguments = std::span<const std::string_view>;

FunctionControl& function_of(ControlBlock& block, Arguments arguments) {
  const auto found = std::find(kFunctionNames.begin(), kFunctionNames.end(), arguments.front());
  if (found == kFunctionNames.end()) {
    throw std::invalid_argument("no function " + std::string(arguments.front()));
  }
  return block.functions[static_cast<std::size_t>(found - kFunctionNames.begin())];
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("not a number: " + std::string(text));
  }
  return value;
}

struct Order {
  std::string_view name;
  std::size_t arguments;
  void (*give)(ControlBlock&, Arguments);
};

constexpr std::array kOrders{
    Order{"drop-sessions", 0, [](ControlBlock& block, Arguments) { ++block.sessions_dropped; }},
    Order{"forget-initialize", 0, [](ControlBlock& block, Arguments) { ++block.modules_lost; }},
    Order{"remove-token", 0,
          [](ControlBlock& block, Arguments) {
            block.token_absent = true;
            ++block.sessions_dropped;
          }},
    Order{"return-token", 0, [](ControlBlock& block, Arguments) { block.token_absent = false; }},
    Order{"sign-wrongly", 0, [](ControlBlock& block, Arguments) { block.signs_wrongly = true; }},
    Order{"sign-rightly", 0, [](ControlBlock& block, Arguments) { block.signs_wrongly = false; }},
    Order{"hold", 1, [](ControlBlock& block, Arguments rest) { function_of(block, rest).held = true; }},
    Order{"release", 1, [](ControlBlock& block, Arguments rest) { function_of(block, rest).held = false; }},
    Order{"delay", 2,
          [](ControlBlock& block, Arguments rest) { function_of(block, rest).delay_us = number(rest[1]); }},
    Order{"fail", 2,
          [](ControlBlock& block, Arguments rest) {
            function_of(block, rest).failure = number(rest[1]);
            function_of(block, rest).failures_left = -1;
          }},
    Order{"heal", 1, [](ControlBlock& block, Arguments rest) { function_of(block, rest).failures_left = 0; }},
    Order{"kill-at-call", 1,
          [](ControlBlock& block, Arguments rest) {
            block.calls_until_kill = static_cast<std::int64_t>(number(rest[0]));
          }},
    Order{"kill-at-write", 1,
          [](ControlBlock& block, Arguments rest) {
            block.writes_until_kill = static_cast<std::int64_t>(number(rest[0]));
          }},
    Order{"sessions", 0, [](ControlBlock& block, Arguments) { std::cout << block.open_sessions << '\n'; }},
    Order{"calls", 1,
          [](ControlBlock& block, Arguments rest) { std::cout << function_of(block, rest).calls << '\n'; }},
    Order{"inside", 1,
          [](ControlBlock& block, Arguments rest) { std::cout << function_of(block, rest).inside << '\n'; }},
};

constexpr int kUsage = 2;

int run(Arguments arguments) {
  if (arguments.size() < 2) return kUsage;
  const std::filesystem::path file(arguments[0]);
  const std::string_view name = arguments[1];
  const Arguments rest = arguments.subspan(2);
  if (name == "create" && rest.empty()) {
    static_cast<void>(ControlFile::create(file, 0666));
    return 0;
  }
  const auto* order =
      std::find_if(kOrders.begin(), kOrders.end(), [&](const Order& known) { return known.name == name; });
  if (order == kOrders.end() || order->arguments != rest.size()) return kUsage;
  order->give(ControlFile::open(file).block(), rest);
  return 0;
}

}  // namespace
}  // namespace keystay::test

int main(int argc, char** argv) {
  try {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    const int code = keystay::test::run(arguments);
    if (code == keystay::test::kUsage) std::cerr << "usage: keystay-fault FILE ORDER [FUNCTION [N]]\n";
    return code;
  } catch (const std::exception& error) {
    std::cerr << "keystay-fault: " << error.what() << '\n';
    return 1;
  }
}
