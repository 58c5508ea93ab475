#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What vectors.py must not take for a right answer."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import vectors  # noqa: E402


def case(result="valid", **fields):
    return {"tcId": 1, "comment": "", "key": "0a", "iv": "0b", "aad": "",
            "msg": "01", "ct": "02", "tag": "03", "result": result} | fields


class VectorsTest(unittest.TestCase):
    def passes(self, nonce_bits, one, answer):
        (_, _, passed), = vectors.check([(nonce_bits, one)], [answer])
        return passed

    def test_a_valid_case_opens_and_seals_to_the_same(self):
        self.assertTrue(self.passes(192, case(), "opened 01 02 03"))
        for answer in ("refused", "opened 02 02 03", "opened 01 01 03",
                       "opened 01 02 04", "opened - 02 03", "", "nonce 24 bytes"):
            with self.subTest(answer):
                self.assertFalse(self.passes(192, case(), answer))

    def test_an_invalid_case_is_refused(self):
        invalid = case("invalid")
        self.assertTrue(self.passes(192, invalid, "refused"))
        for answer in ("opened 01 02 03", "", "nonce 24 bytes"):
            with self.subTest(answer):
                self.assertFalse(self.passes(192, invalid, answer))

    def test_a_nonce_of_another_length_is_named(self):
        invalid = case("invalid")
        self.assertTrue(self.passes(96, invalid, "nonce 12 bytes"))
        for answer in ("refused", "opened 01 02 03", "nonce 24 bytes"):
            with self.subTest(answer):
                self.assertFalse(self.passes(96, invalid, answer))

    def test_a_missing_answer_failed(self):
        results = vectors.check([(192, case())] * 2, ["opened 01 02 03"])
        self.assertEqual([passed for _, _, passed in results], [True, False])

    def test_a_file_that_is_not_the_pinned_one_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"testGroups": []}, file)
            file.flush()
            with self.assertRaises(ValueError):
                list(vectors.read(file.name))


if __name__ == "__main__":
    unittest.main()
