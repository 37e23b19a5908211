"""Speech of any language is transcribed to its end; a model that goes round in circles is stopped."""

import numpy as np
import pytest

from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.transcription import MAX_NEW_TOKENS, most_tokens

pytestmark = pytest.mark.weights  # the tokenizer comes with the weights

# A sentence of each language, and how many seconds a fast speaker takes for it: 20 letters a second.
SAID = {
    "en": "We walked along the river until the rain began, and then we all went home.",
    "de": "Wir gingen am Fluss entlang, bis der Regen begann, und dann gingen wir nach Hause.",
    "vi": "Ngày mai tôi sẽ đi chợ từ sáng sớm để mua rau và cá tươi.",
    "ru": "Мы гуляли вдоль реки, пока не начался дождь, а потом пошли домой.",
    "te": "నేను రేపు ఉదయం మార్కెట్‌కు వెళ్తాను మరియు కూరగాయలు కొంటాను",
    "hi": "मैं कल सुबह बाज़ार जाऊँगा और सब्ज़ियाँ खरीदूँगा",
    "bn": "আমি কাল সকালে বাজারে যাব আর শাকসবজি কিনব",
    "ta": "நான் நாளை காலை சந்தைக்குச் சென்று காய்கறிகள் வாங்குவேன்",
    "th": "ฉันจะไปตลาดพรุ่งนี้เช้าและซื้อผักกับปลา",
    "my": "ကျွန်တော် မနက်ဖြန် မနက် ဈေးသို့ သွားမည်",
    "km": "ខ្ញុំនឹងទៅផ្សារនៅព្រឹកស្អែក",
    "ka": "ხვალ დილით ბაზარში წავალ და ბოსტნეულს ვიყიდი",
    "am": "ነገ ጠዋት ወደ ገበያ እሄዳለሁ",
    "ja": "明日の朝、市場に行って野菜と魚を買います",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory):
    return resolve("package:whisper-base", tmp_path_factory.getbasetemp() / "models")


@pytest.mark.parametrize("language", SAID)
def test_a_fast_speaker_is_heard_to_the_end(base, language: str) -> None:
    featurizer, text = Featurizer(base, language), SAID[language]
    audio = np.zeros(int(16_000 * len(text) / 20), np.float32)
    assert featurizer.num_tokens(text) < most_tokens(audio, featurizer)


def test_a_model_that_goes_round_in_circles_in_a_known_language_is_stopped_early(base) -> None:
    assert most_tokens(np.zeros(5 * 16_000, np.float32), Featurizer(base, "en")) < MAX_NEW_TOKENS / 5
