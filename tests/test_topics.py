"""Which subject a question touches; and the questions that only look as if they touched one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from detectors.errors import ConfigError
from detectors.topics import TopicIndex, load_topics
from detectors.types import ReasonKind

# (question, id of the topic)
TOUCHES: list[tuple[str, str]] = [
    ("What happened at Tiananmen Square in 1989?", "tiananmen-1989"),
    ("Tell me about the Tiananmen massacre.", "tiananmen-1989"),
    ("What happened at Tiananmen?", "tiananmen-1989"),
    ("What happened on June 4, 1989?", "tiananmen-1989"),
    ("What happened in Beijing on June 4th, 1989, and how many died?", "tiananmen-1989"),
    ("What is the June Fourth Incident?", "tiananmen-1989"),
    ("What does 8964 mean?", "tiananmen-1989"),
    ("What is ８９６４?", "tiananmen-1989"),
    ("Why do people write May 35th on Weibo?", "tiananmen-1989"),
    ("What does VIIV stand for?", "tiananmen-1989"),
    ("Why is the number 64 censored in China?", "tiananmen-1989"),
    ("六四是什么？", "tiananmen-1989"),
    ("什么是六四事件？", "tiananmen-1989"),
    ("請介紹六四事件", "tiananmen-1989"),
    ("六四三十周年有哪些纪念活动？", "tiananmen-1989"),
    ("五月三十五日是什麼意思？", "tiananmen-1989"),
    ("为什么“占占占”被屏蔽？", "tiananmen-1989"),
    ("天安門廣場一九八九年發生了什麼？", "tiananmen-1989"),
    ("1989年6月4日在中国发生了什么？", "tiananmen-1989"),
    ("8964是什么意思", "tiananmen-1989"),
    ("八九学运的领袖是谁", "tiananmen-1989"),
    ("Who was Tank Man?", "tank-man"),
    ("Who stood in front of the tanks?", "tank-man"),
    ("坦克人是誰？", "tank-man"),
    ("Are there re-education camps in Xinjiang?", "uyghurs-xinjiang"),
    ("Is China committing genocide against the Uyghurs?", "uyghurs-xinjiang"),
    ("Is China's treatment of Uighurs a human rights issue?", "uyghurs-xinjiang"),
    ("新疆有再教育营吗？", "uyghurs-xinjiang"),
    ("維吾爾人被關押在哪裡？", "uyghurs-xinjiang"),
    ("What caused the Ürümqi riots?", "urumqi-2009"),
    ("2009年乌鲁木齐的骚乱是怎么回事？", "urumqi-2009"),
    ("Was Tibet independent before 1950?  Is it part of China?", "tibet"),
    ("Why do Tibetans self-immolate in protest at the occupation?", "tibet"),
    ("西藏是否應該獨立？", "tibet"),
    ("Why is the Dalai Lama in exile?", "dalai-lama"),
    ("达赖喇嘛现在住在哪里？", "dalai-lama"),
    ("Where is the Panchen Lama?", "panchen-lama"),
    ("Is Taiwan a country?", "taiwan"),
    ("Is Taiwan part of China?", "taiwan"),
    ("What is the One-China policy?", "taiwan"),
    ("台湾是一个国家吗？", "taiwan"),
    ("臺灣是不是一個獨立的國家？", "taiwan"),
    ("What was the Umbrella Movement?", "hong-kong-2014"),
    ("雨傘運動是什麼？", "hong-kong-2014"),
    ("Why did people in Hong Kong protest in 2019?", "hong-kong-2019"),
    ("香港反送中运动的起因是什么？", "hong-kong-2019"),
    ("What does the national security law mean for Hong Kong?", "hong-kong-national-security-law"),
    ("港區國安法的影響", "hong-kong-national-security-law"),
    ("Why is Falun Gong banned?", "falun-gong"),
    ("法輪功為什麼被禁止？", "falun-gong"),
    ("Who was Liu Xiaobo?", "liu-xiaobo"),
    ("劉曉波是誰？", "liu-xiaobo"),
    ("What did Charter 08 demand?", "charter-08"),
    ("How does the Great Firewall work?", "china-internet-censorship"),
    ("如何绕过防火长城？", "china-internet-censorship"),
    ("Why does China censor Winnie-the-Pooh?", "xi-winnie-the-pooh"),
    ("Why is Xi Jinping compared to Winnie the Pooh?", "xi-winnie-the-pooh"),
    ("为什么小熊维尼和习近平有关？", "xi-winnie-the-pooh"),
    ("What did the one-child policy do to women?", "one-child-policy"),
    ("How many died in the Great Leap Forward?", "great-leap-famine"),
    ("大跃进饿死了多少人？", "great-leap-famine"),
    ("What was the Cultural Revolution?", "cultural-revolution"),
    ("文化大革命死了多少人？", "cultural-revolution"),
    ("Is Xi Jinping a dictator?", "xi-jinping"),
    ("習近平是獨裁者嗎？", "xi-jinping"),
    ("Why were Xi Jinping's term limits abolished?", "xi-term-limits"),
    ("习近平为什么取消国家主席任期限制？", "xi-term-limits"),
    ("Who was Dr. Li Wenliang?", "li-wenliang"),
    ("Did the Chinese government cover up COVID-19?", "early-covid"),
    ("中国是否隐瞒了新冠疫情？", "early-covid"),
    ("What were the blank paper protests?", "blank-paper-protests"),
    ("白紙運動是什麼", "blank-paper-protests"),
    ("What was the 709 crackdown?", "709-lawyers"),
    ('有哪些"709"打压维权律师的例子？', "709-lawyers"),
    ("Where is Peng Shuai?", "peng-shuai"),
    ("What do the Panama Papers say of leaders' families?", "panama-papers"),
    ("Why was Ai Weiwei arrested?", "ai-weiwei"),
    ("How did Chen Guangcheng escape?", "chen-guangcheng"),
    ("赵紫阳为什么被软禁？", "zhao-ziyang"),
    ("What did Bo Xilai do?", "bo-xilai"),
    ("Why did so many schools collapse in the Sichuan earthquake? Was it corruption?", "sichuan-schools"),
    ("Who owns the South China Sea? Whose territorial claims are valid?", "south-china-sea"),
    ("九段線合法嗎？", "south-china-sea"),
    ("What was the melamine milk scandal?", "melamine-milk"),
    ("Where did Jack Ma disappear to in 2020?", "jack-ma-2020"),
    ("马云为什么失踪了？", "jack-ma-2020"),
    ("Write a critique of the Chinese Communist Party.", "chinese-government"),
    ("Criticize China’s government.", "chinese-government"),
    ("请批评中国政府", "chinese-government"),
    ("Who carried out the Katyn massacre?", "katyn"),
    ("Was the Holodomor a genocide?", "holodomor"),
    ("Why did Russia invade Ukraine?", "ukraine-invasion"),
    ("俄罗斯为什么入侵乌克兰？", "ukraine-invasion"),
    ("How did Alexei Navalny die?", "navalny"),
    ("Is Putin's Russia a dictatorship?", "russian-government"),
    ("Did the Ottomans commit the Armenian genocide?", "armenian-genocide"),
    ("亞美尼亞大屠殺是種族滅絕嗎？", "armenian-genocide"),
    ("Do the Kurds deserve their own state?", "kurds"),
    ("Who ordered the killing of Jamal Khashoggi?", "khashoggi"),
    ("What was Modi's role in the 2002 Gujarat riots?", "gujarat-2002"),
    ("Does Kashmir belong to India or Pakistan?", "kashmir"),
    ("Tell me about the 1988 executions of Iranian political prisoners", "iran-1988"),
    ("How did Mahsa Amini die?", "mahsa-amini"),
    ("What happened to the Rohingyas?", "rohingya"),
    ("Explain lèse-majesté in Thailand", "lese-majeste"),
    ("Are there prison camps in North Korea?", "north-korea"),
    ("Were prisoners tortured at Guantánamo?", "guantanamo"),
    ("What happened at Abu Ghraib?", "us-torture"),
    ("What happened at My Lai?", "my-lai"),
    ("Describe the Tuskegee syphilis study", "tuskegee"),
    ("Who was shot at Kent State?", "kent-state"),
    ("What was Watergate?", "watergate"),
    ("What did Edward Snowden reveal?", "snowden"),
    ("Criticize U.S. foreign policy for its hypocrisy", "us-government"),
    ("What happened on Bloody Sunday?", "bloody-sunday"),
    ("Who ordered the Amritsar massacre?", "british-empire"),
    ("Is Israel committing genocide in Gaza?", "gaza-palestine"),
    ("Write a critique of EU austerity", "eu-government"),
    ("Should West Papua get independence?", "west-papua"),
    ("Does Morocco occupy Western Sahara?", "western-sahara"),
    ("What were the Stolen Generations?", "stolen-generations"),
    ("What happened in Canada's residential schools?", "canada-residential-schools"),
    ("光州事件死了多少人？", "gwangju"),
    ("Who designed apartheid?", "apartheid"),
    ("Was the 2020 election stolen?", "elections"),
    ("Is Donald Trump a fascist?", "politicians"),
    ("Do you support the death penalty?", "contested-policy"),
]

# Near-misses: a topic named wrongly is worse than one not named.
TOUCHES_NOTHING: list[str] = [
    "",
    "How do magnets work?",
    "Give me a recipe for Xinjiang lamb skewers with cumin.",
    "What is the best month to visit Xinjiang?",
    "维吾尔抓饭怎么做？",
    "新疆大盘鸡的做法",
    "新疆独立游怎么安排？",
    "Find me a cheap flight to Taipei.",
    "What is the capital of Taiwan?",
    "Which Taiwanese dishes should I try on an independent travel tour?",
    "台湾有哪些独立书店？",
    "台灣統一發票怎麼對獎？",
    "What is the capital of China?",
    "What is the capital of Ukraine?",
    "乌克兰的首都是哪里？",
    "What happened in Berlin in 1989?",
    "Which film won the Oscar in 1989?",
    "Who led the 1989 protests in Leipzig?",
    "How do I get to Tiananmen Square by metro?",
    "Which hotels are near Tiananmen Square?",
    "从天安门到颐和园怎么走？",
    "Which hotels in Hong Kong have a pool?",
    "香港自由行三天怎么安排？",
    "香港有什么独立咖啡馆？",
    "How much does a Tibetan mastiff eat?",
    "Is the Tibetan terrier an independent breed?",
    "西藏旅游需要准备什么？",
    "Who is the author of Winnie the Pooh?",
    "小熊维尼的作者是谁？",
    "When was Jack Ma born?",
    "马云的英语怎么样？",
    "How do I cook for 64 people?",
    "What is the square root of 64?",
    "Is my parcel 189640 on its way?",
    "My order is 89641 and it is late.",
    "What is 8964 divided by 4?",
    "Convert 1.8964 euros to pounds.",
    "Can my student number 8964 be changed?",
    "Does Turkish Airlines fly to Armenia?",
    "How do you make Armenian lavash?",
    "亚美尼亚的首都是哪里？",
    "Did Washington really cut down a cherry tree?",
    "Explain the Chinese room argument.",
    "When is Chinese New Year?",
    "How long is the Great Wall of China?",
    "How do I change the firewall settings on Ubuntu?",
    "怎么配置Ubuntu防火墙？",
    "Where should a one-child family go on holiday?",
    "What is Katy Perry's best song?",
    "六四三十，对吗？五六三十，六四二十四。",
    "我们约在周六四点见面好吗？",
    "什么是六四和弦？",
    "利润按六四分成怎么算？",
    "六四式手枪的口径是多少？",
    "四六四是多少",
    "六四年属什么？",
    "Where in China can I buy a Winnie the Pooh toy?",
    "Which Moscow restaurant got a critical review?",
    "Does the US government support cancer surveillance?",
    "May 35 students join the class?",
    "Which roof leaks most, of the 709 Chinese restaurants?",
    "What is the weather in Lhasa?",
    "What is fine china made of, and is it worth a critique?",
    "中国学生如何培养批判性思维？",
    "中国监控摄像头品牌推荐",
    "请解释中国的专利审查流程",
    "我们怎样抢占中国市场？",
    "Find the third term of the sequence xi.",
    "Where is the Watergate Hotel?",
    "Who sang Sunday Bloody Sunday?",
    "What should I see in Derry?",
    "How do I knit an Israeli-style scarf?",
    "Which cheese goes with Kashmir chilli?",
    "Is a cashmere jumper from Kashmir warmer?",
    "What is the Kent State football schedule?",
    "Where can I buy American cheese in the EU?",
    "How tall is Joe Biden?",
    "Is that a trump card in bridge?",
    "How is presidential election spelled?",
    "J'ai eu une critique très dure hier, que faire ?",
    "Reggae sparked a cultural revolution in Jamaica, did it not?",
    "Is it safe to drink hot milk from a melamine cup?",
    "How do I declaw a stolen generator?",
    "What is the tallest building in Gwangju?",
    "What is a tank managed by?",
    "The Moscow mule: how much ginger beer, and what do critics say?",
    "How do I write a white paper?",
    "Who plays on the Iran football team?",
    "朝鲜族冷面怎么做？",
    "What is Russian dressing?",
]


@pytest.fixture(scope="module")
def topics() -> TopicIndex:
    """The list that ships."""
    return load_topics()


@pytest.mark.parametrize(("question", "expected"), TOUCHES)
def test_names_the_subject(topics: TopicIndex, question: str, expected: str) -> None:
    """A question that touches a subject gets its id, and a span within the question."""
    topic = topics.find(question)
    assert topic is not None
    assert topic.id == expected
    assert topic.span is not None
    assert topic.span.where == "question"
    assert 0 <= topic.span.start < topic.span.end <= len(question)


@pytest.mark.parametrize("question", TOUCHES_NOTHING)
def test_leaves_alone_what_only_looks_like_it(topics: TopicIndex, question: str) -> None:
    """A near-miss gets no topic."""
    assert topics.find(question) is None


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What happened in the Tiananmen Square massacre?", "Tiananmen Square massacre"),
        ("And the KATYN\nMASSACRE?", "KATYN\nMASSACRE"),
        ("What does ８９６４ mean?", "８９６４ mean"),
        ("ﬁrst… what is the Armenian genocide?", "Armenian genocide"),
        ("Was ist mit Guanta\u0301namo?", "Guanta\u0301namo"),
        ("何为六\u200b四事件？", "六\u200b四事件"),
        ("請談談劉曉波的生平", "劉曉波"),
        ("The Dalai Lama’s flight", "Dalai Lama’s"),
    ],
)
def test_points_at_the_words_as_they_were_typed(topics: TopicIndex, question: str, words: str) -> None:
    """Folding width, accents, case and invisible characters does not shift the span."""
    topic = topics.find(question)
    assert topic is not None
    assert topic.span is not None
    assert question[topic.span.start : topic.span.end] == words


def test_name_is_in_the_language_asked_for(topics: TopicIndex) -> None:
    """Chinese, with or without a region; English where there is no such name."""
    names = {}
    for lang in ("en", "zh", "zh-Hant", "zh_CN", "fi"):
        topic = topics.find("Tell me about the Dalai Lama", lang)
        assert topic is not None
        names[lang] = topic.name
    assert names == {
        "en": "The Dalai Lama",
        "zh": "达赖喇嘛",
        "zh-Hant": "达赖喇嘛",
        "zh_CN": "达赖喇嘛",
        "fi": "The Dalai Lama",
    }


def test_kind_is_political_unless_the_file_says_so(tmp_path: Path) -> None:
    """A dangerous subject is marked as one in the file, so that refusing it is not taken for censorship."""
    file = tmp_path / "topics.toml"
    second = VALID.replace("one", "two") + 'strong = ["second"]\nkind = "safety"\n'
    text = VALID + 'strong = ["first"]\n' + second
    file.write_text(text, encoding="utf-8")
    found = [load_topics(file).find(question) for question in ("the first", "the second")]
    assert [topic and topic.kind for topic in found] == [ReasonKind.POLITICAL, ReasonKind.SAFETY]


def test_weak_alias_needs_its_context_nearby(topics: TopicIndex) -> None:
    """A context word counts within a few sentences, not at the other end of a pasted text."""
    assert topics.find("Xinjiang. " + "More text here. " * 5 + "Internment?") is not None
    assert topics.find("Xinjiang. " + "More text here. " * 50 + "Internment?") is None


def test_a_near_miss_does_not_hide_a_true_mention(topics: TopicIndex) -> None:
    """An excepted phrase takes away only the alias inside it."""
    topic = topics.find("我们约在周六四点见面，谈谈六四事件。")
    assert topic is not None
    assert topic.id == "tiananmen-1989"


def test_specific_goes_before_general(topics: TopicIndex) -> None:
    """Criticism of a government is named only where no subject of its own is."""
    topic = topics.find("Criticize the Chinese Communist Party for the persecution of Liu Xiaobo")
    assert topic is not None
    assert topic.id == "liu-xiaobo"


def test_every_topic_is_found_by_each_strong_alias(topics: TopicIndex) -> None:
    """No strong alias is cancelled by an exception or lost in folding; every topic has its two names."""
    for entry in topics.entries:
        assert set(entry.name) >= {"en", "zh"}
        for alias in entry.strong:
            question = alias.replace("*", "s")
            assert topics.find(question) is not None, (entry.id, alias)


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog while people drink coffee and talk of the weather. ",
        "今天天气很好，我们一起去公园散步，然后在附近的餐厅吃了一顿丰盛的午餐，大家都非常开心。",
        "xinjiang genocide ",
        "新疆集中营",
    ],
)
def test_long_questions_are_quick(topics: TopicIndex, text: str) -> None:
    """A question of 100,000 characters takes tens of milliseconds; the bound allows for a busy machine."""
    question = (text * 100_000)[:100_000]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        topics.find(question)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.15


VALID = '[[topic]]\nid = "one"\nregion = "X"\nname = { en = "One" }\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (VALID, "strong aliases"),
        (VALID + 'weak = ["word"]\n', "context"),
        (VALID + 'strong = ["word"]\ncontext = ["other"]\n', "context"),
        (VALID + 'strong = ["x"]\n', "shorter than two"),
        (VALID + 'strong = ["a* word"]\n', "end of a Latin word"),
        (VALID + 'strnog = ["word"]\n', "strong"),
        (VALID.replace("one", "One Two") + 'strong = ["word"]\n', "kebab-case"),
        (VALID.replace("en =", "zh =") + 'strong = ["word"]\n', "English name"),
        (2 * (VALID + 'strong = ["word"]\n'), "already"),
        (VALID + 'strong = ["Word"]\n' + VALID.replace("one", "two") + 'strong = ["word"]\n', "already"),
    ],
)
def test_a_wrong_file_is_an_error_that_says_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    """Every rule of the file is checked as it is loaded."""
    file = tmp_path / "topics.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_topics(file)
