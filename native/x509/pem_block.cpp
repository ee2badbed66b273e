#include "native/x509/pem_block.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "native/x509/error.h"
#include "native/x509/errors_set_aside.h"

namespace keystay::x509 {

PemReader::PemReader(std::string_view text)
    : memory_(text.empty() ? BIO_new(BIO_s_mem())
                           : BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))) {
  if (!memory_) throw openssl_error("cannot read PEM text");
}

std::optional<PemBlock> PemReader::next() {
  const ErrorsSetAside others;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  ERR_set_mark();
  const int found = PEM_read_bio(memory_.get(), &name, &header, &data, &size);
  if (found == 1) {
    ERR_clear_last_mark();
    PemBlock block;
    block.name_.reset(name);
    block.header_.reset(header);
    block.data_.reset(data);
    block.size_ = static_cast<std::size_t>(size);
    return block;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (at_end) {
    ERR_pop_to_mark();
    return std::nullopt;
  }
  ERR_clear_last_mark();
  throw openssl_error("a PEM block is damaged");
}

}  // namespace keystay::x509
