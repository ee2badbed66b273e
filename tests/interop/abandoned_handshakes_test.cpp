// Clients that leave while the HSM signs: keystay-tlsd is left as it was, in memory, descriptors and paused
// jobs.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/interop/tlsd_on_token.h"
#include "tests/support/descriptor.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::size_t kClients = 16;
constexpr auto kSigningTime = 5ms;

// KEYSTAY_SOAK=1 runs the full length.
std::size_t handshakes() { return std::getenv("KEYSTAY_SOAK") ? 200'000 : 20'000; }

// What /proc says of a process.
struct Footprint {
  std::size_t resident_kib = 0;
  std::size_t descriptors = 0;
};

Footprint footprint(pid_t pid) {
  const std::filesystem::path proc = "/proc/" + std::to_string(pid);
  Footprint result;
  std::ifstream status(proc / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) result.resident_kib = std::stoul(line.substr(6));
  }
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(proc / "fd"))
    ++result.descriptors;
  return result;
}

// The first flight of a TLS 1.3 client, as bytes: a server signs when it has it.
std::string client_hello() {
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, Free> ssl(SSL_new(context.get()));
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  std::string name = "localhost";
  // SSL_set_tlsext_host_name, whose macro hides a C cast.
  SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  SSL_connect(ssl.get());  // wants to read: there is nobody
  std::string flight(4096, '\0');
  const int size = BIO_read(SSL_get_wbio(ssl.get()), flight.data(), static_cast<int>(flight.size()));
  flight.resize(static_cast<std::size_t>(std::max(size, 0)));
  return flight;
}

enum class Leave { by_fin, by_reset };

// Says hello, stays for a while, and leaves without another word.
void abandon_handshake(std::uint16_t port, const std::string& hello, std::chrono::microseconds stay,
                       Leave leave) {
  const Descriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::send(connection.get(), hello.data(), hello.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(hello.size()));
  std::this_thread::sleep_for(
      stay);  // the point of the test: how long varies, from before to after the signature
  if (leave == Leave::by_reset) {
    const linger reset{1, 0};
    ::setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
}

void abandon_handshakes(std::uint16_t port, std::size_t count) {
  const std::string hello = client_hello();
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> clients;
  for (std::size_t client = 0; client < kClients; ++client) {
    clients.emplace_back([&] {
      for (std::size_t number; (number = next++) < count;) {
        const auto stay = std::chrono::microseconds(kSigningTime) * (number % 20) / 10;
        abandon_handshake(port, hello, stay, number % 2 ? Leave::by_fin : Leave::by_reset);
        if (testing::Test::HasFatalFailure()) return;
      }
    });
  }
}

// Until nobody is connected, nothing waits for a signature, and the HSM has nothing to do.
bool wait_until_quiet(TlsdOnToken& tlsd) {
  for (const auto end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;) {
    if (tlsd.metric("keystay_tlsd_handshakes_paused") == "0" &&
        tlsd.metric("keystay_tlsd_connections{listener=\"https\"}") == "0" &&
        tlsd.faults().inside(Function::C_Sign) == 0) {
      return true;
    }
    std::this_thread::sleep_for(20ms);  // polling
  }
  return false;
}

TEST(AbandonedHandshakes, LeaveMemoryDescriptorsAndJobsWhereTheyWere) {
  TlsdOnToken tlsd;
  tlsd.faults().delay(Function::C_Sign, kSigningTime);
  abandon_handshakes(tlsd.port(), handshakes() / 4);  // fills pools and arenas, which stay
  ASSERT_TRUE(wait_until_quiet(tlsd)) << tlsd.get("/metrics");
  const Footprint before = footprint(tlsd.process().pid());
  tlsd.faults().reset_calls();

  abandon_handshakes(tlsd.port(), handshakes());
  ASSERT_TRUE(wait_until_quiet(tlsd)) << tlsd.get("/metrics");
  const Footprint after = footprint(tlsd.process().pid());

  EXPECT_GT(tlsd.faults().calls(Function::C_Sign), handshakes() / 20)
      << "the clients left before the HSM was asked";
  EXPECT_LE(after.descriptors, before.descriptors + 2);  // /metrics itself may be one
// The sanitizers' own memory grows; AddressSanitizer finds leaks when the server ends.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // One leaked fibre is 34 KiB; what the allocator keeps is a few hundred in all.
  EXPECT_LT(after.resident_kib, before.resident_kib + 4096) << "before: " << before.resident_kib;
#endif
  RecordProperty("resident_kib_before", std::to_string(before.resident_kib));
  RecordProperty("resident_kib_after", std::to_string(after.resident_kib));

  // And it serves: the HSM's next signature is for a client that stays.
  const Outcome answer = tlsd.fetch(tlsd.port());
  EXPECT_EQ(answer.output, "502") << answer;  // there is no backend, but there was TLS

  const Outcome outcome = tlsd.process().stop(60s);
  EXPECT_TRUE(outcome.ok()) << outcome;
}

}  // namespace
}  // namespace keystay::test
