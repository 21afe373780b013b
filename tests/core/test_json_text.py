"""JSON texts, as files and widgets give them."""

import math

import pytest

from fcvg_core.json_text import parse_json


class TestParseJson:
    @pytest.mark.parametrize("text", ["[1, 2.5]", "\ufeff[1, 2.5]", b"\xef\xbb\xbf[1, 2.5]"])
    def test_with_and_without_a_byte_order_mark(self, text):
        assert parse_json(text) == [1, 2.5]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "Expecting value"),
            ("soon", "Expecting value"),
            ("[" * 100_000, "nested too deeply"),
            ("1" * 401, "the number 111111111111... is too large"),
            ("9" * 10_000, "is too large"),
            (str(2**70), "is too large"),
            ("[-Infinity]", "the number -Infinity is too large"),
            ("1e400", "the number 1e400 is too large"),
            ('{"people": [], "a": {"b": 1, "b": 1}}', "it contains the name 'b' twice"),
            (b"\xff\xff\xff", "it is not text in UTF-8"),
            # Of a list that lost its last line in an editor.
            ("[\n1,\n2,\n]", "comma .*line 3"),
            ('{"a": 1, }', "comma .*line 1"),
        ],
    )
    def test_says_what_is_wrong(self, text, reason):
        with pytest.raises(ValueError, match=reason):
            parse_json(text)

    def test_what_is_not_a_number(self):
        """Detectors write it for a point that they did not find."""
        assert math.isnan(parse_json("[NaN]")[0])

    def test_many_names_are_counted_in_time(self):
        text = "{" + "".join(f'"{i}": 1, ' for i in range(50_000)) + '"49999": 1}'
        with pytest.raises(ValueError, match="it contains the name '49999' twice"):
            parse_json(text)

    def test_names_that_are_left_out(self):
        text = '{"a": [{"long": [1, 2], "b": 3}], "long": {"c": 4}}'
        assert parse_json(text, without=("long",)) == {"a": [{"b": 3}]}
