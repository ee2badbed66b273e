#include "keystore-tools/printcertreq.h"

#include <boost/json.hpp>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/request_text.h"

namespace keystay::tools {

void PrintCertReq::run(const StoreOptions& /*options*/) const {
  try {
    const x509::X509Request request = x509::read_request(read_input(file));
    if (form == OutputForm::text) return write_output({}, x509::describe_request(request.get()));
    const x509::RequestSummary summary = x509::summary_of(request.get());
    write_output({}, json_line({{"command", "printcertreq"},
                                {"subject", json_text(summary.subject)},
                                {"key", summary.key},
                                {"signature-algorithm", summary.signature_algorithm},
                                {"extensions", json_text(summary.extensions)}}));
  } catch (const x509::Error& error) {
    throw Failure((file.empty() ? "standard input" : file.string()) + ": " + error.what());
  }
}

}  // namespace keystay::tools
