#!/usr/bin/env python3
"""Recordings with known truth: where speech is, and who speaks when.

    tools/make_speech_corpus.py OUT [--set activity|speakers|all] [--part dev|held] [--small]

Writes OUT/<set>-<part>/<name>.wav (16 kHz, s16, mono) and <name>.json: {"seconds", "speech": [[from, to]],
"turns": [[from, to, voice]], "kind"}. Voices come from espeak-ng and, in the held-out part, also from
the flite voices of the ffmpeg tool (made of recordings of people: nothing was tuned on them); music,
noise, hum, clicks and applause are computed here. The two parts share no voice, no seed and no
instrument. The same script, seed and versions of the tools give the same bytes. --small makes the
few recordings that the test of the suite takes. Needs numpy.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import wave

import numpy as np

RATE = 16000
SENTENCES = {
    "en": [
        "The committee meets again on Thursday morning at nine.",
        "We have to decide who pays for the new heating system.",
        "I do not think that this is the right moment to sell the house.",
        "Please send me the numbers for March and April before noon.",
        "The second supplier offered twelve thousand euros including delivery.",
        "Anna will write the letter and Ben takes it to the post office.",
        "What happens when the bridge is closed for another three weeks?",
        "Our neighbours complained about the noise of the machines.",
        "There was a long discussion about the colour of the front door.",
        "He showed five pictures of the harbour, and all of them were blurred.",
        "Nobody knows how old the oak tree behind the chapel really is.",
        "The train from Vienna arrived forty minutes late because of snow.",
        "Could you repeat the last sentence a little more slowly?",
        "They measured the temperature every hour and wrote it on the wall.",
        "A good archive keeps the paper and the story of the paper.",
        "It is cheaper to repair the roof now than to wait for winter.",
        "She asked whether the contract ends in June or in July.",
        "Yes, that is exactly what I wanted to say.",
        "The budget for travel was cut by a quarter, and nobody noticed.",
        "Let us move on to the next point of the agenda.",
        "My grandfather built boats, and my father sold them.",
        "In the end, everybody voted for the smaller of the two rooms.",
        "You should check the battery of the smoke detector once a year.",
        "The museum closes at six, but the garden stays open until dark.",
    ],
    "de": [
        "Der Ausschuss trifft sich am Donnerstag um neun Uhr wieder.",
        "Wir haben lange über die Farbe der Haustür gesprochen.",
        "Die Rechnung vom März fehlt noch immer in der Mappe.",
        "Niemand weiß genau, wie alt die Eiche hinter der Kapelle ist.",
        "Könnten Sie den letzten Satz bitte langsamer wiederholen?",
        "Der Zug aus Wien kam wegen Schnee vierzig Minuten zu spät.",
        "Mein Großvater baute Boote, und mein Vater verkaufte sie.",
        "Es ist billiger, das Dach jetzt zu reparieren.",
        "Das Museum schließt um sechs, der Garten bleibt offen.",
        "Bitte schicken Sie mir die Zahlen für März und April.",
        "Sie maßen jede Stunde die Temperatur im Keller.",
        "Kommen wir zum nächsten Punkt der Tagesordnung.",
        "Der zweite Anbieter verlangt zwölftausend Euro mit Lieferung.",
        "Unsere Nachbarn beschwerten sich über den Lärm der Maschinen.",
    ],
    "fr": [
        "La réunion commence demain matin à neuf heures et demie.",
        "Nous avons longtemps parlé de la couleur de la porte.",
        "Personne ne sait quel âge a le vieux chêne derrière la chapelle.",
        "Pourriez-vous répéter la dernière phrase plus lentement ?",
        "Le train de Vienne est arrivé avec quarante minutes de retard.",
        "Il coûte moins cher de réparer le toit maintenant.",
        "Mon grand-père construisait des bateaux et mon père les vendait.",
        "Le musée ferme à six heures, mais le jardin reste ouvert.",
        "Envoyez-moi les chiffres de mars et d'avril avant midi.",
        "Ils ont mesuré la température toutes les heures.",
        "Passons maintenant au point suivant de l'ordre du jour.",
        "Le deuxième fournisseur propose douze mille euros.",
        "Nos voisins se sont plaints du bruit des machines.",
        "Elle a demandé si le contrat se termine en juin ou en juillet.",
    ],
    "es": [
        "La reunión empieza mañana por la mañana a las nueve.",
        "Hablamos mucho tiempo del color de la puerta de la casa.",
        "Nadie sabe cuántos años tiene el roble detrás de la capilla.",
        "El tren de Viena llegó con cuarenta minutos de retraso.",
        "Es más barato reparar el tejado ahora que esperar al invierno.",
        "Mi abuelo construía barcos y mi padre los vendía.",
        "El museo cierra a las seis, pero el jardín sigue abierto.",
        "Envíeme las cifras de marzo y abril antes del mediodía.",
        "Midieron la temperatura cada hora y la apuntaron en la pared.",
        "Pasemos al siguiente punto del orden del día.",
        "El segundo proveedor ofrece doce mil euros con la entrega.",
        "Los vecinos se quejaron del ruido de las máquinas.",
        "Ella preguntó si el contrato termina en junio o en julio.",
        "¿Podría repetir la última frase un poco más despacio?",
    ],
}
# (synthesiser, voice, pitch, words per minute)
DEV_VOICES = [
    ("espeak", "en-us+m1", 50, 160), ("espeak", "en-gb+m3", 38, 150), ("espeak", "en-us+f1", 55, 165),
    ("espeak", "en-gb+f4", 50, 155), ("espeak", "de+m2", 45, 150), ("espeak", "fr+f2", 60, 160),
    ("espeak", "en-us+m4", 30, 170), ("espeak", "es+Alicia", 50, 160), ("espeak", "en-us+klatt2", 45, 155),
    ("espeak", "en-us+Andy", 55, 175),
]
HELD_VOICES = [
    ("espeak", "en-us+m5", 40, 155), ("espeak", "en-gb+m7", 50, 165), ("espeak", "en-us+f3", 50, 150),
    ("espeak", "en-gb+f5", 60, 165), ("espeak", "de+m6", 45, 155), ("espeak", "fr+Annie", 50, 160),
    ("espeak", "es+max", 45, 160), ("espeak", "en-us+klatt4", 40, 160),
    ("flite", "slt", 0, 0), ("flite", "rms", 0, 0), ("flite", "awb", 0, 0), ("flite", "kal16", 0, 0),
]


def resample(x, rate):
    """To 16 kHz through the spectrum: exact for what both rates hold."""
    if rate == RATE:
        return x
    n = -(-len(x) // rate) * rate
    spectrum = np.fft.rfft(np.pad(x, (0, n - len(x))))
    m = n * RATE // rate
    out = np.zeros(m // 2 + 1, complex)
    k = min(len(out), len(spectrum))
    out[:k] = spectrum[:k]
    return np.fft.irfft(out, m)[: int(len(x) * RATE / rate)] * (m / n)


def read_wave(data):
    """Also a wave file that was written to a pipe, whose sizes are wrong."""
    rate = int.from_bytes(data[24:28], "little")
    at = data.index(b"data") + 8
    return np.frombuffer(data[at: at + (len(data) - at) // 2 * 2], "<i2").astype(float) / 32768, rate


CACHE = {}


def say(voice, text):
    """The voice alone at 16 kHz, without the silence around it, at an active level of 0.1 RMS."""
    key = (voice, text)
    if key in CACHE:
        return CACHE[key]
    synth, name, pitch, speed = voice
    if synth == "espeak":
        out = subprocess.run(["espeak-ng", "-v", name, "-p", str(pitch), "-s", str(speed), "--stdout", text],
                             check=True, capture_output=True).stdout
    else:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            out = subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                                  f"flite=textfile={file.name}:voice={name}", "-c:a", "pcm_s16le",
                                  "-f", "wav", "-"], check=True, capture_output=True).stdout
    x = resample(*read_wave(out))
    x = x - x.mean()
    level = np.sqrt(np.convolve(x * x, np.ones(320) / 320, "same"))
    loud = np.flatnonzero(level > 0.02 * level.max())
    x = x[max(0, loud[0] - 80): loud[-1] + 80]
    active = level[loud]
    CACHE[key] = x * (0.1 / np.sqrt((active ** 2).mean()))
    return CACHE[key]


def spoken(x):
    """Where a voice alone is not silent: pauses of 0.3 s and longer are cut out; seconds."""
    n = len(x) // 160
    level = np.sqrt((x[: n * 160].reshape(n, 160) ** 2).mean(1))
    loud = np.flatnonzero(level > 0.01 * level.max())
    out = []
    for i in loud:
        if out and i - out[-1][1] < 30:
            out[-1][1] = i + 1
        else:
            out.append([i, i + 1])
    return [[a / 100, b / 100] for a, b in out]


def language(voice):
    return voice[1][:2] if voice[0] == "espeak" else "en"


# --- what is not speech ---------------------------------------------------------------------------

def coloured(rng, n, power):
    """Noise whose power falls with f^-power; RMS 0.1."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.maximum(np.arange(len(spectrum)), 20 * n / RATE)
    x = np.fft.irfft(spectrum * f ** (-power / 2), n)
    return 0.1 * x / np.sqrt((x * x).mean())


