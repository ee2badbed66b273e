// keystay: the aliases of a PKCS #11 token from the command line, in the words of keytool.
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/core.h>

#include "keystore-tools/command_line.h"
#include "keystore-tools/failure.h"
#include "keystore-tools/keytool_form.h"
#include "keystore-tools/opened_store.h"
#include "native/x509/libcrypto.h"

namespace keystay::tools {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

std::optional<CommandLine> parse(const GnuForm& form) {
  try {
    auto line = parse_command_line(form.arguments);
    if (line && form.pin && !line->store.pin_source.empty())
      throw UsageError("more than one --storepass; a token has one PIN");
    if (line && !form.passwords.empty() && !std::holds_alternative<ImportKeyStore>(line->command))
      throw UsageError("--" + form.passwords.begin()->first + " is an option of -importkeystore");
    return line;
  } catch (const UsageError& error) {
    throw UsageError(as_written(error.what(), form));
  }
}

// From the command line, with a warning.
void take_secrets(GnuForm& form, StoreOptions& store) {
  if (!form.pin && form.passwords.empty()) return;
  const std::string option = form.pin ? "storepass" : form.passwords.begin()->first;
  fmt::print(stderr, "keystay: warning: {}\n",
             as_written("everybody on this machine can see a command line while it runs; use --" + option +
                            "-file FILE",
                        form));
  if (form.pin) store.pin = std::make_shared<const pkcs11::Pin>(*std::move(form.pin));
  for (auto& [name, password] : form.passwords)
    store.passwords.emplace(name, std::make_shared<const pkcs11::Pin>(std::move(password)));
}

void run(std::span<char*> arguments) {
  GnuForm form = to_gnu_form(arguments, takes_value);
  auto line = parse(form);
  if (!line) return;
  take_secrets(form, line->store);
  std::visit(
      [&](const auto& command) {
        if constexpr (requires { command.run(line->store); }) {
          command.run(line->store);
        } else {
          OpenedStore store(line->store, missing_key_store(line->command));
          command.run(store.aliases());
        }
      },
      line->command);
}

int fail(int code, const char* what) {
  fmt::print(stderr, "keystay: {}\n", what);
  return code;
}

}  // namespace
}  // namespace keystay::tools

int main(int argc, char** argv) {
  using namespace keystay::tools;
  try {
    keystay::x509::ignore_openssl_configuration();
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return kDone;
  } catch (const UsageError& error) {
    return fail(kUsage, error.what());
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}
