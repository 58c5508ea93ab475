// SPDX-License-Identifier: Apache-2.0
//
// What daprd reads out of our statuses. The details are parsed back from the
// bytes that travel, as its gRPC library does.
#include "api/status.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "engine/errors.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

// The one detail of that type; fails the test where there is another, or where
// the status inside is not the status outside.
template <typename Detail>
Detail OnlyDetailOf(const grpc::Status& status) {
  const google::rpc::Status details = DetailsOf(status);
  EXPECT_EQ(details.code(), status.error_code());
  EXPECT_EQ(details.message(), status.error_message());
  Detail detail;
  EXPECT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(),
            "type.googleapis.com/" + Detail::descriptor()->full_name());
  EXPECT_TRUE(details.details(0).UnpackTo(&detail));
  return detail;
}

std::string HttpCodeIn(const grpc::Status& status) {
  return OnlyDetailOf<google::rpc::ErrorInfo>(status).metadata().at(
      "http_code");
}

TEST(GrpcStatusFromTest, MapsEveryCode) {
  struct Case {
    absl::StatusCode from;
    grpc::StatusCode to;
    absl::string_view http_code;  // empty: no detail at all
  };
  const Case cases[] = {
      {absl::StatusCode::kCancelled, grpc::StatusCode::CANCELLED, ""},
      {absl::StatusCode::kUnknown, grpc::StatusCode::UNKNOWN, ""},
      {absl::StatusCode::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT,
       "400"},
      {absl::StatusCode::kDeadlineExceeded, grpc::StatusCode::DEADLINE_EXCEEDED,
       ""},
      {absl::StatusCode::kNotFound, grpc::StatusCode::INTERNAL, ""},
      {absl::StatusCode::kAlreadyExists, grpc::StatusCode::ALREADY_EXISTS,
       "409"},
      {absl::StatusCode::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED,
       "403"},
      {absl::StatusCode::kResourceExhausted,
       grpc::StatusCode::RESOURCE_EXHAUSTED, "507"},
      {absl::StatusCode::kFailedPrecondition, grpc::StatusCode::INTERNAL, ""},
      {absl::StatusCode::kAborted, grpc::StatusCode::ABORTED, "409"},
      {absl::StatusCode::kOutOfRange, grpc::StatusCode::OUT_OF_RANGE, "400"},
      {absl::StatusCode::kUnimplemented, grpc::StatusCode::UNIMPLEMENTED, ""},
      {absl::StatusCode::kInternal, grpc::StatusCode::INTERNAL, ""},
      {absl::StatusCode::kUnavailable, grpc::StatusCode::UNAVAILABLE, "503"},
      {absl::StatusCode::kDataLoss, grpc::StatusCode::DATA_LOSS, ""},
      {absl::StatusCode::kUnauthenticated, grpc::StatusCode::UNAUTHENTICATED,
       "401"},
  };
  ASSERT_EQ(std::size(cases), 16u);  // all but OK
  for (const Case& c : cases) {
    SCOPED_TRACE(absl::StatusCodeToString(c.from));
    const grpc::Status status = GrpcStatusFrom(absl::Status(c.from, "why"));
    EXPECT_EQ(status.error_code(), c.to);
    EXPECT_EQ(status.error_message(), "why");
    if (c.http_code.empty()) {
      EXPECT_EQ(status.error_details(), "");
    } else {
      EXPECT_EQ(HttpCodeIn(status), std::string(c.http_code));
    }
  }
}

TEST(GrpcStatusFromTest, LeavesOkAlone) {
  const grpc::Status status = GrpcStatusFrom(absl::OkStatus());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_details(), "");
}

// Traps 10 and 34: one detail, the code repeated inside, the whole
// google.rpc.Status in the trailer, and the description is what users read.
TEST(GrpcStatusFromTest, SendsAnETagMismatchAsOneBadRequest) {
  const absl::Status mismatch =
      error::ETagMismatch("order", "00000000000000aa", ETag(0xbb));
  const grpc::Status status = GrpcStatusFrom(mismatch);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const auto detail = OnlyDetailOf<google::rpc::BadRequest>(status);
  ASSERT_THAT(detail.field_violations(), SizeIs(1));
  EXPECT_EQ(detail.field_violations(0).field(), "etag");
  EXPECT_EQ(detail.field_violations(0).description(),
            std::string(mismatch.message()));
  EXPECT_THAT(detail.field_violations(0).description(), HasSubstr("order"));
}

