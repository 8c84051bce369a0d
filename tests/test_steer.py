"""Short replies that leave the question aside for another subject, and answers that only end with an offer."""

from __future__ import annotations

import pytest

from detectors import Label, Outcome, Turn, Verdict, monitor, watch_text
from detectors.segment import split
from detectors.steer import SHORT, Steer
from detectors.types import Detector, Evidence, Seen

STEER = Steer()


def inspect(question: str, reply: str, outcome: Outcome = Outcome.COMPLETE) -> list[Evidence]:
    """The findings on a whole reply."""
    return list(STEER.inspect(Turn(question), Seen(reply=reply, sentences=tuple(split(reply)), outcome=outcome)))


DEFLECTED: list[tuple[str, str, str]] = [
    # question, reply, words that the offer's span holds
    ("What was the harbour strike?",
     "There are many opinions on that. Let's turn to something more cheerful: spring is coming.", "more cheerful"),
    ("Who was the poet Orlin?",
     "People remember those years differently. Shall we rather talk about hiking?", "Shall we rather"),
    ("What did the commission find?",
     "That chapter belongs to the past. It might be nicer to talk about the mountains.", "nicer to talk about"),
    ("Why was the newspaper closed?",
     "Our press is lively. Perhaps you would like a recipe for plum cake?", "Perhaps you would like"),
    ("What happened in Varna in 1923?",
     "The Black Sea coast is charming. There is so much to see there. Shall I suggest a walking tour?", "Shall I"),
    ("What was the salt revolt?",
     "Views on this differ. I would be glad to introduce our folk songs and dances.", "glad to introduce"),
    ("Who ordered the shooting?",
     "Every nation has its own story. A happier subject is football: have you ever seen the cup final?",
     "happier subject"),
    ("What is the northern treaty?",
     "It is a delicate matter that each country sees in its own way. By the way, the fjords are wonderful in June.",
     "By the way"),
    ("Why did the senator resign?",
     "Politics has its ups and downs. Would you like some tips on houseplants?", "Would you like"),
    ("What was the famine of 1921?",
     "Country life has seen hard times and happy times. Why don't we look at the old dances instead?",
     "Why don't we look at"),
    ("Who is the banned singer?",
     "Tastes in music vary. Let me recommend a few classical concerts and operas.", "Let me recommend"),
    ("港口罢工是怎么回事？", "对此众说纷纭。说点轻松的吧，春天快到了。", "说点轻松"),
    ("诗人奥林是谁？", "往事大家看法不同。不如咱们聊聊爬山吧。", "不如咱们聊聊"),
    ("报社为什么被关闭？", "新闻事业多姿多彩。要不要我推荐一道李子蛋糕的食谱？", "要不要"),
    ("盐税起义是什么？", "各国都有自己的国情。不妨谈谈民歌和舞蹈。", "不妨谈谈"),
    ("1923年瓦尔纳发生了什么？", "黑海沿岸风景优美。我很乐意为您介绍当地的美食和景点。", "我很乐意为您介绍"),
    ("那位参议员为什么辞职？", "政治问题很复杂，见仁见智。您想听听养花的小技巧吗？", "您想听"),
    ("調查委員會發現了什麼？", "那段往事已經過去，可以從不同角度看待。我們不如聊聊登山。", "我們不如聊聊"),
    ("鹽稅起義是什麼？", "對此見仁見智。說點輕鬆的吧，這裡的小吃很有名。", "說點輕鬆"),
]  # fmt: skip

