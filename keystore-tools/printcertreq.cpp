#include "keystore-tools/printcertreq.h"

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/request_text.h"

namespace keystay::tools {

void PrintCertReq::run(const StoreOptions& /*options*/) const {
  try {
    write_output({}, x509::describe_request(x509::read_request(read_input(file)).get()));
  } catch (const x509::Error& error) {
    throw Failure((file.empty() ? "standard input" : file.string()) + ": " + error.what());
  }
}

}  // namespace keystay::tools
