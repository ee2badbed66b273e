// The fault module itself, with SoftHSM behind: a fault that is ordered happens, and nothing else does.
#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/support/fault_module/fault.h"
#include "tests/support/softhsm_token.h"

namespace keystay::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// The module as a program sees it. Loaded once: it stays in the process like any PKCS #11 module.
CK_FUNCTION_LIST& module() {
  static CK_FUNCTION_LIST* const functions = [] {
    void* library = dlopen(FaultControl::module().c_str(), RTLD_NOW);
    auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST* list = nullptr;
    EXPECT_EQ(get(&list), CKR_OK);
    return list;
  }();
  return *functions;
}

class FaultModule : public testing::Test {
 protected:
  void SetUp() override {
    initialize();
    session_ = open_session();
    login();
    key_ = find_key();
    faults_.reset_calls();
  }

  static void initialize() {
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    ASSERT_EQ(module().C_Initialize(&arguments), CKR_OK);
  }

  // The slot of the token; SoftHSM's free slot comes after it.
  static CK_SLOT_ID slot() {
    CK_ULONG count = 0;
    EXPECT_EQ(module().C_GetSlotList(CK_TRUE, nullptr, &count), CKR_OK);
    std::vector<CK_SLOT_ID> slots(count);
    EXPECT_EQ(module().C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
    return slots.at(0);
  }

  static CK_RV try_open_session(CK_SESSION_HANDLE* session) {
    return module().C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, session);
  }

  static CK_SESSION_HANDLE open_session() {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    EXPECT_EQ(try_open_session(&session), CKR_OK);
    return session;
  }

  void login() const {
    std::string pin = token_.pin();
    ASSERT_EQ(module().C_Login(session_, CKU_USER, reinterpret_cast<CK_BYTE*>(pin.data()), pin.size()),
              CKR_OK);
  }

  CK_OBJECT_HANDLE find_key() const {
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE search{CKA_CLASS, &private_key, sizeof private_key};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG found = 0;
    EXPECT_EQ(module().C_FindObjectsInit(session_, &search, 1), CKR_OK);
    EXPECT_EQ(module().C_FindObjects(session_, &key, 1, &found), CKR_OK);
    EXPECT_EQ(module().C_FindObjectsFinal(session_), CKR_OK);
    return key;
  }

  static CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    if (const CK_RV rv = module().C_SignInit(session, &mechanism, key); rv != CKR_OK) return rv;
    std::array<CK_BYTE, 32> digest{};
    std::array<CK_BYTE, 64> signature;
    CK_ULONG size = signature.size();
    return module().C_Sign(session, digest.data(), digest.size(), signature.data(), &size);
  }
  CK_RV sign() const { return sign(session_, key_); }

  // Runs `body` in a forked child; its result is the child's exit code.
  static int in_child(const std::function<int()>& body) {
    const pid_t pid = fork();
    if (pid == 0) _exit(body());
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  SoftHsmToken token_{"web", {.front = Front::fault_module}};
  FaultControl& faults_ = token_.faults();
  std::string made_ = token_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01", "--usage-sign"});
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE key_ = CK_INVALID_HANDLE;
};

TEST_F(FaultModule, HasEveryFunctionOfTheList) {
  CK_FUNCTION_LIST& list = module();
#define EXPECT_FUNCTION(name) EXPECT_NE(list.name, nullptr) << #name;
  KEYSTAY_CRYPTOKI_FUNCTIONS(EXPECT_FUNCTION)
#undef EXPECT_FUNCTION
  EXPECT_EQ(list.version.major, 2);
}

TEST_F(FaultModule, CountsEachFunctionByItself) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(faults_.calls(Function::C_SignInit), 3u);
  EXPECT_EQ(faults_.calls(Function::C_Sign), 3u);
  EXPECT_EQ(faults_.calls(), 6u);
  EXPECT_EQ(faults_.inside(Function::C_Sign), 0);
}

TEST_F(FaultModule, FailsTheNextCallsWithTheCodeOrdered) {
  faults_.fail(Function::C_SignInit, CKR_DEVICE_ERROR, 2);
  EXPECT_EQ(sign(), CKR_DEVICE_ERROR);
  EXPECT_EQ(sign(), CKR_DEVICE_ERROR);
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(faults_.calls(Function::C_Sign), 1u);
}

