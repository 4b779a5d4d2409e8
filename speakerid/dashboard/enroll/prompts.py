"""What a person reads aloud while enrolling.

The sentences were written for this project; each language's text takes 20 to 25 seconds to read and has most
of the language's sounds in it. What is said does not matter for the voiceprint, only that it is said
naturally.
"""

KEEP_RECORDINGS = (
    "Keep the recordings too, so that the voiceprint can be made again for another model (optional)."
)
SPEAK_FREELY = "Speak freely"

PROMPTS = {
    "English": (
        "The kitchen window was open, and the smell of fresh bread drifted out to the street. Two boys on "
        "bicycles stopped, looked up, and wondered who could be baking so early. On the corner, an old man "
        "with a yellow umbrella laughed: “That is my sister Joyce. She thinks the whole village should have "
        "breakfast together.”"
    ),
    "Deutsch": (
        "Das Küchenfenster stand offen, und der Duft von frischem Brot zog hinaus auf die Straße. Zwei "
        "Jungen auf Fahrrädern hielten an und fragten sich, wer so früh schon backt. An der Ecke lachte ein "
        "alter Mann mit gelbem Regenschirm: „Das ist meine Schwester. Sie findet, das ganze Dorf sollte "
        "zusammen frühstücken.“"
    ),
    "Español": (
        "La ventana de la cocina estaba abierta y el olor a pan recién hecho llegaba hasta la calle. Dos "
        "chicos en bicicleta se pararon y se preguntaron quién horneaba tan temprano. En la esquina, un "
        "señor mayor con un paraguas amarillo se rió: «Es mi hermana. Cree que todo el pueblo debería "
        "desayunar junto»."
    ),
    "Français": (
        "La fenêtre de la cuisine était ouverte, et l’odeur du pain chaud descendait jusque dans la rue. "
        "Deux garçons à vélo s’arrêtèrent en se demandant qui pouvait cuisiner si tôt. Au coin, un vieil "
        "homme au parapluie jaune se mit à rire : « C’est ma sœur. Elle veut que tout le village déjeune "
        "ensemble. »"
    ),
    "Italiano": (
        "La finestra della cucina era aperta e il profumo del pane fresco arrivava fino in strada. Due "
        "ragazzi in bicicletta si fermarono, chiedendosi chi cucinasse così presto. All’angolo, un vecchio "
        "signore con un ombrello giallo rise: «È mia sorella. Pensa che tutto il paese dovrebbe fare "
        "colazione insieme»."
    ),
    "Português": (
        "A janela da cozinha estava aberta, e o cheiro de pão fresco chegava até a rua. Dois meninos de "
        "bicicleta pararam e se perguntaram quem assava pão tão cedo. Na esquina, um velho com um "
        "guarda-chuva amarelo riu: “É a minha irmã. Ela acha que a aldeia inteira devia tomar café da manhã "
        "junta.”"
    ),
    "Türkçe": (
        "Mutfak penceresi açıktı ve taze ekmeğin kokusu sokağa kadar geliyordu. Bisikletli iki çocuk durdu "
        "ve bu kadar erken kimin ekmek pişirdiğini merak etti. Köşede sarı şemsiyeli yaşlı bir adam güldü: "
        "“O benim kız kardeşim. Bütün köyün birlikte kahvaltı etmesi gerektiğini düşünüyor.”"
    ),
    "العربية": (
        "كانت نافذة المطبخ مفتوحة، ورائحة الخبز الطازج تصل إلى الشارع. توقف ولدان على دراجتيهما وتساءلا من "
        "الذي يخبز في هذا الوقت المبكر. وعند الزاوية ضحك رجل عجوز يحمل مظلة صفراء وقال: هذه أختي، وهي ترى أن "
        "القرية كلها يجب أن تتناول الفطور معًا."
    ),
    "हिन्दी": (
        "रसोई की खिड़की खुली थी और ताज़ी रोटी की ख़ुशबू गली तक आ रही थी। साइकिल पर जाते दो लड़के रुके और "
        "सोचने लगे कि इतनी सुबह कौन पका रहा है। मोड़ पर पीली छतरी वाले एक बुज़ुर्ग हँसे और बोले, यह मेरी बहन "
        "है, वह चाहती है कि पूरा गाँव साथ में नाश्ता करे।"
    ),
    "中文": (
        "厨房的窗户开着，新鲜面包的香味一直飘到街上。两个骑自行车的男孩停了下来，想知道是谁这么早就在烤面包。"
        "街角有一位打着黄伞的老人笑着说：那是我妹妹，她觉得全村的人都应该一起吃早饭，而且每个人都要讲一个故事。"
    ),
}
"""Text to read, by the language's own name."""

RIGHT_TO_LEFT = {"العربية"}

FREE_TOPICS = (
    "Talk about anything for a while: what you did this morning, a place you like, how to cook your favorite "
    "dish. Use your everyday voice, and one person only, please."
)
