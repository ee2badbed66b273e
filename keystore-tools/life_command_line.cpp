#include "keystore-tools/life_command_line.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_option.h"
#include "keystore-tools/output_option.h"

namespace keystay::tools {
namespace {

constexpr int kLongestValidity = 36'500;  // days

// No default: what these commands do to one alias is not meant for "mykey".
void declare_alias(CLI::App& options, std::string& alias) {
  options.add_option("--alias", alias, "Name of the entry")->required()->check(fault_of_alias);
}

void declare_extensions(CLI::App& options, std::vector<std::string>& extensions) {
  options
      .add_option("--ext", extensions, "X.509 extension, else the names of the certificate; may be repeated")
      ->allow_extra_args(false);
}

void declare_dry_run(CLI::App& options, bool& dry_run) {
  options.add_flag("--dryrun,--dry-run", dry_run, "Only say what would be done");
}

std::string fault_of_version(const std::string& text) {
  const bool is_number =
      !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
  return is_number || text == "next" || text == "all" ? "" : "expected a number, next or all, got " + text;
}

}  // namespace

void declare(CLI::App& options, Rotate& command) {
  declare_alias(options, command.alias);
  options.add_option("--keyalg", command.key_algorithm,
                     "RSA, EC, EdDSA, Ed25519 or Ed448, else as the key is now");
  CLI::Option* size =
      options.add_option("--keysize", command.key_size, "RSA: 2048 to 4096; EC: 256, 384, 521");
  options.add_option("--groupname", command.group_name, "Curve: secp256r1, secp384r1, …")->excludes(size);
  options.add_option("--sigalg", command.signature_algorithm,
                     "Signature algorithm of request or certificate");
  options.add_option("--dname", command.distinguished_name, "Name in it, else that of the certificate");
  declare_extensions(options, command.extensions);
  options.add_option("--file", command.file, "Output for the request, else standard output");
  options.add_flag("--selfsigned,--self-signed", command.self_signed,
                   "No request: a self-signed certificate, and the alias goes over to the new key at once");
  options.add_option("--validity", command.validity_days, "Days for which that is valid")
      ->check(CLI::Range(1, kLongestValidity))
      ->capture_default_str();
  declare_dry_run(options, command.dry_run);
  declare_output(options, command.form);
}

void declare(CLI::App& options, Renew& command) {
  declare_alias(options, command.alias);
  options.add_option("--sigalg", command.signature_algorithm, "Signature algorithm");
  declare_extensions(options, command.extensions);
  options.add_option("--file", command.file, "Output, else standard output");
  declare_output(options, command.form);
}

void declare(CLI::App& options, Deactivate& command) {
  declare_alias(options, command.alias);
  declare_dry_run(options, command.dry_run);
  declare_output(options, command.form);
}

void declare(CLI::App& options, Activate& command) {
  declare_alias(options, command.alias);
  declare_dry_run(options, command.dry_run);
  declare_output(options, command.form);
}

void declare(CLI::App& options, Retire& command) {
  declare_alias(options, command.alias);
  options.add_option("--which", command.which, "Number of the version, next, or all that are kept")
      ->required()
      ->check(fault_of_version);
  options.add_flag("--noprompt", command.no_prompt, "Do not ask");
  declare_dry_run(options, command.dry_run);
  declare_output(options, command.form);
}

}  // namespace keystay::tools
