#include "native/keys/object_index.h"

#include <functional>
#include <string_view>

namespace keystay::keys {
namespace {

using pkcs11::ByteView;

std::string_view text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What differs between any two keys of one kind. Keys that differ only in the rest are compared as well.
struct Distinctive {
  std::string_view operator()(const pkcs11::RsaPublicKey& key) const noexcept { return text(key.modulus); }
  std::string_view operator()(const auto& key) const noexcept { return text(key.point); }
};

template <typename Map, typename Key>
auto found(const Map& map, const Key& key) -> std::span<const typename Map::mapped_type::value_type> {
  const auto at = map.find(key);
  if (at == map.end()) return {};
  return at->second;
}

}  // namespace

std::size_t PublicKeyHash::operator()(const pkcs11::PublicKey& key) const noexcept {
  return std::hash<std::string_view>{}(std::visit(Distinctive{}, key));
}

ObjectIndex::ObjectIndex(const TokenObjects& objects) {
  for (const KeyObject& key : objects.private_keys) private_keys_[Id(text(key.id))].push_back(&key);
  for (const KeyObject& key : objects.public_keys) public_keys_[Id(text(key.id))].push_back(&key);
  for (const CertificateObject& object : objects.certificates) {
    certificates_[Id(text(object.id))].push_back(&object);
    if (object.certificate.public_key) certified_[*object.certificate.public_key].push_back(&object);
  }
}

std::span<const KeyObject* const> ObjectIndex::private_keys_with(ByteView id) const {
  return found(private_keys_, Id(text(id)));
}

std::span<const KeyObject* const> ObjectIndex::public_keys_with(ByteView id) const {
  return found(public_keys_, Id(text(id)));
}

std::span<const CertificateObject* const> ObjectIndex::certificates_with(ByteView id) const {
  return found(certificates_, Id(text(id)));
}

std::span<const CertificateObject* const> ObjectIndex::certificates_of(const pkcs11::PublicKey& key) const {
  return found(certified_, key);
}

}  // namespace keystay::keys