def hum(rng, n, hz=50):
    t = np.arange(n) / RATE
    x = sum(a * np.sin(2 * np.pi * hz * k * t + rng.uniform(0, 6)) for k, a in
            [(1, 1), (2, .4), (3, .5), (5, .2), (7, .1)])
    return 0.05 * x + 0.001 * rng.standard_normal(n)


def note(rng, hz, seconds, instrument):
    t = np.arange(int(seconds * RATE)) / RATE
    table = {"organ": ([1, .6, .4, .3, .2, .15], 0.02, 9.0, 0), "piano": ([1, .5, .25, .12, .06], 0.004, 0.5, 0),
             "string": ([1, .7, .5, .4, .3, .2, .2, .1], 0.08, 9.0, 5.5), "pluck": ([1, .8, .6, .4, .3, .2], 0.002, 0.2, 0),
             "flute": ([1, .25, .08], 0.05, 9.0, 5.0)}
    partials, attack, decay, vibrato = table[instrument]
    phase = 2 * np.pi * hz * t + (0.25 * np.sin(2 * np.pi * vibrato * t) if vibrato else 0)
    x = sum(a * np.sin(k * phase + rng.uniform(0, 6)) for k, a in enumerate(partials, 1) if k * hz < 7000)
    envelope = np.minimum(1, t / attack) * np.exp(-t / decay) * np.minimum(1, (t[-1] - t) / 0.02)
    return x * envelope


