// Processes that were forked before anybody has logged in, as a server's workers are, try a wrong PIN once
// together, and are not stopped by one of them that ends or hangs in C_Login.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>
#include <new>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/pkcs11/doubtful_logins.h"
#include "native/pkcs11/login_history.h"
#include "native/pkcs11/login_record.h"
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

// What workers and the test tell each other.
struct Shared {
  std::atomic<bool> started{false};
  std::atomic<bool> corrected{false};
  std::atomic<int> refused{0};
};

class SharedLogin : public TokenTest {
 protected:
  static constexpr int kWorkers = 8;

  ~SharedLogin() override {
    for (const pid_t worker : workers_) {
      ::kill(worker, SIGKILL);
      ::waitpid(worker, nullptr, 0);
    }
    ::munmap(shared_, sizeof(Shared));
  }

  TokenOptions with_pin(const std::string& pin) const {
    TokenOptions options = this->options();
    options.pin = [pin] { return Pin(pin, "file:/etc/keystay/web.pin"); };
    return options;
  }

  // Forks a worker, which does nothing before start().
  pid_t fork_worker(const std::function<bool()>& body) {
    const pid_t worker = ::fork();
    if (worker == 0) {
      while (!shared_->started) std::this_thread::sleep_for(milliseconds(1));
      bool good = false;
      try {
        good = body();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "in a worker: %s\n", error.what());
      }
      ::_exit(good ? 0 : 1);
    }
    workers_.push_back(worker);
    return worker;
  }
  void fork_workers(const std::function<bool()>& body) {
    for (int i = 0; i < kWorkers; ++i) fork_worker(body);
  }
  void start() { shared_->started = true; }

  // Waits for the end of all; how many returned true.
  int good_workers() {
    int good = 0;
    for (const pid_t worker : workers_) {
      int status = -1;
      EXPECT_EQ(::waitpid(worker, &status, 0), worker);
      good += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
    }
    workers_.clear();
    return good;
  }

  // Whether each of some signatures fails for want of a login.
  bool is_refused(Token& token) const {
    bool refused = true;
    for (int i = 0; i < 3; ++i) {
      const std::optional<Error> error = error_of([&] { sign(token); });
      refused = refused && error && error->error_class() == ErrorClass::authentication;
    }
    return refused;
  }

  Shared* shared_ =
      new (::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared;
  std::vector<pid_t> workers_;
};

