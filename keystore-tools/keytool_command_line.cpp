#include "keystore-tools/keytool_command_line.h"

#include <CLI/CLI.hpp>

#include "keystore-tools/alias_option.h"
#include "keystore-tools/output_option.h"

namespace keystay::tools {
namespace {

constexpr int kLongestValidity = 36'500;  // days
constexpr char kForKeytool[] = "For keytool's sake";

// -srcstorepass:file and -srcstorepass:env, into one source of a password.
void add_password(CLI::App& options, const std::string& name, std::string& source, const std::string& what) {
  CLI::Option* variable = options.add_option_function<std::string>(
      "--" + name + "-env", [&source](const std::string& value) { source = "env:" + value; },
      "Environment variable with " + what);
  options
      .add_option_function<std::string>(
          "--" + name + "-file",
          [&source](const std::string& file) { source = "file:" + std::filesystem::absolute(file).string(); },
          "File with " + what)
      ->excludes(variable);
}

// What keytool calls the options of the key store that is written to.
void add_destination(CLI::App& options, StoreOptions& store, std::string& type) {
  options
      .add_option("--destkeystore", store.key_store,
                  "Key store file of Keystay that the aliases come to: -keystore")
      ->excludes(options.get_option("--keystore"));
  options.add_option("--deststoretype", type, "Keystay, if it is given")->group(kForKeytool);
  add_password(options, "deststorepass", store.pin_source, "the PIN: -storepass");
  for (const char* name :
       {"--destprovidername", "--srcprovidername", "--destkeypass-file", "--destkeypass-env"}) {
    options
        .add_option_function<std::string>(
            name, [](const std::string&) {}, "Without effect")
        ->group(kForKeytool);
  }
  for (const char* name : {"--srcprotected", "--destprotected"})
    options
        .add_flag_callback(
            name, [] {}, "Without effect")
        ->group(kForKeytool);
}

// The alias that signs.
void declare_issuer(CLI::App& options, std::string& alias) {
  options.add_option("--alias", alias, "The CA: a key with a certificate")
      ->capture_default_str()
      ->check(fault_of_alias);
}

}  // namespace

void declare_extensions(CLI::App& options, std::vector<std::string>& extensions) {
  options
      .add_option("--ext", extensions,
                  "X.509 extension, may be repeated: san=dns:example.org,ip:127.0.0.1 and others")
      ->allow_extra_args(false);
}

void declare_validity(CLI::App& options, std::string& start_date, int& days) {
  options.add_option("--startdate", start_date, "When it begins: -1d, 2026/11/21 09:30:00");
  options.add_option("--validity", days, "Days for which it is valid")
      ->check(CLI::Range(1, kLongestValidity))
      ->capture_default_str();
}

void declare(CLI::App& options, GenCert& command) {
  declare_issuer(options, command.alias);
  options.add_option("--infile", command.request, "Certificate request, in PEM or DER; else standard input");
  options.add_option("--outfile", command.output, "Output, else standard output");
  options.add_flag("--rfc", command.rfc, "As PEM, else DER");
  options.add_option("--dname", command.distinguished_name,
                     "Name in the certificate, else that of the request");
  options.add_option("--sigalg", command.signature_algorithm, "Signature algorithm");
  declare_validity(options, command.start_date, command.validity_days);
  declare_extensions(options, command.extensions);
}

void declare(CLI::App& options, GenCrl& command) {
  declare_issuer(options, command.alias);
  options
      .add_option("--id", command.ids,
                  "Serial number of a revoked certificate, may be repeated, with a reason: 12345:1")
      ->required()
      ->allow_extra_args(false);
  options.add_option("--file", command.file, "Output, else standard output");
  options.add_flag("--rfc", command.rfc, "As PEM, else DER");
  options.add_option("--sigalg", command.signature_algorithm, "Signature algorithm");
  declare_validity(options, command.start_date, command.validity_days);
}

void declare(CLI::App& options, PrintCert& command) {
  declare_output(options, command.form);
  CLI::Option* file =
      options.add_option("--file", command.file, "Certificates, in PEM, DER or PKCS#7; else standard input");
  options.add_option("--sslserver", command.server, "TLS server that shows its certificates: HOST:PORT")
      ->excludes(file);
  options.add_option("--jarfile", command.jar, "Not here")->group(kForKeytool);
  options.add_flag("--rfc", command.rfc, "As PEM, else in words");
  options
      .add_flag_callback(
          "--trustcacerts", [] {}, "Without effect")
      ->group(kForKeytool);
}

void declare(CLI::App& options, PrintCertReq& command) {
  declare_output(options, command.form);
  options.add_option("--file", command.file, "Certificate request, in PEM or DER; else standard input");
}

void declare(CLI::App& options, PrintCrl& command) {
  declare_output(options, command.form);
  options.add_option("--file", command.file, "CRLs, in PEM or DER; else standard input");
  options.add_flag("--rfc", command.rfc, "As PEM, else in words");
  options
      .add_flag_callback(
          "--trustcacerts", [] {}, "Without effect")
      ->group(kForKeytool);
}

void declare(CLI::App& options, ShowInfo& command) {
  declare_output(options, command.form);
  options.add_flag("--tls", command.tls, "TLS versions and cipher suites");
}

void declare(CLI::App& options, ImportKeyStore& command, StoreOptions& store) {
  options.add_option("--srckeystore", command.source, "File with private keys: PKCS12, PEM or PKCS8")
      ->required();
  options.add_option("--srcstoretype", command.source_type, "PKCS12, PEM or PKCS8, else what the file is");
  options.add_option("--srcalias", command.source_alias, "Only the entry of this name, else all");
  options.add_option("--destalias", command.alias, "Name of the new alias, else that in the file")
      ->check(fault_of_alias);
  options.add_option("--srccerts", command.certificates,
                     "File with the key's certificate and its issuers, where the source has none");
  add_password(options, "srcstorepass", command.password, "the password of the source");
  add_password(options, "srckeypass", command.key_password, "the password of the key, where it has its own");
  options.add_flag("--noprompt", command.no_prompt,
                   "Ask nothing; an alias that exists is refused in any case");
  options.add_flag("--dryrun,--dry-run", command.dry_run, "Only say what would be imported");
  declare_output(options, command.form);
  add_destination(options, store, command.destination_type);
}

}  // namespace keystay::tools
