// Which members are active, and which of them is best.
#include "native/ha/selection.h"

#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

class Selection : public GroupTest {
 protected:
  Selection() {
    for (std::size_t i = 0; i < kMembers; ++i) {
      MemberOptions options;
      options.name = name(i);
      options.zone = i == 0 ? "far" : "near";
      options.probe_pauses = {1s};
      members_.push_back(
          std::make_shared<Member>(options, tokens_->source(name(i)), [](const std::string&) {}));
    }
  }

  [[nodiscard]] std::size_t best(MemberSet candidates, std::size_t turn = 0) const {
    return best_of(members_, candidates, settings_, turn);
  }

  std::vector<std::shared_ptr<Member>> members_;
  config::GroupSettings settings_;
};

TEST_F(Selection, ActiveAreTheFirstInTheirOrder) {
  EXPECT_EQ(active_members(members_, 1), MemberSet(0b001));
  EXPECT_EQ(active_members(members_, 2), MemberSet(0b011));
  EXPECT_EQ(active_members(members_, 3), MemberSet(0b111));
}

TEST_F(Selection, EqualOnesTakeTurns) {
  EXPECT_EQ(best(0b111, 0), 0U);
  EXPECT_EQ(best(0b111, 1), 1U);
  EXPECT_EQ(best(0b111, 5), 2U);
  EXPECT_EQ(best(0b101, 1), 2U) << "the next one that may";
}

TEST_F(Selection, ByPriorityThereAreNoTurns) {
  settings_.balance.reset();
  EXPECT_EQ(best(0b111, 2), 0U);
  EXPECT_EQ(best(0b110, 2), 1U);
}

TEST_F(Selection, TheSameZoneComesFirst) {
  settings_.same_zone = "near";
  EXPECT_EQ(best(0b111, 0), 1U);
  EXPECT_EQ(best(0b001, 0), 0U) << "others only where there is none";
}

TEST_F(Selection, OneThatFailedLatelyComesLater) {
  const keys::PrivateKey httpd = key();
  faults(0).fail(Function::C_Sign, CKR_DATA_LEN_RANGE, kEveryCall);
  Bytes signature(64);
  const Bytes digest(32, 1);
  const pkcs11::Operation operation = pkcs11::Sign{pkcs11::Ecdsa{}};
  const Request request{httpd.reference(), operation, digest, signature};
  const auto sign_on_first = [&] {
    return error_of([&] {
      members_[0]->perform(request, Member::Repair::left_to_probes, std::chrono::steady_clock::now() + 5s);
    });
  };
  ASSERT_TRUE(sign_on_first());
  EXPECT_EQ(best(0b111, 0), 0U) << "the request's fault is not the member's";
  faults(0).fail(Function::C_Sign, CKR_SESSION_HANDLE_INVALID, kEveryCall);
  ASSERT_TRUE(sign_on_first());
  EXPECT_EQ(members_[0]->idleness(), 1);
  EXPECT_LT(members_[0]->success(), 1);
  EXPECT_EQ(best(0b111, 0), 1U);
  const double before = members_[0]->success();
  EXPECT_TRUE(wait_for([&] { return members_[0]->success() > before; })) << "though it gets no operation";
}

}  // namespace
}  // namespace keystay::ha
