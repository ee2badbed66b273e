#include "native/pkcs11/shared_id.h"

#include <algorithm>

namespace keystay::pkcs11 {

SharedHalves halves_shown_for(const KeyObject& key, std::span<const KeyObject* const> private_keys,
                              std::span<const ShownHalf> shown) {
  const auto is_labelled = [&](std::string_view label) {
    return std::ranges::any_of(shown, [&](const ShownHalf& half) { return half.label == label; });
  };
  const bool by_label = is_labelled(key.label);
  const auto is_of_another = [&](const ShownHalf& half) {
    return std::ranges::any_of(private_keys,
                               [&](const KeyObject* other) { return other->label == half.label; });
  };
  // A public half that equals the one of another private key's label belongs to that key.
  const auto is_taken = [&](const PublicKey& value) {
    return std::ranges::any_of(
        shown, [&](const ShownHalf& half) { return *half.key == value && is_of_another(half); });
  };
  SharedHalves halves;
  for (const ShownHalf& half : shown) {
    if (by_label ? half.label != key.label : is_taken(*half.key)) continue;
    ++halves.objects;
    if (std::ranges::find(halves.keys, *half.key) == halves.keys.end()) halves.keys.push_back(*half.key);
  }
  halves.claimants =
      static_cast<std::size_t>(std::ranges::count_if(private_keys, [&](const KeyObject* other) {
        return by_label ? other->label == key.label : !is_labelled(other->label);
      }));
  return halves;
}

}  // namespace keystay::pkcs11
