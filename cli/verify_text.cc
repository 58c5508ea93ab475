// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

std::string PlaceOf(const WalkFinding& finding) {
  return absl::BytesToHexString(finding.place);
}

absl::string_view NameOf(WalkReport::Accumulator accumulator) {
  switch (accumulator) {
    case WalkReport::Accumulator::kAgrees:
      return "agrees";
    case WalkReport::Accumulator::kDiffers:
      return "differs";
    case WalkReport::Accumulator::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(bool value) { return value ? "true" : "false"; }

}  // namespace

void VerifyText::Found(const WalkFinding& finding) {
  if (form_ == Form::kJson) {
    BeginJson();
    out_ << (json_has_findings_ ? "," : "")
         << "\n  {\"kind\": " << JsonText(statecpp::NameOf(finding.kind))
         << ", \"place\": " << JsonText(PlaceOf(finding))
         << ", \"key\": " << JsonText(finding.key)
         << ", \"reason\": " << JsonText(finding.reason) << "}";
    json_has_findings_ = true;
    return;
  }
  out_ << statecpp::NameOf(finding.kind);
  if (!finding.place.empty()) out_ << " " << PlaceOf(finding);
  if (!finding.key.empty()) {
    out_ << " \"" << absl::CHexEscape(finding.key) << "\"";
  }
  out_ << ": " << finding.reason << std::endl;
}

void VerifyText::Report(const WalkReport& report) {
  if (form_ == Form::kJson) return PrintJson(report);
  PrintReport(report);
  PrintVerdict(report);
}

void VerifyText::PrintReport(const WalkReport& report) {
  out_ << store_ << ": " << report.records << " records (" << report.expired
       << " expired, " << report.damaged << " damaged), " << report.bytes
       << " bytes, commit " << report.commit_seq
       << (report.sealed ? "" : ", in clear: not sealed") << "\n";
  for (const WalkReport::DataKey& key : report.data_keys) {
    out_ << "data key " << key.id << ": " << key.counted << " records, "
         << key.kept << " expected\n";
  }
  out_ << "expiry index: " << report.expiry_entries << " entries, "
       << report.stray_entries << " of them left behind\n";
}

void VerifyText::PrintVerdict(const WalkReport& report) {
  if (report.accepted) {
    out_ << "accepted " << store_ << " as it is now: " << report.mended
         << " of " << report.findings << " findings are settled, "
         << report.dropped << " damaged records were removed, "
         << report.indexed
         << " expiry entries put back. What was replayed, deleted or brought "
            "back before can no longer be seen\n";
  }
  if (report.clean()) {
    out_ << store_ << " is " << (report.accepted ? "whole again\n" : "whole\n");
    return;
  }
  out_ << store_ << " is DAMAGED: ";
  if (!report.complete) {
    out_ << "the walk did not come to its end, so more may be wrong; restore "
            "the store from a backup\n";
  } else if (report.accepted) {
    out_ << "what is left cannot be mended; restore the store from a backup\n";
  } else if (asked_.accept && report.damaged > 0 && !asked_.drop_damaged) {
    out_ << "nothing was accepted, since " << report.damaged
         << " records do not open; restore the store from a backup, or remove "
            "them with --drop-damaged\n";
  } else if (asked_.accept) {
    out_ << "nothing was accepted, since this cannot be mended; restore the "
            "store from a backup\n";
  } else {
    out_
        << "restore it from a backup; or overwrite or delete the damaged keys, "
           "stop the server, and accept what is there with `verify --repair "
           "--accept`\n";
  }
}

void VerifyText::BeginJson() {
  if (json_begun_) return;
  out_ << "{\"store\": " << JsonText(store_) << ", \"found\": [";
  json_begun_ = true;
}

void VerifyText::PrintJson(const WalkReport& report) {
  BeginJson();
  out_ << (json_has_findings_ ? "\n" : "")
       << "],\n \"clean\": " << NameOf(report.clean())
       << ", \"complete\": " << NameOf(report.complete)
       << ", \"sealed\": " << NameOf(report.sealed)
       << ", \"findings\": " << report.findings
       << ", \"records\": " << report.records
       << ", \"expired\": " << report.expired
       << ", \"damaged\": " << report.damaged << ", \"bytes\": " << report.bytes
       << ", \"expiryEntries\": " << report.expiry_entries
       << ", \"strayEntries\": " << report.stray_entries
       << ", \"commitSeq\": " << report.commit_seq
       << ", \"unreadable\": " << report.unreadable
       << ", \"accumulator\": " << JsonText(NameOf(report.accumulator))
       << ", \"dataKeys\": [";
  const char* separator = "";
  for (const WalkReport::DataKey& key : report.data_keys) {
    out_ << separator << "{\"id\": " << key.id
         << ", \"counted\": " << key.counted << ", \"expected\": " << key.kept
         << "}";
    separator = ", ";
  }
  out_ << "], \"accepted\": " << NameOf(report.accepted)
       << ", \"mended\": " << report.mended
       << ", \"dropped\": " << report.dropped
       << ", \"indexed\": " << report.indexed << "}" << std::endl;
}

}  // namespace statecpp
