#include "keystore-tools/acme_command_line.h"

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_option.h"
#include "keystore-tools/output_option.h"

namespace keystay::tools {
namespace {

constexpr int kMostDays = 36'500;

void declare_dry_run(CLI::App& options, bool& dry_run) {
  options.add_flag("--dryrun,--dry-run", dry_run, "Only say what would be done");
}

void declare_acme(CLI::App& options, acme::AcmeOptions& acme) {
  options.add_option("--directory", acme.directory, "URL of the CA's ACME directory")->required();
  options.add_option("--account", acme.account, "Alias of the account key, which is made if it is missing")
      ->capture_default_str()
      ->check(fault_of_alias);
  options.add_option("--ca-file", acme.authorities,
                     "Certificates in PEM of whom the ACME server's is from, else whom the system trusts");
  options.add_option("--http-port", acme.http_port,
                     "Answers http-01 itself, on PORT, ADDRESS:PORT or unix:PATH");
  options.add_option("--webroot", acme.webroot, "Answers http-01 by files below this document root");
  options.add_option("--dns-hook", acme.dns_hook, "Answers dns-01 by this program, which changes the zone");
}

void declare_account(CLI::App& options, acme::AccountOptions& account) {
  options.add_flag("--agree-tos", account.agrees_to_terms, "You agree to the CA's terms of service");
  options
      .add_option("--contact", account.contacts,
                  "Where the CA writes to: mailto:admin@example.org; may be repeated")
      ->allow_extra_args(false);
  CLI::Option* id = options.add_option("--eab-kid", account.binding_key_id,
                                       "Key ID that the CA gave its customer (external account binding)");
  CLI::Option* key = options.add_option("--eab-hmac-file", account.binding_key_file,
                                        "File with the HMAC key to it, base64url");
  id->needs(key);
  key->needs(id);
}

void declare_renewal_file(CLI::App& options, std::filesystem::path& file) {
  options.add_option("--renewal-file", file,
                     "What is to be renewed, and how; else acme.toml beside the configuration");
}

}  // namespace

void declare(CLI::App& options, AcmeIssue& command) {
  options.add_option("--alias", command.alias, "Name of the entry")->required()->check(fault_of_alias);
  declare_acme(options, command.acme);
  declare_account(options, command.account);
  options
      .add_option(
          "--ext", command.wanted.extensions,
          "X.509 extension: san=dns:www.example.org, else the names of the certificate; may be repeated")
      ->allow_extra_args(false);
  options.add_option("--dname", command.wanted.distinguished_name,
                     "Name in the request, else that of the certificate, or the first of -ext san=…");
  options.add_option("--sigalg", command.wanted.signature_algorithm, "Signature algorithm of the request");
  options.add_option("--keyalg", command.key_algorithm, "Makes the alias: RSA or EC");
  CLI::Option* size =
      options.add_option("--keysize", command.key_size, "RSA: 2048 to 8192; EC: 256, 384, 521");
  options.add_option("--groupname", command.group_name, "Curve: secp256r1, secp384r1, …")->excludes(size);
  options.add_option("--deploy-hook", command.deploy_hook,
                     "Program that is called after each new certificate");
  declare_renewal_file(options, command.renewal_file);
  options.add_flag("--noprompt", command.no_prompt,
                   "Do not ask whether the key may leave its token, wrapped, for the others of a group");
  declare_dry_run(options, command.dry_run);
  declare_output(options, command.form);
}

void declare(CLI::App& options, AcmeRenew& command) {
  CLI::Option* alias = options.add_option("--alias", command.alias, "Only this entry")->check(fault_of_alias);
  options.add_flag("--all", command.all, "All entries of the renewal file, as without -alias")
      ->excludes(alias);
  options
      .add_option("--days", command.days,
                  "Days before the end of a certificate, else 30, or a third of its time if that is less")
      ->check(CLI::Range(0, kMostDays));
  options.add_flag("--rotate", command.rotate, "With a new key, to which the alias goes over");
  declare_renewal_file(options, command.renewal_file);
  declare_dry_run(options, command.dry_run);
  declare_output(options, command.form);
}

}  // namespace keystay::tools