def place(out, x, at):
    i = int(at * RATE)
    n = min(len(x), len(out) - i)
    if n > 0:
        out[i: i + n] += x[:n]


def drum(rng, kind):
    n = int(0.25 * RATE)
    t = np.arange(n) / RATE
    if kind == "kick":
        return np.sin(2 * np.pi * (45 * t + 8 * (1 - np.exp(-t * 30)))) * np.exp(-t * 18) * 1.5
    if kind == "snare":
        return (0.6 * rng.standard_normal(n) + np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 25)
    x = rng.standard_normal(n)
    return np.diff(x, prepend=0) * np.exp(-t * 60) * 0.5


def music(rng, seconds, kind, instruments, beat_s):
    n = int(seconds * RATE)
    out = np.zeros(n)
    scale = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
    chords = [(0, 2, 4), (3, 5, 7), (4, 6, 8), (5, 7, 9)]
    t, i = 0.0, 0
    while t < seconds:
        chord = chords[(i // 8) % 4]
        if kind in ("chords", "band") and i % 8 == 0:
            for k in chord:
                place(out, 0.5 * note(rng, scale[k], 8 * beat_s, instruments[0]), t)
        if kind in ("arpeggio", "band"):
            place(out, 0.8 * note(rng, 2 * scale[chord[i % 3]], beat_s, instruments[1]), t)
        if kind == "melody":
            place(out, note(rng, scale[rng.integers(len(scale))] * 2, beat_s * rng.choice([1, 2]), instruments[1]), t)
        if kind in ("drums", "band"):
            place(out, 1.2 * drum(rng, ["kick", "hat", "snare", "hat"][i % 4]), t)
        if kind == "band" and i % 2 == 0:
            place(out, 0.8 * note(rng, scale[chord[0]] / 4, 2 * beat_s, "pluck"), t)
        t += beat_s
        i += 1
    return 0.1 * out / np.sqrt((out * out).mean()) + 1e-5 * rng.standard_normal(n)


def clicks(rng, seconds, rate, decay_s=0.002):
    n = int(seconds * RATE)
    out = 1e-5 * rng.standard_normal(n)
    t = 0.0
    while True:
        t += rng.exponential(1 / rate)
        if t >= seconds:
            return out
        m = int(8 * decay_s * RATE)
        place(out, rng.uniform(.1, .6) * rng.standard_normal(m) * np.exp(-np.arange(m) / RATE / decay_s), t)


def ringing(rng, seconds):
    t = np.arange(int(seconds * RATE)) / RATE
    return 0.1 * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)) * (t % 3 < 1) + 1e-5 * rng.standard_normal(len(t))


