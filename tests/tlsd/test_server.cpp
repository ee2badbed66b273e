#include "tests/tlsd/test_server.h"

#include <chrono>
#include <cstdlib>

namespace keystay::test {

const TestCa& test_ca() {
  static const TestCa ca;
  return ca;
}

std::string write_certificate(const TemporaryDirectory& directory, const std::string& file, KeyKind kind,
                              std::vector<std::string> dns_names) {
  LeafOptions options;
  options.dns_names = std::move(dns_names);
  const SoftwareIdentity identity = test_ca().issue(kind, options);
  return directory.write(file, identity.key_pem + identity.chain_pem).string();
}

config::TlsdSettings simple_settings(const TemporaryDirectory& directory, std::uint16_t backend_port) {
  config::TlsdSettings settings;
  settings.threads = 2;
  settings.admin = config::Endpoint{"127.0.0.1", 0};
  config::ListenerSettings listener;
  listener.name = "https";
  listener.bind = {{"127.0.0.1", 0}};
  listener.certificates = {write_certificate(directory, "localhost.pem", KeyKind::ec, {"localhost"})};
  listener.backend = "app";
  settings.listeners.push_back(std::move(listener));
  settings.backends["app"].servers = {{"127.0.0.1", backend_port}};
  return settings;
}

TestServer::TestServer(config::TlsdSettings settings, tlsd::Server::ReadSettings read_settings)
    : server_(library_, std::move(settings), std::move(read_settings)),
      end_(std::async(std::launch::async, [this] { return server_.run(); })) {}

TestServer::~TestServer() {
  if (!end_.valid()) return;
  server_.stop();
  server_.stop();
  end_.wait();
}

tlsd::Server::End TestServer::end() { return end_.get(); }

double TestServer::metric(const std::string& name) {
  const std::string text = server_.metrics().text();
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + name.size() + 2, nullptr);
}

bool TestServer::wait_for_metric(const std::string& name, double value) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (metric(name) != value) {
    if (std::chrono::steady_clock::now() > end) return false;
    // The metric has no event to wait for.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace keystay::test
