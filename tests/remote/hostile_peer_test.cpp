// An endpoint that answers what no server would: it costs an error in time, and a bounded amount of memory.
#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module.h"
#include "native/pkcs11/session.h"
#include "native/remote/remote_functions.h"
#include "tests/remote/scripted_peer.h"

namespace keystay::remote {
namespace {

using namespace std::chrono_literals;

using pkcs11::Error;
using pkcs11::ErrorClass;
using std::chrono::steady_clock;
using test::Answer;
using test::ScriptedPeer;
using testing::HasSubstr;

class HostilePeer : public testing::Test {
 protected:
  void connect(ScriptedPeer::Script script, std::chrono::milliseconds response_timeout = 2s) {
    peer_ = std::make_shared<ScriptedPeer>(std::move(script), response_timeout);
    functions_.emplace(peer_);
    module_.emplace(
        "of the peer", [this]() -> CK_FUNCTION_LIST& { return functions_->list(); },
        std::make_shared<pkcs11::LoginMemory>());
  }

  [[nodiscard]] static pkcs11::Deadline deadline() { return steady_clock::now() + 20s; }
  [[nodiscard]] static std::optional<Error> error_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }

  std::shared_ptr<ScriptedPeer> peer_;
  std::optional<RemoteFunctions> functions_;
  std::optional<pkcs11::Module> module_;
};

// Of this process, in bytes.
std::size_t peak_memory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmHWM:") break;
  }
  std::size_t kilobytes = 0;
  status >> kilobytes;
  return kilobytes * 1024;
}

TEST_F(HostilePeer, ThatCountsSlotsWithoutEndIsAnError) {
  for (const std::uint32_t count : {0xFFFFFFFFU, 0x10000000U, 0x00100000U}) {
    connect([count](std::uint32_t code, Call call) {
      return call == Call::get_slot_list ? ScriptedPeer::framed(code, Answer(call, "au").byte(0).u32(count))
                                         : ScriptedPeer::honest(code, call);
    });
    const std::size_t before = peak_memory();
    const auto error = error_of([&] { static_cast<void>(module_->slots_with_token(deadline())); });
    ASSERT_TRUE(error) << count;
    EXPECT_EQ(error->error_class(), ErrorClass::server);
    EXPECT_LT(peak_memory() - before, std::size_t{64} << 20U);
  }
}

TEST_F(HostilePeer, ThatHasAlwaysOneSlotMoreIsAnError) {
  connect([count = std::uint32_t{1}](std::uint32_t code, Call call) mutable {
    return call == Call::get_slot_list ? ScriptedPeer::framed(code, Answer(call, "au").byte(0).u32(++count))
                                       : ScriptedPeer::honest(code, call);
  });
  const auto error = error_of([&] { static_cast<void>(module_->slots_with_token(deadline())); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("does not say how many slots it has"));
}

TEST_F(HostilePeer, ThatFindsObjectsWithoutEndIsAnError) {
  connect([](std::uint32_t code, Call call) {
    if (call != Call::find_objects) return ScriptedPeer::honest(code, call);
    Answer answer(call, "au");
    answer.byte(1).u32(256);
    for (std::uint64_t handle = 0; handle < 256; ++handle) answer.u64(handle);
    return ScriptedPeer::framed(code, answer);
  });
  pkcs11::Session session(*module_, 7, pkcs11::SessionKind::read_only, deadline());
  const auto error = error_of([&] { static_cast<void>(session.find_objects({})); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::server);
  EXPECT_THAT(error->what(), HasSubstr("more objects than any token has"));
}

TEST_F(HostilePeer, ThatDripsItsBytesIsGivenUpInTime) {
  connect([](std::uint32_t code, Call call) { return ScriptedPeer::honest(code, call); }, 300ms);
  static_cast<void>(module_->functions(deadline()));
  peer_->drip(100ms);
  const auto error = error_of([&] { static_cast<void>(module_->slots_with_token(deadline())); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("did not answer within 300 ms (response-timeout)"));
}

// Both requests of one operation, which one time-out covers: C_SignInit's response comes late, C_Sign's
// never.
TEST_F(HostilePeer, ThatAnswersHalfAnOperationCostsOneTimeOut) {
  const auto sign_at = [&](std::chrono::milliseconds late) {
    connect(
        [late](std::uint32_t code, Call call) {
          if (call == Call::sign) return pkcs11::Bytes{};
          if (call == Call::sign_init) std::this_thread::sleep_for(late);
          return ScriptedPeer::honest(code, call);
        },
        1s);
    pkcs11::Session session(*module_, 7, pkcs11::SessionKind::read_only, deadline());
    const auto before = steady_clock::now();
    pkcs11::Bytes signature(64);
    EXPECT_TRUE(error_of([&] {
      static_cast<void>(session.perform(9, pkcs11::Sign{pkcs11::Ecdsa{}}, pkcs11::Bytes(32), signature));
    }));
    return std::chrono::duration<double>(steady_clock::now() - before);
  };
  const auto one_time_out = sign_at(0ms);
  EXPECT_LT(sign_at(900ms), 1.6 * one_time_out) << "the rest of the operation's time is for another try";
}

TEST_F(HostilePeer, ThatAnnouncesMoreThanItSendsTakesNoMemory) {
  connect(
      [](std::uint32_t code, Call call) {
        if (call != Call::get_slot_list) return ScriptedPeer::honest(code, call);
        pkcs11::Bytes frame = ScriptedPeer::honest(code, call);
        frame[4] = frame[8] = 0;
        frame[5] = frame[9] = 0xFF;  // nearly 16 MiB, in each of both parts
        return frame;
      },
      300ms);
  static_cast<void>(module_->functions(deadline()));
  const std::size_t before = peak_memory();
  EXPECT_TRUE(error_of([&] { static_cast<void>(module_->slots_with_token(deadline())); }));
  EXPECT_LT(peak_memory() - before, std::size_t{4} << 20U);
}

TEST_F(HostilePeer, ThatDrawsFewerRandomBytesIsAnError) {
  connect([](std::uint32_t code, Call call) {
    return call == Call::generate_random ? ScriptedPeer::framed(code, Answer(call, "ay").bytes(3))
                                         : ScriptedPeer::honest(code, call);
  });
  pkcs11::Session session(*module_, 7, pkcs11::SessionKind::read_only, deadline());
  pkcs11::Bytes random(32);
  const auto error = error_of([&] { session.generate_random(random); });
  ASSERT_TRUE(error) << "29 bytes would be what was there before";
  EXPECT_THAT(error->what(), HasSubstr("3 bytes instead of 32"));
}

TEST_F(HostilePeer, ThatAnswersAnotherRequestLosesItsConnection) {
  connect([](std::uint32_t code, Call call) {
    return ScriptedPeer::honest(call == Call::get_slot_list ? code - 1 : code, call);
  });
  const auto error = error_of([&] { static_cast<void>(module_->slots_with_token(deadline())); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("is not p11-kit's protocol"));
  const auto next = error_of([&] { static_cast<void>(module_->slots_with_token(deadline())); });
  ASSERT_TRUE(next);
  EXPECT_EQ(next->error_class(), ErrorClass::session_lost);
}

}  // namespace
}  // namespace keystay::remote
