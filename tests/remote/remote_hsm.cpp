#include "tests/remote/remote_hsm.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace keystay::test {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

fs::path program(const char* name) {
  const char* build = std::getenv("KEYSTAY_BUILD");
  return fs::absolute(fs::path(build != nullptr ? build : ".") / "bin" / name);
}

std::vector<pid_t> processes_of(const std::function<bool(const fs::path&)>& fits) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    if (fits(entry.path())) found.push_back(std::stoi(name));
  }
  return found;
}

LeafOptions server_leaf() {
  LeafOptions options;
  options.dns_names = {"hsm.example"};
  options.ip_addresses = {"127.0.0.1"};
  return options;
}

LeafOptions client_leaf() {
  LeafOptions options;
  options.dns_names = {"web-1.example"};
  options.usage = "clientAuth";
  return options;
}

}  // namespace

bool eventually(const std::function<bool()>& so) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);  // processes have no event to wait for
  }
  return true;
}

RemoteHsm::RemoteHsm(Front front) : token_("hsm", {.front = front}), relay_(file("keystay-relay")) {
  fs::copy_file(program("keystay-relay"), relay_);
  ca_.write_root(directory());
  const SoftwareIdentity server = ca_.issue(KeyKind::ec, server_leaf());
  directory().write("server.pem", server.key_pem + server.chain_pem);
  write_identity(ca_, "client", client_leaf());
  directory().write("tlsd.toml",
                    "[tlsd]\nthreads = 1\n\n[[tlsd.listener]]\nname = \"hsm\"\nbind = [\"127.0.0.1:" +
                        std::to_string(port_) + "\"]\nmode = \"tcp\"\ncertificates = [\"" +
                        file("server.pem") + "\"]\nbackend = \"hsm\"\nclient-ca = \"" + file("root.pem") +
                        "\"\nclient-names = [\"web-1.example\"]\n\n[tlsd.backend.hsm]\nservers = "
                        "[\"unix:" +
                        file("p11-kit.sock") + "\"]\n");
  start_server();
  start_tlsd();
}

void RemoteHsm::write_identity(const TestCa& ca, const std::string& name, const LeafOptions& options) const {
  const SoftwareIdentity identity = ca.issue(KeyKind::ec, options);
  directory().write(name + ".pem", identity.chain_pem);
  directory().write(name + "-key.pem", identity.key_pem);
}

void RemoteHsm::start_server() {
  server_.emplace(Arguments{"p11-kit", "server", "--foreground", "--provider", token_.module().string(),
                            "--name", file("p11-kit.sock"), "pkcs11:token=" + token_.label()});
  if (!eventually([&] { return fs::exists(file("p11-kit.sock")); }))
    throw std::runtime_error("p11-kit server does not start: " + server_->error());
}

void RemoteHsm::start_tlsd() {
  tlsd_.emplace(Arguments{program("keystay-tlsd").string(), "-c", file("tlsd.toml")},
                RunOptions{.environment = {{"OPENSSL_CONF", "/dev/null"}}});
  if (!wait_for_port(port_)) throw std::runtime_error("keystay-tlsd does not start: " + tlsd_->error());
}

RemoteHsm::Place RemoteHsm::place() const {
  return {"\"127.0.0.1:" + std::to_string(port_) + "\"", file("root.pem"), file("client.pem"),
          file("client-key.pem"), ""};
}

std::string RemoteHsm::configuration(const std::string& more) const { return configuration(place(), more); }

std::string RemoteHsm::configuration(const Place& place, const std::string& more) const {
  return "default = \"web\"\n\n[token.web]\nendpoints = [" + place.endpoints + "]\nca = \"" + place.ca +
         "\"\ncertificate = \"" + place.certificate + "\"\nkey = \"" + place.key + "\"\n" +
         (place.host.empty() ? "" : "host = \"" + place.host + "\"\n") + "label = \"" + token_.label() +
         "\"\npin = \"file:" + token_.pin_file().string() + "\"\nrelay = \"" + relay_ + "\"\n" + more;
}

std::string RemoteHsm::local_configuration(const std::string& more) const {
  return "[token.web]\nendpoints = [\"unix:" + file("p11-kit.sock") + "\"]\nlabel = \"" + token_.label() +
         "\"\npin = \"file:" + token_.pin_file().string() + "\"\n" + more;
}

std::vector<pid_t> RemoteHsm::connections() const {
  const std::string parent = std::to_string(server_->pid());
  return processes_of([&](const fs::path& process) {
    std::ifstream stat(process / "stat");
    std::string number;
    std::string name;
    std::string state;
    std::string of;
    stat >> number >> name >> state >> of;
    return of == parent && state != "Z";
  });
}

void RemoteHsm::signal_connections(int signal) const {
  for (const pid_t process : connections()) ::kill(process, signal);
}

std::vector<pid_t> RemoteHsm::relays() const {
  return processes_of([&](const fs::path& process) {
    std::error_code gone;
    return fs::read_symlink(process / "exe", gone) == fs::path(relay_);
  });
}

}  // namespace keystay::test
