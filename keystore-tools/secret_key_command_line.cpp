#include "keystore-tools/secret_key_command_line.h"

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_option.h"
#include "keystore-tools/output_option.h"

namespace keystay::tools {
namespace {

constexpr char kAlgorithms[] = "AES, HmacSHA256, HmacSHA384, HmacSHA512, HmacSHA224 or HmacSHA1";

// As keytool: what is made without a name is "mykey".
void declare_new_alias(CLI::App& options, std::string& alias) {
  options.add_option("--alias", alias, "Name of the entry")->capture_default_str()->check(fault_of_alias);
}

void declare_alias(CLI::App& options, std::string& alias) {
  options.add_option("--alias", alias, "Secret key")->required()->check(fault_of_alias);
}

void declare_mac(CLI::App& options, std::string& algorithm, std::filesystem::path& input) {
  options.add_option("--macalg", algorithm, "HmacSHA256 and others, for a key that leaves it open");
  options.add_option("--in,--infile", input, "File, else standard input");
}

}  // namespace

void declare(CLI::App& options, GenSecKey& command) {
  declare_new_alias(options, command.alias);
  options.add_option("--keyalg", command.key_algorithm, kAlgorithms)->required();
  options.add_option("--keysize", command.key_size, "AES: 128, 192 or 256; else that of the hash");
  options.add_flag("--noprompt", command.no_prompt,
                   "Do not ask whether the key may leave its token, wrapped, for the others of a group");
  options.add_flag("--dryrun,--dry-run", command.dry_run, "Only say what would be made");
  declare_output(options, command.form);
}

void declare(CLI::App& options, ImportSecKey& command) {
  declare_new_alias(options, command.alias);
  options.add_option("--keyalg", command.key_algorithm, kAlgorithms)->required();
  CLI::Option* file = options.add_option("--file", command.file,
                                         "File with the key alone, else it is asked for in hexadecimal");
  options
      .add_flag_callback(
          "--hex", [&command] { command.form = KeyText::hexadecimal; },
          "The file has it in hexadecimal, not as bytes")
      ->needs(file);
  options.add_flag("--dryrun,--dry-run", command.dry_run, "Only say what would be imported");
  declare_output(options, command.output);
}

void declare(CLI::App& options, Encrypt& command) {
  declare_alias(options, command.alias);
  options.add_option("--in,--infile", command.input, "File, else standard input");
  options.add_option("--out,--outfile", command.output, "Output in CMS (DER), else standard output");
}

void declare(CLI::App& options, Decrypt& command) {
  declare_alias(options, command.alias);
  options.add_option("--in,--infile", command.input, "File in CMS (DER), else standard input");
  options.add_option("--out,--outfile", command.output, "Output, which is there when all of it is verified")
      ->required();
}

void declare(CLI::App& options, Mac& command) {
  declare_alias(options, command.alias);
  declare_mac(options, command.algorithm, command.input);
  options.add_option("--out,--outfile", command.output, "Output in hexadecimal, else standard output");
}

void declare(CLI::App& options, VerifyMac& command) {
  declare_alias(options, command.alias);
  declare_mac(options, command.algorithm, command.input);
  CLI::Option* mac = options.add_option("--mac", command.mac, "The MAC in hexadecimal");
  options.add_option("--macfile", command.file, "File with it")->excludes(mac);
  declare_output(options, command.form);
}

}  // namespace keystay::tools
