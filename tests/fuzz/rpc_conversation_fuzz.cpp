// All that comes back on a lane while a token is found, read and signed with: the responses with their
// headers, one after the other.
#include <array>

#include <fcntl.h>
#include <sys/socket.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module.h"
#include "native/pkcs11/session.h"
#include "native/pkcs11/slot.h"
#include "native/remote/remote_functions.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using std::chrono::steady_clock;

config::RemoteSettings with_one_endpoint() {
  config::RemoteSettings settings;
  settings.endpoints.push_back({{}, 0, "/fuzz"});
  return settings;
}

// Says this, and no more.
class Speaker final : public remote::Connector {
 public:
  explicit Speaker(pkcs11::ByteView said) : Connector(with_one_endpoint()), said_(said) {}

  [[nodiscard]] remote::Connection connect(pkcs11::Deadline) override {
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
    const config::FileDescriptor far(ends[1]);
    ::send(far.get(), said_.data(), said_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    kept_ = config::FileDescriptor(::fcntl(far.get(), F_DUPFD_CLOEXEC, 0));
    ::shutdown(kept_.get(), SHUT_WR);
    return {config::FileDescriptor(ends[0]), remote::kNewestVersion, "unix:/fuzz"};
  }

 private:
  const pkcs11::ByteView said_;
  config::FileDescriptor kept_{-1};  // so that requests can be written
};

void converse(remote::RemoteFunctions& functions) {
  const pkcs11::Deadline deadline = steady_clock::now() + std::chrono::seconds(10);
  pkcs11::Module module(
      "of the speaker", [&]() -> CK_FUNCTION_LIST& { return functions.list(); },
      std::make_shared<pkcs11::LoginMemory>());
  for (const CK_SLOT_ID slot : module.slots_with_token(deadline)) {
    static_cast<void>(pkcs11::token_info(functions.list(), slot));
    pkcs11::Session session(module, slot, pkcs11::SessionKind::read_only, deadline);
    static_cast<void>(session.state());
    const auto objects = session.find_objects({});
    constexpr std::array<CK_ATTRIBUTE_TYPE, 6> kTypes = {CKA_CLASS, CKA_KEY_TYPE,           CKA_ID,
                                                         CKA_LABEL, CKA_ALLOWED_MECHANISMS, CKA_EC_POINT};
    if (!objects.empty()) static_cast<void>(session.attributes(objects.front(), kTypes));
    std::array<std::uint8_t, 65> signature{};
    const std::size_t size =
        session.perform(3, pkcs11::Sign{pkcs11::Ecdsa{}}, Bytes(32), std::span(signature).first<64>());
    require(size <= 64 && signature.back() == 0, "no signature is longer than the place for it");
    std::array<std::uint8_t, 16> random{};
    session.generate_random(random);
  }
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keystay;
  remote::RemoteFunctions functions(std::make_shared<test::Speaker>(pkcs11::ByteView(data, size)));
  try {
    test::converse(functions);
  } catch (const pkcs11::Error&) {
  }
  return 0;
}
