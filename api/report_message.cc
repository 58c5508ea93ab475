// SPDX-License-Identifier: Apache-2.0
#include "api/report_message.h"

#include "absl/time/time.h"

namespace statecpp {

v1::Finding FindingToProto(const WalkFinding& finding) {
  v1::Finding message;
  message.set_kind(static_cast<int>(finding.kind));
  message.set_place(finding.place);
  message.set_key(finding.key);
  message.set_reason(finding.reason);
  return message;
}

WalkFinding FindingFromProto(const v1::Finding& message) {
  return {.kind = static_cast<WalkFinding::Kind>(message.kind()),
          .place = message.place(),
          .key = message.key(),
          .reason = message.reason()};
}

v1::Report ReportToProto(const WalkReport& report) {
  v1::Report message;
  message.set_complete(report.complete);
  message.set_sealed(report.sealed);
  message.set_findings(report.findings);
  message.set_records(report.records);
  message.set_expired(report.expired);
  message.set_damaged(report.damaged);
  message.set_bytes(report.bytes);
  message.set_expiry_entries(report.expiry_entries);
  message.set_stray_entries(report.stray_entries);
  message.set_commit_seq(report.commit_seq);
  message.set_unreadable(report.unreadable);
  message.set_accumulator(static_cast<int>(report.accumulator));
  for (const WalkReport::DataKey& key : report.data_keys) {
    v1::Report::DataKey* const data_key = message.add_data_keys();
    data_key->set_id(key.id);
    data_key->set_counted(key.counted);
    data_key->set_kept(key.kept);
  }
  return message;
}

WalkReport ReportFromProto(const v1::Report& message) {
  WalkReport report;
  report.complete = message.complete();
  report.sealed = message.sealed();
  report.findings = message.findings();
  report.records = message.records();
  report.expired = message.expired();
  report.damaged = message.damaged();
  report.bytes = message.bytes();
  report.expiry_entries = message.expiry_entries();
  report.stray_entries = message.stray_entries();
  report.commit_seq = message.commit_seq();
  report.unreadable = message.unreadable();
  report.accumulator =
      static_cast<WalkReport::Accumulator>(message.accumulator());
  for (const v1::Report::DataKey& key : message.data_keys()) {
    report.data_keys.push_back(
        {.id = key.id(), .counted = key.counted(), .kept = key.kept()});
  }
  return report;
}

v1::BackupProgress ProgressToProto(const BackupRequest::Progress& progress) {
  v1::BackupProgress message;
  message.set_step(static_cast<int>(progress.step));
  message.set_done(progress.done);
  message.set_total(progress.total);
  message.set_slowed_us(absl::ToInt64Microseconds(progress.slowed));
  return message;
}

BackupRequest::Progress ProgressFromProto(const v1::BackupProgress& message) {
  return {.step = static_cast<BackupRequest::Step>(message.step()),
          .done = message.done(),
          .total = message.total(),
          .slowed = absl::Microseconds(message.slowed_us())};
}

v1::BackupReport BackupReportToProto(const BackupReport& report) {
  v1::BackupReport message;
  message.set_commit_seq(report.commit_seq);
  message.set_records(report.records);
  message.set_bytes(report.bytes);
  message.set_copied(report.copied);
  message.set_resumed(report.resumed);
  message.set_rounds(report.rounds);
  message.set_rescans(report.rescans);
  message.set_slowed_us(absl::ToInt64Microseconds(report.slowed));
  return message;
}

BackupReport BackupReportFromProto(const v1::BackupReport& message) {
  return {.commit_seq = message.commit_seq(),
          .records = message.records(),
          .bytes = message.bytes(),
          .copied = message.copied(),
          .resumed = message.resumed(),
          .rounds = message.rounds(),
          .rescans = message.rescans(),
          .slowed = absl::Microseconds(message.slowed_us())};
}

}  // namespace statecpp
