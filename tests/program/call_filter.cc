// SPDX-License-Identifier: Apache-2.0
#include "tests/program/call_filter.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::string TextOf(element value) {
  const char* text = "";
  EXPECT_EQ(value.get_c_str().get(text), simdjson::SUCCESS);
  return text;
}

uint64_t NumberOf(element value) {
  uint64_t number = 0;
  EXPECT_EQ(value.get_uint64().get(number), simdjson::SUCCESS);
  return number;
}

simdjson::dom::array ListOf(element value) {
  simdjson::dom::array list;
  EXPECT_EQ(value.get_array().get(list), simdjson::SUCCESS);
  return list;
}

object ObjectOf(element value) {
  object fields;
  EXPECT_EQ(value.get_object().get(fields), simdjson::SUCCESS);
  return fields;
}

scmp_arg_cmp ArgumentOf(object fields) {
  const std::map<std::string, scmp_compare> comparisons = {
      {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
  scmp_arg_cmp argument = {};
  for (const auto field : fields) {
    const std::string name(field.key);
    if (name == "index") {
      argument.arg = static_cast<unsigned>(NumberOf(field.value));
    } else if (name == "op") {
      argument.op = comparisons.at(TextOf(field.value));
    } else if (name == "value") {
      argument.datum_a = NumberOf(field.value);
    } else if (name == "valueTwo") {
      argument.datum_b = NumberOf(field.value);
    } else {
      ADD_FAILURE() << "an argument's " << name;
    }
  }
  return argument;
}

void AddRule(scmp_filter_ctx context, object rule) {
  std::vector<std::string> names;
  std::vector<scmp_arg_cmp> arguments;
  for (const auto field : rule) {
    const std::string name(field.key);
    if (name == "names") {
      for (const element call : ListOf(field.value)) {
        names.push_back(TextOf(call));
      }
    } else if (name == "args") {
      for (const element argument : ListOf(field.value)) {
        arguments.push_back(ArgumentOf(ObjectOf(argument)));
      }
    } else if (name == "action") {
      EXPECT_EQ(TextOf(field.value), "SCMP_ACT_ALLOW");
    } else {
      EXPECT_EQ(name, "comment");
    }
  }
  for (const std::string& name : names) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    EXPECT_EQ(seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number,
                                     static_cast<unsigned>(arguments.size()),
                                     arguments.data()),
              0)
        << name;
  }
}

std::vector<sock_filter> Exported(scmp_filter_ctx context) {
  const int file = memfd_create("filter", MFD_CLOEXEC);
  EXPECT_EQ(seccomp_export_bpf(context, file), 0);
  const off_t size = lseek(file, 0, SEEK_END);
  std::vector<sock_filter> filter(size / sizeof(sock_filter));
  EXPECT_EQ(pread(file, filter.data(), size, 0), size);
  close(file);
  return filter;
}

}  // namespace

std::vector<sock_filter> CallFilterOf(const std::string& file) {
  simdjson::dom::parser parser;
  element document;
  EXPECT_EQ(parser.load(file).get(document), simdjson::SUCCESS) << file;
  uint32_t refused_with = 0;
  for (const auto field : ObjectOf(document)) {
    const std::string name(field.key);
    if (name == "defaultErrnoRet") {
      refused_with = static_cast<uint32_t>(NumberOf(field.value));
    } else if (name == "defaultAction") {
      EXPECT_EQ(TextOf(field.value), "SCMP_ACT_ERRNO");
    } else {
      // The architecture is that of this machine.
      EXPECT_TRUE(name == "architectures" || name == "syscalls") << name;
    }
  }
  const scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(refused_with));
  simdjson::dom::array rules;
  EXPECT_EQ(document["syscalls"].get_array().get(rules), simdjson::SUCCESS);
  for (const element rule : rules) AddRule(context, ObjectOf(rule));
  std::vector<sock_filter> filter = Exported(context);
  seccomp_release(context);
  return filter;
}

}  // namespace statecpp
