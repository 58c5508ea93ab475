// SPDX-License-Identifier: Apache-2.0
#include "api/admin_stats_proto.h"

#include "absl/time/time.h"

namespace statecpp {

v1::Stats StatsToProto(const StoreStats& stats) {
  v1::Stats message;
  message.set_format(stats.format);
  message.set_commit_seq(stats.commit_seq);
  message.set_open_count(stats.open_count);
  message.set_records(stats.records);
  message.set_used_bytes(stats.used_bytes);
  message.set_max_size(stats.max_size);
  message.set_page_size(stats.page_size);
  message.set_used_pages(stats.used_pages);
  message.set_free_pages(stats.free_pages);
  message.set_file_bytes(stats.file_bytes);
  message.set_file_bytes_on_disk(stats.file_bytes_on_disk);
  message.set_disk_free_bytes(stats.disk_free_bytes);
  message.set_readers(stats.readers);
  message.set_oldest_reader_lag(stats.oldest_reader_lag);
  message.set_expiry_entries(stats.expiry_entries);
  message.set_due_entries(stats.due_entries);
  if (stats.due_since.has_value()) {
    message.set_due_since_ms(absl::ToUnixMillis(*stats.due_since));
  }
  return message;
}

StoreStats StatsFromProto(const v1::Stats& message) {
  StoreStats stats;
  stats.format = message.format();
  stats.commit_seq = message.commit_seq();
  stats.open_count = message.open_count();
  stats.records = message.records();
  stats.used_bytes = message.used_bytes();
  stats.max_size = message.max_size();
  stats.page_size = message.page_size();
  stats.used_pages = message.used_pages();
  stats.free_pages = message.free_pages();
  stats.file_bytes = message.file_bytes();
  stats.file_bytes_on_disk = message.file_bytes_on_disk();
  stats.disk_free_bytes = message.disk_free_bytes();
  stats.readers = message.readers();
  stats.oldest_reader_lag = message.oldest_reader_lag();
  stats.expiry_entries = message.expiry_entries();
  stats.due_entries = message.due_entries();
  if (message.has_due_since_ms()) {
    stats.due_since = absl::FromUnixMillis(message.due_since_ms());
  }
  return stats;
}

}  // namespace statecpp
