#include "keystore-tools/alias_command_line.h"

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_option.h"
#include "keystore-tools/keytool_command_line.h"
#include "keystore-tools/output_option.h"
#include "keystore-tools/remote_command_line.h"

namespace keystay::tools {
namespace {

constexpr char kForKeytool[] = "For keytool's sake";

void declare_alias(CLI::App& options, std::string& alias) {
  options.add_option("--alias", alias, "Name of the entry")->capture_default_str()->check(fault_of_alias);
}

void declare_dry_run(CLI::App& options, bool& dry_run, const char* description) {
  options.add_flag("--dryrun,--dry-run", dry_run, description);
}

}  // namespace

void declare(CLI::App& options, List& command) {
  options.add_option("--alias", command.alias, "Only this entry")->check(fault_of_alias);
  CLI::Option* verbose = options.add_flag_callback(
      "--v", [&command] { command.form = ListForm::verbose; }, "Certificates in words");
  options
      .add_flag_callback(
          "--rfc", [&command] { command.form = ListForm::rfc; }, "Certificates as PEM")
      ->excludes(verbose);
  declare_output(options, command.output);
}

void declare(CLI::App& options, GenKeyPair& command) {
  declare_alias(options, command.alias);
  options
      .add_option("--keyalg", command.key_algorithm, "RSA, RSASSA-PSS, EC, EdDSA, Ed25519, Ed448 or X25519")
      ->required();
  CLI::Option* size =
      options.add_option("--keysize", command.key_size, "RSA: 2048 to 8192; EC: 256, 384, 521");
  options.add_option("--groupname", command.group_name, "Curve: secp256r1, secp384r1, …")->excludes(size);
  options.add_option("--sigalg", command.signature_algorithm, "Signature algorithm of the certificate");
  options.add_option("--dname", command.distinguished_name,
                     "Name in the certificate: \"CN=example.org, O=Example, C=DE\"; without it none is made");
  declare_validity(options, command.start_date, command.validity_days);
  options
      .add_option("--signer,--signeralias", command.signer,
                  "Alias that signs the certificate as the CA, else the new key itself")
      ->check(fault_of_alias);
  declare_extensions(options, command.extensions);
  options.add_flag("--noprompt", command.no_prompt,
                   "Do not ask whether the key may leave its token, wrapped, for the others of a group");
  declare_dry_run(options, command.dry_run, "Only say whether it could be made");
  declare_output(options, command.form);
}

void declare(CLI::App& options, CertReq& command) {
  declare_alias(options, command.alias);
  options.add_option("--sigalg", command.signature_algorithm, "Signature algorithm");
  options.add_option("--dname", command.distinguished_name,
                     "Name in the request, else that of the certificate");
  options.add_option("--file", command.file, "Output, else standard output");
  declare_extensions(options, command.extensions);
  declare_output(options, command.form);
}

void declare(CLI::App& options, ImportCert& command) {
  declare_alias(options, command.alias);
  options.add_option("--file", command.file,
                     "Certificate and its issuers, in PEM, DER or PKCS#7; else standard input");
  options.add_flag("--noprompt", command.no_prompt, "Do not ask whether to trust a certificate");
  options.add_flag("--allowexpired,--allow-expired", command.allow_expired,
                   "Also import what is not valid today");
  declare_dry_run(options, command.dry_run, "Only say what would be imported");
  declare_output(options, command.form);
  options
      .add_flag_callback(
          "--trustcacerts", [] {}, "Without effect")
      ->group(kForKeytool);
}

void declare(CLI::App& options, ExportCert& command) {
  declare_alias(options, command.alias);
  options.add_flag("--rfc", command.rfc, "As PEM, else DER");
  options.add_option("--file", command.file, "Output, else standard output");
}

void declare(CLI::App& options, ExportRef& command) {
  declare_alias(options, command.alias);
  options.add_option("--file", command.file, "Output, else standard output");
}

void declare(CLI::App& options, Delete& command) {
  options.add_option("--alias", command.alias, "Name of the entry")->required()->check(fault_of_alias);
  options.add_flag("--noprompt", command.no_prompt, "Do not ask, also not at a terminal");
  declare_dry_run(options, command.dry_run, "Only say what would be destroyed");
  declare_output(options, command.form);
}

void declare(CLI::App& options, ChangeAlias& command) {
  declare_alias(options, command.alias);
  options.add_option("--destalias", command.new_alias, "The new name")->required();
  declare_dry_run(options, command.dry_run, "Only say whether it could be done");
  declare_output(options, command.form);
}

void declare(CLI::App& options, Cleanup& command) {
  options.add_flag("--noprompt", command.no_prompt, "Do not ask whether to remove it");
  declare_dry_run(options, command.dry_run, "Only show it");
  declare_output(options, command.form);
}

void declare(CLI::App& options, Test& command, StoreOptions& store) {
  options.add_option("--alias", command.alias, "Key to sign with, else the first that can")
      ->check(fault_of_alias);
  declare(options, store.unsaved);
  declare_output(options, command.form);
}

}  // namespace keystay::tools
