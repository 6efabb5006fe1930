"""What the shipped bundle's ears are trained on, made on the spot: sentences spoken by espeak-ng, tones, noise and
music of a kind, with what is true of them. No sound of others is used.

Voices, accents and sentences are held out: what measures has none that what trains had.
"""
import pathlib
import random
import subprocess

import numpy as np

import data

RATE = 16000
LANGUAGES = ("en", "de", "fr", "es")
ACCENTS = {  # espeak-ng's name -> the card's language; the second half is held out where there is one
    "en": (["en-us", "en-gb", "en-gb-x-rp", "en-029"], ["en-gb-scotland", "en-us-nyc", "en-gb-x-gbclan"]),
    "de": (["de"], ["de"]),
    "fr": (["fr-fr", "fr-be"], ["fr-ch"]),
    "es": (["es"], ["es-419"]),
    None: ("it pt nl pl sv fi tr hu cs el lt eu ca sq et sk sl lv mt ga eo ia la vi ms af az bs ku uz is gd tn haw gn".split(),
           "da nb ro id sw cy hr pt-br lfn kl om mi".split()),
}
OTHER = {  # what the voices of no language of the card read out, or words that look like these
    "it": "la riunione comincia alle nove e il porto resta chiuso fino a domenica mattina per i lavori del ponte nuovo",
    "pt": "a reunião começa às nove e o porto fica fechado até domingo de manhã por causa das obras da ponte nova",
    "nl": "de vergadering begint om negen uur en de haven blijft tot zondagochtend dicht vanwege het werk aan de brug",
    "pl": "zebranie zaczyna się o dziewiątej a port jest zamknięty do niedzieli rano z powodu prac przy nowym moście",
    "sv": "mötet börjar klockan nio och hamnen är stängd till söndag morgon på grund av arbetet med den nya bron",
    "fi": "kokous alkaa kello yhdeksän ja satama on suljettu sunnuntaiaamuun asti uuden sillan töiden takia",
    "tr": "toplantı saat dokuzda başlıyor ve liman yeni köprünün çalışmaları yüzünden pazar sabahına kadar kapalı",
    "hu": "az ülés kilenckor kezdődik és a kikötő az új híd munkái miatt vasárnap reggelig zárva marad",
    "cs": "schůze začíná v devět hodin a přístav je kvůli práci na novém mostě zavřený až do nedělního rána",
    "el": "η συνεδρίαση αρχίζει στις εννέα και το λιμάνι μένει κλειστό ως το πρωί της κυριακής για τη νέα γέφυρα",
    "lt": "posėdis prasideda devintą valandą o uostas uždarytas iki sekmadienio ryto dėl naujo tilto darbų",
    "eu": "bilera bederatzietan hasten da eta portua itxita dago igande goizera arte zubi berriaren lanengatik",
    "da": "mødet begynder klokken ni og havnen er lukket til søndag morgen på grund af arbejdet med den nye bro",
    "nb": "møtet begynner klokken ni og havnen er stengt til søndag morgen på grunn av arbeidet med den nye broen",
    "ro": "ședința începe la ora nouă iar portul este închis până duminică dimineața din cauza lucrărilor la pod",
    "id": "rapat dimulai pukul sembilan dan pelabuhan ditutup sampai minggu pagi karena pekerjaan jembatan baru",
    "sw": "mkutano unaanza saa tatu na bandari imefungwa hadi jumapili asubuhi kwa sababu ya kazi ya daraja jipya",
    "cy": "mae'r cyfarfod yn dechrau am naw ac mae'r harbwr ar gau tan fore sul oherwydd y gwaith ar y bont newydd",
    "hr": "sastanak počinje u devet sati a luka je zatvorena do nedjelje ujutro zbog radova na novom mostu",
    "pt-br": "a gente se encontra na praia depois do almoço para falar da festa da escola e do barco do seu avô",
}
SENTENCES = {
    "en": ["We will meet again on Monday morning at half past nine.", "The delivery has not arrived yet, please call them.",
           "I think that the second offer is better than the first.", "Nobody told me about the change of the room.",
           "Could you send me the figures before the weekend?", "The water in the cellar stands three feet high.",
           "She has worked in this office for eleven years.", "If it rains, we shall move everything into the hall.",
           "Thank you all for coming, and let us begin.", "That would be a job for the younger people.",
           "The key lies under the flower pot beside the door.", "What happens with the money that is left over?"],
    "de": ["Wir treffen uns am Montag um halb zehn wieder hier.", "Die Lieferung ist noch nicht angekommen, bitte rufen Sie an.",
           "Ich glaube, das zweite Angebot ist besser als das erste.", "Niemand hat mir gesagt, dass der Raum geändert wurde.",
           "Könnten Sie mir die Zahlen vor dem Wochenende schicken?", "Das Wasser im Keller steht einen Meter hoch.",
           "Sie arbeitet seit elf Jahren in diesem Büro.", "Wenn es regnet, bringen wir alles in die Halle.",
           "Danke, dass ihr alle gekommen seid, fangen wir an.", "Das wäre eine Aufgabe für die jüngeren Leute.",
           "Der Schlüssel liegt unter dem Blumentopf neben der Tür.", "Was geschieht mit dem Geld, das übrig bleibt?"],
    "fr": ["Nous nous retrouvons lundi matin à neuf heures et demie.", "La livraison n'est pas encore arrivée, appelez-les s'il vous plaît.",
           "Je crois que la deuxième offre est meilleure que la première.", "Personne ne m'a dit que la salle avait changé.",
           "Pourriez-vous m'envoyer les chiffres avant la fin de la semaine ?", "L'eau monte à un mètre dans la cave.",
           "Elle travaille dans ce bureau depuis onze ans.", "S'il pleut, nous mettrons tout dans la grande salle.",
           "Merci à tous d'être venus, commençons.", "Ce serait un travail pour les plus jeunes.",
           "La clé se trouve sous le pot de fleurs à côté de la porte.", "Que devient l'argent qui reste ?"],
    "es": ["Nos vemos otra vez el lunes a las nueve y media.", "La entrega todavía no ha llegado, llámelos por favor.",
           "Creo que la segunda oferta es mejor que la primera.", "Nadie me dijo que habían cambiado la sala.",
           "¿Podría enviarme las cifras antes del fin de semana?", "El agua del sótano llega a un metro de altura.",
           "Ella trabaja en esta oficina desde hace once años.", "Si llueve, lo llevaremos todo al salón.",
           "Gracias a todos por venir, vamos a empezar.", "Sería un trabajo para los más jóvenes.",
           "La llave está debajo de la maceta junto a la puerta.", "¿Qué pasa con el dinero que sobra?"],
}
HELD_SENTENCES = {
    "en": ["Please write down who takes care of the invitations.", "The old bridge is closed until the end of September.",
           "My brother bought a house with a large garden near the river.", "There were seven boats at the pier last night.",
           "We have to choose between a new roof and a new kitchen.", "The doctor says that he should drink more.",
           "Good evening, this is the news of the day.", "Her train was late again, so she walked home."],
    "de": ["Bitte schreibt auf, wer sich um die Einladungen kümmert.", "Die alte Brücke ist bis Ende September gesperrt.",
           "Mein Bruder hat ein Haus mit großem Garten am Fluss gekauft.", "Gestern Nacht lagen sieben Schiffe am Steg.",
           "Wir müssen zwischen einem neuen Dach und einer neuen Küche wählen.", "Der Arzt sagt, er soll mehr trinken.",
           "Guten Abend, hier sind die Nachrichten des Tages.", "Ihr Zug hatte wieder Verspätung, deshalb ging sie zu Fuß."],
    "fr": ["Notez s'il vous plaît qui s'occupe des invitations.", "Le vieux pont est fermé jusqu'à la fin septembre.",
           "Mon frère a acheté une maison avec un grand jardin près du fleuve.", "Hier soir, sept bateaux étaient au quai.",
           "Il faut choisir entre un nouveau toit et une nouvelle cuisine.", "Le médecin dit qu'il devrait boire davantage.",
           "Bonsoir, voici les nouvelles du jour.", "Son train avait encore du retard, elle est rentrée à pied."],
    "es": ["Apunten por favor quién se encarga de las invitaciones.", "El puente viejo está cerrado hasta finales de septiembre.",
           "Mi hermano compró una casa con un jardín grande cerca del río.", "Anoche había siete barcos en el muelle.",
           "Tenemos que elegir entre un tejado nuevo y una cocina nueva.", "El médico dice que debería beber más.",
           "Buenas noches, estas son las noticias del día.", "Su tren llegó tarde otra vez y volvió a casa a pie."],
}