TEST_F(SharedLogin, WrongPinIsTriedOnceByAllWorkers) {
  const auto token = this->token(with_pin("999999"));
  fork_workers([&] { return is_refused(*token); });
  start();
  EXPECT_EQ(good_workers(), kWorkers);
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  EXPECT_TRUE(is_refused(*token)) << "the parent knows it too";
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  fork_workers([&] { return is_refused(*token); });
  EXPECT_EQ(good_workers(), kWorkers) << "and so do workers that take the places of others";
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

// While it takes its time, all others ask.
TEST_F(SharedLogin, WrongPinIsTriedOnceAtASlowToken) {
  faults_.delay(Function::C_Login, milliseconds(300));
  const auto token = this->token(with_pin("999999"));
  fork_workers([&] { return is_refused(*token); });
  start();
  EXPECT_EQ(good_workers(), kWorkers);
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(SharedLogin, EveryRefusalOfAPinIsShared) {
  for (const CK_RV code :
       {CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_EXPIRED, CKR_PIN_LOCKED}) {
    faults_.reset();
    faults_.fail(Function::C_Login, code, kEveryCall);
    const auto token = std::make_shared<Token>(std::make_shared<Module>(hsm_.module()), options());
    fork_workers([&] { return is_refused(*token); });
    start();
    EXPECT_EQ(good_workers(), kWorkers) << describe(code);
    EXPECT_EQ(faults_.calls(Function::C_Login), 1u) << describe(code);
  }
}

// Whatever the token answers to a wrong PIN: the pauses are those of all workers together.
TEST_F(SharedLogin, InDoubtIsRepeatedAtGrowingPausesHoweverManyWorkersAsk) {
  faults_.fail(Function::C_Login, CKR_VENDOR_DEFINED | 0x4f01, kEveryCall);
  const auto token = this->token(with_pin("999999"));
  fork_workers([&] {
    bool fails = true;
    for (int i = 0; i < 10; ++i) {
      const std::optional<Error> error = error_of([&] { sign(*token); });
      fails = fails && error && error->code() == (CKR_VENDOR_DEFINED | 0x4f01);
      std::this_thread::sleep_for(milliseconds(60));  // past what separates two openings
    }
    return fails;
  });
  const auto begin = steady_clock::now();
  start();
  EXPECT_EQ(good_workers(), kWorkers);
  std::uint64_t allowed = 1;
  for (auto next = begin;
       (next += DoubtfulLogins::pause_after(static_cast<unsigned>(allowed))) < steady_clock::now();)
    ++allowed;
  EXPECT_LE(faults_.calls(Function::C_Login), allowed + 1);
}

TEST_F(SharedLogin, RightPinServesAllWorkers) {
  const auto token = this->token();
  fork_workers([&] { return verifies(sign(*token)) && verifies(sign(*token)); });
  start();
  EXPECT_EQ(good_workers(), kWorkers);
}

// Those that wait for the first login need not wait for one another.
TEST_F(SharedLogin, RightPinIsUsedByManyAtATimeOnceItWasAccepted) {
  faults_.delay(Function::C_Login, milliseconds(200));
  const auto token = this->token();
  fork_workers([&] { return verifies(sign(*token)); });
  start();
  EXPECT_EQ(good_workers(), kWorkers);
  EXPECT_GE(faults_.peak(Function::C_Login), 2);
}

TEST_F(SharedLogin, RightPinIsTriedBesideAWrongOne) {
  const auto wrong = this->token(with_pin("999999"));
  const auto right = this->token();
  fork_workers([&] { return is_refused(*wrong); });
  fork_workers([&] { return verifies(sign(*right)); });
  start();
  EXPECT_EQ(good_workers(), 2 * kWorkers);
  // SoftHSM fails a few of those that log in at once, which is repeated.
  EXPECT_LT(faults_.calls(Function::C_Login), 2u * kWorkers);
}

TEST_F(SharedLogin, CorrectedPinIsTriedByEachWorker) {
  TokenOptions options = this->options();
  options.pin = [&] { return Pin(shared_->corrected ? hsm_.pin() : "999999"); };
  const auto token = this->token(options);
  fork_workers([&] {
    const bool refused = is_refused(*token);
    ++shared_->refused;
    while (!shared_->corrected) std::this_thread::sleep_for(milliseconds(1));
    return refused && verifies(sign(*token));
  });
  start();
  while (shared_->refused < kWorkers) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  shared_->corrected = true;
  EXPECT_EQ(good_workers(), kWorkers);
}

// The token warns of the last attempt while others wait to make theirs.
TEST_F(SharedLogin, IsNotTriedWhenAnothersAttemptLeftOne) {
  const auto first = this->token(with_pin("999999"));
  const auto second = this->token(with_pin("888888"));
  faults_.hold(Function::C_Login);
  fork_worker([&] { return is_refused(*first); });
  start();
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Login, 1));
  const auto asked = faults_.calls(Function::C_OpenSession);
  fork_worker([&] { return is_refused(*second); });
  while (faults_.calls(Function::C_OpenSession) == asked) std::this_thread::sleep_for(milliseconds(1));
  std::this_thread::sleep_for(milliseconds(50));  // it has read the token's flags, and waits
  faults_.set_token_flags(CKF_USER_PIN_FINAL_TRY);
  faults_.release(Function::C_Login);
  EXPECT_EQ(good_workers(), 2);
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

// Its parent has not waited for it, and it has not said what became of its attempt.
TEST_F(SharedLogin, WorkerThatIsKilledInCLoginDoesNotStopTheOthers) {
  TokenOptions options = this->options();
  options.timeout = seconds(15);  // less than what one that lives may take
  const auto token = this->token(options);
  faults_.hold(Function::C_Login);
  const pid_t killed = fork_worker([&] { return verifies(sign(*token)); });
  start();
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Login, 1));
  ASSERT_EQ(::kill(killed, SIGKILL), 0);
  faults_.release(Function::C_Login);
  fork_worker([&] { return verifies(sign(*token)); });
  EXPECT_EQ(good_workers(), 1);
  EXPECT_EQ(faults_.calls(Function::C_Login), 2u);
}

