#include "native/pkcs11/login_record.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include <sys/mman.h>
#include <sys/random.h>

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {
namespace {

// When the library is loaded: before a server forks, even one that configures its tokens in its workers.
[[maybe_unused]] const bool is_mapped = []() noexcept {
  try {
    static_cast<void>(LoginTable::of_process_tree());
    return true;
  } catch (const std::exception&) {
    return false;  // tried again, and told, where a token is configured
  }
}();

[[noreturn]] void fail(const char* call) {
  throw Error(ErrorClass::host,
              std::string("no memory for what is known of logins: ") + call + ": " + std::strerror(errno));
}

}  // namespace

LoginTable::LoginTable() {
  SipHashKey key{};
  if (::getrandom(key.data(), sizeof(key), 0) != static_cast<ssize_t>(sizeof(key))) fail("getrandom");
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  // Best effort, as for a PIN.
  static_cast<void>(::mlock(memory, sizeof(Shared)));
  static_cast<void>(::madvise(memory, sizeof(Shared), MADV_DONTDUMP));
  shared_ = new (memory) Shared{};
  shared_->key = key;
}

LoginTable::~LoginTable() { ::munmap(shared_, sizeof(Shared)); }

LoginTable& LoginTable::of_process_tree() {
  static LoginTable& table = *new LoginTable;  // never destroyed: used by threads that outlive main
  return table;
}

const SipHashKey& LoginTable::key() const noexcept { return shared_->key; }

LoginRecord& LoginTable::record(std::uint64_t token) noexcept {
  auto& records = shared_->records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    LoginRecord& record = records[(token + i) % records.size()];
    std::uint64_t seen = 0;
    if (record.token.compare_exchange_strong(seen, token, std::memory_order_acq_rel) || seen == token)
      return record;
  }
  return records[token % records.size()];
}

}  // namespace keystay::pkcs11