def variants(held):
    """espeak-ng's ways to sound; every third is held out."""
    out = subprocess.run(["espeak-ng", "--voices=variant"], check=True, capture_output=True, text=True).stdout
    names = sorted({line.split()[-1].split("/")[-1] for line in out.splitlines()[1:] if "!v/" in line})
    return [n for i, n in enumerate(names) if (i % 3 == 2) == held and n != "Mr"]


class Spelling:
    """Words that look like those of a language: each letter drawn by the three before it."""

    def __init__(self, words):
        self.after = {}
        for word in words:
            padded = "^^^" + word.lower() + "$"
            for i in range(3, len(padded)):
                self.after.setdefault(padded[i - 3:i], []).append(padded[i])

    def word(self, rng):
        text = "^^^"
        while len(text) < 14 and (c := rng.choice(self.after[text[-3:]])) != "$":
            text += c
        return text[3:]


SPELLINGS = {None: Spelling(" ".join(v for k, v in OTHER.items() if k != "el").replace("'", "").split())}
SPELLINGS |= {k: Spelling(v + " ".join(SENTENCES[k]).translate(str.maketrans("", "", ".,?¿'’-")).split())
             for k, v in data.LISTS.items()}


def sentence(rng, language, accent, held):
    if language is None and accent in OTHER and (accent == "el" or rng.random() < 0.5):
        words = OTHER[accent].split()
        at = rng.randrange(len(words) // 2)
        return " ".join(words[at:] + words[:at])
    if held and language:
        return " ".join(rng.sample(HELD_SENTENCES[language], 3))
    if language and rng.random() < 0.35:
        return " ".join(rng.sample(SENTENCES[language], rng.randint(1, 3)))
    share = rng.random()
    words = [SPELLINGS[language].word(rng) if not language or rng.random() < share else rng.choice(data.LISTS[language])
             for _ in range(rng.randint(8, 28))]
    return " ".join(words) + "."


def resample(x, rate):
    """To 16 kHz through the spectrum: exact for what both rates hold."""
    n = -(-len(x) // rate) * rate
    spectrum = np.fft.rfft(np.pad(x, (0, n - len(x))))
    m = n * RATE // rate
    out = np.zeros(m // 2 + 1, complex)
    k = min(len(out), len(spectrum))
    out[:k] = spectrum[:k]
    return np.fft.irfft(out, m)[:len(x) * RATE // rate] * (m / n)


def say(text, voice, pitch, speed):
    """float samples at 16 kHz, without the silence around them; None: nothing was said."""
    wave = subprocess.run(["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", text],
                          check=True, capture_output=True).stdout
    rate, at = int.from_bytes(wave[24:28], "little"), wave.index(b"data") + 8
    x = np.frombuffer(wave[at:at + (len(wave) - at) // 2 * 2], "<i2").astype(np.float64) / 32768
    loud = np.flatnonzero(np.abs(x) > 0.01)
    return None if len(loud) < rate // 2 else resample(x[loud[0]:loud[-1] + 1], rate).astype(np.float32)


def voices_file(path, n, held, seed):
    """n spoken clips of at most 14 s, kept in `path`: a list of (language or None, samples)."""
    if path and pathlib.Path(path).exists():
        with np.load(path) as kept:
            ends = np.cumsum(kept["lengths"])
            return [(str(k) if k != "-" else None, s) for k, s in zip(kept["languages"], np.split(kept["samples"], ends[:-1]))]
    rng, ways, clips = random.Random(seed), variants(held), []
    while len(clips) < n:
        language = (*LANGUAGES, None)[len(clips) % (len(LANGUAGES) + 1)]
        accent = rng.choice(ACCENTS[language][held])
        x = say(sentence(rng, language, accent, held), f"{accent}+{rng.choice(ways)}", rng.randint(15, 85), rng.randint(115, 215))
        if x is not None:
            clips.append((language, (np.clip(x[:14 * RATE] / np.abs(x).max(), -1, 1) * 32767).astype(np.int16)))
    if path:
        np.savez(path, languages=[k or "-" for k, _ in clips], lengths=[len(s) for _, s in clips],
                 samples=np.concatenate([s for _, s in clips]))
    return clips


def no_speech(rng, n):
    """Noise, tones or notes: nobody speaks in it."""
    t = np.arange(n) / RATE
    g = np.random.default_rng(rng.getrandbits(32))
    kind = rng.random()
    if kind < 0.3:  # noise of some colour
        spectrum = np.fft.rfft(g.normal(size=n))
        return np.fft.irfft(spectrum * (1 + np.arange(len(spectrum))) ** -rng.uniform(0, 1.2), n)
    if kind < 0.45:  # a tone, or one that glides
        f = rng.uniform(80, 3000)
        return np.sin(2 * np.pi * (f * t + rng.choice([0, rng.uniform(-0.4, 0.4) * f / t[-1]]) * t * t / 2))
    if kind < 0.55:  # clicks and knocks
        x = np.zeros(n)
        for at in g.integers(0, n - 400, rng.randint(2, 40)):
            x[at:at + 400] += g.normal(size=400) * np.exp(-np.arange(400) / rng.uniform(20, 150))
        return x
    x, beat = np.zeros(n), rng.uniform(0.12, 0.6)
    scale = [0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10]
    root, n_parts, tilt = rng.uniform(65, 260), rng.randint(1, 4), rng.uniform(0.5, 2)
    for at in np.arange(0, n / RATE, beat):
        first = int(at * RATE)
        length = min(n - first, int(RATE * beat * rng.choice([1, 1, 2, 4])))
        for _ in range(n_parts):
            f = root * 2 ** ((rng.choice(scale) + 12 * rng.randint(0, 2)) / 12)
            s = np.arange(length) / RATE
            note = sum(np.sin(2 * np.pi * f * h * s + rng.random()) / h ** tilt for h in range(1, 9) if f * h < 7000)
            x[first:first + length] += note * np.exp(-s * rng.uniform(0.5, 6)) * np.minimum(1, s * 200)
    return x


def damage(rng, x):
    """As microphones, rooms and telephones do it, or not at all; then some level."""
    if rng.random() < 0.2:
        return (x * 10 ** -rng.uniform(0, 1.3) / max(np.abs(x).max(), 1e-6)).astype(np.float32)
    g = np.random.default_rng(rng.getrandbits(32))
    n = len(x)
    if rng.random() < 0.3:  # faster or slower, and so higher or lower
        x = np.interp(np.arange(0, n - 1, rng.uniform(0.9, 1.1)), np.arange(n), x)
        n = len(x)
    if rng.random() < 0.3:  # a room
        tail = g.normal(size=4000) * np.exp(-np.arange(4000) / rng.uniform(200, 1500)) * rng.uniform(0.02, 0.15)
        tail[0] = 1
        x = np.fft.irfft(np.fft.rfft(x, n + 4000) * np.fft.rfft(tail, n + 4000), n + 4000)[:n]
    if rng.random() < 0.3:  # a band
        spectrum, f = np.fft.rfft(x), np.fft.rfftfreq(n, 1 / RATE)
        x = np.fft.irfft(spectrum * (f > rng.uniform(50, 300)) * (f < rng.uniform(3400, 7800)), n)
    x = x / max(np.abs(x).max(), 1e-6)
    if rng.random() < 0.6:
        x = x + g.normal(size=n) * np.sqrt((x * x).mean()) * 10 ** -rng.uniform(0.5, 2)
    return (x * 10 ** -rng.uniform(0, 1.3) / max(np.abs(x).max(), 1e-6)).astype(np.float32)


def clip(rng, voices, seconds):
    """(language or None, is there speech, samples) of at most `seconds`."""
    if rng.random() < 0.12:
        return None, False, damage(rng, no_speech(rng, int(RATE * seconds)))
    language, samples = rng.choice(voices)
    n = int(RATE * seconds)
    at = rng.randrange(max(1, len(samples) - n + 1))
    return language, True, damage(rng, samples[at:at + n].astype(np.float64) / 32768)
