// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_REPORT_MESSAGE_H_
#define STATECPP_API_REPORT_MESSAGE_H_

#include "engine/backup.h"
#include "engine/walk_report.h"
#include "statecpp/v1/admin.pb.h"

// What a walk and a backup say of themselves, as messages and back. Part of
// admin_message.cc. Thread-safe.
namespace statecpp {

v1::Finding FindingToProto(const WalkFinding& finding);
WalkFinding FindingFromProto(const v1::Finding& message);

v1::Report ReportToProto(const WalkReport& report);
WalkReport ReportFromProto(const v1::Report& message);

v1::BackupProgress ProgressToProto(const BackupRequest::Progress& progress);
BackupRequest::Progress ProgressFromProto(const v1::BackupProgress& message);

v1::BackupReport BackupReportToProto(const BackupReport& report);
BackupReport BackupReportFromProto(const v1::BackupReport& message);

}  // namespace statecpp

#endif  // STATECPP_API_REPORT_MESSAGE_H_
