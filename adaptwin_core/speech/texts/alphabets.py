"""The letters beyond ASCII and the commonest words of languages, by which the encoding of a text is recognized."""

from dataclasses import dataclass, field

_WESTERN = ("cp1252", "cp850", "mac_roman")
_CENTRAL = ("cp1250", "iso8859_2")
_CYRILLIC = ("cp1251", "koi8_u", "cp866")


@dataclass(frozen=True)
class Language:
    """A language that was written in encodings other than Unicode.

    `letters` are in lower case. They are empty for scripts with thousands of them.
    """

    name: str
    encodings: tuple[str, ...]
    letters: frozenset[str]
    words: frozenset[str] = field(repr=False)


def _language(name: str, encodings: tuple[str, ...], letters: str, words: str) -> Language:
    return Language(name, encodings, frozenset(letters), frozenset(words.split()))


_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
_ARABIC = "ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهوىيًٌٍَُِّْ"

LANGUAGES = (
    _language("English", _WESTERN, "éèêëïîôöüçñàâä", "the and of to in is was that it for with he she they you"),
    _language("German", _WESTERN, "äöüßéèàê", "der die das und ist ein eine nicht ich zu den mit auf sie wir im"),
    _language(
        "French", _WESTERN, "àâæçéèêëîïôœùûüÿ", "le la les de des et un une est pas que il elle dans à du mon où"
    ),
    _language("Spanish", _WESTERN, "áéíñóúü", "el la los de que y en un una es no por con se las del está"),
    _language("Portuguese", _WESTERN, "áâãàçéêíóôõúü", "o a os de que e em um uma é não por com se as do da na"),
    _language("Italian", _WESTERN, "àèéìíîòóù", "il la di che e un una è non per con sono i le del della"),
    _language("Catalan", _WESTERN, "àçèéíïòóúü·", "el la els de que i en un una és no per amb les del"),
    _language("Dutch", _WESTERN, "áéèêëíïóöúü", "de het een en van is niet ik dat op te in we zijn met"),
    _language("Swedish", _WESTERN, "åäöéàü", "och att det är en som på jag i för med inte vi den ett var"),
    _language(
        "Danish or Norwegian", _WESTERN, "æøåéèêóòôäö", "og at det er en som på jeg i for med ikke vi den et til"
    ),
    _language("Finnish", _WESTERN, "äöåéšž", "ja on ei se että hän oli minä me kun mutta niin"),
    _language("Icelandic", _WESTERN, "áðéíóúýþæö", "og að það er í á sem ekki ég við var um til"),
    _language("Polish", _CENTRAL, "ąćęłńóśźż", "i w na się nie to z do jest że jak był była po mam"),
    _language("Czech", _CENTRAL, "áčďéěíňóřšťúůýž", "a se na je v že to do jsem si s ale jak byl by měl"),
    _language("Slovak", _CENTRAL, "áäčďéíĺľňóôŕšťúýž", "a sa na je v že to do som si s ale ako bol by mal"),
    _language("Hungarian", _CENTRAL, "áéíóöőúüű", "a az és hogy nem is egy van volt meg de ez ha mint"),
    _language("Croatian or Slovene", _CENTRAL, "čćđšž", "i je u se na da ne su za od in v so pa bil bila"),
    _language("Romanian", _CENTRAL, "ăâîşţșț", "și şi de la în a este nu un o cu pe din să că"),
    _language("Turkish", ("cp1254",), "çğıöşüâîû", "ve bir bu da de için ne çok ben var mi o gibi daha"),
    _language("Lithuanian", ("cp1257",), "ąčęėįšųūž", "ir yra į kad ne su tai iš buvo bet jis"),
    _language("Latvian", ("cp1257",), "āčēģīķļņšūž", "un ir ka no ar uz tas bija bet viņš es"),
    _language("Estonian", ("cp1257", "cp1252"), "äöõüšž", "ja on ei et see oli ma ta kui aga ka"),
    _language("Russian", _CYRILLIC, _RUSSIAN, "и в не на я что он с как это мы у за по но меня мой"),
    _language("Ukrainian", _CYRILLIC, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "і в не на я що він з як це ми у та до мій"),
    _language("Bulgarian", _CYRILLIC, _RUSSIAN, "и в не на да се е за от с аз той са по но как"),
    _language("Serbian", ("cp1251",), "абвгдђежзијклљмнњопрстћуфхцчџш", "и је у се на да не су за од"),
    _language(
        "Greek", ("cp1253",), "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ", "και το η ο να του της με στο για μου είναι δεν"
    ),
    _language("Hebrew", ("cp1255",), "אבגדהוזחטיךכלםמןנסעףפץצקרשת", "של את לא על אני הוא זה עם כל היה שלי"),
    _language("Arabic", ("cp1256",), _ARABIC, "في من على أن إلى هذا لا ما كان عن مع هو"),
    _language("Japanese", ("cp932", "euc_jp"), "", "の に は を た が で て と し れ さ い"),
    _language("Chinese", ("gb18030", "big5"), "", "的 一 是 不 了 在 我 有 他 这 这 這 個 个 们 們 你 好"),
    _language("Korean", ("cp949",), "", "이 다 는 을 가 에 의 하 고 를 은 지 니 요"),
    _language("Thai", ("cp874",), "".join(map(chr, range(0x0E01, 0x0E5C))), "ที่ การ เป็น และ ใน ไม่ มี ของ ได้ ว่า"),
)
