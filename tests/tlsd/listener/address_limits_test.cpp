// max-connections-per-address and handshakes-per-second-per-address, without a connection.
#include "tlsd/accept/address_limits.h"

#include <list>

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;
using Answer = AddressLimits::Answer;
using Place = AddressLimits::Place;

config::AddressBytes address(const std::string& text) { return config::parse_address(text).value(); }

class AddressLimitsTest : public testing::Test {
 protected:
  // Enters and stays.
  Answer enter(const std::string& from, const AddressLimits::Terms& terms) {
    std::optional<Place> place;
    const Answer answer = limits_->enter(address(from), terms, now_, place);
    if (place) places_.push_back(*std::move(place));
    return answer;
  }
  // Enters and leaves at once.
  Answer pass(const std::string& from, const AddressLimits::Terms& terms) {
    std::optional<Place> place;
    return limits_->enter(address(from), terms, now_, place);
  }

  std::shared_ptr<AddressLimits> limits_ = std::make_shared<AddressLimits>();
  Clock::time_point now_ = Clock::now();
  std::list<Place> places_;
};

TEST_F(AddressLimitsTest, AnAddressHasItsConnectionsAndNoMore) {
  const AddressLimits::Terms two{2, 0};
  EXPECT_EQ(enter("192.0.2.1", two), Answer::admitted);
  EXPECT_EQ(enter("192.0.2.1", two), Answer::admitted);
  EXPECT_EQ(enter("192.0.2.1", two), Answer::too_many_connections);
  EXPECT_EQ(enter("192.0.2.2", two), Answer::admitted);
  places_.pop_front();
  EXPECT_EQ(enter("192.0.2.1", two), Answer::admitted);
  EXPECT_EQ(enter("192.0.2.1", two), Answer::too_many_connections);
}

TEST_F(AddressLimitsTest, SubscribersOfIpv6HaveA64AndOfIpv4AnAddress) {
  const AddressLimits::Terms one{1, 0};
  EXPECT_EQ(enter("2001:db8:0:1::1", one), Answer::admitted);
  EXPECT_EQ(enter("2001:db8:0:1:ffff::2", one), Answer::too_many_connections);
  EXPECT_EQ(enter("2001:db8:0:2::1", one), Answer::admitted);
  EXPECT_EQ(enter("192.0.2.1", one), Answer::admitted);
  EXPECT_EQ(enter("::ffff:192.0.2.1", one), Answer::too_many_connections);
  EXPECT_EQ(enter("192.0.2.2", one), Answer::admitted);
}

TEST_F(AddressLimitsTest, AnAddressHasItsHandshakesASecond) {
  const AddressLimits::Terms three{0, 3};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pass("192.0.2.1", three), Answer::admitted);
  EXPECT_EQ(pass("192.0.2.1", three), Answer::too_many_handshakes);
  EXPECT_EQ(pass("192.0.2.2", three), Answer::admitted);
  now_ += 400ms;  // one of three
  EXPECT_EQ(pass("192.0.2.1", three), Answer::admitted);
  EXPECT_EQ(pass("192.0.2.1", three), Answer::too_many_handshakes);
  now_ += 1h;  // not more than a second's worth is saved up
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pass("192.0.2.1", three), Answer::admitted);
  EXPECT_EQ(pass("192.0.2.1", three), Answer::too_many_handshakes);
}

TEST_F(AddressLimitsTest, ARefusalOfConnectionsCostsNoHandshake) {
  const AddressLimits::Terms terms{1, 2};
  EXPECT_EQ(enter("192.0.2.1", terms), Answer::admitted);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pass("192.0.2.1", terms), Answer::too_many_connections);
  places_.clear();
  EXPECT_EQ(pass("192.0.2.1", terms), Answer::admitted);
  EXPECT_EQ(pass("192.0.2.1", terms), Answer::too_many_handshakes);
}

std::string network(std::size_t i) {
  return "2001:db8:" + std::to_string(i / 1000) + ":" + std::to_string(i % 1000) + "::1";
}

TEST_F(AddressLimitsTest, TheTableIsBoundedWhoeverComes) {
  const AddressLimits::Terms terms{1, 1};
  EXPECT_EQ(enter("192.0.2.1", terms), Answer::admitted);
  for (std::size_t i = 0; i < AddressLimits::kMostQuiet + 1000; ++i)
    ASSERT_EQ(pass(network(i), terms), Answer::admitted);
  EXPECT_LE(limits_->size(), AddressLimits::kMostQuiet + 1);
  // Neither who is connected is forgotten, nor who was here a moment ago.
  EXPECT_EQ(pass("192.0.2.1", terms), Answer::too_many_connections);
  EXPECT_EQ(pass(network(AddressLimits::kMostQuiet + 999), terms), Answer::too_many_handshakes);
}

TEST_F(AddressLimitsTest, WhoWasQuietForASecondIsForgotten) {
  const AddressLimits::Terms terms{1, 1};
  for (std::size_t i = 0; i < 100; ++i) ASSERT_EQ(pass(network(i), terms), Answer::admitted);
  EXPECT_EQ(limits_->size(), 100U);
  now_ += 2s;
  for (int i = 0; i < 100; ++i) static_cast<void>(pass("192.0.2.1", terms));
  EXPECT_EQ(limits_->size(), 1U);
}

TEST_F(AddressLimitsTest, APlaceMayOutliveItsTable) {
  EXPECT_EQ(enter("192.0.2.1", {1, 1}), Answer::admitted);
  limits_.reset();
  places_.clear();
}

}  // namespace
}  // namespace keystay::tlsd
