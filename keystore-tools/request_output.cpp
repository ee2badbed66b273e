#include "keystore-tools/request_output.h"

#include <boost/json.hpp>

#include "keystore-tools/file_argument.h"
#include "keystore-tools/report.h"
#include "native/x509/pem.h"

namespace keystay::tools {

void write_request(std::string_view command, const keys::Entry& entry, pkcs11::ByteView der,
                   const RequestOutput& output) {
  const std::string pem = x509::to_pem(x509::kRequestLabel, der);
  if (output.form == OutputForm::text || !output.file.empty()) write_output(output.file, pem);
  boost::json::object report = report_of(command, output.source);
  report["alias"] = json_text(entry.alias);
  report["request"] = pem;
  write_report(output.form, report);
}

}  // namespace keystay::tools
