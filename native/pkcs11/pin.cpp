#include "native/pkcs11/pin.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <sys/mman.h>

namespace keystay::pkcs11 {

Pin::Pin(std::string_view text, std::string origin) : size_(text.size()), origin_(std::move(origin)) {
  void* pages = ::mmap(nullptr, std::max<std::size_t>(size_, 1), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::uint8_t*>(pages);
  // Best effort: RLIMIT_MEMLOCK may forbid the lock, and the PIN is needed all the same.
  static_cast<void>(::mlock(data_, size_));
  static_cast<void>(::madvise(data_, size_, MADV_DONTDUMP));
  std::memcpy(data_, text.data(), size_);
}

Pin::Pin(Pin&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      origin_(std::move(other.origin_)) {}

Pin& Pin::operator=(Pin&& other) noexcept {
  if (this != &other) {
    wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    origin_ = std::move(other.origin_);
  }
  return *this;
}

Pin::~Pin() { wipe(); }

Pin Pin::copy() const { return Pin({reinterpret_cast<const char*>(data_), size_}, origin_); }

bool Pin::equals(const Pin& other) const noexcept {
  if (size_ != other.size_) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < size_; ++i) difference |= static_cast<std::uint8_t>(data_[i] ^ other.data_[i]);
  return difference == 0;
}

void Pin::wipe() noexcept {
  if (!data_) return;
  ::explicit_bzero(data_, size_);
  ::munmap(data_, std::max<std::size_t>(size_, 1));
}

}  // namespace keystay::pkcs11