def sweep(rng, seconds):
    t = np.arange(int(seconds * RATE)) / RATE
    return 0.2 * np.sin(2 * np.pi * (100 * t + 1500 * t * t / seconds)) + 1e-5 * rng.standard_normal(len(t))


def telephone(x):
    spectrum = np.fft.rfft(x)
    f = np.arange(len(spectrum)) * RATE / len(x)
    return np.fft.irfft(spectrum * ((f > 300) & (f < 3400)), len(x))


# --- recordings -----------------------------------------------------------------------------------

def write(folder, name, x, truth):
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.round(x * 32767), -32768, 32767).astype("<i2").tobytes())
    truth["seconds"] = len(x) / RATE
    (folder / f"{name}.json").write_text(json.dumps(truth) + "\n")


def monologue(rng, voice, n_sentences, pause=(1.0, 4.0)):
    """Sentences of one voice between pauses; samples and where speech is."""
    sentences = SENTENCES[language(voice)]
    chosen = [sentences[i] for i in rng.permutation(len(sentences))[:n_sentences]]
    pieces, speech, at = [], [], 0.0
    for text in chosen:
        gap = np.zeros(int(rng.uniform(*pause) * RATE))
        x = say(voice, text)
        at += len(gap) / RATE
        speech += [[at + a, at + b] for a, b in spoken(x)]
        at += len(x) / RATE
        pieces += [gap, x]
    pieces.append(np.zeros(int(1.5 * RATE)))
    return np.concatenate(pieces), speech


def dither(rng, n):
    return rng.uniform(-1, 1, n) / 32768


def decibel(db):
    return 10 ** (db / 20)


def make_activity(folder, part, small):
    rng = np.random.default_rng(11 if part == "dev" else 97)
    voices = DEV_VOICES if part == "dev" else HELD_VOICES
    instruments = ["organ", "piano"] if part == "dev" else ["string", "pluck"]
    beat_s = 0.25 if part == "dev" else 0.31
    whisper = ("espeak", "en-us+whisper" if part == "dev" else "en-us+whisperf", 50, 150)
    n_sentences = 3 if small else 5

    def speech(name, voice, change, kind="speech"):
        x, truth = monologue(rng, voice, n_sentences)
        write(folder, name, change(x), {"kind": kind, "speech": truth})

    def quiet(x):
        return x + dither(rng, len(x))

    def over(noise, snr_db):
        return lambda x: x + noise(len(x)) * decibel(-snr_db)

    def band(kind):
        return lambda n: music(rng, n / RATE, kind, instruments, beat_s)[:n]

    for i, voice in enumerate(voices[:: 4 if small else 1]):
        speech(f"speech-{i:02}", voice, quiet)
    speech("whispered", whisper, quiet)
    speech("low-30dB", voices[2], lambda x: quiet(x * decibel(-30)))
    speech("telephone", voices[3], lambda x: telephone(x + 0.001 * rng.standard_normal(len(x))))
    for i, snr in enumerate([10] if small else [20, 10, 5, 0]):
        speech(f"white-{snr}dB", voices[i], over(lambda n: 0.1 * rng.standard_normal(n), snr), "noisy")
        speech(f"pink-{snr}dB", voices[i + 3], over(lambda n: coloured(rng, n, 1), snr), "noisy")
    speech("hum-10dB", voices[1], over(lambda n: hum(rng, n), 5), "noisy")
    for i, snr in enumerate([10] if small else [20, 10, 5]):
        for j, kind in enumerate(["band"] if small else ["band", "chords", "melody", "drums"]):
            speech(f"{kind}-{snr}dB", voices[(2 * i + j) % len(voices)], over(band(kind), snr), "over music")
    seconds = 12 if small else 30
    n = seconds * RATE
    other = {
        "silence": dither(rng, n), "zero": np.zeros(n), "white": 0.1 * rng.standard_normal(n),
        "white-60dB": 0.001 * rng.standard_normal(n), "pink": coloured(rng, n, 1), "brown": coloured(rng, n, 2),
        "hum": hum(rng, n), "hum60": hum(rng, n, 60), "tone": 0.3 * np.sin(2 * np.pi * 440 * np.arange(n) / RATE),
        "sweep": sweep(rng, seconds), "ringing": ringing(rng, seconds), "clicks": clicks(rng, seconds, 2),
        "typing": clicks(rng, seconds, 6, 0.006), "applause": clicks(rng, seconds, 400, 0.005),
        "rain": clicks(rng, seconds, 3000, 0.001) + 0.01 * rng.standard_normal(n),
        "fan": coloured(rng, n, 1.5) * (1 + 0.2 * np.sin(2 * np.pi * 0.5 * np.arange(n) / RATE)),
    }
    for kind in ["chords", "arpeggio", "melody", "drums", "band"]:
        for j, pair in enumerate([instruments, instruments[::-1], ["organ", "flute"] if part == "dev" else ["flute", "organ"]]):
            other[f"music-{kind}-{j}"] = music(rng, seconds, kind, pair, beat_s * (1 + 0.4 * j))
    for name, x in other.items():
        write(folder, f"none-{name}", x, {"kind": "none", "speech": []})


