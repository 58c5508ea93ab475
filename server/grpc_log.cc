// SPDX-License-Identifier: Apache-2.0
#include "server/grpc_log.h"

#include <grpc/support/log.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/log.h"

namespace statecpp {
namespace {

void Take(gpr_log_func_args* line) {
  // The file's name alone: where gRPC was built is nobody's affair.
  absl::string_view file = line->file;
  file.remove_prefix(file.rfind('/') + 1);
  const std::string place = absl::StrCat(file, ":", line->line);
  Log(line->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kWarning
                                               : LogLevel::kInfo,
      absl::StrCat("gRPC: ", line->message), {{"at", place}});
}

}  // namespace

void TakeGrpcLog() { gpr_set_log_function(Take); }

}  // namespace statecpp