TEST_F(SharedLogin, WorkerThatIsStoppedInCLoginMakesTheOthersBusyForTheirTime) {
  const auto token = this->token();
  TokenOptions options = this->options();
  options.timeout = milliseconds(200);
  const auto impatient = this->token(options);
  faults_.hold(Function::C_Login);
  fork_worker([&] { return verifies(sign(*token)); });
  start();
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Login, 1));
  EXPECT_TRUE(true_in_child([&] {
    const std::optional<Error> error = error_of([&] { sign(*impatient); });
    return error && error->error_class() == ErrorClass::busy;
  }));
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  faults_.release(Function::C_Login);
  EXPECT_EQ(good_workers(), 1);
  EXPECT_TRUE(true_in_child([&] { return verifies(sign(*impatient)); }));
}

// A thread of the parent is in C_Login at the fork.
TEST_F(SharedLogin, ChildThatIsForkedInTheMiddleOfALoginHearsItsEnd) {
  const auto token = this->token(with_pin("999999"));
  faults_.hold(Function::C_Login);
  std::jthread parents([&] { EXPECT_TRUE(is_refused(*token)); });
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Login, 1));
  fork_worker([&] { return is_refused(*token); });
  start();
  faults_.release(Function::C_Login);
  EXPECT_EQ(good_workers(), 1);
  parents.join();
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

// A module that is known by its path alone, even if a worker is the first to know it.
TEST_F(SharedLogin, RefusalIsSharedByWorkersThatOpenTheModuleThemselves) {
  fork_workers(
      [&] { return is_refused(*std::make_shared<Token>(Module::at(hsm_.module()), with_pin("999999"))); });
  start();
  EXPECT_EQ(good_workers(), kWorkers);
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(SharedLogin, MessageNamesThePinThatAnotherWorkerHasTried) {
  const auto token = this->token(with_pin("999999"));
  EXPECT_TRUE(true_in_child([&] { return is_refused(*token); }));
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(),
              HasSubstr("is not tried again: the token refused the PIN from file:/etc/keystay/web.pin"));
}

TEST(LoginTurnTest, IsOneProcesssUntilItIsGivenBack) {
  LoginTurn turn;
  {
    const auto held = turn.try_take(seconds(60));
    ASSERT_TRUE(held);
    EXPECT_FALSE(held->was_abandoned());
    EXPECT_FALSE(turn.try_take(seconds(60)));
  }
  EXPECT_TRUE(turn.try_take(seconds(60)));
}

// A process that hangs keeps it for so long, and does not give back later what is another's by then.
TEST(LoginTurnTest, OfAProcessThatHangsIsTakenOver) {
  LoginTurn turn;
  auto hangs = turn.try_take(seconds(60));
  ASSERT_TRUE(hangs);
  std::this_thread::sleep_for(milliseconds(5));
  const auto held = turn.try_take(milliseconds(1));
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->was_abandoned());
  hangs.reset();
  EXPECT_FALSE(turn.try_take(seconds(60)));
}

TEST(LoginTableTest, HasOneRecordForEachTokenUntilItIsFull) {
  LoginTable table;
  std::vector<LoginRecord*> records;
  for (std::uint64_t token = 1; token <= 64; ++token) {
    LoginRecord& record = table.record(token * 7);
    EXPECT_EQ(std::ranges::find(records, &record), records.end());
    records.push_back(&record);
  }
  for (std::uint64_t token = 1; token <= 64; ++token) EXPECT_EQ(&table.record(token * 7), records[token - 1]);
  EXPECT_NE(std::ranges::find(records, &table.record(1000)), records.end()) << "shared with another token";
}

// What another token refused is nothing to a token that shares its record, since the digests differ.
TEST(LoginTableTest, DigestsOfOnePinDifferBetweenTokensAndTables) {
  LoginTable table;
  LoginTable other;
  const Pin pin("123456");
  const LoginHistory web(table, "web");
  EXPECT_EQ(web.digest(pin), web.digest(Pin("123456")));
  EXPECT_NE(web.digest(pin), web.digest(Pin("123457")));
  EXPECT_NE(web.digest(pin), LoginHistory(table, "web2").digest(pin));
  EXPECT_NE(web.digest(pin), LoginHistory(other, "web").digest(pin)) << "no salt";
}

TEST(LoginTableTest, RemembersTheLastSixteenRefusals) {
  RefusedPins refused;
  for (std::uint64_t pin = 1; pin <= 17; ++pin) refused.add(PinDigest{pin});
  EXPECT_FALSE(refused.contains(PinDigest{1}));
  for (std::uint64_t pin = 2; pin <= 17; ++pin) EXPECT_TRUE(refused.contains(PinDigest{pin}));
}

}  // namespace
}  // namespace keystay::pkcs11
