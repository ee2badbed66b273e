#include "tests/keystore-tools/key_files.h"

#include <map>
#include <stdexcept>

#include "tests/support/process.h"

namespace keystay::tools {
namespace {

const std::map<std::string, test::Arguments> kKinds = {
    {"rsa", {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}},
    {"ec", {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}},
    {"ed25519", {"-algorithm", "ED25519"}},
};

}  // namespace

KeyFiles::KeyFiles(const test::TemporaryDirectory& directory)
    : directory_(directory), password_file_(directory.write("source.pass", password_ + "\n")) {
  std::filesystem::permissions(password_file_, std::filesystem::perms::owner_read);
}

std::string KeyFiles::file(const std::string& name) const { return directory_.path() / name; }

SoftwareChain KeyFiles::chain(const std::string& kind, const test::TestCa& ca) const {
  SoftwareChain made{file(kind + ".key"), file(kind + ".chain")};
  test::Arguments generate{"openssl", "genpkey", "-out", made.key};
  generate.insert(generate.end(), kKinds.at(kind).begin(), kKinds.at(kind).end());
  test::run_or_throw(generate);
  const std::string request =
      test::run_or_throw({"openssl", "req", "-new", "-key", made.key, "-subj", "/CN=localhost"});
  directory_.write(kind + ".chain", ca.sign_with_chain(request));
  return made;
}

std::string KeyFiles::pkcs12(const SoftwareChain& made, const std::string& name) const {
  const std::string out = file(name + ".p12");
  test::run_or_throw({"openssl", "pkcs12", "-export", "-inkey", made.key, "-in", made.certificates, "-name",
                      name, "-passout", "pass:" + password_, "-out", out});
  return out;
}

std::vector<std::string> KeyFiles::all_forms(const SoftwareChain& made) const {
  const std::string secret = "pass:" + password_;
  std::vector<std::string> files;
  const auto write = [&](const std::string& name, test::Arguments options) {
    files.push_back(file(name));
    options.insert(options.begin(), {"openssl", "pkey", "-in", made.key, "-out", files.back()});
    test::run_or_throw(options);
  };
  write("pkcs8.pem", {});
  write("pkcs8.der", {"-outform", "DER"});
  write("encrypted.pem", {"-aes256", "-passout", secret});
  write("traditional.pem", {"-traditional"});
  write("traditional.der", {"-traditional", "-outform", "DER"});
  write("traditional-encrypted.pem", {"-traditional", "-aes128", "-passout", secret});
  files.push_back(file("encrypted.der"));
  test::run_or_throw({"openssl", "pkcs8", "-topk8", "-in", made.key, "-outform", "DER", "-passout", secret,
                      "-out", files.back()});
  return files;
}

std::string KeyFiles::keytool() {
  const std::filesystem::path machines = "/usr/lib/jvm";
  for (const auto& jdk : std::filesystem::directory_iterator(machines)) {
    const auto program = jdk.path() / "bin/keytool";
    if (std::filesystem::exists(program)) return program;
  }
  throw std::runtime_error("there is no JDK in " + machines.string());
}

std::string KeyFiles::pkcs12_of_jdk(const std::vector<std::string>& names,
                                    const test::Arguments& options) const {
  const std::string out = file("jdk.p12");
  for (const std::string& name : names) {
    test::Arguments command{keytool(),    "-genkeypair", "-alias",     name,        "-keyalg",
                            "EC",         "-dname",      "CN=" + name, "-keystore", out,
                            "-storetype", "PKCS12",      "-storepass", password_};
    command.insert(command.end(), options.begin(), options.end());
    test::run_or_throw(command);
  }
  return out;
}

}  // namespace keystay::tools