TEST(GrpcStatusFromTest, SendsEveryKindOfMismatchAlike) {
  const absl::Status mismatches[] = {
      error::ETagMismatch("k", "bad-etag", std::nullopt),
      error::ETagMismatch("k", "00000000000000aa", std::nullopt),
      error::AlreadyExists("k", ETag(1)),
      error::BulkPartlyFailed(
          {{"a", error::EmptyKey()}, {"b", error::AlreadyExists("b", ETag(1))}},
          3),
  };
  for (const absl::Status& mismatch : mismatches) {
    const grpc::Status status = GrpcStatusFrom(mismatch);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    OnlyDetailOf<google::rpc::BadRequest>(status);
  }
}

// Trap 11: the application sees 500 whatever we send, and the message alone.
TEST(GrpcStatusFromTest, PutsTheWholeStoryOfATransactionIntoItsMessage) {
  const grpc::Status status = GrpcStatusFrom(error::TransactionRefused(
      error::ETagMismatch("order", "00000000000000aa", ETag(0xbb)), 2, 5));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), StartsWith("possible etag mismatch"));
  EXPECT_THAT(status.error_message(), HasSubstr("3 of 5"));
  EXPECT_THAT(status.error_message(), HasSubstr("\"order\""));
  EXPECT_THAT(status.error_message(), HasSubstr("00000000000000aa"));
  EXPECT_THAT(status.error_message(), HasSubstr("00000000000000bb"));
  EXPECT_THAT(status.error_message(), HasSubstr("nothing was written"));
}

// Whoever reads it must be able to tell which side is behind, and what to do.
TEST(GrpcStatusFromTest, SaysOfEveryMismatchWhatWasExpectedFoundAndDone) {
  const struct {
    absl::Status mismatch;
    std::string expected;
    std::string found;
  } cases[] = {
      {error::ETagMismatch("k", "00000000000000aa", ETag(0xbb)),
       "expected 00000000000000aa", "found 00000000000000bb"},
      {error::ETagMismatch("k", "00000000000000aa", std::nullopt),
       "expected 00000000000000aa", "found no item"},
      {error::ETagMismatch("k", "bad\xc3\xa4", ETag(0xbb)),
       "expected \"bad\\303\\244\"", "found 00000000000000bb"},
      {error::AlreadyExists("k", ETag(0xbb)), "expected no item",
       "found 00000000000000bb"},
  };
  for (const auto& [mismatch, expected, found] : cases) {
    for (const absl::Status& status :
         {mismatch, error::TransactionRefused(mismatch, 1, 2)}) {
      EXPECT_THAT(
          std::string(status.message()),
          AllOf(HasSubstr("\"k\""), HasSubstr(expected), HasSubstr(found),
                HasSubstr("nothing was written; "), HasSubstr("read ")));
    }
  }
}

// Trap 12: only this makes daprd answer with something else than 500.
TEST(GrpcStatusFromTest, NamesTheHttpStatusTheWayDaprdReadsIt) {
  const grpc::Status status =
      GrpcStatusFrom(error::ValueTooLarge("k", 5'000'000, 4'188'160));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto detail = OnlyDetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(detail.domain(), "statecpp");
  EXPECT_EQ(detail.reason(), "STATECPP_TOO_LARGE");
  ASSERT_THAT(detail.metadata(), SizeIs(3));
  EXPECT_EQ(detail.metadata().at("kit_error"), "true");
  EXPECT_EQ(detail.metadata().at("http_code"), "413");
  EXPECT_EQ(detail.metadata().at("tag"), "ERR_STATECPP_TOO_LARGE");
}

