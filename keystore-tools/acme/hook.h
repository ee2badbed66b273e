// Programs of the operator's that are called at a moment: what they are given, and how they may end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace keystay::tools::acme {

struct Hook {
  std::filesystem::path program;
  // Variables that it does not get from this process's environment: those that PINs are read from.
  std::vector<std::string> secret_variables;
};

// Throws UsageError unless it is a file that can be executed.
void require_executable(const std::filesystem::path& program, const char* option);

// Runs it without a shell and waits for its end. It gets the arguments, the environment with `more`
// ("NAME=value"), no input, and standard error as its standard output too: that of this process is data. No
// other file is open in it. Throws Failure unless it ends with code 0 within ten minutes; it is killed then.
void run_hook(const Hook& hook, const std::vector<std::string>& arguments,
              const std::vector<std::string>& more);

}  // namespace keystay::tools::acme