def conversation(rng, voices, seconds, overlap=0.0, pause=(0.1, 1.0), sentences=(1, 3)):
    """Turns of several voices; samples and truth."""
    n = int(seconds * RATE)
    out = np.zeros(n + 20 * RATE)
    decks = {v: [] for v in voices}
    gains = {v: decibel(rng.uniform(-4, 4)) for v in voices}
    turns, speech, at, last = [], [], 0.5, None
    while at < seconds - 8:
        rest = [v for v in voices if v != last or len(voices) == 1]
        voice = rest[rng.integers(len(rest))]
        pieces = []
        for _ in range(rng.integers(sentences[0], sentences[1] + 1)):
            if not decks[voice]:
                decks[voice] = list(rng.permutation(SENTENCES[language(voice)]))
            pieces += [say(voice, decks[voice].pop()), np.zeros(int(rng.uniform(.15, .4) * RATE))]
        x = np.concatenate(pieces[:-1]) * gains[voice]
        if overlap and last is not None and rng.uniform() < overlap:
            at -= min(rng.uniform(0.8, 2.0), len(x) / RATE / 2)
        place(out, x, at)
        parts = [[round(at + a, 3), round(at + b, 3)] for a, b in spoken(x)]
        turns += [[a, b, "/".join(map(str, voice))] for a, b in parts]
        speech += parts
        at += len(x) / RATE + rng.uniform(*pause)
        last = voice
    end = int((max(t[1] for t in turns) + 0.5) * RATE)
    noise = coloured(rng, end, 1) * decibel(-rng.uniform(30, 45))
    return out[:end] + noise, {"kind": "conversation", "speech": speech, "turns": turns}


def make_speakers(folder, part, small):
    rng = np.random.default_rng(5 if part == "dev" else 71)
    voices = DEV_VOICES if part == "dev" else HELD_VOICES
    n_each = 2 if small else 8
    seconds = 45 if small else 90
    for n in (1, 2, 3):
        for i in range(len(voices) if n == 1 and not small else n_each):
            chosen = [voices[i % len(voices)]] if n == 1 else \
                [voices[k] for k in rng.permutation(len(voices))[:n]]
            # the last quarter of the recordings has people who interrupt each other
            x, truth = conversation(rng, chosen, seconds, 0.35 if n > 1 and i % 4 == 3 else 0)
            write(folder, f"voices{n}-{i:02}", x, truth)
    for n in () if small else (2, 3):
        for i in range(4):  # and some have hardly anybody who does not
            chosen = [voices[k] for k in rng.permutation(len(voices))[:n]]
            x, truth = conversation(rng, chosen, seconds, 0.6)
            write(folder, f"lively{n}-{i:02}", x, truth)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--set", default="all", choices=["activity", "speakers", "all"])
    parser.add_argument("--part", default="dev", choices=["dev", "held"])
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    for name, make in [("activity", make_activity), ("speakers", make_speakers)]:
        if options.set in (name, "all"):
            make(options.out / f"{name}-{options.part}", options.part, options.small)


if __name__ == "__main__":
    main()