// A program may bound its query by a prefix then, and not by fewer rows.
TEST(GrpcStatusFromTest, TellsAQueryPastMaxScanFromWhatIsTooLarge) {
  const auto detail = OnlyDetailOf<google::rpc::ErrorInfo>(
      GrpcStatusFrom(error::QueryPastMaxScan(10)));
  EXPECT_EQ(detail.reason(), "STATECPP_SCAN_LIMIT");
  EXPECT_EQ(detail.metadata().at("tag"), "ERR_STATECPP_SCAN_LIMIT");
}

TEST(GrpcStatusFromTest, KeepsTheHttpStatusThatAnErrorNames) {
  const std::pair<absl::Status, std::string> cases[] = {
      {error::EmptyKey(), "400"},
      {error::StoreFull(10, 10), "507"},
      {error::QueryMalformed("filter.EQ", "why"), "400"},
      {error::QueryPastMaxScan(10), "422"},
      {error::DiskFull("/data"), "507"},
      {error::StoreClosing(), "503"},
      {error::InvalidTtl("k", "foo"), "400"},
      {error::ReplyPastLimit(1, 2), "413"},
  };
  for (const auto& [error, http_code] : cases) {
    EXPECT_EQ(HttpCodeIn(GrpcStatusFrom(error)), http_code) << error;
  }
}

// ABORTED is what daprd tells gRPC applications of an ETag mismatch.
TEST(GrpcStatusFromTest, SendsWhateverIs503AsUnavailable) {
  const grpc::Status status = GrpcStatusFrom(error::TooMuchContention("k", 9));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(HttpCodeIn(status), "503");
}

// The code of a reason is what a program can test for: two kinds, two names.
TEST(GrpcStatusFromTest, GivesEachHttpStatusOfItsOwnKindAName) {
  std::vector<std::string> reasons;
  for (const absl::Status& error :
       {error::EmptyKey(), error::StoreFull(1, 1), error::QueueFull(1, 1),
        error::StoreClosing(), error::ReplyPastLimit(1, 1),
        absl::PermissionDeniedError(""), absl::AbortedError("")}) {
    reasons.push_back(
        OnlyDetailOf<google::rpc::ErrorInfo>(GrpcStatusFrom(error)).reason());
  }
  std::sort(reasons.begin(), reasons.end());
  EXPECT_EQ(std::unique(reasons.begin(), reasons.end()), reasons.end());
}

// As gRPC writes it into grpc-message.
size_t PercentEncodedSize(const std::string& text) {
  size_t size = 0;
  for (const char c : text) size += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  return size;
}

// Past 8 KiB of trailers a client reports RESOURCE_EXHAUSTED in place of ours.
TEST(GrpcStatusFromTest, KeepsTrailersOfLongErrorsWithin8KiB) {
  for (const std::string letter : {"k", "é", "鍵", "🔑", "\n"}) {
    for (int repeats = 200; repeats < 64'000; repeats = repeats * 3 / 2 + 1) {
      std::string key;
      for (int i = 0; i < repeats; ++i) key += letter;
      const grpc::Status status =
          GrpcStatusFrom(error::AlreadyExists(key, ETag(1)));
      EXPECT_LT(PercentEncodedSize(status.error_message()) +
                    absl::Base64Escape(status.error_details()).size(),
                size_t{8000});
      EXPECT_THAT(status.error_message(), StartsWith("first-write of"));
      EXPECT_THAT(status.error_message(), EndsWith("give its etag"));
      // Parsing fails where a text is not UTF-8.
      EXPECT_EQ(DetailsOf(status).message(), status.error_message());
    }
  }
}

TEST(GrpcStatusFromTest, CutsBetweenLettersOnly) {
  for (int shift = 0; shift < 4; ++shift) {
    std::string text(shift, '.');
    while (text.size() < 5000) text += "🔑";
    const std::string sent =
        GrpcStatusFrom(absl::InternalError(text)).error_message();
    size_t keys = 0;
    for (size_t at = sent.find("🔑"); at != sent.npos;
         at = sent.find("🔑", at + 4)) {
      ++keys;
    }
    const size_t open = sent.find(" [");
    const size_t close = sent.find("] ");
    ASSERT_NE(open, sent.npos);
    EXPECT_EQ(shift + 4 * keys + (close + 2 - open), sent.size());
  }
}

}  // namespace
}  // namespace statecpp