TEST_F(FaultModule, FailsEveryCallUntilReset) {
  faults_.fail(Function::C_SignInit, CKR_FUNCTION_FAILED, kEveryCall);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sign(), CKR_FUNCTION_FAILED);
  faults_.reset();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(FaultModule, EndsTheOperationOfAFailedSign) {
  faults_.fail(Function::C_Sign, CKR_DEVICE_MEMORY);
  EXPECT_EQ(sign(), CKR_DEVICE_MEMORY);
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(FaultModule, LeavesTheOperationOfAFailedSignWhenToldTo) {
  faults_.leave_failed_signs_active();
  faults_.fail(Function::C_Sign, CKR_DEVICE_MEMORY);
  EXPECT_EQ(sign(), CKR_DEVICE_MEMORY);
  EXPECT_EQ(sign(), CKR_OPERATION_ACTIVE);
  EXPECT_EQ(sign(open_session(), key_), CKR_OK);
}

TEST_F(FaultModule, DelaysTheFunctionOrderedAndNoOther) {
  faults_.delay(Function::C_Sign, milliseconds(20));
  const auto start = Clock::now();
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_GE(Clock::now() - start, milliseconds(20));  // a sleep is never shorter than ordered
}

TEST_F(FaultModule, SignsOnlyAsManyAtATimeAsThereAreLanes) {
  faults_.limit_parallel_signs(2);
  faults_.delay(Function::C_Sign, milliseconds(10));
  const auto start = Clock::now();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] { EXPECT_EQ(sign(open_session(), key_), CKR_OK); });
  }
  threads.clear();
  EXPECT_GE(Clock::now() - start, milliseconds(40));  // 8 signatures, 2 at a time, 10 ms each
  EXPECT_GT(faults_.peak(Function::C_Sign), 2) << "the calls did not wait inside the module";
}

TEST_F(FaultModule, FreesTheLaneOfAProcessThatDies) {
  faults_.limit_parallel_signs(1);
  faults_.delay(Function::C_Sign, std::chrono::hours(1));
  const pid_t child = fork();
  if (child == 0) {
    sign();
    _exit(0);
  }
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Sign, 1));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  faults_.delay(Function::C_Sign, milliseconds(0));
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(FaultModule, HoldsCallsUntilReleased) {
  faults_.hold(Function::C_Sign);
  std::future<CK_RV> held = std::async(std::launch::async, [this] { return sign(); });
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Sign, 1));
  EXPECT_EQ(held.wait_for(milliseconds(20)), std::future_status::timeout);
  faults_.release(Function::C_Sign);
  EXPECT_EQ(held.get(), CKR_OK);
}

