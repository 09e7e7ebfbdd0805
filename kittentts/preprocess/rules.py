"""The table of rules, in order of priority: a rule never sees the characters that an earlier one has taken.

`normalize_text` reads by the rules marked `reading`; TextPreprocessor uses those whose `flags` are on; the expand_*
functions choose by name. To add a rule, add a row to the module of its topic.
"""

from __future__ import annotations

from kittentts.preprocess.rules_addresses import ADDRESS_RULES
from kittentts.preprocess.rules_dates import DATE_RULES
from kittentts.preprocess.rules_numbers import NUMBER_RULES
from kittentts.preprocess.rules_quantities import QUANTITY_RULES
from kittentts.preprocess.rules_words import QUOTE_RULES, WORD_RULES

RULES = (*ADDRESS_RULES, *WORD_RULES, *DATE_RULES, *QUANTITY_RULES, *NUMBER_RULES, *QUOTE_RULES)

READING_RULES = tuple(rule for rule in RULES if rule.reading)
