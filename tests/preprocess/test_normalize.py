"""normalize_text and the spans of normalize_text_result."""

import json
from pathlib import Path

import pytest

from kittentts.errors import TextError, TextTypeError
from kittentts.preprocess import normalize_text, normalize_text_result

COMPAT = json.loads((Path(__file__).parent.parent / "data" / "normalize.json").read_text(encoding="utf-8"))
REASONS = {
    "abbreviation",
    "citation",
    "currency",
    "date",
    "number",
    "ordinal",
    "time",
    "url",
    "punctuation",
    "internal",
    "other",
}

CASES = {
    "money": [
        ("-$50", "negative fifty dollars"),
        ("$-50", "negative fifty dollars"),
        ("$0.01", "zero dollars and one cent"),
        ("$1.5", "one dollar and fifty cents"),
        ("£1.50", "one pound and fifty pence"),
        ("$5 million", "five million dollars"),
        ("$5-10", "five to ten dollars"),
        ("$5-$10", "five dollars to ten dollars"),
        ("US$50", "US fifty dollars"),
        ("₹1,00,000", "one hundred thousand rupees"),
        ("$1,1,1", "one, one, one dollars"),
        ("50¢ or 5€", "fifty cents or five euros"),
        ("$3.14159", "three point one four one five nine dollars"),
        ("Coffee - $5", "Coffee - five dollars"),
        ("The price - $5 - is fair.", "The price - five dollars - is fair."),
        ("- $5 for lunch", "- five dollars for lunch"),
        ("€1,50 or 99,99 €", "one euro and fifty cents or ninety-nine euros and ninety-nine cents"),
        ("₹5 lakh", "five lakh rupees"),
    ],
    "percent": [
        ("-2%", "negative two percent"),
        ("5-10%", "five to ten percent"),
        ("10%-20%", "ten to twenty percent"),
        ("12 1/2% of 5‰", "twelve and one half percent of five per mille"),
    ],
    "time": [
        ("3:05 p.m. today", "three oh five p m. today"),
        ("At 14:00 we leave.", "At fourteen hundred we leave."),
        ("at 9:00", "at nine o'clock"),
        ("9am", "nine a m"),
        ("5 P.M. today", "five p m. today"),
        ("3:00 pm", "three p m"),
        ("10:30-11:00 AM", "ten thirty to eleven a m"),
        ("1:02:03", "one oh two and three seconds"),
        ("99:99", "ninety-nine:ninety-nine"),
        ("9am-5pm", "nine a m to five p m"),
        ("9-11 am", "nine to eleven a m"),
        ("5-6 p.m.", "five to six p m."),
        ("5:30pm-6:30pm", "five thirty p m to six thirty p m"),
        ("9 a.m.–5 p.m.", "nine a m to five p m."),
        ("8:00 am - 9:00 am", "eight a m to nine a m"),
        ("3.30pm or 24.99 am", "three thirty p m or twenty-four point nine nine am"),
        ("45:30", "forty-five:thirty"),
        ("5:00-6:00 p.m. or 9:00 - 10:30am", "five to six p m. or nine to ten thirty a m"),
        ("9:00-17:00", "nine o'clock to seventeen hundred"),
    ],
    "date": [
        ("2025-03-14", "March fourteenth, twenty twenty-five"),
        ("3/14/2025", "March fourteenth, twenty twenty-five"),
        ("on 3 March 2025", "on the third of March twenty twenty-five"),
        ("the 3rd of March", "the third of March"),
        ("March 3-5, 2024", "March third to fifth, twenty twenty-four"),
        ("Sept. 11", "September eleventh"),
        ("May 5th, 2026", "May fifth, twenty twenty-six"),
        ("we may 5", "we may five"),
        ("June 1–June 3", "June first to June third"),
        ("2024/01/15", "January fifteenth, twenty twenty-four"),
        ("31/12/1999", "December thirty-first, nineteen ninety-nine"),
        ("12-25-2023", "December twenty-fifth, twenty twenty-three"),
        ("2024-01, not 2005-06", "January twenty twenty-four, not two thousand five to oh six"),
        ("2024-01-15T10:30:00Z", "January fifteenth, twenty twenty-four at ten thirty UTC"),
        ("march 3, 2025 or MARCH 3", "March third, twenty twenty-five or March third"),
    ],
    "year": [
        ("1905", "nineteen oh five"),
        ("1776", "seventeen seventy-six"),
        ("2001", "two thousand one"),
        ("2010", "twenty ten"),
        ("1066", "one thousand sixty-six"),
        ("1,905", "one thousand nine hundred five"),
        ("1990-95", "nineteen ninety to ninety-five"),
        ("1100-05, 1099-10", "eleven hundred to oh five, one thousand ninety-nine to ten"),
        ("2099-14, 2100-14", "twenty ninety-nine to fourteen, two thousand one hundred to fourteen"),
        ("1,006s", "one thousand sixes"),
        ("2020–2024", "twenty twenty to twenty twenty-four"),
        ("2024's best", "twenty twenty-four's best"),
        ("the class of '99, back in ’05, in '10'", "the class of ninety-nine, back in oh five, in 'ten'"),
        ("1500 km", "fifteen hundred kilometers"),
        ("2019/20 and 1200/50", "twenty nineteen to twenty and twelve hundred/fifty"),
    ],
    "decade": [
        ("the '80s", "the eighties"),
        ("the 1980's", "the nineteen eighties"),
        ("1900s", "nineteen hundreds"),
        ("2,000s", "two thousands"),
        ("2010s", "twenty tens"),
        ("mid-1960s", "mid nineteen sixties"),
        ("100s, 1,000s", "hundreds, thousands"),
        ("20s-30s", "twenties to thirties"),
    ],
    "ordinal": [
        ("20th", "twentieth"),
        ("1,000th", "one thousandth"),
        ("112th", "one hundred twelfth"),
        ("8TH", "eighth"),
        ("1st-3rd", "first to third"),
    ],
    "fraction": [
        ("1/2", "one half"),
        ("3/2", "three halves"),
        ("1 1/2 cups", "one and one half cups"),
        ("24/7", "twenty-four seven"),
        ("5/0", "five/zero"),
        ("1/1/1", "one/one/one"),
        ("2½", "two and one half"),
        ("1-1/2 cups", "one and one half cups"),
        ("2/3rds, 1/60th", "two thirds, one sixtieth"),
        ("05/06", "zero five/zero six"),
        ("20/20", "twenty twenty"),
        ("120/80", "one hundred twenty over eighty"),
    ],
    "unit": [
        ("1km", "one kilometer"),
        ("-5°C", "negative five degrees Celsius"),
        ("90°", "ninety degrees"),
        ("60 mph", "sixty miles per hour"),
        ("5 in all", "five in all"),
        ("5ft", "five feet"),
        ("10gb", "ten gigabytes"),
        ("5 m²", "five square meters"),
        ("5-10km", "five to ten kilometers"),
        ("5G", "5G"),
        ("5kg-10kg", "five kilograms to ten kilograms"),
        ("He is 6 ft. tall.", "He is six feet tall."),
        ("10 lbs. It fell", "ten pounds. It fell"),
        ("6 in. long, 6 in all", "six inches long, six in all"),
        ("5℃ 6ºC", "five degrees Celsius six degrees Celsius"),
        ("6'2\" and 5’10”", "six feet two inches and five feet ten inches"),
        ("6′ or 6′2″", "six feet or six feet two inches"),
        ('a 24" screen, a 1/4" bolt', "a twenty-four inches screen, a one quarter inch bolt"),
        ('"only 24" and “5”', "only twenty-four and five"),
        ("2h 30m, 1h30m", "two hours thirty minutes, one hour thirty minutes"),
        ("5s-9.58s but F-16s, 747s", "five seconds to nine point five eight seconds but F 16s, 747s"),
        ("2 L in 5 min", "two liters in five minutes"),
        ("9.8 m/s^2", "nine point eight meters per second squared"),
        ("30 psi, 2 tsp", "thirty pounds per square inch, two teaspoons"),
    ],
    "scale": [
        ("7B", "seven billion"),
        ("10k", "ten thousand"),
        ("Llama-3-8B", "Llama three-eight billion"),
        ("5K-10K", "five thousand to ten thousand"),
        ("3bn, 7b, section 2b", "three billion, seven billion, section 2b"),
        ("Apt. 5B, Fig. 3B, the 7B", "Apt. 5B, Figure 3B, the seven billion"),
        ("pp. 80s, Fig. 20a", "pages eighties, Figure 20a"),
        ("fig.2b and $4 7b", "figure 2b and four dollars seven billion"),
        ("5m people, 5m", "five million people, five meters"),
    ],
    "scientific": [
        ("1e-4", "one times ten to the negative four"),
        ("6.02×10^23", "six point zero two times ten to the twenty-three"),
        ("2x10⁻⁵", "two times ten to the negative five"),
    ],
    "phone": [
        ("555-123-4567", "five five five one two three four five six seven"),
        ("(555) 123-4567", "five five five one two three four five six seven"),
        ("+1 555-123-4567", "plus one five five five one two three four five six seven"),
        ("+44 20 7946 0958", "plus four four two zero seven nine four six zero nine five eight"),
        ("555-1234", "five five five one two three four"),
        ("500-1000 people", "five hundred to one thousand people"),
        ("pages 998-1003", "pages nine hundred ninety-eight to one thousand three"),
        ("555 123 4567", "five five five one two three four five six seven"),
        ("+49 30 123456", "plus four nine three zero one two three four five six"),
        ("1-800-FLAVORS", "one-eight hundred-FLAVORS"),
    ],
    "address": [
        ("192.168.1.1", "one nine two dot one six eight dot one dot one"),
        ("999.1.1.1", "nine hundred ninety-nine point one point one point one"),
        ("https://a.io/x?y=1.", "a dot i o slash x question mark y equals one."),
        ("Mail me@b.org!", "Mail m e at b dot o r g!"),
        ("mailto:me@b.org", "m e at b dot o r g"),
        ("ftp://b.org", "b dot o r g"),
    ],
    "version": [
        ("v2", "v two"),
        ("V2.1", "V two point one"),
        ("10.4.1", "ten point four point one"),
        ("Boeing-737-800", "Boeing seven hundred thirty-seven-eight hundred"),
        ("10.4.1rc1", "10.4.1rc1"),
        ("GPT-4o", "GPT 4o"),
    ],
    "roman": [
        ("Chapter IV", "Chapter four"),
        ("King Henry VIII", "King Henry the eighth"),
        ("World War II", "World War two"),
        ("Vol. II", "Volume two"),
        ("Appendix C", "Appendix C"),
        ("Part IIII", "Part IIII"),
        ("I said MIX", "I said MIX"),
        ("The book I read was good.", "The book I read was good."),
        ("In Class I sat", "In Class I sat"),
        ("World War I was long. Part I.", "World War one was long. Part one."),
        ("Parts I-III, Ch. IV", "Parts one to three, Chapter four"),
        ("Chapter IV and I", "Chapter four and I"),
        ("King Charles I and II", "King Charles the first and the second"),
    ],
    "abbreviation": [
        ("Dr. Who and St. Louis", "Doctor Who and Saint Louis"),
        ("Main St. North", "Main St. North"),
        ("apples, etc. They", "apples, et cetera. They"),
        ("apples, etc. and", "apples, et cetera and"),
        ("cats, i.e. pets", "cats, that is pets"),
        ("by Lee et al. (2020)", "by Lee et al (twenty twenty)"),
        ("by Lee et al. They", "by Lee et al. They"),
        ("p.17", "page seventeen"),
        ("Mrſ. Lee", "Mrſ. Lee"),
        ("etc... bar", "et cetera... bar"),
        ("Mr. & Mrs. Lee", "Mister & Misses Lee"),
        ("Sr. Garcia, Rep. Lee", "Senior Garcia, Representative Lee"),
        ("Apple Inc. CEO", "Apple Incorporated CEO"),
        ("Apple Inc. The", "Apple Incorporated. The"),
        ("Eq. (5)", "Equation (five)"),
    ],
    "quotes": [
        ('"hi" it’s ‘ok’ «so»', "hi it's ok so"),
        ("a“b”c", "a b c"),
        ("‘5’ and ’5 of 2024’s", "five and five of twenty twenty-four's"),
    ],
    "number": [
        ("1,2,3", "one, two, three"),
        ("1,234,56", "one, two hundred thirty-four, fifty-six"),
        ("1.5,3.2", "one point five, three point two"),
        ("007", "zero zero seven"),
        ("-.5", "negative zero point five"),
        ("x = −5", "x = negative five"),
        ("wait...5 apples", "wait...five apples"),
        ("1-2-3", "one-two-three"),
        ("5kmaway", "5kmaway"),
        ("5%off", "five percent off"),
        ("9" * 67, " ".join(["nine"] * 67)),
        ("٣ 五", "three 五"),
        ("５００ १२३", "five hundred one hundred twenty-three"),
        ("10 000 or 100 200", "ten thousand or one hundred two hundred"),
        ("1\u202f234", "one thousand two hundred thirty-four"),
    ],
    "range": [
        ("1.5-2.5", "one point five to two point five"),
        ("10 – 20", "ten to twenty"),
        ("31—35", "thirty-one—thirty-five"),
        ("pp. 3-5, 8", "pages three to five, eight"),
        ("3-2, 4-1", "three to two, four to one"),
        ("-5–-3", "negative five to negative three"),
        ("Figs. 2a-2c", "Figures 2a to 2c"),
    ],
}


