#include "native/keys/lane_source.h"

namespace keystay::keys {

LaneSource::LaneSource(std::vector<std::shared_ptr<pkcs11::Token>> lanes, PinSupply pin_supply)
    : lanes_(std::make_shared<Lanes>(lanes)),
      first_(lanes.front(), pin_supply),
      operations_(std::make_shared<LaneOperations>(lanes_, LaneOperations::Trials::repaired)),
      attempts_(std::make_shared<LaneOperations>(lanes_, LaneOperations::Trials::one)) {}

pkcs11::TokenInfo LaneSource::info() { return lanes_->any()->info(); }

void LaneSource::generate_random(std::span<std::uint8_t> random) {
  with_session([&](pkcs11::Session& session) { session.generate_random(random); });
}

void LaneSource::with_session(const std::function<void(pkcs11::Session&)>& body) {
  lanes_->any()->with_session(body);
}

void LaneSource::with_rw_session(const std::function<void(pkcs11::Session&)>& body) {
  lanes_->any()->with_rw_session(body);
}

}  // namespace keystay::keys