TEST_F(FaultModule, DropsSessionsForGood) {
  faults_.drop_sessions();
  EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
  EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
  EXPECT_EQ(faults_.open_sessions(), 0);

  session_ = open_session();
  EXPECT_NE(sign(), CKR_OK) << "the login must end with the sessions";
  login();
  key_ = find_key();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(FaultModule, DropsTheLoginAndKeepsTheSession) {
  faults_.drop_login();
  EXPECT_NE(sign(), CKR_OK);
  CK_SESSION_INFO info;
  ASSERT_EQ(module().C_GetSessionInfo(session_, &info), CKR_OK);
  EXPECT_EQ(info.state, CKS_RO_PUBLIC_SESSION);
  login();
  key_ = find_key();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(FaultModule, ForgetsThatItWasInitialized) {
  faults_.forget_initialize();
  EXPECT_EQ(sign(), CKR_CRYPTOKI_NOT_INITIALIZED);
  EXPECT_EQ(sign(), CKR_CRYPTOKI_NOT_INITIALIZED);
  initialize();
  session_ = open_session();
  login();
  key_ = find_key();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(FaultModule, TakesTheTokenOutOfItsSlotAndPutsItBack) {
  const CK_SLOT_ID present = slot();
  faults_.remove_token();
  CK_ULONG count = 99;
  EXPECT_EQ(module().C_GetSlotList(CK_TRUE, nullptr, &count), CKR_OK);
  EXPECT_EQ(count, 0u);
  CK_TOKEN_INFO info;
  EXPECT_EQ(module().C_GetTokenInfo(present, &info), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  EXPECT_EQ(module().C_OpenSession(present, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
            CKR_TOKEN_NOT_PRESENT);

  faults_.return_token();
  session_ = open_session();
  login();
  key_ = find_key();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(FaultModule, AddsTokenFlags) {
  faults_.set_token_flags(CKF_USER_PIN_FINAL_TRY);
  CK_TOKEN_INFO info;
  ASSERT_EQ(module().C_GetTokenInfo(slot(), &info), CKR_OK);
  EXPECT_NE(info.flags & CKF_USER_PIN_FINAL_TRY, 0u);
  EXPECT_NE(info.flags & CKF_TOKEN_INITIALIZED, 0u) << "the token's own flags stay";
}

TEST_F(FaultModule, LimitsSessions) {
  EXPECT_EQ(faults_.open_sessions(), 1);
  faults_.limit_sessions(2);
  const CK_SESSION_HANDLE second = open_session();
  CK_SESSION_HANDLE third = CK_INVALID_HANDLE;
  EXPECT_EQ(try_open_session(&third), CKR_SESSION_COUNT);
  CK_TOKEN_INFO info;
  ASSERT_EQ(module().C_GetTokenInfo(slot(), &info), CKR_OK);
  EXPECT_EQ(info.ulMaxSessionCount, 2u);
  EXPECT_EQ(module().C_CloseSession(second), CKR_OK);
  EXPECT_EQ(try_open_session(&third), CKR_OK);
}

TEST_F(FaultModule, RemembersTheArgumentsOfInitialize) {
  EXPECT_EQ(faults_.initialize_flags(), CKF_OS_LOCKING_OK);
  ASSERT_EQ(module().C_Finalize(nullptr), CKR_OK);
  ASSERT_EQ(module().C_Initialize(nullptr), CKR_OK);
  EXPECT_EQ(faults_.initialize_flags(), kNoArguments);
}

// As OpenSSL's jobs are made: makecontext(3).
TEST_F(FaultModule, CountsCallsOnAnotherStackThanThatOfTheThread) {
  ASSERT_EQ(sign(), CKR_OK);
  EXPECT_EQ(faults_.calls_on_fibres(), 0u);
  static std::function<CK_RV()> body;
  static ucontext_t fibre, thread;
  body = [this] { return sign(); };
  std::vector<char> stack(256 * 1024);
  ASSERT_EQ(getcontext(&fibre), 0);
  fibre.uc_stack.ss_sp = stack.data();
  fibre.uc_stack.ss_size = stack.size();
  fibre.uc_link = &thread;
  makecontext(
      &fibre, [] { static_cast<void>(body()); }, 0);
  ASSERT_EQ(swapcontext(&thread, &fibre), 0);
  EXPECT_GE(faults_.calls_on_fibres(), 1u);
}

TEST_F(FaultModule, CountsTheCallsOfAForkedChild) {
  EXPECT_EQ(in_child([this] { return sign() == CKR_OK ? 0 : 1; }), 0);
  EXPECT_EQ(faults_.calls(Function::C_Sign), 1u);
}

TEST_F(FaultModule, MakesAForkedChildInitializeWhenToldTo) {
  faults_.require_initialize_after_fork();
  const int code = in_child([this] {
    if (sign() != CKR_CRYPTOKI_NOT_INITIALIZED) return 1;
    initialize();
    session_ = open_session();
    login();
    key_ = find_key();
    return sign() == CKR_OK ? 0 : 2;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(sign(), CKR_OK) << "the parent goes on";
}

TEST_F(FaultModule, DropsSessionsUnderLoadWithoutDisturbingTheTarget) {
  std::atomic<bool> stop = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      CK_SESSION_HANDLE session = open_session();
      while (!stop) {
        const CK_RV rv = sign(session, key_);
        if (rv == CKR_SESSION_HANDLE_INVALID) session = open_session();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t before = faults_.calls(Function::C_SignInit);
    faults_.drop_sessions();
    while (faults_.calls(Function::C_SignInit) < before + 20) std::this_thread::yield();
  }
  stop = true;
  threads.clear();
  session_ = open_session();
  login();
  key_ = find_key();
  EXPECT_EQ(sign(), CKR_OK);
}

// Without sleeping: on a busy machine every sleep is longer than ordered.
TEST(FaultDelay, IsSpreadAroundItsMedian) {
  FunctionControl function{};
  function.delay_us = 4000;
  EXPECT_EQ(drawn_delay(function), milliseconds(4));
  function.spread = 500;
  std::vector<std::chrono::duration<double>> delays(10'001);
  std::generate(delays.begin(), delays.end(), [&] { return drawn_delay(function); });
  std::sort(delays.begin(), delays.end());
  // Medians of 10,001 draws vary by about 0.6 %, 99th percentiles by about 2 %.
  EXPECT_NEAR(delays[5'000] / milliseconds(1), 4.0, 0.4);
  EXPECT_NEAR(delays[9'900] / milliseconds(1), 4.0 * 3.2, 2.0);
}

// A fresh process with a target and no control file.
TEST(FaultModuleAlone, OnlyForwardsWithoutAControlFile) {
  const SoftHsmToken token("web", {.front = Front::fault_module});
  const Outcome outcome = run({"pkcs11-tool", "--module", token.module(), "--list-token-slots"},
                              {.environment = {{kFaultControlVariable, ""}}});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.output, testing::HasSubstr("token label        : web"));
}

TEST(FaultModuleAlone, SaysWhatIsWrongWithoutATarget) {
  const Outcome outcome = run({"pkcs11-tool", "--module", FaultControl::module(), "--list-slots"},
                              {.environment = {{kFaultTargetVariable, ""}, {kFaultControlVariable, ""}}});
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error, testing::HasSubstr("KEYSTAY_FAULT_TARGET=(unset)"));
}

}  // namespace
}  // namespace keystay::test