@pytest.mark.parametrize("case", COMPAT, ids=lambda case: case["text"])
def test_compat(case):
    assert normalize_text(case["text"]) == case["expected"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [pytest.param(*case, id=f"{topic}: {case[0][:30]}") for topic, cases in CASES.items() for case in cases],
)
def test_rule(text, expected):
    assert normalize_text(text) == expected


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("$5", ["currency"]),
        ("3 dogs", ["number"]),
        ("1st", ["ordinal"]),
        ("9:30 a.m.", ["time"]),
        ("March 3, 2025", ["date"]),
        ("in 1905", ["date"]),
        ("www.a.org", ["url"]),
        ("Mr. Lee", ["abbreviation"]),
        ("et al. 2024, p. 3", ["citation", "date", "citation", "citation", "number"]),
        ("“a”", ["punctuation", "punctuation"]),
        ("GPT-4", ["internal", "number"]),
        ("Nothing to do.", []),
    ],
)
def test_reasons(text, reasons):
    assert [span.reason for span in normalize_text_result(text).spans] == reasons


def test_a_span_maps_a_replacement_to_the_original():
    text = "It cost $4.20 on May 5."
    result = normalize_text_result(text)
    first, second = result.spans
    assert result.original == text
    assert result.text == "It cost four dollars and twenty cents on May fifth."
    assert text[first.originalStartChar : first.originalEndChar] == "$4.20"
    assert result.text[first.normalizedStartChar : first.normalizedEndChar] == "four dollars and twenty cents"
    assert text[second.originalStartChar : second.originalEndChar] == "May 5"
    assert result.text[second.normalizedStartChar : second.normalizedEndChar] == "May fifth"


@pytest.mark.parametrize("case", COMPAT, ids=lambda case: case["text"])
def test_spans_rebuild_the_normalized_text(case):
    result = normalize_text_result(case["text"])
    rebuilt, position = "", 0
    for span in result.spans:
        assert position <= span.originalStartChar < span.originalEndChar
        assert span.reason in REASONS
        rebuilt += result.original[position : span.originalStartChar]
        assert span.normalizedStartChar == len(rebuilt)
        rebuilt += result.text[span.normalizedStartChar : span.normalizedEndChar]
        position = span.originalEndChar
    assert rebuilt + result.original[position:] == result.text


@pytest.mark.parametrize("locale", ["en", "en-US", "en-us", "en_US", "EN"])
def test_american_english_is_accepted(locale):
    assert normalize_text("5", locale) == "five"


@pytest.mark.parametrize("locale", ["de", "en-GB", "", None, 5])
def test_other_locales_are_refused(locale):
    with pytest.raises(TextError, match=r"locale .* 'en-US'") as caught:
        normalize_text("5", locale=locale)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("text", [None, b"5", 5])
def test_text_must_be_a_str(text):
    with pytest.raises(TextTypeError, match=r"must be a str"):
        normalize_text_result(text)