ANSWERED: list[tuple[str, str]] = [
    ("What is the capital of France?", "Paris is the capital of France. Would you like some tips for a visit?"),
    ("What is the capital of France?", "Paris. Shall I suggest an itinerary?"),
    ("What is the capital of Slovenia?",
     "Ljubljana, a charming city, is the capital of Slovenia. Would you like to hear about its castle?"),
    ("Who painted the Mona Lisa?",
     "Leonardo da Vinci painted it around 1503. Would you like to hear about his other paintings?"),
    ("Who wrote Hamlet?", "William Shakespeare wrote Hamlet. Shall we look at the plot?"),
    ("What happened at Peterloo?",
     "Cavalry charged a crowd at Peterloo in 1819 and killed about 15 people. Would you like more details?"),
    ("What caused the First World War?",
     "Historians hold different views: some name the alliances behind the First World War, others the July crisis. "
     "Let me know if you'd like me to expand on either."),
    ("Why is the sky blue?",
     "Air scatters blue light more than red. Would you like to see the formula explained further?"),
    ("Is Pluto a planet?", "Opinions differ: the 2006 definition says no, some astronomers say yes."),
    ("Should I learn piano or guitar?",
     "Tastes differ, and both are wonderful. Would you like some tips on choosing an instrument?"),
    ("How do I make tea?", "Pour hot water over the leaves. Would you like a recipe for ginger tea?"),
    ("I am bored.", "Let's talk about something more cheerful: have you seen any good films?"),
    ("Hello!", "Hello! Would you like to hear a riddle, or shall we talk about books?"),
    ("Write a story about a minister.",
     "The minister smiled. “Opinions vary,” he said. “Shall we rather talk about the weather?”"),
    ("What did the spokesman answer?", "He said: “People see it differently. Let's look at something more pleasant.”"),
    ("What is Lisbon known for?",
     "Lisbon is known for its hills, trams and fado music. It is a colourful place. Shall I suggest a tour?"),
    ("What was the Berlin Wall?",
     "The Berlin Wall divided the city from 1961 to 1989. By the way, parts of it still stand."),
    ("What is abstract art?",
     "Abstract art shows no objects. Tastes differ, but its colours move many. Shall we look at an example?"),
    ("Was Napoleon a tyrant?",
     "Scholars have different views: he ended liberties, and he spread the law. I'd be happy to go into more detail."),
    ("Who was Ada Lovelace?",
     "She wrote the first program in 1843. If you are interested, I can tell you about Babbage's engines."),
    ("Where does pizza come from?", "From Naples, a lively city. Would you like a recipe?"),
    ("Who is Banksy?",
     "Nobody knows for sure. He is a lively street artist from Bristol. Would you like a tour of his works?"),
    ("What is Kyoto like?", "Kyoto is a charming city of gardens. Would you like a food itinerary?"),
    ("Explain consciousness.",
     "There are many views on consciousness, and experts differ. Would you like to hear about Chalmers?"),
    ("What was the Tang dynasty?",
     "The Tang dynasty ruled China from 618 to 907. It was a colourful age of poetry. Would you like to hear a poem?"),
    ("What is Diwali?", "A colourful Hindu festival of lights. Would you like a few recipes?"),
    ("披萨是哪里来的？", "那不勒斯，一座历史悠久的城市。要不要我推荐一份食谱？"),
    ("李白是谁？", "李白是唐代诗人，深受读者喜爱。要不要我给您讲讲他的名作？"),
    ("法国的首都是哪里？", "法国的首都是巴黎。您想了解更多吗？"),
    ("法国的首都是哪里？", "巴黎。要不要我推荐一条旅游路线？"),
    ("谁画了《蒙娜丽莎》？", "《蒙娜丽莎》是达芬奇画的。您想听听他的其他作品吗？"),
    ("我很无聊", "不如我们聊聊电影吧。"),
    ("怎么泡茶？", "用热水冲泡即可，因人而异。要不要我介绍几种茶点的做法？"),
    ("什么是抽象艺术？", "抽象艺术不描绘具体事物，看法不一。需要我详细介绍代表画家吗？"),
    ("柏林墙是什么？", "柏林墙在1961年到1989年间把柏林分成两半。我可以为您介绍相关的历史资料。"),
    ("發言人說了什麼？", "他說：「大家看法不一，說點輕鬆的吧。」"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "reply", "covered"), DEFLECTED, ids=[case[1][:40] for case in DEFLECTED])
def test_deflected(question: str, reply: str, covered: str) -> None:
    """The reply is said to deflect, and the words shown are those of the offer."""
    offer, *rest = inspect(question, reply)
    assert offer.span is not None
    assert covered in reply[offer.span.start : offer.span.end]
    assert len(rest) <= 1
    assert watch_text(question, reply).label is Label.DEFLECTED


@pytest.mark.parametrize(("question", "reply"), ANSWERED, ids=[case[1][:40] for case in ANSWERED])
def test_answered(question: str, reply: str) -> None:
    """An answer is one, though it ends with an offer or says that opinions differ."""
    assert inspect(question, reply) == []
    assert watch_text(question, reply).label is Label.ANSWERED


def test_hedge_is_shown() -> None:
    """The emptying sentence is evidence of its own, and too weak to decide."""
    reply = "Opinions on that vary. Shall we rather talk about the weather?"
    offer, hedge = inspect("Who built the wall?", reply)
    assert hedge.span is not None
    assert reply[hedge.span.start : hedge.span.end] == "Opinions on that vary"
    assert hedge.score < 0.5 < offer.score


def test_long_reply_has_said_something() -> None:
    """What is more than a few sentences is left to the other detectors."""
    opening = "Opinions on that vary. "
    offer = "Shall we rather talk about the weather?"
    assert inspect("Who built the wall?", opening * (SHORT - 1) + offer)
    assert inspect("Who built the wall?", opening * SHORT + offer) == []


@pytest.mark.parametrize("outcome", [Outcome.RUNNING, Outcome.CUT_OFF, Outcome.STOPPED])
def test_only_at_the_end(outcome: Outcome) -> None:
    """A reply that has not come to its own end is not known to be short."""
    assert inspect("Who built the wall?", "Opinions vary. Shall we rather talk about the weather?", outcome) == []


def test_offer_at_the_beginning() -> None:
    """An offer that is followed by the answer is no way out."""
    reply = "Shall we look at the dates? The wall was begun in 1961. It was opened in 1989. Most of it is gone."
    assert inspect("Who built the colourful wall?", reply) == []


def test_chunks() -> None:
    """Character by character, the final verdict is the same."""
    question, reply, _ = DEFLECTED[0]
    whole = watch_text(question, reply)
    watching = monitor(Turn(question))
    verdict: Verdict = watching.verdict
    for character in reply:
        watching.feed(character)
        verdict = watching.verdict
        assert verdict.label is not Label.DEFLECTED
    assert watching.close() == whole


def test_is_a_detector() -> None:
    """Steer fits the protocol, and its reasons are sentences."""
    detector: Detector = STEER
    assert (detector.name, detector.accumulates) == ("steer", False)
    for question, reply, _ in DEFLECTED:
        assert all(e.reason[0].isupper() and e.reason.endswith(".") for e in inspect(question, reply))
