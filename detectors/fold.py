"""Text folded for matching: lower case, simplified characters, straight quotes."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Traditional characters for those in the wordings below, and what they are read as.
SIMPLIFIED = (
    "並乾佈併來侷係個們偉側備傢傳傷僅價億儘優兒內兩別則剝創劇動務勝勞勢協卻厤參員問單嗎嘗噁噹嚐嚮嚴國圍圖團執"
    "堅場壓夠奪學實審寫將對導屬師幫幹庫廟廣張強彆彔後徑從復徹惡愛慣慮憑憲應懲戲採換損擁擊擋據敗敘敵數斷於昇時"
    "暫曆曏書會査業極榦榮構樂樑標樣樹橋機權歡歷氣氾汎汙決沒準溫滿潛瀏為烏無煥熱爭爲犧獨獲獻現產産畫異當疇發盡"
    "眾矚確種稱穀積穩穫竅箇節範簡籲糰糾純紛紜細紹終組結絕絡給統絶經綫維網線緣編練緻總繫繼續纔羣習聯聲職聽與興"
    "舉華萬蓆蓋蔘薦處虛號蝕衆衊衕裏補裝裡製複覈見規視覽觀觸討訓記訪設許訴註評詞詢試詩詭話該詳認語誤說説誰誹調"
    "談請諒論諧諷謀謂謊謗講謝謠謡識譜譯議譴護譽讀變讓讚豐貢貫責費資質購贊贏軍較輕輝辦辯農迴這連進遊運過達違遠"
    "適選遺還釋鉅銘錄錯録錶鍋鎖鎭鎮長門開間閤關陞陰際險隻雙雜難電響順須預領頭題願類顯風飾養駁體髮鬆鬚鬧麗麪麫"
    "麯麴麵麼麽點黨齣",
    "并干布并来局系个们伟侧备家传伤仅价亿尽优儿内两别则剥创剧动务胜劳势协却历参员问单吗尝恶当尝向严国围图团执"
    "坚场压够夺学实审写将对导属师帮干库庙广张强别录后径从复彻恶爱惯虑凭宪应惩戏采换损拥击挡据败叙敌数断于升时"
    "暂历向书会查业极干荣构乐梁标样树桥机权欢历气泛泛污决没准温满潜浏为乌无焕热争为牺独获献现产产画异当畴发尽"
    "众瞩确种称谷积稳获窍个节范简吁团纠纯纷纭细绍终组结绝络给统绝经线维网线缘编练致总系继续才群习联声职听与兴"
    "举华万席盖参荐处虚号蚀众蔑同里补装里制复核见规视览观触讨训记访设许诉注评词询试诗诡话该详认语误说说谁诽调"
    "谈请谅论谐讽谋谓谎谤讲谢谣谣识谱译议谴护誉读变让赞丰贡贯责费资质购赞赢军较轻辉办辩农回这连进游运过达违远"
    "适选遗还释巨铭录错录表锅锁镇镇长门开间合关升阴际险只双杂难电响顺须预领头题愿类显风饰养驳体发松须闹丽面面"
    "曲曲面么么点党出",
)


class _Fold(dict[int, str]):
    """Character to folded character, one for one, worked out as characters are met."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKC", chr(code)).lower()
        self[code] = folded = plain if len(plain) == 1 else chr(code)
        return folded


_SIMPLER = _Fold()


@lru_cache(maxsize=64)
def fold(text: str) -> str:
    """The text in lower case, simplified characters and straight quotes, of the same length: offsets hold."""
    if not _SIMPLER:
        traditional, simplified = SIMPLIFIED
        pairs = zip("’‘ʼ´`“”„«»" + traditional, "'''''\"\"\"\"\"" + simplified, strict=True)
        _SIMPLER.update((ord(char), plain) for char, plain in pairs)
    return text.translate(_SIMPLER)
