#include "tests/interop/tlsd_on_token.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace keystay::test {
namespace {

std::string program(const char* name) { return std::string(std::getenv("KEYSTAY_BUILD")) + "/bin/" + name; }

std::string address(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

std::string listener(std::string_view name, std::uint16_t port, std::string_view certificate) {
  return "\n[[tlsd.listener]]\nname = \"" + std::string(name) + "\"\nbind = [\"" + address(port) +
         "\"]\ncertificates = [\"" + std::string(certificate) + "\"]\nbackend = \"none\"\n";
}

}  // namespace

TlsdOnToken::TlsdOnToken(std::string_view token_settings) {
  const std::filesystem::path configuration = configure(token_settings);
  // AddressSanitizer keeps freed memory for a while: here only little, because memory is measured.
  const char* sanitizer = std::getenv("ASAN_OPTIONS");
  environment_ = {{"KEYSTAY_CONF", configuration.string()},
                  {"ASAN_OPTIONS", (sanitizer ? std::string(sanitizer) + ":" : "") + "quarantine_size_mb=1"}};
  make_alias();
  process_ = std::make_unique<Process>(Arguments{program("keystay-tlsd"), "-c", configuration.string()},
                                       RunOptions{.environment = environment_});
  for (const std::uint16_t port : {admin_, port_, file_port_}) {
    if (!wait_for_port(port)) throw std::runtime_error(process_->error());
  }
}

std::filesystem::path TlsdOnToken::configure(std::string_view token_settings) const {
  const SoftwareIdentity identity = ca_.issue(KeyKind::ec);
  const std::filesystem::path file =
      token_.directory().write("file.pem", identity.key_pem + identity.chain_pem);
  return token_.write_configuration(std::string(token_settings) + "\n[tlsd]\nthreads = 2\nadmin = \"" +
                                    address(admin_) + "\"\n" + listener("https", port_, "httpd") +
                                    listener("file", file_port_, file.string()) +
                                    "\n[tlsd.backend.none]\nservers = [\"127.0.0.1:9\"]\n");
}

void TlsdOnToken::make_alias() {
  const auto keystay = [&](Arguments arguments) {
    arguments.insert(arguments.begin(), program("keystay"));
    return run_or_throw(arguments, {.environment = environment_});
  };
  keystay({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-groupname", "secp256r1", "-dname",
           "CN=localhost"});
  const std::string request = keystay({"-certreq", "-alias", "httpd"});
  const std::filesystem::path reply = token_.directory().path() / "httpd.pem";
  std::ofstream(reply) << ca_.sign_with_chain(request) << ca_.root_pem();
  keystay({"-importcert", "-alias", "httpd", "-file", reply.string()});
}

std::string TlsdOnToken::get(const std::string& path) const {
  return run_or_throw({"curl", "--silent", "--show-error", "http://" + address(admin_) + path});
}

std::string TlsdOnToken::metric(std::string_view name) const {
  const std::string text = get("/metrics");
  const std::size_t at = text.find("\n" + std::string(name) + " ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 2;
  return text.substr(begin, text.find('\n', begin) - begin);
}

Outcome TlsdOnToken::fetch(std::uint16_t port) const {
  return run({"curl", "--silent", "--show-error", "--max-time", "20", "--cacert", root_.string(), "--output",
              "/dev/null", "--write-out", "%{http_code}", "--resolve",
              "localhost:" + std::to_string(port) + ":127.0.0.1",
              "https://localhost:" + std::to_string(port) + "/"});
}

}  // namespace keystay::test
